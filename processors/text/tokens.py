"""Words of a text, cut where Lucene's StandardTokenizer cuts, and the folded words that watches are matched against."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it stands: `position` counts words (phrases are matched by it), `start` and `end` characters."""

    text: str
    position: int
    start: int
    end: int


def tokenise(text: str) -> Iterator[Token]:
    """The words as they are written."""
    raise NotImplementedError


def fold(word: str) -> str:
    """One word as it stands in the index: cut at the apostrophe, Turkish lower case, folded to ASCII."""
    raise NotImplementedError


def folded(text: str) -> Iterator[Token]:
    """The folded words with their positions; `start` and `end` still point into `text`."""
    raise NotImplementedError


def folded_tokens(text: str) -> list[str]:
    """The folded words in order; the index in the list is the position."""
    raise NotImplementedError
