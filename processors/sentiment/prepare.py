"""The form in which a text reaches the model; the same function runs in training and in operation.

Case is kept: the vocabulary knows both, and shouting says something.
"""

import re
import unicodedata

LINK = "http"
USER = "@kişi"
MAX_CHARACTERS = 4_000
"""The model reads the first 96 pieces, far less than this; the rest of an article only costs time."""

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINK = re.compile(r"(?:https?://|www\.|pic\.twitter\.com/|t\.co/)\S+", re.IGNORECASE)
_USER = re.compile(r"(?<!\w)@\w+(?:@[\w-]+(?:\.[\w-]+)+)?")
_LONG_LETTER = re.compile(r"([^\W\d_])\1{2,}")
_LONG_SIGN = re.compile(r"([^\w\s])\1{3,}")
_SPACE = re.compile(r"\s+")


def prepare(text: str) -> str:
    """Idempotent; an empty result means that the text held nothing to judge."""
    text = _LONE_SURROGATE.sub("\ufffd", text[:MAX_CHARACTERS])
    text = unicodedata.normalize("NFC", text)
    text = _LINK.sub(LINK, text)
    text = _USER.sub(USER, text)
    text = _LONG_LETTER.sub(r"\1\1", text)
    text = _LONG_SIGN.sub(r"\1\1\1", text)
    return _SPACE.sub(" ", text).strip()
