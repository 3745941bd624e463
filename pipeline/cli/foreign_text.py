"""Text that strangers wrote, on its way to a terminal: it must not steer the terminal or turn the line around."""

import unicodedata
from typing import Final

_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def printable(text: str) -> str:
    """The text with control characters written out, on one line."""
    return "".join(_shown(character) for character in text)


def writable(message: str) -> str:
    """A message with the bytes of a path or an option that are no UTF-8 written out."""
    return message.encode("utf-8", "backslashreplace").decode()


def _shown(character: str) -> str:
    steers = unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _BIDI_CONTROLS
    return character.encode("unicode_escape").decode("ascii") if steers else character
