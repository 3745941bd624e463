"""Which watches take a mention. Exact on a mention that is ready, coarse on a text that has just arrived.

One mention is held against many watches, so each watch names clues (words or beginnings of words) of which a text must
have one; only watches with a clue in the text are evaluated.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Self

from processors.text.characters import visible
from processors.text.tokens import folded_tokens
from processors.watches.expression import (
    And,
    Clue,
    Everything,
    Expression,
    Field,
    FieldIs,
    FieldStarts,
    Not,
    Or,
    Prefix,
    Words,
    clues,
)
from processors.watches.query import InvalidQuery, parse
from schemas.watches import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a watch looks at. The fields hold what is in the index: no value is None."""

    text: str
    platform: str
    language: str
    author_class: str
    place: str | None
    source: str

    def value(self, field: Field) -> str:
        """What the field holds, empty if nothing."""
        found: str | None = getattr(self, field)
        return found or ""


class _Text:
    """The folded words of a text, ready to be asked."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self.vocabulary = frozenset(words)

    @classmethod
    def stored(cls, text: str) -> Self:
        """A text as it stands in the index."""
        return cls(folded_tokens(text))

    @classmethod
    def raw(cls, text: str) -> Self:
        """A text before the privacy gate: with the words that it has now, and with those that it will have."""
        words, shown = folded_tokens(text), visible(text)
        return cls(words if shown == text else words + folded_tokens(shown))

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.vocabulary)

    def begins(self, start: str) -> bool:
        """A word begins like this."""
        at = bisect_left(self._sorted, start)
        return at < len(self._sorted) and self._sorted[at].startswith(start)

    def says(self, phrase: tuple[str, ...]) -> bool:
        """The words stand side by side."""
        if not self.vocabulary.issuperset(phrase):
            return False
        words, length = self._words, len(phrase)
        return length == 1 or any(tuple(words[at : at + length]) == phrase for at, word in enumerate(words) if word == phrase[0])

    def starts(self, lengths: Iterable[int]) -> Iterator[str]:
        """Beginnings of the words, of these lengths."""
        for length in lengths:
            for word in self.vocabulary:
                if len(word) >= length:
                    yield word[:length]


@dataclass(frozen=True, slots=True)
class CompiledWatch:
    """A watch with its query understood."""

    watch: Watch
    query: Expression
    exclusions: tuple[Expression, ...]

    @classmethod
    def compile(cls, watch: Watch) -> Self:
        """Raises `InvalidQuery`."""
        return cls(watch, _parse(watch.query), tuple(map(_parse, watch.exclusions)))

    def matches(self, candidate: Candidate) -> bool:
        """The query takes it and no exclusion removes it."""
        return self._takes(_Text.stored(candidate.text), candidate)

    def may_match(self, text: str) -> bool:
        """False only when no mention with this raw text can match, whatever its fields. Exclusions are not looked at."""
        return _may_hold(self.query, _Text.raw(text))

    def _takes(self, text: _Text, candidate: Candidate) -> bool:
        return _holds(self.query, text, candidate) and not any(_holds(excluded, text, candidate) for excluded in self.exclusions)


class WatchSet:
    """The watches in force on one day."""

    def __init__(self, watches: Iterable[CompiledWatch], unusable: Mapping[str, InvalidQuery]) -> None:
        self._watches = {compiled.watch.watch_id: compiled for compiled in watches}
        self.unusable = unusable
        """Watches whose query this version does not understand, and why: to be shown, since they hear nothing."""
        self._index = _ClueIndex({watch_id: clues(compiled.query) for watch_id, compiled in self._watches.items()})

    @classmethod
    def build(cls, watches: Iterable[Watch], today: date) -> Self:
        """Leaves out what is disabled or has expired before `today`; of several versions of a watch the highest counts."""
        newest: dict[str, Watch] = {}
        for watch in watches:
            if watch.watch_id not in newest or watch.version >= newest[watch.watch_id].version:
                newest[watch.watch_id] = watch
        compiled: list[CompiledWatch] = []
        unusable: dict[str, InvalidQuery] = {}
        for watch_id, watch in newest.items():
            if not watch.enabled or watch.expires < today:
                continue
            try:
                compiled.append(CompiledWatch.compile(watch))
            except InvalidQuery as error:
                unusable[watch_id] = error
        return cls(compiled, unusable)

    def __len__(self) -> int:
        return len(self._watches)

    def __iter__(self) -> Iterator[CompiledWatch]:
        return iter(self._watches.values())

    def matching(self, candidate: Candidate) -> list[str]:
        """Ids of the watches that take the mention, sorted."""
        if not self._watches:
            return []
        text = _Text.stored(candidate.text)
        plausible = self._index.plausible(text)
        return sorted(watch_id for watch_id in plausible if self._watches[watch_id]._takes(text, candidate))

    def admits(self, raw_text: str) -> bool:
        """False only when no watch can take a mention with this raw text."""
        if not self._watches:
            return False
        text = _Text.raw(raw_text)
        return any(_may_hold(self._watches[watch_id].query, text) for watch_id in self._index.plausible(text))


class _ClueIndex:
    """From words to the watches that they are a clue for."""

    def __init__(self, clues_by_watch: Mapping[str, frozenset[Clue] | None]) -> None:
        self._always: set[str] = set()
        self._words: defaultdict[str, set[str]] = defaultdict(set)
        self._starts: defaultdict[str, set[str]] = defaultdict(set)
        for watch_id, found in clues_by_watch.items():
            if found is None:
                self._always.add(watch_id)
            for clue in found or ():
                (self._starts if clue.is_prefix else self._words)[clue.text].add(watch_id)
        self._lengths = sorted(set(map(len, self._starts)))

    def plausible(self, text: _Text) -> set[str]:
        """Watches that the text has a clue for, and those without clues."""
        found = set(self._always)
        for word in self._words.keys() & text.vocabulary:
            found |= self._words[word]
        for start in text.starts(self._lengths):
            found |= self._starts.get(start, frozenset())
        return found


def _holds(expression: Expression, text: _Text, candidate: Candidate) -> bool:
    match expression:
        case Everything():
            return True
        case Words(words):
            return text.says(words)
        case Prefix(start):
            return text.begins(start)
        case FieldIs(field, value):
            return candidate.value(field) == value
        case FieldStarts(field, start):
            return candidate.value(field).startswith(start)
        case And(parts):
            return all(_holds(part, text, candidate) for part in parts)
        case Or(parts):
            return any(_holds(part, text, candidate) for part in parts)
        case Not(part):
            return not _holds(part, text, candidate)


def _may_hold(expression: Expression, text: _Text) -> bool:
    """Like `_holds` with everything that the words alone cannot decide taken as true."""
    match expression:
        case Words(words):
            return text.vocabulary.issuperset(words)
        case Prefix(start):
            return text.begins(start)
        case And(parts):
            return all(_may_hold(part, text) for part in parts)
        case Or(parts):
            return any(_may_hold(part, text) for part in parts)
        case _:
            return True


_parse = lru_cache(maxsize=4096)(parse)  # a set is built anew whenever one of its watches changes
