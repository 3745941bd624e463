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


def leaks(training: Sequence[str], measured: Iterable[str]) -> list[int]:
    """Places of the training texts that are copies or near copies of a measured one, in order."""
    measured = list(measured)
    copies = set(filter(None, map(essence, measured)))  # "": no letter, so all such texts would be copies of each other
    runs = [_runs(text) for text in measured]
    where: dict[str, list[int]] = defaultdict(list)
    for number, found in enumerate(runs):
        for run in found:
            where[run].append(number)
    return [place for place, text in enumerate(training) if essence(text) in copies or _is_near(_runs(text), runs, where)]


def apart(training: Sequence[Training], measured: Iterable[str], text_of: Callable[[Training], str]) -> list[Training]:
    """Those that repeat no measured text, in order."""
    leaking = set(leaks(list(map(text_of, training)), measured))
    return [found for place, found in enumerate(training) if place not in leaking]


def _is_near(own: frozenset[str], runs: Sequence[frozenset[str]], where: dict[str, list[int]]) -> bool:
    shared = Counter(number for run in own for number in where.get(run, ()))
    return any(count >= NEAR * (len(own) + len(runs[number]) - count) for number, count in shared.items())


def _runs(text: str) -> frozenset[str]:
    """Of three words; a shorter text has none, and is compared as a whole only."""
    words = folded_tokens(without_references(text))
    return frozenset(" ".join(words[at : at + _RUN_WORDS]) for at in range(len(words) - _RUN_WORDS + 1))
