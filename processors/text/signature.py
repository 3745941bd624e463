"""Signature of a text: copies share it, whoever is named in them and whatever they link to.

A 64-bit simhash over runs of three folded words. The system takes equal signatures for copies and nothing else: that is
exact, needs no search, and cannot be stretched to make two complaints one.
"""

import re
import struct
from collections.abc import Iterator
from hashlib import blake2b

from processors.text.characters import visible
from processors.text.references import without_references
from processors.text.tokens import folded_tokens

_SHINGLE_WORDS = 3
_BITS = 64
_WORD_PART = re.compile(r"[^\W_]+")
# A byte of a hash as eight counters of four bytes each, so that hashes are added up as whole numbers.
_COUNTERS = [b"".join(struct.pack(">I", byte >> bit & 1) for bit in range(7, -1, -1)) for byte in range(256)]


def signature(text: str) -> str:
    """16 hex characters; equal for texts that differ in links, user names, numbers, case, emoji and punctuation only.

    A text without words (emoji, a number) is told by its characters, or all of them would be copies of one another.
    """
    shown = without_references(visible(text))
    words = list(_words(shown))
    if not words:
        words = ["".join(shown.split())]
    return f"{_simhash(words):016x}"


def near(a: str, b: str, bits: int = 3) -> bool:
    """Whether two signatures differ in at most `bits` bits. Copies are told by equality, one story in edited copies by this."""
    return (int(a, 16) ^ int(b, 16)).bit_count() <= bits


def _words(text: str) -> Iterator[str]:
    first = True
    for token in folded_tokens(text):
        for part in _WORD_PART.findall(token):
            if not part.isdecimal() and not (first and part == "rt"):
                yield part
            first = False


def _simhash(words: list[str]) -> int:
    shingles = [words[at : at + _SHINGLE_WORDS] for at in range(max(1, len(words) - _SHINGLE_WORDS + 1))]
    total = 0
    for shingle in shingles:
        digest = blake2b(" ".join(shingle).encode("utf-8", "surrogatepass"), digest_size=_BITS // 8).digest()
        total += int.from_bytes(b"".join([_COUNTERS[byte] for byte in digest]))
    counts = struct.unpack(f">{_BITS}I", total.to_bytes(_BITS * 4))
    return sum(1 << (_BITS - 1 - bit) for bit, count in enumerate(counts) if 2 * count > len(shingles))
