"""The sentiment head of a model: probabilities become one of the labels, or `unsure`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors.sentiment.artefact import REMEDY, Head, ModelUnusable, require_model
from processors.sentiment.labels import CLASSES, decide
from processors.sentiment.text_model import Rows, TextModel
from schemas.labels import Label

__all__ = ["HEAD", "Classifier", "ModelUnusable", "Prediction", "require_classifier"]

HEAD = "sentiment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    label: Label
    confidence: float
    probabilities: tuple[float, float, float]
    """Calibrated, in the order negative, neutral, positive."""


class Classifier:
    """One loaded model, asked for sentiment. Loading takes about a second and may raise `ModelUnusable`.

    `predict` holds its thread for about 12 ms a text: call it from an executor.
    """

    def __init__(self, folder: Path, *, threads: int = 1, threshold: float | None = None) -> None:
        """`threshold`: confidence below which a label is `unsure`; None takes the model's own."""
        head = require_classifier(folder)
        self._model = TextModel(folder, threads=threads)
        self._threshold = head.threshold if threshold is None else threshold
        self._version = self._model.version
        if self._threshold != head.threshold:
            self._version += f"-unsure-below-{self._threshold:g}"
        self._weights = [head.weights.get(label, 1.0) for label in CLASSES]
        labels = self._model.labels(HEAD)
        self._columns = [labels.index(label) if label in labels else None for label in CLASSES]

    @property
    def version(self) -> str:
        """Name and hash of the files, and the threshold where it is not the model's own: it changes labels, too."""
        return self._version

    @property
    def threshold(self) -> float:
        return self._threshold

    def prepare(self, text: str) -> str:
        """The form in which the model reads a text. Texts of one form have one label."""
        return self._model.prepare(text)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text, in the order given; a text's own does not depend on its neighbours."""
        return self.predict_prepared([self.prepare(text) for text in texts])

    def predict_prepared(self, prepared: Sequence[str]) -> list[Prediction]:
        """As `predict`, for texts that `prepare` gave. An empty one says nothing, so it is `unsure`."""
        rows = self._in_order(self._model.read(prepared)[HEAD])
        return [self._decide(row, unsure=not text) for text, row in zip(prepared, rows.tolist(), strict=True)]

    def _in_order(self, rows: Rows) -> Rows:
        """Columns as in CLASSES; a label that the model does not know has probability 0."""
        nothing = np.zeros(len(rows))
        return np.stack([nothing if column is None else rows[:, column] for column in self._columns], axis=1)

    def _decide(self, row: Sequence[float], *, unsure: bool) -> Prediction:
        negative, neutral, positive = row
        label, confidence = decide(row, self._threshold, self._weights)
        return Prediction(
            label=Label.UNSURE if unsure else label, confidence=confidence, probabilities=(negative, neutral, positive)
        )  # fmt: skip


def require_classifier(folder: Path) -> Head:
    """Look at a folder without loading the weights. Raises `ModelUnusable` unless its model tells sentiment."""
    heads = require_model(folder).heads
    if HEAD not in heads:
        raise ModelUnusable(f"the model in {folder} has no head named {HEAD}, only {', '.join(heads)}: {REMEDY}")
    unknown = [label for label in heads[HEAD].labels if label not in CLASSES]
    if unknown:
        raise ModelUnusable(
            f"the model in {folder} tells apart {', '.join(heads[HEAD].labels)}, needed are {', '.join(CLASSES)}: "
            f"give the labels of its columns in nabiz.json, or {REMEDY}"
        )
    return heads[HEAD]
