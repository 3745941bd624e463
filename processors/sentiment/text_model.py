"""Runs a model that lies in a local folder: ONNX Runtime, no torch, no network. Knows no label's meaning."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from processors.sentiment.artefact import REMEDY, WEIGHTS, Description, Head, ModelUnusable, fingerprint, require_model
from processors.sentiment.prepare import MAX_CHARACTERS, PREPARATIONS
from processors.sentiment.shares import as_shares

Rows = npt.NDArray[np.float64]
"""Texts × labels, each row adding up to 1."""

_KNOWN_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


class TextModel:
    """One loaded model. Loading takes about a second and may raise `ModelUnusable`.

    `read` holds its thread for about 12 ms a text: call it from an executor. It may be called from several threads,
    which then share the model's `threads`.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self.description: Description = require_model(folder)
        self.version = f"{self.description.name}-{fingerprint(folder, self.description)}"
        self._prepare = PREPARATIONS[self.description.preparation]
        self._tokenizer = _load_tokenizer(folder)
        self._session = _load_session(folder / WEIGHTS, threads)
        self._inputs = tuple(value.name for value in self._session.get_inputs())
        self._outputs = sorted({head.output for head in self.description.heads.values()})
        self._require_outputs(folder)

    def prepare(self, text: str) -> str:
        """The form in which the model reads a text: texts of one form have one label."""
        return self._prepare(text)

    def labels(self, head: str) -> tuple[str, ...]:
        """The labels of a head, in the order of the columns that `read` gives."""
        return tuple(dict.fromkeys(self.description.heads[head].labels))

    def read(self, prepared: Sequence[str]) -> dict[str, Rows]:
        """Probabilities of every head for texts in prepared form; one that holds no token has equal shares.

        A text's row does not depend on its neighbours, because only texts of the same number of tokens share a batch:
        padding would move the last bits of the result, and with them a text that lies on the threshold.
        """
        heads = self.description.heads
        rows = {name: np.full((len(prepared), len(self.labels(name))), 1 / len(self.labels(name))) for name in heads}
        encoded = self._encode(prepared)
        filled = [index for index, text in enumerate(prepared) if text and encoded[index]]
        for batch in _batches(filled, encoded, self.description.batch_texts):
            outputs = self._run([encoded[index] for index in batch])
            for name, head in heads.items():
                rows[name][batch] = _probabilities(outputs[head.output], head)
        return rows

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        encoded = self._tokenizer(list(texts), truncation=True, max_length=self.description.max_tokens)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    def _run(self, batch: Sequence[Sequence[int]]) -> Mapping[str, npt.NDArray[np.float32]]:
        ids = np.array(batch, dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        found = self._session.run(self._outputs, {name: feeds[name] for name in self._inputs})
        return dict(zip(self._outputs, found, strict=True))

    def _require_outputs(self, folder: Path) -> None:
        given = {value.name for value in self._session.get_outputs()}
        missing = [name for name in self._outputs if name not in given]
        if missing:
            raise ModelUnusable(f"the model in {folder} has no output named {', '.join(missing)}: {REMEDY}")
        together = min(2, self.description.batch_texts)
        self._require_numbers(folder, "a word", ["deneme"])
        longest = "deneme " * min(self.description.max_tokens, MAX_CHARACTERS)
        self._require_numbers(folder, f"{together} texts of max_tokens ({self.description.max_tokens})", [longest] * together)

    def _require_numbers(self, folder: Path, what: str, texts: Sequence[str]) -> None:
        try:
            outputs = self._run(self._encode(texts))
        except Exception as error:  # tokenizer and weights of different models: a word beyond the table, and the like
            raise ModelUnusable(f"the model in {folder} cannot read {what} ({error}): {REMEDY}") from error
        for name, head in self.description.heads.items():
            output = outputs[head.output]
            if np.shape(output) != (len(texts), len(head.labels)) or not np.isfinite(output).all():
                raise ModelUnusable(f"the model in {folder} does not give {len(head.labels)} numbers a text for {name}: {REMEDY}")


def _probabilities(logits: npt.NDArray[np.float32], head: Head) -> Rows:
    labels = list(dict.fromkeys(head.labels))
    return as_shares(logits.astype(np.float64) / head.temperature, [labels.index(label) for label in head.labels])


def _batches(indexes: Sequence[int], encoded: Sequence[Sequence[int]], most: int) -> Iterator[list[int]]:
    """Groups of equal length, shortest first, at most `most` each."""

    def length(index: int) -> int:
        return len(encoded[index])

    for _, group in groupby(sorted(indexes, key=length), key=length):
        members = list(group)
        for start in range(0, len(members), most):
            yield members[start : start + most]


def _load_tokenizer(folder: Path) -> Any:
    with offline():
        from transformers import AutoConfig, AutoTokenizer

        try:
            AutoConfig.from_pretrained(folder, local_files_only=True)
            return AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # the library promises no types; whatever it is, the folder is at fault
            raise ModelUnusable(f"cannot read the model in {folder} ({error}): {REMEDY}") from error


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
        raise ModelUnusable(f"cannot load {path} ({error}): {REMEDY}") from error
    unknown = {value.name for value in session.get_inputs()} - _KNOWN_INPUTS
    if unknown:
        raise ModelUnusable(f"{path} asks for {', '.join(sorted(unknown))}, which no text has: {REMEDY}")
    return session


@contextmanager
def offline() -> Iterator[None]:
    """The environment under which transformers neither asks the network nor advises to install torch."""
    wanted = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1"}
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
