"""The figures of the model card, measured through the class that the running system uses."""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from processors.sentiment.classifier import Classifier, Prediction
from processors.sentiment.labels import Label
from processors.sentiment.training.calibration import calibration_error
from processors.sentiment.training.corpus import Example

Figures = dict[str, Any]


def evaluate(folder: Path, examples: Sequence[Example]) -> Figures:
    classifier = Classifier(folder)
    texts = [example.text for example in examples]
    predictions = classifier.predict(texts)
    sources = sorted({example.source for example in examples})
    by_source = {source: _quality(*_of_source(source, examples, predictions)) for source in sources}
    return {
        "version": classifier.version,
        "all": _quality(examples, predictions),
        **by_source,
        "same_label_alone_and_in_any_order": _invariance(classifier, texts, predictions),
        "texts_per_second": {f"{threads} threads": _speed(folder, threads, texts) for threads in (1, 2)},
    }


def _of_source(
    source: str, examples: Sequence[Example], predictions: Sequence[Prediction]
) -> tuple[list[Example], list[Prediction]]:
    pairs = [pair for pair in zip(examples, predictions, strict=True) if pair[0].source == source]
    return [example for example, _ in pairs], [prediction for _, prediction in pairs]


def _quality(examples: Sequence[Example], predictions: Sequence[Prediction]) -> Figures:
    """Accuracy and macro-F1 of the likeliest class over all texts; then what `unsure` leaves."""
    truth = np.array([example.label for example in examples])
    guess = np.array([int(np.argmax(prediction.probabilities)) for prediction in predictions])
    sure = np.array([prediction.label is not Label.UNSURE for prediction in predictions])
    confidences = np.array([prediction.confidence for prediction in predictions])
    labels = sorted(set(truth.tolist()))
    return {
        "texts": len(examples),
        "accuracy": round(float(accuracy_score(truth, guess)), 3),
        "macro_f1": round(float(f1_score(truth, guess, average="macro", labels=labels)), 3),
        "f1": [round(float(value), 3) for value in f1_score(truth, guess, average=None, labels=labels)],
        "unsure": round(float(1 - sure.mean()), 3),
        "accuracy_when_sure": round(float(accuracy_score(truth[sure], guess[sure])), 3),
        "calibration_error": round(calibration_error(confidences, truth == guess), 3),
    }


def _invariance(classifier: Classifier, texts: Sequence[str], predictions: Sequence[Prediction]) -> Figures:
    """Shares of texts whose label, and whose every digit, are the same alone and in another order."""
    order = list(range(len(texts)))
    random.Random(0).shuffle(order)
    shuffled = classifier.predict([texts[index] for index in order])
    alone = [classifier.predict([text])[0] for text in texts]
    same = [(alone[index], predictions[index], prediction) for index, prediction in zip(order, shuffled, strict=True)]
    return {
        "label": sum(a.label is b.label is c.label for a, b, c in same) / len(texts),
        "digits": sum(a == b == c for a, b, c in same) / len(texts),
    }


def _speed(folder: Path, threads: int, texts: Sequence[str]) -> float:
    classifier = Classifier(folder, threads=threads)
    best = 0.0
    for _ in range(3):
        started = time.perf_counter()
        classifier.predict(texts)
        best = max(best, len(texts) / (time.perf_counter() - started))
    return round(best, 1)
