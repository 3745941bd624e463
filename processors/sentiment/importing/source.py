"""A foreign model as it lies in a folder, looked at without loading it: is it one that can be imported?"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from processors.sentiment.artefact import DESCRIPTION_FILE
from processors.sentiment.importing.refusal import ImportRefused, shown

WEIGHT_FILES: Final = (
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
)  # fmt: skip
_TOKENIZER_FILES: Final = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "*.tiktoken")
_CLASSIFIER: Final = "ForSequenceClassification"
_LARGE_FILE_POINTER: Final = b"version https://git-lfs"
_HOW_IT_LOOKS: Final = "give the folder that save_pretrained() wrote, or into which the whole model was downloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    folder: Path
    names: tuple[str, ...]
    """What the model calls its columns."""


def read_source(folder: Path) -> Source:
    """Raises `ImportRefused`."""
    if not folder.is_dir():
        raise ImportRefused(f"no folder at {folder}: {_HOW_IT_LOOKS}; a model on the hub is called OWNER/NAME")
    if (folder / DESCRIPTION_FILE).is_file():
        raise ImportRefused(f"{folder} is a model folder already: name it in the configuration, under sentiment.model")
    names = read_names(_read_config(folder), str(folder))
    _require_weights(folder)
    _require_tokenizer(folder)
    return Source(folder=folder, names=names)


def read_names(config: bytes, where: str) -> tuple[str, ...]:
    """The labels of a config.json, in the order of the columns. Raises `ImportRefused` unless the model can be imported."""
    parsed = _parse(config, where)
    _require_classifier(parsed, where)
    return _column_names(parsed, where)


def _read_config(folder: Path) -> bytes:
    path = folder / "config.json"
    if (folder / "adapter_config.json").is_file() and not _weights(folder):
        raise ImportRefused(
            f"{folder} holds an adapter only (LoRA): merge it into its base model first, with "
            "peft's model.merge_and_unload().save_pretrained(FOLDER), and import that folder"
        )
    if not path.is_file():
        raise ImportRefused(f"no config.json in {folder}: {_HOW_IT_LOOKS}")
    return path.read_bytes()


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        config = json.loads(content)
    except ValueError as error:
        raise ImportRefused(f"config.json of {where} is not JSON ({error}): {_HOW_IT_LOOKS}") from error
    if not isinstance(config, dict):
        raise ImportRefused(f"config.json of {where} is not a model's configuration: {_HOW_IT_LOOKS}")
    return config


def _require_classifier(config: dict[str, Any], where: str) -> None:
    """One that chooses one class out of several for a text."""
    listed = config.get("architectures")
    kinds = [kind for kind in listed if isinstance(kind, str)] if isinstance(listed, list) else []
    if not any(kind.endswith(_CLASSIFIER) for kind in kinds):
        found = f"is a {shown(', '.join(kinds))}" if kinds else "does not say in config.json (architectures) what it is"
        raise ImportRefused(
            f"{where} {found}, needed is a sequence-classification model (…{_CLASSIFIER}), one that was trained to sort texts"
        )
    if config.get("auto_map") and not _is_known(config.get("model_type")):
        raise ImportRefused(
            f"{where} needs program code of its own (auto_map in config.json), and foreign code is not run: "
            "take a model of an architecture that transformers knows"
        )
    if config.get("problem_type") == "multi_label_classification":
        raise ImportRefused(
            f"{where} may give a text several labels at once (problem_type is multi_label_classification), "
            "needed is one that gives each text one label"
        )
    if config.get("problem_type") == "regression":
        raise ImportRefused(f"{where} gives a number (problem_type is regression), needed is one that gives each text one label")


def _is_known(model_type: Any) -> bool:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return model_type in CONFIG_MAPPING_NAMES


def _column_names(config: dict[str, Any], where: str) -> tuple[str, ...]:
    named = config.get("id2label")
    claimed = config.get("num_labels", config.get("_num_labels"))
    if named is None:
        names = [f"LABEL_{column}" for column in range(claimed if isinstance(claimed, int) else 2)]
    else:
        names = _in_order(named, where)
        if isinstance(claimed, int) and claimed != len(names):
            raise ImportRefused(
                f"config.json of {where} names {len(names)} labels, but says num_labels {claimed}: correct one of them"
            )
    if len(names) < 2:
        raise ImportRefused(f"{where} has one output column, a number and no choice between labels: it cannot be imported")
    return tuple(names)


def _in_order(named: Any, where: str) -> list[str]:
    try:
        numbered = {int(column): str(name) for column, name in named.items()}
        return [numbered[column] for column in range(len(named))]
    except (AttributeError, ValueError, KeyError) as error:
        raise ImportRefused(f"id2label in config.json of {where} does not number the labels from 0 on: correct it") from error


def _weights(folder: Path) -> list[Path]:
    return [folder / name for name in WEIGHT_FILES if (folder / name).is_file()]


def _require_weights(folder: Path) -> None:
    if not _weights(folder):
        raise ImportRefused(f"no weights in {folder} ({' or '.join(WEIGHT_FILES[::2])}): {_HOW_IT_LOOKS}")
    pointers = [path.name for path in sorted(folder.iterdir()) if path.is_file() and _is_pointer(path)]
    if pointers:
        raise ImportRefused(
            f"{', '.join(pointers)} in {folder} only says where the content lies: run 'git lfs pull' in that folder"
        )


def _require_tokenizer(folder: Path) -> None:
    """The library would make do with an empty vocabulary."""
    if not any(any(folder.glob(pattern)) for pattern in _TOKENIZER_FILES):
        raise ImportRefused(
            f"no tokenizer in {folder} (tokenizer.json, or vocab.txt and the like): {_HOW_IT_LOOKS}; "
            "a tokenizer is saved on its own, with tokenizer.save_pretrained(FOLDER)"
        )


def _is_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_LARGE_FILE_POINTER)) == _LARGE_FILE_POINTER
