"""The habit of a source: in which hours it speaks of a watch, and whether it is silent now although it usually speaks.

Counted is whether it speaks in an hour at all, not how often: bursts of a hundred posts and of one are one hour, so that
no burst makes the next hours look empty (the first part of the over-dispersion). The 24 hours of a working day and of a day
off are learnt apart, as a share p of the hours that were listened to, with two silent hours beforehand (Laplace): a quiet
night or weekend has p near 0 and says nothing.

Each silent hour adds -ln(1 - p) to what has been `waited`. Were the hours independent, a Poisson process seen by the hour,
a silence of x or more would have the chance exp(-x). They are not: a source that skips whole days is silent in clumps (the
second part). So x is divided by the source's own scale, the sum of squares of its past waits over twice their sum: what one
waits on average from a random moment on (renewal theory), 1 for a Poisson process and more for clumps. It is told once
x / scale reaches ln(10,000): of so many silences, chance makes one as long as this, which for a source that speaks in ten
hours a day, with at most as many silences, is one in three years. And x has to be longer than the longest known one.

An hour that was not listened to, in whole, is no silence and teaches nothing: the clock begins again behind it.
"""

import base64
import math
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Self

from processors.detection.clocks import BUCKET_SECS
from processors.spikes.baseline import EPOCH_WEEKDAY
from processors.spikes.expectations import is_day_off
from processors.spikes.surge import TURKIYE_UTC_OFFSET_MINUTES

HOUR: Final = 3600 // BUCKET_SECS  # in minutes
DAY_HOURS: Final = 24
DAYS_SPOKEN: Final = 7  # on so many days it must have spoken before it can be missed
SHORTEST_SILENCE: Final = 3  # hours
ONCE_IN: Final = 10_000.0
SOURCES: Final = 16  # of a watch; more are not followed
MEMORY_VISITS: Final = 40  # of an hour of the day, then they count half
PRIOR_SILENT: Final = 2.0  # hours of each hour of the day that it is taken to have been silent beforehand
PRIOR_WAITS: Final = 5.0  # sum of waits of a Poisson process that the scale begins with
MEMORY_WAITS: Final = 200.0  # sum of waits, then they count half
LONGER_THAN_LONGEST: Final = 1.25
LONGEST_FADES: Final = 0.98  # a day on which it spoke
CATCH_UP_HOURS: Final = 14 * DAY_HOURS  # of a source that could not be missed yet no more is looked back

_WEEKEND: Final = (5, 6)
_VERSION: Final = 1
# version, told, days spoken, next hour, last hour spoken in, silent hours
_HEAD: Final = struct.Struct("<BBHiiH")
_FLOATS: Final = struct.Struct("<5f")
_MOST: Final = 0xFFFF  # days, or silent hours, that are counted
_CELLS: Final = 2 * DAY_HOURS


class Silence(NamedTuple):
    """A source is silent; hours since the epoch."""

    hour: int
    """The last one that was silent."""
    last_spoken: int
    silent_hours: int
    usual_hours: float
    once_in: float


