"""How good a model's answers are: figures over labelled texts, and how far chance alone may have moved them.

Pure: arrays in, figures out, the same for the same seed. Knows no model, no file and no clock.

Accuracy, macro-F1 and the figures of a class are those of the likeliest class, whatever the threshold; what `negative`,
`unsure` and "when sure" say is what the program would have said. Intervals hold 95 % of 1,000 bootstrap resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from processors.sentiment.classifier import Prediction
from processors.sentiment.labels import CLASSES, Label

Indexes = npt.NDArray[np.int64]
"""Places in CLASSES, one a text."""
Shares = npt.NDArray[np.float64]

UNSURE: Final = len(CLASSES)
"""Stands for `unsure` among decided labels, after the places of the classes."""
RESAMPLES: Final = 1_000
SEED: Final = 20261124
BINS: Final = 10

_BOUNDS: Final = (0.025, 0.975)
_NEGATIVE: Final = CLASSES.index(Label.NEGATIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one model said, in the order of the texts."""

    shares: Shares  # texts × CLASSES
    decided: Indexes  # the label at the model's threshold: a place in CLASSES, or UNSURE

    @classmethod
    def of(cls, predictions: Sequence[Prediction]) -> Self:
        """From what a classifier gives."""
        places = {label: place for place, label in enumerate(CLASSES)}
        return cls(
            shares=np.array([prediction.probabilities for prediction in predictions], dtype=np.float64).reshape(-1, len(CLASSES)),
            decided=np.array([places.get(prediction.label, UNSURE) for prediction in predictions], dtype=np.int64),
        )

    def where(self, chosen: npt.NDArray[np.bool_]) -> Self:
        """The answers to some of the texts."""
        return type(self)(shares=self.shares[chosen], decided=self.decided[chosen])

    @property
    def likeliest(self) -> Indexes:
        """The class with most probability; on a tie the first, as `decide` does."""
        found: Indexes = self.shares.argmax(axis=1)
        return found

    @property
    def confidences(self) -> Shares:
        """The probability of that class."""
        found: Shares = self.shares.max(axis=1)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first model's figure minus that of another one, on the same texts: above 0 the first is better."""

    accuracy: Estimate
    macro_f1: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """One class. None: there is nothing to divide by, since no text has the label, or none was given it."""

    texts: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One model on one set of texts."""

    texts: int
    accuracy: Estimate
    macro_f1: Estimate  # over the classes that occur in the texts
    classes: dict[str, ClassFigures]
    unsure: float
    accuracy_when_sure: float | None  # None: it was sure of no text
    negative_recall: float | None  # an `unsure` one counts as not found; None: no text is negative
    negative_precision: float | None  # None: no text was called negative
    calibration_error: float
    confusion: tuple[tuple[int, ...], ...]  # CLASSES × CLASSES: truth, likeliest class
    decided: tuple[tuple[int, ...], ...]  # CLASSES × (CLASSES, unsure): truth, label at the threshold
    first_minus_this: Difference | None = None  # None for the first model itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Texts of similar confidence: a calibrated model is right as often as it is confident."""

    texts: int
    confidence: float
    right: float


def judge(truth: Indexes, answers: Sequence[Answers], *, resamples: int = RESAMPLES, seed: int = SEED) -> list[Figures]:
    """The figures of each model on the same texts, of which there is at least one; the first is compared with the others."""
    drawn = resample(truth, [found.likeliest for found in answers], resamples=resamples, seed=seed)
    exact = [confusion(truth, found.likeliest, len(CLASSES)) for found in answers]
    return [
        _figures(truth, answers[place], drawn[place], None if place == 0 else _difference(exact[0], exact[place], drawn[0], drawn[place]))
        for place in range(len(answers))
    ]  # fmt: skip


def judge_by_source(truth: Indexes, sources: Sequence[str], answers: Sequence[Answers]) -> dict[str, list[Figures]]:
    """As `judge`, for the texts of each source."""
    source_of = np.array(sources)
    chosen = {source: source_of == source for source in sorted(set(sources))}
    return {source: judge(truth[those], [found.where(those) for found in answers]) for source, those in chosen.items()}


def places(labels: Sequence[Label]) -> Indexes:
    """Labels of CLASSES as indexes."""
    return np.array([CLASSES.index(label) for label in labels], dtype=np.int64)


def confusion(truth: Indexes, given: Indexes, columns: int) -> Indexes:
    """How many texts of each true class (rows) were given each label (columns)."""
    counts = np.bincount(truth * columns + given, minlength=len(CLASSES) * columns)
    return counts.reshape(len(CLASSES), columns).astype(np.int64)


