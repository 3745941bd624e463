"""Puts back the diacritics that many leave out when they type: "cok kotu" is "çok kötü".

Each of c, g, i, o, s, u is decided on its own by a linear model over the letters around it, so a text costs a few
numpy calls and no dictionary. The weights lie beside this file and are read on first use; `processors.sentiment.training`
makes them. About one word in thirty comes out wrong: good for a model that was trained on the same output, not for print.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

WEIGHTS_FILE: Final = Path(__file__).parent / "diacritics.bin"
TABLE_BITS: Final = 20

_PLAIN: Final = str.maketrans("çğıöşüâîû", "cgiosuaiu")
_MARKED: Final = dict(zip("cgiosu", "çğıöşü", strict=True))
_TELLING: Final = frozenset("çğöşü")
# How many characters to the left and to the right of the letter a feature sees.
_WINDOWS: Final = (
    (1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (2, 2), (3, 1), (1, 3), (3, 3), (4, 0), (0, 4),
    (4, 2), (2, 4), (5, 1), (1, 5), (5, 3), (3, 5), (6, 0), (0, 6), (8, 2), (2, 8), (6, 6),
)  # fmt: skip
_WIDEST: Final = 8
# "su" is water or "şu", that one there. Who writes to an institution means water, unless one of these follows.
_WATER: Final = re.compile(
    r"\bsu\b(?! (?:an|ana|anda|andan|anki|anlik|aralar|siralar|gunlerde|saatte|saatlerde|kadar|sekilde|yuzden|nedenle|sebeple"
    r"|konu\w*|durum\w*|hal|hale|halde|halimiz\w*|adam\w*|kisi\w*|insan\w*|arkadas\w*|herif\w*|bizim|ulke\w*|memleket\w*"
    r"|dunya\w*|sey\w*|soz|sozler\w*|soruy?a?|kelime\w*|resm?e|resim\w*|foto\w*|video\w*|haber\w*|rezalet\w*|manzara\w*"
    r"|benim|senin|sizin|onun|koskoca|meshur|meret\w*|zavalli\w*)\b)"
)
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_OTHER_PRIME: Final = np.uint64(0xC2B2AE3D27D4EB4F)

Indexes = npt.NDArray[np.int64]


def lacks_diacritics(text: str) -> bool:
    """Whether the text, in lower case, was typed without them. A lone ı tells nothing: it may come from a capital I."""
    return _TELLING.isdisjoint(text)


def plain(text: str) -> str:
    """The text without Turkish diacritics, circumflexes included; in lower case. The length stays."""
    return text.translate(_PLAIN)


def restored(text: str) -> str:
    """The plain text with diacritics where the model expects them; in lower case. The length stays."""
    bare = plain(text)
    letters = list(bare)
    kept = {found.start() for found in _WATER.finditer(bare)}
    places = [place for place in ambiguous_places(letters) if place not in kept]
    if not places:
        return bare
    scores = _weights()[features(letters, places)].sum(axis=1, dtype=np.int64)
    for place, score in zip(places, scores, strict=True):
        if score > 0:
            letters[place] = _MARKED[letters[place]]
    return "".join(letters)


def ambiguous_places(letters: Sequence[str]) -> list[int]:
    """Where a letter stands that has a twin with a diacritic."""
    return [place for place, letter in enumerate(letters) if letter in _MARKED]


def features(letters: Sequence[str], places: Sequence[int]) -> Indexes:
    """Rows of the weight table that speak for each place: places × windows."""
    codes = np.full(len(letters) + 2 * _WIDEST, ord(" "), dtype=np.uint64)
    codes[_WIDEST : _WIDEST + len(letters)] = [ord(letter) if letter.isalpha() else ord(" ") for letter in letters]
    at = np.asarray(places, dtype=np.int64) + _WIDEST
    before, after = _hashes(codes, at, -1), _hashes(codes, at, 1)
    rows = [
        (before[left] * _PRIME) ^ (after[right] * _OTHER_PRIME) ^ (codes[at] * _PRIME + np.uint64(number))
        for number, (left, right) in enumerate(_WINDOWS)
    ]
    mixed = np.stack(rows, axis=1)
    mixed ^= mixed >> np.uint64(29)
    mixed *= _PRIME
    return (mixed >> np.uint64(64 - TABLE_BITS)).astype(np.int64)


def _hashes(codes: npt.NDArray[np.uint64], at: Indexes, step: int) -> list[npt.NDArray[np.uint64]]:
    """Hash of the next 0, 1, … letters in one direction, for every place."""
    found = [np.zeros(len(at), dtype=np.uint64)]
    for distance in range(1, _WIDEST + 1):
        found.append(found[-1] * _OTHER_PRIME + codes[at + step * distance] + np.uint64(1))
    return found


@lru_cache(maxsize=1)
def _weights() -> npt.NDArray[np.int8]:
    return np.fromfile(WEIGHTS_FILE, dtype=np.int8, count=1 << TABLE_BITS)
