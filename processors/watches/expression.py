"""What a query says, once it is understood: a small tree that matcher and Elasticsearch read alike.

NOT means "all but", as in set theory. Words are folded: see `processors.text.tokens`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Field(StrEnum):
    """What a query may ask for besides words. Named as in the index."""

    PLATFORM = "platform"
    LANGUAGE = "language"
    AUTHOR_CLASS = "author_class"
    PLACE = "place"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Everything:
    """`*:*`"""


@dataclass(frozen=True, slots=True)
class Words:
    """Folded words that stand side by side in this order; often only one."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A word that begins like this."""

    start: str


@dataclass(frozen=True, slots=True)
class FieldIs:
    """A field has exactly this value."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class FieldStarts:
    """The value of a field begins like this."""

    field: Field
    start: str


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """All but this."""

    part: "Expression"


Expression = Everything | Words | Prefix | FieldIs | FieldStarts | And | Or | Not


def conjunction(parts: list[Expression]) -> Expression:
    """AND; a single part stands for itself."""
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def disjunction(parts: list[Expression]) -> Expression:
    """OR; a single part stands for itself."""
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def only_excludes(expression: Expression) -> bool:
    """It takes nearly everything: at least one way to satisfy it asks for nothing that must be there."""
    match expression:
        case Not():
            return True
        case And(parts):
            return all(map(only_excludes, parts))
        case Or(parts):
            return any(map(only_excludes, parts))
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Clue:
    """A folded word, or the beginning of one."""

    text: str
    is_prefix: bool


def clues(expression: Expression) -> frozenset[Clue] | None:
    """A text that satisfies the expression has at least one of these; None when it may have none that we could name."""
    match expression:
        case Words(words):
            return frozenset({Clue(max(words, key=len), is_prefix=False)})
        case Prefix(start):
            return frozenset({Clue(start, is_prefix=True)})
        case And(parts):
            return min(filter(None, map(clues, parts)), key=_commonness, default=None)
        case Or(parts):
            return _united(map(clues, parts))
        case _:
            return None


def _commonness(found: frozenset[Clue]) -> tuple[int, int]:
    """A guess at how many texts have one of the clues: long words are rarer than short ones, few rarer than many."""
    return -min(len(clue.text) - 2 * clue.is_prefix for clue in found), len(found)


def _united(each: Iterator[frozenset[Clue] | None]) -> frozenset[Clue] | None:
    union: set[Clue] = set()
    for found in each:
        if found is None:
            return None
        union |= found
    return frozenset(union)
