"""The foreign model as its authors meant it: transformers and torch, the measure of what the conversion makes of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from sys import modules
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from processors.sentiment.importing.refusal import ImportRefused, shown
from processors.sentiment.importing.source import Source
from processors.sentiment.text_model import offline

NEEDED: Final = ("torch", "onnx")
_NO_LIMIT: Final = 1_000_000
"""Tokenizers without a limit of their own claim a far larger one."""
_HOW_FAST: Final = (
    "open it once where it loads (old ones need the packages sentencepiece and protobuf), with "
    "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER), so that FOLDER holds a tokenizer.json"
)

Logits = npt.NDArray[np.float64]


def require_extra(needed: Sequence[str] = NEEDED) -> None:
    """Raises `ImportRefused` where torch and onnx are not installed."""
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise ImportRefused(
            f"importing a model needs {' and '.join(missing)}, which running one does not: make an environment with the extra "
            "'training' (about 6 GB) in the checkout, and import there:\n"
            "  make setup-training\n  .venv-training/bin/nabiz model import …\n"
            "That may be another machine: the finished folder can be copied to where Nabız runs"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    tokenizer: Any
    network: Any
    most_tokens: int | None
    """How many tokens it can read at once; None where nothing limits it."""

    def tokens(self, texts: Sequence[str], max_tokens: int) -> list[dict[str, list[int]]]:
        """What the tokenizer makes of each text, without padding."""
        encoded = self.tokenizer(list(texts), truncation=True, max_length=max_tokens)
        return [{name: values[index] for name, values in encoded.items()} for index in range(len(texts))]

    def logits(self, texts: Sequence[str], max_tokens: int) -> Logits:
        """Texts × columns, each text read alone."""
        import torch

        rows = []
        with torch.no_grad():
            for fields in self.tokens(texts, max_tokens):
                inputs = {name: torch.tensor([values]) for name, values in fields.items()}
                rows.append(self.network(**inputs).logits[0].double().numpy())
        return np.array(rows)


def load_original(source: Source) -> Original:
    """Raises `ImportRefused`. Takes seconds; reads only the folder."""
    with without_network():
        tokenizer = _load_tokenizer(source.folder)
        network = _load_network(source)
    if network.config.pad_token_id is None:  # decoders look for the last token that is no padding
        network.config.pad_token_id = tokenizer.pad_token_id
    return Original(tokenizer=tokenizer, network=network, most_tokens=_most_tokens(tokenizer, network))


def _load_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the library promises no types; whatever it is, the folder is at fault
        raise ImportRefused(f"cannot read the tokenizer in {folder} ({_first_line(error)}): {_HOW_FAST}") from error
    if not tokenizer.is_fast:
        raise ImportRefused(f"the tokenizer in {folder} ({type(tokenizer).__name__}) is none of the fast ones: {_HOW_FAST}")
    if tokenizer.pad_token_id is None:
        raise ImportRefused(
            f"the tokenizer in {folder} has no pad token: name one in tokenizer_config.json "
            '(for example "pad_token": "<pad>", one that is in the vocabulary), and its number as pad_token_id in config.json'
        )
    return tokenizer


def _load_network(source: Source) -> Any:
    import torch
    from transformers import AutoModelForSequenceClassification

    try:
        network, report = AutoModelForSequenceClassification.from_pretrained(
            source.folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32, attn_implementation="eager",
            output_loading_info=True, ignore_mismatched_sizes=True,
        )  # fmt: skip
    except Exception as error:  # as above
        raise ImportRefused(
            f"transformers cannot load the model in {source.folder} ({_first_line(error)}): see whether the folder is complete"
        ) from error
    _require_whole(report, source)
    network.eval()
    return network


def _require_whole(report: dict[str, Any], source: Source) -> None:
    mismatched = sorted(report["mismatched_keys"])
    if mismatched:
        name, found, wanted = mismatched[0]
        raise ImportRefused(
            f"the weights in {source.folder} do not fit its config.json: {name} is {_size(found)}, needed is {_size(wanted)} "
            f"for {len(source.names)} labels ({shown(', '.join(source.names))}): correct id2label, one name for each output column"
        )
    missing = sorted(report["missing_keys"])
    if missing:
        raise ImportRefused(
            f"the weights in {source.folder} lack {', '.join(missing[:3])}{' …' if missing[3:] else ''}: "
            "this model was never trained to sort texts; give one that was"
        )


def _most_tokens(tokenizer: Any, network: Any) -> int | None:
    limits = [int(tokenizer.model_max_length)]
    positions = getattr(network.config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        limits.append(positions - _positions_before_the_first(network))
    smallest = min(limits)
    return smallest if smallest < _NO_LIMIT else None


def _positions_before_the_first(network: Any) -> int:
    """Models of RoBERTa's family count positions from behind the padding's on."""
    for name, layer in network.named_modules():
        if name.endswith("position_embeddings") and getattr(layer, "padding_idx", None) is not None:
            return int(layer.padding_idx) + 1
    return 0


def _size(shape: Any) -> str:
    return " × ".join(map(str, shape))


def _first_line(error: Exception) -> str:
    return shown(next((line for line in str(error).splitlines() if line.strip()), type(error).__name__))


@contextmanager
def without_network() -> Iterator[None]:
    """Under which transformers asks nobody, and is quiet: it draws progress bars and gives advice on torch."""
    constants = modules.get("huggingface_hub.constants")  # read the environment when a model was downloaded before
    offline_before = getattr(constants, "HF_HUB_OFFLINE", None)
    if constants is not None:
        constants.HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
    try:
        with offline():
            _hush()
            yield
    finally:
        if constants is not None:
            constants.HF_HUB_OFFLINE = offline_before  # type: ignore[attr-defined]


def _hush() -> None:
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