def resample(truth: Indexes, given: Sequence[Indexes], *, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """Confusion matrices, models × resamples × truth × answer; all models see the same resamples, so they may be compared.

    A resample draws as many texts as there are, with replacement. What a text adds to the matrices depends only on its truth
    and on what each model said, so the number of texts of each such combination is drawn: the same distribution, and quick.
    """
    kinds, counts = np.unique(np.column_stack([truth, *given]), axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(len(truth), counts / len(truth), size=resamples)
    cells = np.eye(len(CLASSES) ** 2, dtype=np.int64)
    matrices = [drawn @ cells[kinds[:, 0] * len(CLASSES) + kinds[:, 1 + model]] for model in range(len(given))]
    return np.array(matrices).reshape(len(given), resamples, len(CLASSES), len(CLASSES))


def accuracy(matrices: Indexes) -> Shares:
    """The share of right answers of each matrix."""
    shares: Shares = np.trace(matrices, axis1=-2, axis2=-1) / matrices.sum(axis=(-2, -1))
    return shares


def macro_f1(matrices: Indexes) -> Shares:
    """The mean F1 of the classes that occur in each matrix."""
    occurs = matrices.sum(axis=-1) > 0
    mean: Shares = (_f1(matrices) * occurs).sum(axis=-1) / occurs.sum(axis=-1)
    return mean


def reliability(confidences: Shares, right: npt.NDArray[np.bool_], bins: int = BINS) -> list[Bin]:
    """Bins of equally many texts, by rising confidence; fewer bins where there are fewer texts."""
    parts = np.array_split(np.argsort(confidences, kind="stable"), min(bins, len(confidences)))
    return [
        Bin(texts=len(part), confidence=float(confidences[part].mean()), right=float(right[part].mean())) for part in parts
    ]  # fmt: skip


def calibration_error(confidences: Shares, right: npt.NDArray[np.bool_], bins: int = BINS) -> float:
    """Expected calibration error: how far confidence and share of right answers lie apart, on average."""
    found = reliability(confidences, right, bins)
    return sum(part.texts * abs(part.confidence - part.right) for part in found) / len(confidences)


def _figures(truth: Indexes, answers: Answers, drawn: Indexes, difference: Difference | None) -> Figures:
    likeliest = confusion(truth, answers.likeliest, len(CLASSES))
    decided = confusion(truth, answers.decided, len(CLASSES) + 1)
    sure = decided[:, :UNSURE]
    return Figures(
        texts=len(truth),
        accuracy=_estimate(float(accuracy(likeliest)), accuracy(drawn)),
        macro_f1=_estimate(float(macro_f1(likeliest)), macro_f1(drawn)),
        classes={label.value: _class_figures(likeliest, place) for place, label in enumerate(CLASSES)},
        unsure=float(decided[:, UNSURE].sum() / len(truth)),
        accuracy_when_sure=_ratio(np.trace(sure), sure.sum()),
        negative_recall=_ratio(decided[_NEGATIVE, _NEGATIVE], decided[_NEGATIVE].sum()),
        negative_precision=_ratio(decided[_NEGATIVE, _NEGATIVE], decided[:, _NEGATIVE].sum()),
        calibration_error=calibration_error(answers.confidences, answers.likeliest == truth),
        confusion=_rows(likeliest),
        decided=_rows(decided),
        first_minus_this=difference,
    )


def _class_figures(matrix: Indexes, place: int) -> ClassFigures:
    hits, texts, given = matrix[place, place], matrix[place].sum(), matrix[:, place].sum()
    return ClassFigures(
        texts=int(texts), precision=_ratio(hits, given), recall=_ratio(hits, texts), f1=_ratio(2 * hits, texts + given)
    )  # fmt: skip


def _difference(first: Indexes, other: Indexes, first_drawn: Indexes, other_drawn: Indexes) -> Difference:
    return Difference(
        accuracy=_estimate(float(accuracy(first) - accuracy(other)), accuracy(first_drawn) - accuracy(other_drawn)),
        macro_f1=_estimate(float(macro_f1(first) - macro_f1(other)), macro_f1(first_drawn) - macro_f1(other_drawn)),
    )


def _estimate(value: float, drawn: Shares) -> Estimate:
    low, high = np.quantile(drawn, _BOUNDS)
    return Estimate(value=value, low=float(low), high=float(high))


def _f1(matrices: Indexes) -> Shares:
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    shares: Shares = 2 * hits / np.maximum(matrices.sum(axis=-1) + matrices.sum(axis=-2), 1)
    return shares


def _ratio(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None


def _rows(matrix: Indexes) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(count) for count in row) for row in matrix)
