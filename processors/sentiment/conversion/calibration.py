"""Temperature, weight of a label and threshold, fitted on labelled texts that the model was not trained on."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.sentiment.shares import Floats, as_shares

UNSURE_SHARE: Final = 0.05
"""Of the labelled texts of the source that is hardest to judge; the others have fewer."""

WEIGHTED_UNSURE_SHARE: Final = 0.02
"""The same, where a label has a weight: what is unsure of it is missed, too."""
WANTED_RECALL: Final = 0.89
"""Of the label that must not be missed, over all held-back texts: less than in the easiest source, more than in the hardest."""
WEIGHTS: Final = tuple(round(1 + 0.05 * step, 2) for step in range(41))

_TEMPERATURES: Final = np.geomspace(0.4, 4.0, 400)
_SMALLEST: Final = 1e-12
"""Keeps the loss of a text finite whose label the model holds for impossible."""


def temperature(logits: Floats, labels: Sequence[int], label_of_column: Sequence[int] | None = None) -> float:
    """The one under which the true labels are likeliest.

    `label_of_column`: where several columns mean one label; None when column and label are the same number.
    """
    return float(min(_TEMPERATURES, key=lambda value: _loss(as_shares(logits / value, label_of_column), labels)))


def weight_and_threshold(shares: Floats, labels: Sequence[int], sources: Sequence[str], label: int) -> tuple[float, float]:
    """The smallest weight of a label with which WANTED_RECALL of its texts are found and not unsure, and its threshold.

    The largest of WEIGHTS if none is enough.
    """
    of_label = np.array(labels) == label
    for value in WEIGHTS:
        weights = [value if column == label else 1.0 for column in range(shares.shape[1])]
        limit = threshold(shares, sources, weights, unsure_share=WEIGHTED_UNSURE_SHARE)
        decided, confidences = _decided(shares, weights)
        found = (decided == label) & (confidences >= limit)
        if found[of_label].mean() >= WANTED_RECALL:
            break
    return value, limit


def threshold(
    shares: Floats, sources: Sequence[str], weights: Sequence[float] | None = None, *, unsure_share: float = UNSURE_SHARE
) -> float:
    """The confidence that `unsure_share` of the texts do not reach, in the source that is hardest to judge.

    `weights`: of the labels, as `decide` takes them; the confidence is that of the label which it gives.
    """
    _, confidences = _decided(shares, [1.0] * shares.shape[1] if weights is None else weights)
    source_of = np.array(sources)
    return min(float(np.quantile(confidences[source_of == source], unsure_share)) for source in set(sources))


def _decided(shares: Floats, weights: Sequence[float]) -> tuple[npt.NDArray[np.int64], Floats]:
    """Label and its probability, as `decide` gives them."""
    decided = (shares * np.array(weights)).argmax(axis=1)
    return decided, shares[np.arange(len(shares)), decided]


def _loss(shares: Floats, labels: Sequence[int]) -> float:
    right = shares[np.arange(len(labels)), list(labels)]
    return float(-np.log(np.maximum(right, _SMALLEST)).mean())
