"""The import, step by step, each compared with the original before the next."""

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from processors.sentiment.artefact import MAX_TOKENS, WEIGHTS, Description, Head, write_description
from processors.sentiment.classifier import HEAD, Classifier
from processors.sentiment.conversion import calibration
from processors.sentiment.conversion.network_export import export_network
from processors.sentiment.conversion.tokenizer_files import write_json, write_tokenizer
from processors.sentiment.conversion.weights import quantise_embedding, quantise_matrices
from processors.sentiment.importing.comparison import (
    TOLERANCE,
    reference_logits,
    require_known_words,
    require_same_numbers,
    require_same_tokens,
)
from processors.sentiment.importing.labels import map_columns
from processors.sentiment.importing.original import Original, load_original, require_extra
from processors.sentiment.importing.refusal import OTHER_MODEL, ImportRefused
from processors.sentiment.importing.samples import SAMPLES
from processors.sentiment.importing.source import Source, read_source
from processors.sentiment.importing.target import Workplace, require_free, workplace
from processors.sentiment.labelled import Labelled, read_labelled
from processors.sentiment.labels import CLASSES
from processors.sentiment.prepare import PREPARATIONS
from processors.sentiment.shares import Floats, as_shares, merged
from processors.sentiment.text_model import TextModel
from schemas.labels import Label

RECORD_FILE: Final = "import.json"
FEW_AGREE: Final = 0.97
FEWEST_TEXTS: Final = 50
"""With fewer, temperature and threshold are chance."""
_ONE_FILE_BYTES: Final = 2_000_000_000
_SETTINGS_OF_THE_MAKER: Final = ("_name_or_path", "auto_map", "quantization_config")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKENS: Final = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    source: Path
    origin: str
    """What the user called the model: the folder, or its name on the hub."""
    out: Path
    revision: str | None = None
    name: str | None = None
    labels: Mapping[str, Label] = field(default_factory=dict)
    preparation: Literal["plain", "turkish"] = "plain"
    max_tokens: int | None = None
    quantise: bool = True
    calibrate: Path | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    folder: Path
    labels: tuple[tuple[str, Label], ...]
    """The model's name of each column, and ours."""
    max_tokens: int
    quantised: bool
    agreement: float
    """Share of the built-in texts that have the label of the original."""
    temperature: float
    threshold: float
    calibrated_on: int
    """Number of labelled texts; 0 where none were given."""
    notes: tuple[str, ...]


def convert(order: ImportOrder, say: Say) -> ImportResult:
    """Raises `ImportRefused`, or `LabelledUnusable`; then, and when it is interrupted, nothing is left. `say` is told what goes on."""
    require_possible(order)
    source = read_source(order.source)
    labels = map_columns(source.names, order.labels)
    labelled = _read_labelled(order.calibrate, labels) if order.calibrate else []
    with workplace(order.out, force=order.force) as place:
        conversion = _Conversion(order, source, labels, model_name(order), place, say)
        conversion.make()
        conversion.calibrate(labelled)
        return conversion.finish()


def require_possible(order: ImportOrder) -> None:
    """What can be told without the model. Raises `ImportRefused`."""
    model_name(order)
    require_free(order.out, order.source if order.source.exists() else None, force=order.force)
    require_extra()


def require_before_fetching(order: ImportOrder) -> None:
    """The same, for a model that has to be fetched first. Raises `ImportRefused`, `LabelledUnusable`, OSError."""
    require_possible(order)
    if order.calibrate and order.calibrate.is_file():  # what is piped can be read but once
        _read_labelled(order.calibrate, CLASSES)


def model_name(order: ImportOrder) -> str:
    """The name that will stand in every label. Raises `ImportRefused`."""
    if order.name is None:
        last = re.split(r"[/\\]", order.origin.rstrip("/\\"))[-1]
        cleaned = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._")[:64]
        return cleaned or "model"
    if not _NAME.fullmatch(order.name):
        raise ImportRefused(
            f"--name {order.name!r}: at most 64 letters (a to z), digits, '.', '_' and '-', beginning with a letter or digit"
        )
    return order.name


