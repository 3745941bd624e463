"""What the bundled model and the linear baseline think of texts that nobody has labelled.

They err differently, and together they are better than either: a model that learns their shares for many posts is better
than one that only learns labels of few (distillation: Hinton, Vinyals, Dean 2015; Xie and others 2020, "noisy student").
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from processors.sentiment.artefact import fingerprint, require_model
from processors.sentiment.baseline import Baseline
from processors.sentiment.classifier import HEAD
from processors.sentiment.labelled import Labelled
from processors.sentiment.labels import CLASSES
from processors.sentiment.shares import as_shares
from processors.sentiment.text_model import Rows, TextModel
from processors.sentiment.training.corpus import Example, Shown

log = logging.getLogger(__name__)

SOURCE = "taught"
LINEAR_WEIGHT = 0.35
"""Of the baseline in the geometric mean; fitted on held-back texts."""
_REPORT_EVERY_TEXTS = 5_000
_SMALLEST = 1e-9


def taught(
    file: Path, texts: Sequence[str], labelled: Sequence[Example], folder: Path, threads: int, *, code: str
) -> list[Shown]:
    """The texts with the teachers' shares, as `file` has them from an earlier run on the same; else made, which takes minutes.

    `code`: changes with the program that reads the texts.
    """
    of = _fingerprint(texts, labelled, folder, code)
    if file.exists():
        first, *lines = file.read_text(encoding="utf-8").rstrip("\n").split("\n")  # a text may hold other line ends
        if first == json.dumps({"of": of}) and len(lines) == len(texts):
            return [Shown(row["text"], tuple(row["shares"]), SOURCE) for row in map(json.loads, lines)]
        log.info("%s is of other texts or of another teacher, and made anew", file)
    judged = np.round(_together(_of_model(texts, folder, threads), _of_baseline(texts, labelled)), 4).tolist()
    rows = [{"of": of}, *({"text": text, "shares": row} for text, row in zip(texts, judged, strict=True))]
    whole = file.with_suffix(".partial")  # who stops it in the middle is to find nothing
    whole.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in rows), encoding="utf-8")
    whole.replace(file)
    return [Shown(text, tuple(row), SOURCE) for text, row in zip(texts, judged, strict=True)]


def _fingerprint(texts: Sequence[str], labelled: Sequence[Example], folder: Path, code: str) -> str:
    """Changes when the shares may change."""
    digest = hashlib.sha256((fingerprint(folder, require_model(folder)) + code).encode())
    for row in (*((text,) for text in texts), *((example.text, example.label, example.source) for example in labelled)):
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


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
    return as_shares(logs)
