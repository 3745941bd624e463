"""Where posts are written: draws patterns evenly, fills them, and lets no text appear twice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from pipeline.demo.voices import Author, native_id, permalink
from pipeline.demo.wording import Gazetteer, Habit, Pattern, Sheet, Slots, clock_words, compose, typed

_REDRAWS = 200


@dataclass(frozen=True)
class Post:
    """One mention before it has an id."""

    at: datetime
    author: Author
    group: str
    text: str
    place: str | None

    def record(self, rng: Random) -> dict[str, Any]:
        """The mention in the file-replay format."""
        native = native_id(self.author.platform, self.at, rng)
        record = {
            "id": native,
            "platform": self.author.platform,
            "published_at": self.at.isoformat(timespec="seconds"),
            "text": self.text,
            "author": self.author.wire(),
            "url": permalink(self.author, native),
        }
        return record | ({"place": self.place} if self.place else {})


class Deck:
    """Patterns dealt like cards, shuffled or in their written order: all are used before one returns."""

    def __init__(self, patterns: Sequence[Pattern], rng: Random | None) -> None:
        self._patterns, self._rng = patterns, rng
        self._left: list[Pattern] = []

    def draw(self) -> Pattern:
        if not self._left:
            self._left = list(reversed(self._patterns))
            if self._rng:
                self._rng.shuffle(self._left)
        return self._left.pop()


@dataclass
class Desk:
    """The random source, the city's words, and what was written so far."""

    rng: Random
    gazetteer: Gazetteer
    used: set[Pattern] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def deck(self, sheet: Sheet, *groups: str) -> Deck:
        return Deck(sheet.patterns(*groups), self.rng)

    def script(self, sheet: Sheet, group: str) -> Deck:
        """The group in the order in which it was written: what officials and papers say unfolds."""
        return Deck(sheet.patterns(group), None)

    def write(self, at: datetime, author: Author, deck: Deck, sheet: Sheet, **scene: Any) -> Post:
        """A private person's post: dressed with opener, tail and slips. `scene`: see `_new`."""

        def dressed(pattern: Pattern, slots: Slots) -> str:
            return typed(compose(pattern, sheet, slots, self.rng), author.habit, self.rng)

        return self._new(at, author, deck, sheet, dressed, **scene)

    def state(self, at: datetime, author: Author, deck: Deck, sheet: Sheet, **scene: Any) -> Post:
        """A text as it stands in the phrases: announcements, headlines, and posts whose details must stay legible."""
        return self._new(at, author, deck, sheet, lambda pattern, slots: pattern.line.format_map(slots), **scene)

    def _new(
        self,
        at: datetime,
        author: Author,
        deck: Deck,
        sheet: Sheet,
        wording: Callable[[Pattern, Slots], str],
        extra: Mapping[str, str] | None = None,
        dry: bool = False,
    ) -> Post:
        """Draws until the text is new. `extra` fixes slots; `dry` keeps to the districts without water."""
        for _ in range(_REDRAWS):
            pattern, slots = deck.draw(), self._slots(at, sheet, extra, dry)
            text = wording(pattern, slots)
            if text not in self._seen:
                return self._post(at, author, pattern, text, slots)
        raise RuntimeError(f"no new text left in {sheet.name}: add patterns")

    def _slots(self, at: datetime, sheet: Sheet, extra: Mapping[str, str] | None, dry: bool) -> Slots:
        places = self.gazetteer.dry if dry else self.gazetteer.places
        slots = Slots(self.rng, places, {**self.gazetteer.words, **sheet.words})
        slots.update(clock_words(at, self.rng) | dict(extra or {}))
        return slots

    def _post(self, at: datetime, author: Author, pattern: Pattern, text: str, slots: Slots) -> Post:
        self._seen.add(text)
        self.used.add(pattern)
        known = slots.get("semt") if self.rng.random() < 0.7 else None
        return Post(at, author, pattern.group, text, known)


def steady(author: Author) -> Author:
    """The author when not hasty: where a typing slip could hide the one word that tells the topic."""
    if author.habit is not Habit.HASTY:
        return author
    return Author(author.id, author.handle, author.platform, author.followers, Habit.LOWER)
