"""The converted model beside the original: the same tokens, the same numbers, the same labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from processors.sentiment.importing.original import Original, without_network
from processors.sentiment.importing.refusal import OTHER_MODEL, ImportRefused
from processors.sentiment.importing.source import Source
from processors.sentiment.shares import Floats

TOLERANCE: Final = 1e-3
"""How far a logit of the converted 32-bit network may lie from the original's; usual are 0.00001."""
MOST_UNKNOWN: Final = 0.3
"""Of the pieces of the built-in texts; a Turkish vocabulary misses some emoji, a broken one nearly everything."""
_COMPARED: Final = 13


def require_same_tokens(original: Original, folder: Path, texts: Sequence[str], max_tokens: int) -> None:
    """Raises `ImportRefused` where the tokenizer in `folder` differs from the original's."""
    with without_network():
        from transformers import AutoTokenizer

        written = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    found = written(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    if found != [fields["input_ids"] for fields in original.tokens(texts, max_tokens)]:
        raise ImportRefused(
            "this model's tokenizer splits texts in another way once it is written as tokenizer.json, since its settings are "
            f"outside of what that file can hold: {OTHER_MODEL}"
        )


def require_known_words(original: Original, texts: Sequence[str], max_tokens: int) -> None:
    """Raises `ImportRefused` where the tokenizer does not go with the language, or with its own vocabulary."""
    unknown = original.tokenizer.unk_token_id
    special = set(original.tokenizer.all_special_ids) - {unknown}
    ids = [number for fields in original.tokens(texts, max_tokens) for number in fields["input_ids"] if number not in special]
    share = ids.count(unknown) / max(1, len(ids))
    if not ids or share > MOST_UNKNOWN:
        raise ImportRefused(
            f"the tokenizer does not know {share:.0%} of the words of ordinary Turkish texts: see whether its files are complete, or "
            "take a model made for Turkish"
        )


def reference_logits(original: Original, texts: Sequence[str], max_tokens: int, source: Source) -> Floats:
    """The original's logits, texts × columns. Raises `ImportRefused` where it gives none that can be used."""
    try:
        logits = original.logits(texts, max_tokens)
    except Exception as error:  # whatever torch says of a model that cannot be run
        raise ImportRefused(
            f"the original does not run with {max_tokens} tokens ({error}): try a smaller --max-tokens"
        ) from error
    if logits.shape[1:] != (len(source.names),):
        raise ImportRefused(
            f"the model gives {logits.shape[1]} numbers a text, config.json names {len(source.names)} labels: correct id2label"
        )
    if not np.isfinite(logits).all():
        raise ImportRefused("the original gives no numbers (NaN) for ordinary texts: its weights are broken: fetch them again")
    return logits


def require_same_numbers(original: Original, path: Path, texts: Sequence[str], wanted: Floats, max_tokens: int) -> None:
    """Raises `ImportRefused` where the network at `path` gives other logits than `wanted`."""
    import onnxruntime as ort

    chosen = sorted({*range(0, len(texts), max(1, len(texts) // _COMPARED)), len(texts) - 1})
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = []
    for fields in original.tokens([texts[index] for index in chosen], max_tokens):
        ids = np.array([fields["input_ids"]], dtype=np.int64)
        found.append(session.run(["logits"], {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    largest = float(np.abs(np.array(found) - wanted[chosen]).max())
    if not largest <= TOLERANCE * max(1.0, float(np.abs(wanted).max())):
        raise ImportRefused(
            f"written as ONNX, the model differs from the original by {largest:.3g} in a logit, where {TOLERANCE:g} is allowed: "
            f"{OTHER_MODEL}"
        )
