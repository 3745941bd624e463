"""Logits become shares of one whole; columns that mean the same label add up."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
"""Texts × columns or labels."""


def as_shares(logits: Floats, label_of_column: Sequence[int] | None = None) -> Floats:
    """Softmax over the columns. `label_of_column`: None where column and label are the same number."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Floats = powers / powers.sum(axis=1, keepdims=True)
    return found if label_of_column is None else merged(found, label_of_column, max(label_of_column) + 1)


def merged(columns: Floats, label_of_column: Sequence[int], labels: int) -> Floats:
    """Texts × labels: columns of one label add up, a label without a column has nothing."""
    found = np.zeros((len(columns), labels))
    for column, label in enumerate(label_of_column):
        found[:, label] += columns[:, column]
    return found
