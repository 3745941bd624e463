"""The sources of one watch with their habits: which of them is silent now although it usually speaks."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, Self

from processors.detection.clocks import BUCKET_SECS
from processors.detection.habit import HOUR, SOURCES, Habit, Silence
from schemas.signals import SilentSource

_FORGOTTEN_HOURS: Final = 14 * 24
ListeningSince = Callable[[str], int | None]
"""The first minute since which nothing of a source was missed; None when nobody knows, or it has ended."""


def settled_hours(open_from: int, late_minutes: int) -> int:
    """The first hour that may still get mentions which are counted, when minutes before `open_from` are closed."""
    return (open_from - late_minutes) // HOUR


class Sources:
    """What one watch remembers of who speaks. Made at its first mention."""

    __slots__ = ("_habits", "changed")

    def __init__(self) -> None:
        self._habits: dict[str, Habit] = {}
        self.changed = False  # since it was stored

    @property
    def watchful(self) -> bool:
        """Whether an hour that passes may lead to a notice."""
        return any(habit.can_be_missed for habit in self._habits.values())

    def heard(self, source: str, minute: int) -> None:
        """A mention of the watch came from the source. Minutes may come in any order."""
        hour = minute // HOUR
        habit = self._habits.get(source)
        if habit is None:
            if not self._has_room(hour):
                return
            habit = self._habits[source] = Habit(hour)
        self.changed |= habit.heard(hour)

    def _has_room(self, hour: int) -> bool:
        """Of too many sources, one that was long not heard of gives way: names of files and feeds change."""
        if len(self._habits) < SOURCES:
            return True
        longest_ago = min(self._habits, key=lambda name: (self._habits[name].last_spoken, name))
        if self._habits[longest_ago].last_spoken > hour - _FORGOTTEN_HOURS:
            return False
        del self._habits[longest_ago]
        return True

    def is_settled(self, before_hour: int) -> bool:
        """Whether the hours before `before_hour` are taken over."""
        return all(habit.next_hour >= before_hour for habit in self._habits.values())

    def settle(self, before_hour: int, listening_since: ListeningSince) -> Iterator[tuple[str, Silence]]:
        """Take over the hours before `before_hour`."""
        for source, habit in sorted(self._habits.items()):
            if habit.next_hour < before_hour:
                self.changed = True
                for silence in habit.settle(before_hour, listening_since(source)):
                    yield source, silence

    def pause(self, before_hour: int) -> None:
        """The watch did not listen in the hours before `before_hour`: that is no silence of anybody."""
        for habit in self._habits.values():
            if habit.next_hour < before_hour:
                self.changed = True
                habit.pause(before_hour)

    def dump(self) -> dict[str, Any]:
        """As JSON; see `Habit.dump` for the version."""
        return {source: habit.dump() for source, habit in sorted(self._habits.items())}

    @classmethod
    def restore(cls, stored: dict[str, Any]) -> Self:
        """The inverse of `dump`. Raises ValueError for a version that it does not know."""
        sources = cls()
        sources._habits = {source: Habit.restore(packed) for source, packed in stored.items()}
        return sources


def told_silence(source: str, silence: Silence) -> SilentSource:
    """As a signal tells it."""
    return SilentSource(
        source=source, last_heard=_time(silence.last_spoken), silent_hours=silence.silent_hours,
        usual_hours=round(silence.usual_hours, 1), once_in=round(silence.once_in),
    )  # fmt: skip


def _time(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * HOUR * BUCKET_SECS, UTC)
