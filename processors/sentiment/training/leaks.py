"""Finds training texts that repeat a text to be measured on, word for word or nearly so."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from processors.sentiment.essence import essence
from processors.text.references import without_references
from processors.text.tokens import folded_tokens

NEAR = 0.5
"""Share of runs of three words (of either text's, together) that two texts have in common."""
_RUN_WORDS = 3

Training = TypeVar("Training")


class Measured:
    """Texts that are measured on, asked whether another one repeats any of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        texts = list(texts)
        self._copies = set(filter(None, map(essence, texts)))  # "": no letter, so all such texts would be copies of each other
        self._runs = [_runs(text) for text in texts]
        self._where: dict[str, list[int]] = defaultdict(list)
        for number, found in enumerate(self._runs):
            for run in found:
                self._where[run].append(number)

    def is_repeated_by(self, text: str) -> bool:
        """Word for word, or nearly so."""
        return essence(text) in self._copies or self._is_near(_runs(text))

    def _is_near(self, own: frozenset[str]) -> bool:
        shared = Counter(number for run in own for number in self._where.get(run, ()))
        return any(count >= NEAR * (len(own) + len(self._runs[number]) - count) for number, count in shared.items())


def leaks(training: Sequence[str], measured: Iterable[str]) -> list[int]:
    """Places of the training texts that are copies or near copies of a measured one, in order."""
    known = Measured(measured)
    return [place for place, text in enumerate(training) if known.is_repeated_by(text)]


def apart(training: Iterable[Training], measured: Measured, text_of: Callable[[Training], str]) -> list[Training]:
    """Those that repeat no measured text, in order."""
    return [found for found in training if not measured.is_repeated_by(text_of(found))]


def _runs(text: str) -> frozenset[str]:
    """Of three words; a shorter text has none, and is compared as a whole only."""
    words = folded_tokens(without_references(text))
    return frozenset(" ".join(words[at : at + _RUN_WORDS]) for at in range(len(words) - _RUN_WORDS + 1))
