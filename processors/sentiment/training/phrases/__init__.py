"""Texts on municipal matters, made from invented sentence patterns, for the training of the bundled model.

Each YAML file but `slots.yaml` holds the patterns of one capability, by label, and may hold slots of its
own; `extras` names what may be put around its patterns. A filling may hold slots again. Nothing here
was said by anybody: places, bodies and names are invented.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from processors.text import turkish

SHARES = {"negative": 0.45, "neutral": 0.30, "positive": 0.25}
"""Of the generated texts."""

EXTRAS = {"opener": 0.25, "closer": 0.15, "hashtag": 0.12, "emoji": 0.12}
"""What may stand around a pattern, and how often it does where the file allows it."""

TONED = 0.4
"""How often an extra is of the text's own tone and not one that fits every tone: it must seldom tell the label."""

_COMMON = "slots"
_DIRECTORY = Path(__file__).parent
_MAX_DEPTH = 4
_SLOT = re.compile(r"\{(\w+)\}")
_SPACE_BEFORE_SIGN = re.compile(r"\s+([,.!?;:…](?:\s|$))")
_SPACE = re.compile(r"\s+")
_SENTENCE_START = re.compile(r"(^|(?<!\d)[.!?] )([^\W\d_])")


class BadPhrases(ValueError):
    """A phrase file that cannot be used; the message names the file and what is wrong in it."""


class Generated(NamedTuple):
    text: str
    label: str
    capability: str


Fillings = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Pattern:
    text: str
    label: str
    capability: str
    extras: frozenset[str]
    slots: Fillings


@dataclass(frozen=True, slots=True)
class Phrases:
    patterns: Mapping[str, Sequence[Pattern]]
    """By label."""

    slots: Fillings
    """The common ones."""

    around: Mapping[str, Fillings]
    """By extra, then by label or `any`."""


def generate(seed: int) -> Iterator[Generated]:
    """Endless; the same seed gives the same texts. Each pattern of a label comes up before one comes again."""
    phrases = load()
    chance = random.Random(seed)
    decks = {label: _endless(patterns, chance) for label, patterns in phrases.patterns.items()}
    while True:
        (label,) = chance.choices(list(SHARES), list(SHARES.values()))
        pattern = next(decks[label])
        yield Generated(_write(pattern, phrases, chance), label, pattern.capability)


def load(directory: Path = _DIRECTORY) -> Phrases:
    """Every pattern, checked: labels and extras are known, and each slot has fillings."""
    common = _read(directory / f"{_COMMON}.yaml")
    slots = common.pop("slots")
    around = {extra: common[_plural(extra)] for extra in EXTRAS}
    for extra, by_tone in around.items():
        if missing := {*SHARES, "any"} - by_tone.keys():
            raise BadPhrases(f"{_COMMON}.yaml: {_plural(extra)} lack {sorted(missing)}")
        for tone, texts in by_tone.items():
            _check_slots(texts, slots, f"{_COMMON}.yaml, {extra} {tone}")
    patterns: dict[str, list[Pattern]] = {label: [] for label in SHARES}
    for path in sorted(directory.glob("*.yaml")):
        if path.stem != _COMMON:
            for pattern in _patterns(path, slots):
                patterns[pattern.label].append(pattern)
    return Phrases(patterns, slots, around)


def _patterns(path: Path, common: Fillings) -> Iterator[Pattern]:
    content = _read(path)
    slots = {**common, **content.get("slots", {})}
    extras = frozenset(content.get("extras", EXTRAS))
    if unknown := extras - EXTRAS.keys():
        raise BadPhrases(f"{path.name}: unknown extras {sorted(unknown)}; known are {sorted(EXTRAS)}")
    if not isinstance(content.get("patterns"), dict):
        raise BadPhrases(f"{path.name}: no patterns by label")
    for label, texts in content["patterns"].items():
        if label not in SHARES:
            raise BadPhrases(f"{path.name}: unknown label {label!r}; known are {list(SHARES)}")
        _check_slots(texts, slots, f"{path.name}, {label}")
        for text in texts:
            yield Pattern(text, label, path.stem, extras, slots)


def _read(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise BadPhrases(f"{path.name}: expected a mapping, got {type(content).__name__}")
    return content


def _check_slots(texts: Sequence[str], slots: Fillings, where: str, depth: int = 0) -> None:
    if depth > _MAX_DEPTH:
        raise BadPhrases(f"{where}: slots are nested more than {_MAX_DEPTH} deep, or in a circle")
    if not isinstance(texts, list):
        raise BadPhrases(f"{where}: expected a list, got {texts!r}")
    for text in texts:
        if not isinstance(text, str):
            raise BadPhrases(f"{where}: {text!r} is not a text; put it in quotation marks")
        for name in _SLOT.findall(text):
            if not slots.get(name):
                raise BadPhrases(f"{where}: unknown or empty slot {{{name}}} in {text!r}")
            _check_slots(slots[name], slots, f"{where}, slot {name}", depth + 1)
        if set("{}") & set(_SLOT.sub("", text)):
            raise BadPhrases(f"{where}: stray brace in {text!r}")


def _endless(patterns: Sequence[Pattern], chance: random.Random) -> Iterator[Pattern]:
    while True:
        yield from chance.sample(patterns, len(patterns))


def _write(pattern: Pattern, phrases: Phrases, chance: random.Random) -> str:
    text = _fill(pattern.text, pattern.slots, chance)
    around = {extra: _extra(extra, pattern, phrases, chance) for extra in EXTRAS}
    closer = "" if around["closer"] in text else around["closer"]
    parts = (around["opener"], text, closer, around["emoji"], around["hashtag"])
    tidy = _tidy(" ".join(parts))
    written_small = pattern.text[:1].islower()
    return _casual(tidy if written_small else _capitalize(tidy), chance)


def _extra(extra: str, pattern: Pattern, phrases: Phrases, chance: random.Random) -> str:
    if extra not in pattern.extras or chance.random() >= EXTRAS[extra]:
        return ""
    tone = pattern.label if chance.random() < TONED else "any"
    return _fill(chance.choice(phrases.around[extra][tone]), phrases.slots, chance)


def _fill(text: str, slots: Fillings, chance: random.Random) -> str:
    while _SLOT.search(text):
        text = _SLOT.sub(lambda slot: chance.choice(slots[slot[1]]), text)
    return text


def _tidy(text: str) -> str:
    """Single spaces, none before a sign."""
    return _SPACE_BEFORE_SIGN.sub(r"\1", _SPACE.sub(" ", text).strip())


def _capitalize(text: str) -> str:
    return _SENTENCE_START.sub(lambda start: start[1] + turkish.upper(start[2]), text)


def _casual(text: str, chance: random.Random) -> str:
    """Some write without capitals, some without a full stop, a few in capitals only; whatever the tone."""
    habit = chance.random()
    if habit < 0.15:
        return turkish.lower(text).rstrip(".")
    if habit < 0.25:
        return text.rstrip(".")
    if habit < 0.28:
        return turkish.upper(text)
    return text


def _plural(extra: str) -> str:
    return extra if extra == "emoji" else f"{extra}s"
