"""Characters that are not seen, and digits that only look different: removed before anything is compared or masked."""

import re
import unicodedata

# Control, zero-width and directional signs. Joiners and variation selectors hold emoji together and go only next to a
# letter or a digit, where they serve nothing but to break a word.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200c\u200e"
    "\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\U000e0020-\U000e007f]"
    "|(?<=\\w)[\u200d\ufe00-\ufe0f]+|\u200d+(?=\\w)"
)
_KEYCAP = re.compile("(?<=[0-9])\u20e3")


def visible(text: str) -> str:
    """The text in NFC without invisible characters, with plain digits and, in place of full-width signs, plain ones."""
    if text.isascii() and text.isprintable():
        return text
    shown = _INVISIBLE.sub("", text.translate(_PLAIN))
    return unicodedata.normalize("NFC", _KEYCAP.sub("", shown))


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