class _Conversion:
    def __init__(
        self, order: ImportOrder, source: Source, labels: Sequence[Label], name: str, place: Workplace, say: Say
    ) -> None:
        self._order = order
        self._source = source
        self._labels = tuple(labels)
        self._places = [CLASSES.index(label) for label in labels]
        self._place = place
        self._say = say
        self._notes: list[str] = []
        self._prepared = [text for text in map(PREPARATIONS[order.preparation], SAMPLES) if text]
        heads = {HEAD: Head(labels=tuple(map(str, labels)))}
        self._description = Description(name=name, preparation=order.preparation, heads=heads)
        self._quantised = False
        self._agreement = 1.0
        self._calibrated_on = 0

    # -- the files ----------------------------------------------------------------------------------------------------

    def make(self) -> None:
        """All files, compared with the original."""
        exported = self._place.scratch / "float.onnx"
        wanted = self._write_network(exported)
        self._quantised = self._write_weights(exported)
        self._compare(wanted)

    def _write_network(self, exported: Path) -> Floats:
        """Gives the original's logits for the built-in texts. It is not kept beyond: it takes some hundred megabytes."""
        self._say(f"loading {self._order.origin} …")
        original = load_original(self._source)
        max_tokens = _max_tokens(self._order, original)
        self._description = self._description.model_copy(update={"max_tokens": max_tokens})
        require_known_words(original, self._prepared, max_tokens)
        self._note_lower_case(original.tokenizer)
        write_json(self._place.model / "config.json", _config(original))
        _write_tokenizer(original, self._place.model)
        require_same_tokens(original, self._place.model, self._prepared, max_tokens)
        wanted = reference_logits(original, self._prepared, max_tokens, self._source)
        self._say("writing the network as ONNX …")
        _export(original, exported, quantise=self._order.quantise)
        require_same_numbers(original, exported, self._prepared, wanted, max_tokens)
        return wanted

    def _write_weights(self, exported: Path) -> bool:
        if not self._order.quantise:
            shutil.move(exported, self._place.model / WEIGHTS)
            return False
        import onnx

        self._say("making 8-bit weights …")
        model = onnx.load(exported)
        matrices = quantise_matrices(model)
        if not matrices:
            self._notes.append("no matrix of this model divides into blocks of 32 numbers, so its weights stay 32 bits long")
        elif not quantise_embedding(model):
            self._notes.append(
                "the table of word vectors stays 32 bits long: it was not found, or does not divide into blocks of 32"
            )
        _require_one_file(sum(len(tensor.raw_data) for tensor in model.graph.initializer), "")
        onnx.save(model, self._place.model / WEIGHTS)
        return matrices > 0

    def _compare(self, wanted: Floats) -> None:
        """As it will run: through the files just written."""
        self._say(f"comparing {len(self._prepared)} invented texts with the original, each alone and in batches …")
        model = self._column_model()
        together = model.read(self._prepared)[HEAD]
        alone = np.concatenate([model.read([text])[HEAD] for text in self._prepared])
        if not np.array_equal(together, alone):
            self._description = self._description.model_copy(update={"batch_texts": 1})
            self._notes.append(
                "in a batch this model gives other last digits than alone, so it will read texts one by one, more slowly"
            )
        expected = as_shares(wanted)
        if not self._quantised and np.abs(alone - expected).max() > TOLERANCE:
            raise ImportRefused(f"the finished files give other probabilities than the original: {OTHER_MODEL}")
        self._agreement = float((self._chosen(alone) == self._chosen(expected)).mean())
        if self._agreement < FEW_AGREE:
            self._notes.append(
                f"with 8-bit weights {1 - self._agreement:.0%} of the built-in texts get another label than from the original: "
                "try --no-quantise, and compare with 'nabiz model evaluate'"
            )

    def _chosen(self, columns: Floats) -> npt.NDArray[np.int64]:
        chosen: npt.NDArray[np.int64] = merged(columns, self._places, len(CLASSES)).argmax(axis=1)
        return chosen

    def _column_model(self) -> TextModel:
        """The model with one label a column, whatever they mean, to be asked for what it says before labels are merged."""
        columns = Head(labels=tuple(f"column {number}" for number in range(len(self._labels))))
        self._write(self._description.model_copy(update={"heads": {HEAD: columns}}))
        return TextModel(self._place.model)

    # -- what a probability is worth ----------------------------------------------------------------------------------

    def calibrate(self, labelled: Sequence[Labelled]) -> None:
        """With the finished files, so that what the conversion changed is calibrated, too."""
        known = [text for text in labelled if text.label in self._labels]
        if not labelled:
            self._notes.append(
                "the confidence is not calibrated (temperature 1, threshold 0.5): give labelled texts of your own with --calibrate"
            )
            return
        if len(known) < len(labelled):
            self._notes.append(
                f"{len(labelled) - len(known)} of {len(labelled)} labelled texts have a label that this model does not know"
            )
        self._say(f"calibrating on {len(known)} labelled texts …")
        model = self._column_model()
        logs = np.log(np.maximum(model.read([model.prepare(text.text) for text in known])[HEAD], np.finfo(np.float64).tiny))
        temperature = calibration.temperature(logs, [CLASSES.index(text.label) for text in known], self._places)
        threshold = calibration.threshold(as_shares(logs / temperature, self._places), [text.source for text in known])
        head = Head(labels=tuple(map(str, self._labels)), temperature=round(temperature, 4), threshold=round(threshold, 3))
        self._description = self._description.model_copy(update={"heads": {HEAD: head}})
        self._calibrated_on = len(known)

    # -- the end ------------------------------------------------------------------------------------------------------

    def finish(self) -> ImportResult:
        self._write(self._description)
        Classifier(self._place.model)
        missing = [label for label in CLASSES if label not in self._labels]
        self._notes += [f"this model never says {label}" for label in missing]
        head = self._description.heads[HEAD]
        result = ImportResult(
            folder=self._order.out, labels=tuple(zip(self._source.names, self._labels, strict=True)),
            max_tokens=self._description.max_tokens, quantised=self._quantised, agreement=self._agreement,
            temperature=head.temperature, threshold=head.threshold, calibrated_on=self._calibrated_on, notes=tuple(self._notes),
        )  # fmt: skip
        write_json(self._place.model / RECORD_FILE, _record(self._order, result))
        return result

    def _write(self, description: Description) -> None:
        write_description(description, self._place.model)

    def _note_lower_case(self, tokenizer: Any) -> None:
        big, small = tokenizer.tokenize("ILIK"), tokenizer.tokenize("ilik")
        if self._order.preparation == "plain" and big == small and tokenizer.unk_token not in big:
            self._notes.append(
                "this model's tokenizer makes small letters in the English way (ILIK becomes ilik, not ılık): "
                "try --preparation turkish as well, and keep what 'nabiz model evaluate' finds better"
            )


