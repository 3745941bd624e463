"""Cuts the multilingual vocabulary of 250,000 pieces down to those that Turkish texts use.

The embedding is four fifths of the base model. What the texts use are some 31,000 pieces, so that all of them stay.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

PIECES = 40_000
"""At most: with more, the files would grow past 40 MB."""
_CHUNK = 2_000
_SPECIAL = range(4)  # <s>, <pad>, </s>, <unk>: they keep their numbers
PAD_TOKEN_ID = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    kept: list[int]
    """Old numbers of the pieces; a piece's new number is its place in this list."""
    tokenizer: dict[str, Any]


def cut(full_tokenizer: Path, texts: Sequence[str]) -> Vocabulary:
    definition = json.loads(full_tokenizer.read_text(encoding="utf-8"))
    pieces = [piece for piece, _ in definition["model"]["vocab"]]
    counts = _count(_bare(full_tokenizer), texts)
    kept = {*_SPECIAL, len(pieces) - 1}  # the last one is <mask>
    kept |= {number for number, piece in enumerate(pieces) if _always_kept(piece, seen=counts[number] > 0)}
    for number, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(kept) >= PIECES:
            break
        kept.add(number)
    ordered = sorted(kept)
    return Vocabulary(kept=ordered, tokenizer=_renumber(definition, ordered))


def _bare(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _count(tokenizer: Tokenizer, texts: Sequence[str]) -> Counter[int]:
    """How often each piece is used in prepared texts, whose letters are small and whose diacritics are restored."""
    counts: Counter[int] = Counter()
    for start in range(0, len(texts), _CHUNK):
        for encoding in tokenizer.encode_batch(texts[start : start + _CHUNK], add_special_tokens=False):
            counts.update(encoding.ids)
    return counts


def _always_kept(piece: str, *, seen: bool) -> bool:
    """Single characters of the scripts met in Türkiye, short ASCII runs, signs and emoji: with these,
    every word can still be spelled, and no sign becomes unknown."""
    body = piece.replace("▁", "")
    if len(body) <= 1:
        return all(_known_script(character) for character in body)
    if len(body) <= 3 and body.isascii():
        return True
    signs = all(unicodedata.category(character)[0] in "PSM" for character in body)
    return signs and (len(body) == 2 or (len(body) <= 4 and seen))


def _known_script(character: str) -> bool:
    code, category = ord(character), unicodedata.category(character)
    if category[0] in "PSN":
        return not (0x2E80 <= code <= 0x33FF or 0xF900 <= code <= 0xFFEF)
    if category in ("Mn", "Cf"):
        return code < 0x900 or 0xFE00 <= code <= 0xFE0F or 0x200B <= code <= 0x200F
    return code < 0x250 or 0x370 <= code < 0x530 or 0x600 <= code < 0x700 or 0x1E00 <= code < 0x2000


def _renumber(definition: dict[str, Any], kept: list[int]) -> dict[str, Any]:
    new = {old: number for number, old in enumerate(kept)}
    model = definition["model"]
    model["vocab"] = [model["vocab"][old] for old in kept]
    model["unk_id"] = new[model["unk_id"]]
    for token in definition["added_tokens"]:
        token["id"] = new[token["id"]]
    for special in definition["post_processor"]["special_tokens"].values():
        special["ids"] = [new[old] for old in special["ids"]]
    definition["padding"] = definition["truncation"] = None
    return definition
