"""The two files of a tokenizer: its definition, and the settings under which the loader takes that definition word for word."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

#: Any other class would be rebuilt from the vocabulary by the loader, and might split texts in another way.
_CLASS: Final = "PreTrainedTokenizerFast"


def write_tokenizer(
    definition: Mapping[str, Any], special_tokens: Mapping[str, str], folder: Path, *, max_tokens: int = 512
) -> None:
    """`definition`: the content of a tokenizer.json. `special_tokens`: pad_token and the like, by their texts."""
    unlimited = {**definition, "truncation": None, "padding": None}
    text = json.dumps(unlimited, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    settings = {
        "tokenizer_class": _CLASS,
        "model_max_length": max_tokens,
        "model_input_names": ["input_ids", "attention_mask"],
        **special_tokens,
    }
    write_json(folder / "tokenizer_config.json", settings)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
