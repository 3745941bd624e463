"""What makes two texts copies of each other for whoever trains on one and measures on the other."""

import re

from processors.sentiment.prepare import LINK, USER, prepare_plain
from processors.text import turkish

_NOT_A_LETTER = re.compile(r"[\W\d_]+")
_REPEATED = re.compile(r"(.)\1+")


def essence(text: str) -> str:
    """What copies of a post share, whatever their links, user names, digits, signs, case, diacritics and lengthened letters.

    Empty when a text holds no letter: such texts have nothing by which they could be told to be copies.
    """
    words = prepare_plain(text).replace(USER, " ").replace(LINK, " ")
    letters = _NOT_A_LETTER.sub("", turkish.ascii_fold(turkish.lower(words)))
    return _REPEATED.sub(r"\1", letters)
