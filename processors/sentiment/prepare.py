"""The form in which a text reaches a model; the same function runs in training and in operation.

Which of the two forms a model reads stands in its folder. `turkish` makes one form of what people write in several
ways, so that none of these can change a label: upper and lower case, links and user names, lengthened letters. Where a
text was typed without diacritics they are restored, mostly rightly. `plain` leaves the words as they are, for models made elsewhere.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from processors.text import turkish
from processors.text.characters import visible
from processors.text.diacritics import lacks_diacritics, plain, restored
from processors.text.references import without_references

LINK: Final = "http"
USER: Final = "@kişi"
MAX_CHARACTERS: Final = 4_000
"""The model reads the first 96 pieces, far less than this; the rest of an article only costs time."""

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LINK = re.compile(r"(?:https?://|www\.|pic\.twitter\.com/|t\.co/)\S+", re.IGNORECASE)
_USER = re.compile(r"(?<!\w)@\w[\w\u0300-\u036f]*(?:@[\w-]+(?:\.[\w-]+)+)?")
_LONG_LETTER = re.compile(r"([^\W\d_])\1{2,}")
_LONG_SIGN = re.compile(r"([^\w\s])\1{3,}")
_SPACE = re.compile(r"\s+")
_BARE_LINK = re.compile(r"(?:pic\.twitter\.com|\bt\.co)/\S+|\bhttps?\b:?/{0,2}", re.IGNORECASE)
_HASHTAG = re.compile(r"#(?=\w)")
# Colour of skin, style of an emoji, and marks that ride on a letter of which there is no such kind: the dot of an "i̇"
# that was İ before a program for English made it small.
_STYLE_AND_LOOSE_MARKS = re.compile("[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f\u0300-\u036f]")
_CIRCUMFLEX = str.maketrans("âîû", "aiu")


def prepare_turkish(text: str) -> str:
    """Idempotent; an empty result means that the text held nothing to judge."""
    text = _without_style(visible(text[:MAX_CHARACTERS]))
    text = turkish.lower(_without_links(text)).translate(_CIRCUMFLEX)
    text = _HASHTAG.sub(" ", text).replace("_", " ")
    text = _LONG_SIGN.sub(r"\1\1\1", _LONG_LETTER.sub(r"\1", text))
    text = _SPACE.sub(" ", _without_links(text)).strip()  # once more: "see_http" and "httppic.twitter.com/a" held another
    return restored(_LONG_LETTER.sub(r"\1", plain(text))) if lacks_diacritics(text) else text


def _without_style(text: str) -> str:
    """What stood around the removed signs may now be invisible."""
    return visible(_STYLE_AND_LOOSE_MARKS.sub("", text)) if _STYLE_AND_LOOSE_MARKS.search(text) else text


def _without_links(text: str) -> str:
    """Nor user names, nor what masking leaves of them."""
    return _BARE_LINK.sub(" ", without_references(text))


def prepare_plain(text: str) -> str:
    """Idempotent; an empty result means that the text held nothing to judge."""
    text = _LONE_SURROGATE.sub("\ufffd", text[:MAX_CHARACTERS])
    text = unicodedata.normalize("NFC", text)
    text = _LINK.sub(LINK, text)
    text = _USER.sub(USER, text)
    text = _LONG_LETTER.sub(r"\1\1", text)
    text = _LONG_SIGN.sub(r"\1\1\1", text)
    return _SPACE.sub(" ", text).strip()


PREPARATIONS: Final[Mapping[str, Callable[[str], str]]] = {"turkish": prepare_turkish, "plain": prepare_plain}
