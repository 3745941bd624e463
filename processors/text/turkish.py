"""Turkish case and ASCII folding, one character rule at a time, as Lucene's filters do it."""

import re

from processors.text.folding import FOLDS

_DOT_ABOVE = "\u0307"
_CAPITAL_I_WITH_MARKS = re.compile("I([\u0300-\u036f]+)")
_APOSTROPHE = re.compile("['’]")
# Python lowers Σ by its place in the word and İ to two characters; Java, hence Lucene, lowers one character at a time.
_LOWER_FIRST = str.maketrans({"İ": "i", "I": "ı", "Σ": "σ"})
_UPPER_FIRST = str.maketrans({"i": "İ", "ı": "I"})


def lower(text: str) -> str:
    """Lower case as Lucene's TurkishLowerCaseFilter: I becomes ı, İ becomes i, and so does I with a combining dot."""
    if _DOT_ABOVE in text:
        text = _CAPITAL_I_WITH_MARKS.sub(_lower_marked_i, text)
    return text.translate(_LOWER_FIRST).lower()


def upper(text: str) -> str:
    """Upper case: i becomes İ, ı becomes I."""
    return text.translate(_UPPER_FIRST).upper()


def ascii_fold(text: str) -> str:
    """Replace Latin letters, digits and punctuation by their ASCII likeness, as Lucene's ASCIIFoldingFilter does.

    Combining marks stay, as they do there: bring text into NFC before it is stored.
    """
    return text if text.isascii() else text.translate(FOLDS)


def before_apostrophe(token: str) -> str:
    """The token up to its first ' or ’, as Lucene's ApostropheFilter: "İzmir'den" gives "İzmir"."""
    found = _APOSTROPHE.search(token)
    return token[: found.start()] if found else token


def _lower_marked_i(found: re.Match[str]) -> str:
    marks = found[1]
    return "i" + marks.replace(_DOT_ABOVE, "") if _DOT_ABOVE in marks else "ı" + marks
