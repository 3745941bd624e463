"""Runs a sentiment model that lies in a local folder: ONNX Runtime, no torch, no network."""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from processors.sentiment.labels import CLASSES, decide
from processors.sentiment.prepare import prepare
from schemas.labels import Label

MAX_TOKENS = 96
MAX_BATCH_TEXTS = 32
FILES = ("model.onnx", "config.json", "tokenizer.json", "tokenizer_config.json", "calibration.json")
_REMEDY = "give the folder of a complete model: the bundled one, or one made by `nabiz model import`"


class ModelUnusable(Exception):
    """The folder does not hold a model that this program can run; the message says what to do.

    Raised while loading only, so a process that has started will not meet it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    label: Label
    confidence: float
    probabilities: tuple[float, float, float]
    """Calibrated, in the order negative, neutral, positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    name: str
    temperature: float
    threshold: float


class Classifier:
    """One loaded model. Loading takes about a second and may raise `ModelUnusable`.

    `predict` holds its thread for about 15 ms a text: call it from an executor. It may be called from
    several threads, which then share the model's `threads`.
    """

    def __init__(self, folder: Path, *, threads: int = 1, threshold: float | None = None) -> None:
        """`threshold`: confidence below which a label is `unsure`; None takes the model's own."""
        self._calibration = require_model(folder)
        self._threshold = self._calibration.threshold if threshold is None else threshold
        self._tokenizer, self._columns = _load_tokenizer(folder)
        self._session = _load_session(folder / "model.onnx", threads)
        self._inputs = tuple(value.name for value in self._session.get_inputs())
        self._version = f"{self._calibration.name}-{_fingerprint(folder)}"
        _require_three_logits(self._logits([self._encode(["deneme"])[0]]), folder)

    @property
    def version(self) -> str:
        """Name and hash of the files: changes when, and only when, labels may change."""
        return self._version

    @property
    def threshold(self) -> float:
        return self._threshold

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction a text, in the order given; a text's own does not depend on its neighbours.

        That holds because only texts of the same number of tokens share a batch: padding would move
        the last bits of the result, and with them a text that lies on the threshold.
        """
        prepared = [prepare(text) for text in texts]
        encoded = self._encode(prepared)
        predictions = [self._predict_nothing()] * len(texts)
        for batch in _batches([index for index, text in enumerate(prepared) if text], encoded):
            rows = self._probabilities([encoded[index] for index in batch])
            for index, row in zip(batch, rows, strict=True):
                predictions[index] = self._decide(row)
        return predictions

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        encoded = self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def _probabilities(self, batch: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
        logits = self._logits(batch)[:, self._columns].astype(np.float64) / self._calibration.temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: npt.NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def _logits(self, batch: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
        ids = np.array(batch, dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        (logits,) = self._session.run(["logits"], {name: feeds[name] for name in self._inputs})
        result: npt.NDArray[np.float32] = logits
        return result

    def _decide(self, row: npt.NDArray[np.float64]) -> Prediction:
        negative, neutral, positive = (float(share) for share in row)
        label, confidence = decide((negative, neutral, positive), self._threshold)
        return Prediction(label=label, confidence=confidence, probabilities=(negative, neutral, positive))

    def _predict_nothing(self) -> Prediction:
        """An empty text says nothing, so it is `unsure` whatever the threshold."""
        share = 1 / len(CLASSES)
        return Prediction(label=Label.UNSURE, confidence=share, probabilities=(share, share, share))


def _batches(indexes: Sequence[int], encoded: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Groups of equal length, shortest first, at most MAX_BATCH_TEXTS each."""

    def length(index: int) -> int:
        return len(encoded[index])

    for _, group in groupby(sorted(indexes, key=length), key=length):
        members = list(group)
        for start in range(0, len(members), MAX_BATCH_TEXTS):
            yield members[start : start + MAX_BATCH_TEXTS]


def require_model(folder: Path) -> Calibration:
    """Look at a folder without loading what is in it: milliseconds. Raises `ModelUnusable`."""
    _require_files(folder)
    return _read_calibration(folder / "calibration.json")


def _require_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelUnusable(f"no model folder at {folder}: {_REMEDY}")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise ModelUnusable(f"model folder {folder} lacks {', '.join(missing)}: {_REMEDY}")


def _read_calibration(path: Path) -> Calibration:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        calibration = Calibration(name=str(raw["name"]), temperature=float(raw["temperature"]), threshold=float(raw["threshold"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUnusable(f"{path} is broken ({error!r}): {_REMEDY}") from error
    if not (math.isfinite(calibration.temperature) and calibration.temperature > 0):
        raise ModelUnusable(f"{path}: temperature must be above 0: {_REMEDY}")
    if not 0 <= calibration.threshold <= 1:
        raise ModelUnusable(f"{path}: threshold must lie between 0 and 1: {_REMEDY}")
    return calibration


def _load_tokenizer(folder: Path) -> tuple[Any, list[int]]:
    """The tokenizer, and where each of our classes stands among the model's outputs."""
    with _offline():
        from transformers import AutoConfig, AutoTokenizer

        try:
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # the library promises no types; whatever it is, the folder is at fault
            raise ModelUnusable(f"cannot read the model in {folder} ({error}): {_REMEDY}") from error
    return tokenizer, _columns(config.id2label, folder)


def _columns(id2label: dict[int, str], folder: Path) -> list[int]:
    places = {name.lower(): place for place, name in id2label.items()}
    if set(places) != set(CLASSES) or len(id2label) != len(CLASSES):
        raise ModelUnusable(
            f"the model in {folder} tells apart {', '.join(id2label.values())}, needed are "
            f"{', '.join(CLASSES)}: set id2label in its config.json, or {_REMEDY}"
        )
    return [places[label] for label in CLASSES]


def _load_session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A waiting thread shall sleep: Kafka and Elasticsearch run on the same cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a type of its own for every kind of broken file
        raise ModelUnusable(f"cannot load {path} ({error}): {_REMEDY}") from error
    known = {"input_ids", "attention_mask", "token_type_ids"}
    unknown = {value.name for value in session.get_inputs()} - known
    if unknown or "logits" not in {value.name for value in session.get_outputs()}:
        raise ModelUnusable(f"{path} is not a text classifier with an output named logits: {_REMEDY}")
    return session


def _require_three_logits(logits: npt.NDArray[np.float32], folder: Path) -> None:
    if logits.shape != (1, len(CLASSES)) or not np.isfinite(logits).all():
        raise ModelUnusable(f"the model in {folder} does not give {len(CLASSES)} numbers a text: {_REMEDY}")


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(name.encode())
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()[:12]


@contextmanager
def _offline() -> Iterator[None]:
    """The environment under which transformers neither asks the network nor advises to install torch."""
    wanted = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
