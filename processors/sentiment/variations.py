"""The same text as others would have typed it: ways of writing that should not change what a model says."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from processors.text import turkish
from schemas.labels import Label

_MARKED: Final = "çğıöşüâîûÇĞİÖŞÜÂÎÛ"
_PLAIN: Final = str.maketrans(_MARKED, "cgiosuaiuCGIOSUAIU")

VARIATIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "no diacritics": lambda text: text.translate(_PLAIN),
    "upper case": turkish.upper,
    "link and user name": lambda text: f"@ornekbelediyesi {text} https://ornek.example/haber?no=12",
}


def changed(before: Sequence[Label], after: Sequence[Label]) -> float:
    """The share of texts whose label is another one; to or from `unsure` counts, too."""
    return sum(a is not b for a, b in zip(before, after, strict=True)) / len(before)