class Habit:
    """Of one source of one watch. Hours are UTC hours since the epoch, in event time."""

    __slots__ = ("_days", "_last", "_longest", "_next", "_open", "_silent", "_spoken", "_squares", "_told", "_usual",
                 "_visits", "_waited", "_waits")  # fmt: skip

    def __init__(self, hour: int) -> None:
        self._next, self._last = hour, hour
        self._open: set[int] = set()  # hours from `_next` on in which it has spoken
        self._visits, self._spoken = bytearray(_CELLS), bytearray(_CELLS)
        self._days = self._silent = 0
        self._waited = self._usual = self._longest = 0.0
        self._waits, self._squares = PRIOR_WAITS, 2 * PRIOR_WAITS
        self._told = False

    @property
    def can_be_missed(self) -> bool:
        """Whether hours that pass may lead to a notice: until then they may be settled as late as one likes."""
        return self._days >= DAYS_SPOKEN and not self._told

    @property
    def next_hour(self) -> int:
        """The first that is not settled."""
        return self._next

    @property
    def last_spoken(self) -> int:
        """The last hour in which it spoke."""
        return max(self._last, *self._open) if self._open else self._last

    def heard(self, hour: int) -> bool:
        """It speaks in this hour; whether that was not known. One that is settled already only ends a silence."""
        if hour >= self._next:
            if hour in self._open:
                return False
            self._open.add(hour)
            return True
        if hour <= self._last:
            return False
        self._last = hour
        self._begin_to_wait()
        self._told = False
        return True

    def settle(self, before: int, listening_since: int | None) -> Iterator[Silence]:
        """Take over the hours before `before`. `listening_since`: the first minute since which nothing was missed, or None."""
        if self._told:  # nothing is learnt of a silence that was told
            self._skip(min([before, *self._open]))
        elif not self.can_be_missed:
            self._skip(before - CATCH_UP_HOURS)
        for hour in range(self._next, before):
            if hour in self._open:
                self._spoke(hour)
            elif listening_since is None or listening_since > hour * HOUR:
                self._begin_to_wait()
            else:
                yield from self._was_silent(hour)
            self._next = hour + 1
            self._round()

    def pause(self, before: int) -> None:
        """The watch did not listen in the hours before `before`."""
        self._begin_to_wait()
        self._skip(before)

    def _skip(self, to: int) -> None:
        gone = {hour for hour in self._open if hour < to}
        self._last = max([self._last, *gone])
        self._open -= gone
        self._next = max(self._next, to)

    def _spoke(self, hour: int) -> None:
        self._open.discard(hour)
        self._learn_wait()
        if _local_day(hour) != _local_day(self._last) or self._days == 0:
            self._days = min(self._days + 1, _MOST)
            self._longest *= LONGEST_FADES
        self._visit(hour, spoke=True)
        self._last = max(self._last, hour)
        self._begin_to_wait()
        self._told = False

    def _learn_wait(self) -> None:
        """What is told as a silence teaches no more than that: a dead connection is not to become the habit."""
        wait = min(self._waited, self._scale * math.log(ONCE_IN))
        self._waits += wait
        self._squares += wait * wait
        self._longest = max(self._longest, wait)
        if self._waits > MEMORY_WAITS:
            self._waits, self._squares = self._waits / 2, self._squares / 2

    @property
    def _scale(self) -> float:
        return max(1.0, self._squares / (2 * self._waits))

    def _was_silent(self, hour: int) -> Iterator[Silence]:
        if self._told:
            return
        share = self._share(hour)
        self._silent = min(self._silent + 1, _MOST)
        self._waited -= math.log1p(-share)
        self._usual += share
        self._visit(hour, spoke=False)
        score = self._waited / self._scale
        if self._days < DAYS_SPOKEN or self._silent < SHORTEST_SILENCE or score < math.log(ONCE_IN) or share == 0:
            return
        if self._waited > LONGER_THAN_LONGEST * self._longest:
            self._told = True
            yield Silence(hour, self._last, self._silent, self._usual, math.exp(min(score, 50.0)))

    def _share(self, hour: int) -> float:
        cell = _cell(hour)
        return self._spoken[cell] / (self._visits[cell] + PRIOR_SILENT)

    def _visit(self, hour: int, *, spoke: bool) -> None:
        cell = _cell(hour)
        if self._visits[cell] >= MEMORY_VISITS:
            self._visits[cell] //= 2
            self._spoken[cell] //= 2
        self._visits[cell] += 1
        self._spoken[cell] += spoke

    def _begin_to_wait(self) -> None:
        self._silent, self._waited, self._usual = 0, 0.0, 0.0

    def _values(self) -> tuple[float, ...]:
        return (self._waited, self._usual, self._waits, self._squares, self._longest)

    def _restore(self, values: tuple[float, ...]) -> None:
        self._waited, self._usual, self._waits, self._squares, self._longest = values

    def _round(self) -> None:
        """To what is stored, so that a restart changes no bit."""
        self._restore(_FLOATS.unpack(_FLOATS.pack(*self._values())))

    def dump(self) -> list[Any]:
        """As JSON: what is packed, and the open hours."""
        head = _HEAD.pack(_VERSION, self._told, self._days, self._next, self._last, self._silent)
        floats = _FLOATS.pack(*self._values())
        return [base64.b64encode(head + floats + self._visits + self._spoken).decode(), sorted(self._open)]

    @classmethod
    def restore(cls, stored: list[Any]) -> Self:
        """The inverse of `dump`. Raises ValueError for another version or length."""
        packed, cells = base64.b64decode(stored[0], validate=True), _HEAD.size + _FLOATS.size
        if len(packed) != cells + 2 * _CELLS or packed[0] != _VERSION:
            raise ValueError(f"{len(packed)} bytes of version {packed[:1].hex()} are no habit of version {_VERSION}")
        _, told, days, following, last, silent = _HEAD.unpack_from(packed)
        habit = cls(following)
        habit._told, habit._days, habit._last, habit._silent = bool(told), days, last, silent
        habit._restore(_FLOATS.unpack_from(packed, _HEAD.size))
        habit._visits, habit._spoken = bytearray(packed[cells : cells + _CELLS]), bytearray(packed[cells + _CELLS :])
        habit._open = set(stored[1])
        return habit


def _local_day(hour: int) -> int:
    return (hour * HOUR + TURKIYE_UTC_OFFSET_MINUTES) // (DAY_HOURS * HOUR)


def _cell(hour: int) -> int:
    """Hour of the local day, those of days off behind those of working days."""
    day, minute = divmod(hour * HOUR + TURKIYE_UTC_OFFSET_MINUTES, DAY_HOURS * HOUR)
    is_off = (day + EPOCH_WEEKDAY) % 7 in _WEEKEND or is_day_off(day)
    return minute // HOUR + DAY_HOURS * is_off
