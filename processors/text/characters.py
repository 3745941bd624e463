"""Characters that are not seen, and digits that only look different: removed before anything is compared or masked."""

import re
import unicodedata

# Control, zero-width and directional signs.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200c\u200e"
    "\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\U000e0020-\U000e007f]"
)
# What holds emoji together and makes keycaps.
_JOINERS = re.compile("[\u200d\ufe00-\ufe0f\u20e3]+")
_KEYCAP = "\u20e3"
_JOINER = "\u200d"


def visible(text: str) -> str:
    """The text in NFC without invisible characters, with plain digits and, in place of full-width signs, plain ones."""
    if text.isascii() and text.isprintable():
        return text
    shown = unicodedata.normalize("NFC", _INVISIBLE.sub("", text.translate(_PLAIN)))
    return unicodedata.normalize("NFC", _JOINERS.sub(_joined, shown))


def _joined(found: re.Match[str]) -> str:
    """What stays of a run of joiners: all of it between emoji, but beside a letter or a digit they only break a word."""
    start, end = found.span()
    before, after = found.string[start - 1 : start], found.string[end : end + 1]
    if "0" <= before <= "9":
        return ""
    if before.isalnum() or before == "_" or "\u0300" <= before <= "\u036f":
        return _KEYCAP * found[0].count(_KEYCAP)
    return found[0].rstrip(_JOINER) if after.isalnum() or after == "_" else found[0]


def _plain() -> dict[int, str]:
    """Full-width ASCII, the look-alike of "@", every decimal digit of every script, and halves of broken characters."""
    table = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
    table |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table[ord("﹫")] = "@"
    for code in range(0x80, 0x1FBFA):
        if unicodedata.category(chr(code)) == "Nd":
            table[code] = str(unicodedata.digit(chr(code)))
    return table


_PLAIN = _plain()
