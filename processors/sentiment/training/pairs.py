"""A linear rule over pieces and pairs of neighbouring pieces, which stands beside the transformer ("wide and deep").

It knows what single words and turns of phrase say, the transformer what a sentence means; they err differently, and their
mixture is better than either (Cheng and others 2016, "Wide & Deep Learning"; the features: Wang and Manning 2012, "Baselines
and Bigrams"). It is part of the same ONNX graph, and costs 2.3 MB and nearly no time.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from processors.sentiment.labels import CLASSES
from processors.sentiment.training.network import MeanPoolClassifier

log = logging.getLogger(__name__)

BUCKETS = 2**18
"""Pairs share them by their hash; with four times as many, held-back texts were judged no better."""
_FACTOR = 1_000_003
_STRENGTH = 3.0  # inverse of the regularisation
_STEPS = 600
_TOLERANCE = 1e-4  # with 1e-3 it stops early: macro-F1 of the mixture is .005 worse

Floats = npt.NDArray[np.float64]


class PairRule(nn.Module):
    """TF-IDF over pieces and pairs, and a logistic regression, as one table.

    A row holds the weighted importance of a piece or pair for each label, and the square of the importance itself, by
    which texts of any length become comparable. Kept in 16 bits.
    """

    table: torch.Tensor
    bias: torch.Tensor

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.register_buffer("table", torch.zeros(pieces + BUCKETS, len(CLASSES) + 1, dtype=torch.float16))
        self.register_buffer("bias", torch.zeros(len(CLASSES)))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits, texts × labels."""
        present = torch.cat([mask, mask[:, 1:]], dim=1).float()
        rows = self.table[self.places(ids)].float()
        # A product for each text, not a sum over a batch: so a text's last bits do not depend on its neighbours.
        sums = (present.unsqueeze(1) @ rows).squeeze(1)
        weighted, squares = sums[:, : len(CLASSES)], sums[:, len(CLASSES) :]
        return weighted / squares.sqrt() + self.bias

    def places(self, ids: torch.Tensor) -> torch.Tensor:
        """Rows of the table for each text: its pieces, then its pairs."""
        pairs = (ids[:, :-1] * _FACTOR + ids[:, 1:]) % BUCKETS + self.pieces
        return torch.cat([ids, pairs], dim=1)

    @classmethod
    def fit(cls, encoded: Sequence[Sequence[int]], labels: Sequence[int], pieces: int) -> "PairRule":
        """From texts as numbers of pieces; seconds for 100,000."""
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        rule = cls(pieces)
        places = [rule.places(torch.tensor([ids])).squeeze(0).numpy() for ids in encoded]
        ends = np.cumsum([0, *map(len, places)])
        texts_with = np.bincount(np.concatenate([np.unique(found) for found in places]), minlength=len(rule.table))
        importance = np.log((1 + len(places)) / (1 + texts_with)) + 1
        values = [importance[found] / np.sqrt((importance[found] ** 2).sum()) for found in places]
        shape = (len(places), len(rule.table))
        rows = csr_matrix((np.concatenate(values).astype(np.float32), np.concatenate(places), ends), shape=shape)
        regression = LogisticRegression(C=_STRENGTH, max_iter=_STEPS, tol=_TOLERANCE).fit(rows, labels)
        columns = [(regression.coef_ * importance).T, (importance**2)[:, None]]
        rule.table.copy_(torch.from_numpy(np.concatenate(columns, axis=1)))
        rule.bias.copy_(torch.from_numpy(regression.intercept_))
        log.info("pairs: %d texts, %.1f MB", len(places), rule.table.nbytes / 1e6)
        return rule


@dataclass(frozen=True, slots=True)
class Mix:
    """How much of each is in the logits, and what is added for each label."""

    deep: float
    pairs: float
    bias: tuple[float, ...]


class WideAndDeep(nn.Module):
    """The transformer and the rule over pairs, mixed."""

    def __init__(self, deep: MeanPoolClassifier, pairs: PairRule, mix: Mix) -> None:
        super().__init__()
        self.deep, self.pairs, self.mix = deep, pairs, mix
        self.register_buffer("bias", torch.tensor(mix.bias, dtype=torch.float32))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits, texts × labels."""
        logits: torch.Tensor = self.mix.deep * self.deep(input_ids, attention_mask)
        return logits + self.mix.pairs * self.pairs(input_ids, attention_mask) + self.bias


def fit_mix(deep: Floats, pairs: Floats, labels: Sequence[int]) -> Mix:
    """The mixture under which the labels of texts that neither has learnt from are likeliest; texts × labels each."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    right = np.arange(len(labels)), list(labels)

    def loss(values: Floats) -> float:
        logits = values[0] * deep + values[1] * pairs + values[2:]
        return float(-log_softmax(logits, axis=1)[right].mean())

    # One label's bias stays 0: only differences count.
    found = minimize(lambda values: loss(np.append(values, 0.0)), np.array([0.7, 0.3, *[0.0] * (len(CLASSES) - 1)]))
    by_deep, by_pairs, *bias = found.x.tolist()
    return Mix(by_deep, by_pairs, (*bias, 0.0))


def logits(network: nn.Module, encoded: Sequence[Sequence[int]]) -> Floats:
    """Of texts as numbers of pieces, one by one; texts × labels."""
    with torch.no_grad():
        rows = [network(ids := torch.tensor([found]), torch.ones_like(ids)).numpy() for found in encoded]
    return np.concatenate(rows).astype(np.float64)
