"""Trains the weights of `processors.text.diacritics` on texts that were typed with their diacritics.

Logistic regression by stochastic gradient descent with a rate of its own for every weight (AdaGrad), one seed, about
three minutes. The table holds sums of hashed letter windows: no text can be read out of it.
"""

import logging
import random
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from processors.text import turkish
from processors.text.diacritics import TABLE_BITS, ambiguous_places, features, lacks_diacritics, plain
from processors.text.references import without_references

log = logging.getLogger(__name__)

MARKED_SHARE = 0.12
"""Of the letters that could carry a diacritic; below it the text was typed without, or only now and then with them."""
HELD_BACK_TEXTS = 3_000
_ROUNDS = 2
_BATCH_TEXTS = 64
_RATE = 0.25
_FLOOR = 1e-6

Weights = npt.NDArray[np.float32]


def train(texts: Iterable[str], seed: int) -> npt.NDArray[np.int8]:
    """The table, as it is written beside the module. Logs the share of letters and words that come out right."""
    usable = [text for text in map(_lowered, texts) if _is_marked(text)]
    shuffler = random.Random(seed)
    shuffler.shuffle(usable)
    test, training = usable[:HELD_BACK_TEXTS], usable[HELD_BACK_TEXTS:]
    weights = np.zeros(1 << TABLE_BITS, dtype=np.float32)
    squares = np.full_like(weights, _FLOOR)
    for round_ in range(_ROUNDS):
        shuffler.shuffle(training)
        for rows, wanted in _batches(training):
            _step(weights, squares, rows, wanted)
        letters, words = accuracy(quantised(weights), test)
        log.info("diacritics, round %d: %.2f %% of the letters, %.2f %% of the words", round_ + 1, 100 * letters, 100 * words)
    return quantised(weights)


def quantised(weights: Weights) -> npt.NDArray[np.int8]:
    """Whole numbers; the few largest weights are cut off."""
    scale = 127 / float(np.quantile(np.abs(weights[weights != 0]), 0.9995))
    return np.clip(np.rint(weights * scale), -127, 127).astype(np.int8)


def accuracy(table: npt.NDArray[np.int8], texts: Sequence[str]) -> tuple[float, float]:
    """Shares of ambiguous letters, and of words that have any, that come out as they were typed."""
    right = total = right_words = words = 0
    for text in texts:
        letters = list(plain(text))
        places = ambiguous_places(letters)
        if not places:
            continue
        guessed = table[features(letters, places)].sum(axis=1, dtype=np.int64) > 0
        same = guessed == _wanted(text, places)
        right, total = right + int(same.sum()), total + len(places)
        for start, end in _word_spans(text):
            inside = [good for place, good in zip(places, same, strict=True) if start <= place < end]
            words += bool(inside)
            right_words += bool(inside) and all(inside)
    return right / max(1, total), right_words / max(1, words)


def _word_spans(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for word in text.split(" "):
        yield start, start + len(word)
        start += len(word) + 1


def _step(weights: Weights, squares: Weights, rows: npt.NDArray[np.int64], wanted: npt.NDArray[np.bool_]) -> None:
    scores = weights[rows].sum(axis=1)
    errors = (wanted - 1 / (1 + np.exp(-scores))).astype(np.float32)
    gradient = np.broadcast_to(errors[:, None], rows.shape).ravel()
    touched, places = np.unique(rows.ravel(), return_inverse=True)
    sums = np.bincount(places, weights=gradient, minlength=len(touched)).astype(np.float32)
    squares[touched] += sums**2
    weights[touched] += _RATE * sums / np.sqrt(squares[touched] + 1.0)


def _batches(texts: Sequence[str]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]]:
    for start in range(0, len(texts), _BATCH_TEXTS):
        joined = " \n ".join(texts[start : start + _BATCH_TEXTS])
        letters = list(plain(joined))
        places = ambiguous_places(letters)
        yield features(letters, places), _wanted(joined, places)


def _wanted(text: str, places: Sequence[int]) -> npt.NDArray[np.bool_]:
    return np.array([text[place] in "çğıöşü" for place in places])


def _lowered(text: str) -> str:
    return " ".join(turkish.lower(without_references(text)).split())


def _is_marked(text: str) -> bool:
    if lacks_diacritics(text):
        return False
    places = ambiguous_places(list(plain(text)))
    return int(_wanted(text, places).sum()) >= MARKED_SHARE * len(places)
