"""How the invented people write: patterns with slots, openers and tails, and the slips of everyday typing.

Pure: the caller owns the random source, so that one seed gives one text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from random import Random
from typing import Any

import yaml

from processors.text import turkish
from processors.text.tokens import fold, folded_tokens

_PHRASES = files("pipeline.demo") / "phrases"
_HANDLE = re.compile(r"@\w+")
_PROTECTED = ("cinarl", "belediy")


class Habit(StrEnum):
    """How one author types; it stays with the author."""

    TIDY = "tidy"
    LOWER = "lower"
    ASCII = "ascii"
    HASTY = "hasty"


@dataclass(frozen=True)
class Pattern:
    """One sentence pattern and the group it was written for, such as `water.question`."""

    group: str
    line: str


@dataclass(frozen=True)
class Sheet:
    """One file of phrases: lines by group, and words of its own for the slots."""

    name: str
    lines: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def patterns(self, *groups: str) -> list[Pattern]:
        return [Pattern(f"{self.name}.{group}", line) for group in groups for line in self.lines[group]]

    def dressing(self, part: str, pattern: Pattern) -> tuple[str, ...]:
        """Openers or tails: the group's own where it has some, such as `tails_angry`."""
        return self.lines.get(f"{part}_{pattern.group.partition('.')[2]}", self.lines[part])


def sheet(name: str) -> Sheet:
    """Read phrases/`name`.yaml."""
    content = _read(name)
    words = content.pop("words", {})
    lines = {group: tuple(line.strip() for line in block.splitlines() if line.strip()) for group, block in content.items()}
    return Sheet(name, lines, words)


def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((_PHRASES / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


@dataclass(frozen=True)
class Gazetteer:
    """The city's districts with their case forms, and the words that any text may use."""

    places: tuple[Mapping[str, str], ...]
    dry: tuple[Mapping[str, str], ...]
    words: Mapping[str, Sequence[str]]

    @classmethod
    def load(cls) -> "Gazetteer":
        content = _read("slots")
        places = tuple(content["places"])
        return cls(places, tuple(place for place in places if place["semt"] in content["dry"]), content["words"])


class Slots(dict[str, str]):
    """The values of one text's slots, drawn when first asked for: a slot named twice has one value."""

    def __init__(self, rng: Random, places: Sequence[Mapping[str, str]], words: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self._rng, self._places, self._words = rng, places, words

    def __missing__(self, slot: str) -> str:
        if slot.startswith("semt"):
            self.update(self._rng.choice(self._places))
        else:
            self[slot] = self._rng.choice(self._words[slot])
        return self[slot]


def clock_words(at: datetime, rng: Random) -> dict[str, str]:
    """Slots that follow the hour: a greeting, the time, and a time shortly before."""
    greeting = "günaydın" if 5 <= at.hour < 11 else "iyi günler" if 11 <= at.hour < 18 else "iyi akşamlar"
    earlier = at - timedelta(minutes=rng.randrange(5, 55))
    return {"selam": greeting, "saat": _clock(earlier), "simdi": _clock(at)}


def _clock(at: datetime) -> str:
    return f"{at.hour:02}.{at.minute // 5 * 5:02}"


def anchored(text: str, slots: Mapping[str, str]) -> bool:
    """Whether a watch can tell which city is meant, also once handles are masked."""
    words = folded_tokens(_HANDLE.sub(" ", text))
    place = fold(slots.get("semt", "\0"))
    named = any(word.startswith("cinarl") for word in words)
    return named or (any(w.startswith("belediy") for w in words) and any(w.startswith(place) for w in words))


def compose(pattern: Pattern, parts: Sheet, slots: Slots, rng: Random) -> str:
    """The pattern, often with an opener or a tail, and with the city's name wherever it would be missing."""
    text = pattern.line.format_map(slots)
    if rng.random() < 0.35:
        opener = rng.choice(parts.dressing("openers", pattern)).format_map(slots)
        text = f"{opener} {text if pattern.line[0] in '{@' else _uncapitalised(text)}"
    if rng.random() < 0.4:
        text = f"{text} {rng.choice(parts.dressing('tails', pattern)).format_map(slots)}"
    if not anchored(text, slots):
        text = f"{text} {rng.choice(parts.lines['anchors']).format_map(slots)}"
    return text


def _uncapitalised(text: str) -> str:
    first = text.split(maxsplit=1)[0]
    if first.isupper() or fold(first).startswith("cinarl"):
        return text
    return turkish.lower(text[0]) + text[1:]


def typed(text: str, habit: Habit, rng: Random) -> str:
    """The text as this author types it; names of the city and of the institution stay recognisable."""
    if habit is Habit.ASCII:
        return turkish.ascii_fold(text)
    if habit is Habit.LOWER:
        return turkish.lower(text)
    if habit is Habit.HASTY:
        slipped = _slipped(re.sub(r"yor\b", "yo", text), rng).replace("'", "")
        return turkish.lower(" ".join(re.sub(r"\.(?!\d)", " ", slipped).split()))
    return text


def _slipped(text: str, rng: Random) -> str:
    """One letter lost, doubled or swapped in one longer word that is no name."""
    words = text.split(" ")
    eligible = [i for i, word in enumerate(words) if len(word) > 5 and word.isalpha() and _may_slip(word)]
    if not eligible:
        return text
    at = rng.choice(eligible)
    words[at] = _misspelt(words[at], rng)
    return " ".join(words)


def _may_slip(word: str) -> bool:
    return word[0].islower() and not fold(word).startswith(_PROTECTED)


def _misspelt(word: str, rng: Random) -> str:
    at = rng.randrange(1, len(word) - 2)
    slip = rng.randrange(3)
    if slip == 0:
        return word[:at] + word[at + 1 :]
    if slip == 1:
        return word[:at] + word[at] + word[at:]
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
