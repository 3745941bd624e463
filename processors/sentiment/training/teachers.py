"""What the bundled model and the linear baseline think of texts that nobody has labelled.

They err differently, and together they are better than either: a model that learns their shares for many posts is better
than one that only learns labels of few (distillation: Hinton, Vinyals, Dean 2015; Xie and others 2020, "noisy student").
"""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from processors.sentiment.baseline import Baseline
from processors.sentiment.classifier import HEAD
from processors.sentiment.conversion.calibration import probabilities
from processors.sentiment.labelled import Labelled
from processors.sentiment.labels import CLASSES
from processors.sentiment.text_model import Rows, TextModel
from processors.sentiment.training.corpus import Example, Shown

log = logging.getLogger(__name__)

SOURCE = "taught"
LINEAR_WEIGHT = 0.35
"""Of the baseline in the geometric mean; fitted on held-back texts."""
_REPORT_EVERY_TEXTS = 5_000
_SMALLEST = 1e-9


def teach(texts: Sequence[str], labelled: Sequence[Example], folder: Path, threads: int, kept: Path) -> None:
    """Writes the texts with the teachers' shares to `kept`, from where a training that goes on reads them. Minutes."""
    shares = _together(_of_model(texts, folder, threads), _of_baseline(texts, labelled))
    rows = ({"text": text, "shares": np.round(row, 4).tolist()} for text, row in zip(texts, shares, strict=True))
    kept.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def read_taught(file: Path) -> Iterator[Shown]:
    """What `teach` wrote."""
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Shown(row["text"], tuple(row["shares"]), SOURCE)


def _of_model(texts: Sequence[str], folder: Path, threads: int) -> Rows:
    model = TextModel(folder, threads=threads)
    parts: list[Rows] = []
    for start in range(0, len(texts), _REPORT_EVERY_TEXTS):
        log.info("the bundled model reads %d texts: at %d", len(texts), start)
        parts.append(model.read([model.prepare(text) for text in texts[start : start + _REPORT_EVERY_TEXTS]])[HEAD])
    return np.concatenate(parts)


def _of_baseline(texts: Sequence[str], labelled: Sequence[Example]) -> Rows:
    log.info("the baseline learns from %d texts", len(labelled))
    baseline = Baseline.train([Labelled(example.text, CLASSES[example.label], example.source) for example in labelled])
    return np.array([found.probabilities for found in baseline.predict(texts)])


def _together(model: Rows, baseline: Rows) -> Rows:
    logs = (1 - LINEAR_WEIGHT) * np.log(model + _SMALLEST) + LINEAR_WEIGHT * np.log(baseline + _SMALLEST)
    return probabilities(logs)
