"""Which of our labels each column of a foreign model stands for."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from processors.sentiment.importing.refusal import ImportRefused, shown
from processors.sentiment.labels import CLASSES
from schemas.labels import Label

#: As `_folded` makes them. Words that a model uses for these labels and for nothing else.
_WELL_KNOWN: Final[Mapping[Label, str]] = {
    Label.NEGATIVE: """
        negative, neg, very negative, extremely negative, strongly negative, negatif, cok negatif, olumsuz, cok olumsuz, kotu,
        cok kotu, bad, 1 star, 2 stars, 2 star, one star, two stars, 1 yildiz, 2 yildiz
    """,
    Label.NEUTRAL: "neutral, neu, neut, notr, notral, tarafsiz, 3 stars, 3 star, three stars, 3 yildiz",
    Label.POSITIVE: """
        positive, pos, very positive, extremely positive, strongly positive, pozitif, cok pozitif, olumlu, cok olumlu, iyi,
        cok iyi, good, 4 stars, 4 star, four stars, 5 stars, 5 star, five stars, 4 yildiz, 5 yildiz
    """,
}
_LABEL_OF: Final = {name.strip(): label for label, names in _WELL_KNOWN.items() for name in names.split(",")}
_NO_LETTER_OR_DIGIT = re.compile(r"[^a-z0-9]+")
_CHOICES: Final = ", ".join(CLASSES)


def known_label(name: str) -> Label | None:
    """The label that a name stands for in English or Turkish, whatever its case, accents and separators."""
    return _LABEL_OF.get(_folded(name))


def read_assignments(options: Sequence[str]) -> dict[str, Label]:
    """`LABEL_2=positive` and the like. Raises `ImportRefused`."""
    found: dict[str, Label] = {}
    for option in options:
        name, sign, value = option.rpartition("=")
        label = known_label(value)
        if not sign or not name.strip() or label is None:
            raise ImportRefused(
                f"--label {shown(option)}: write NAME=LABEL, for example LABEL_2=positive; the labels are {_CHOICES}"
            )
        if found.setdefault(name.strip(), label) is not label:
            raise ImportRefused(f"--label gives {shown(name.strip())} twice, as {found[name.strip()]} and as {label}")
    return found


def map_columns(names: Sequence[str], assigned: Mapping[str, Label]) -> tuple[Label, ...]:
    """One label a column; what was assigned (by name, or by number of the column) wins. Raises `ImportRefused`."""
    places = {_column(name, names): label for name, label in assigned.items()}
    labels = [places.get(column, known_label(name)) for column, name in enumerate(names)]
    if None in labels:
        raise ImportRefused(_ask(names, labels))
    found = tuple(label for label in labels if label is not None)
    if len(set(found)) < 2:
        raise ImportRefused(
            f"every label of the model ({_listed(names)}) would be {found[0]}, and nothing is left to tell apart: "
            "give others with --label NAME=LABEL"
        )
    return found


def _column(name: str, names: Sequence[str]) -> int:
    exact = [column for column, other in enumerate(names) if other == name]
    alike = exact or [column for column, other in enumerate(names) if _folded(other) == _folded(name)]
    if len(alike) == 1:
        return alike[0]
    if not alike and name.isdecimal() and int(name) < len(names):
        return int(name)
    problem = "more than one column is called that" if alike else "the model has no such label"
    raise ImportRefused(f"--label {shown(name)}: {problem}; its labels are {_listed(names)}; the number of a column does, too")


def _ask(names: Sequence[str], labels: Sequence[Label | None]) -> str:
    unknown = [column for column, label in enumerate(labels) if label is None]
    examples = _guesses(len(unknown))
    options = " ".join(f"--label {_quoted(names[column])}={example}" for column, example in zip(unknown, examples, strict=True))
    return (
        f"cannot tell what these labels of the model mean: {_listed([names[column] for column in unknown])} "
        f"(all its labels: {_listed(names)}). Look it up in the model's description, and say it, for example:\n"
        f"  {options}\nThe labels are {_CHOICES}; several of the model's may have the same."
    )


def _guesses(number: int) -> list[Label]:
    """From negative to positive: an example's order, not a claim."""
    if number == 2:
        return [Label.NEGATIVE, Label.POSITIVE]
    return [CLASSES[min(len(CLASSES) - 1, place * len(CLASSES) // number)] for place in range(number)]


def _quoted(name: str) -> str:
    return shown(name) if re.fullmatch(r"[\w.-]+", name) else f"'{shown(name)}'"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names))


def _folded(name: str) -> str:
    """Lower case without accents, words divided by single spaces."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().replace("ı", "i"))
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _NO_LETTER_OR_DIGIT.sub(" ", letters).strip()