def _read_labelled(file: Path, labels: Sequence[Label]) -> list[Labelled]:
    texts = read_labelled(file)
    usable = [text for text in texts if text.label in labels]
    if len(usable) < FEWEST_TEXTS:
        raise ImportRefused(
            f"{file} holds {len(usable)} texts with a label of this model: calibration needs at least {FEWEST_TEXTS}, better 500"
        )
    if len({text.label for text in usable}) < 2:
        raise ImportRefused(
            f"{file}: every text that this model could judge is {usable[0].label}; calibration needs texts of each label"
        )
    return texts


def _max_tokens(order: ImportOrder, original: Original) -> int:
    most = original.most_tokens
    if order.max_tokens is None:
        return min(MAX_TOKENS, most or MAX_TOKENS)
    if most is not None and order.max_tokens > most:
        raise ImportRefused(f"--max-tokens {order.max_tokens}: this model reads at most {most} tokens")
    return order.max_tokens


def _config(original: Original) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(original.network.config.to_json_string(use_diff=True))
    return {name: value for name, value in config.items() if name not in _SETTINGS_OF_THE_MAKER}


def _write_tokenizer(original: Original, folder: Path) -> None:
    tokenizer = original.tokenizer
    special = {name: str(token) for name in _TOKENS if (token := getattr(tokenizer, name, None)) is not None}
    definition = json.loads(tokenizer.backend_tokenizer.to_str())
    write_tokenizer(definition, special, folder, max_tokens=original.most_tokens or 512)


def _export(original: Original, path: Path, *, quantise: bool) -> None:
    if not quantise:
        _require_one_file(sum(weight.numel() for weight in original.network.parameters()) * 4, ": leave out --no-quantise")
    try:
        export_network(_logits_only(original.network), path)
    except OSError:
        raise
    except Exception as error:  # the exporter raises what the network's code happens to raise
        raise ImportRefused(f"torch cannot write this architecture as ONNX ({error}): {OTHER_MODEL}") from error


def _require_one_file(size: int, remedy: str) -> None:
    if size > _ONE_FILE_BYTES:
        raise ImportRefused(f"the weights would take {size / 1e9:.1f} GB, more than the 2 GB that an ONNX file can hold{remedy}")


def _logits_only(network: Any) -> Any:
    from torch import nn

    class LogitsOnly(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.network(input_ids=input_ids, attention_mask=attention_mask).logits

    return LogitsOnly()


def _record(order: ImportOrder, result: ImportResult) -> dict[str, Any]:
    """Where the folder comes from, for whoever finds it in a year."""
    return {
        "origin": order.origin,
        "revision": order.revision,
        "labels": [{"column": column, "model": name, "label": label.value} for column, (name, label) in enumerate(result.labels)],
        "quantised": result.quantised,
        "agreement_with_original": round(result.agreement, 4),
        "calibrated_on_texts": result.calibrated_on,
        "made_with": {package: version(package) for package in ("torch", "transformers", "onnx", "onnxruntime")},
    }
