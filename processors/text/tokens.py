"""Words of a text, cut where Lucene's StandardTokenizer cuts, and the folded words that watches are matched against.

Lucene follows Unicode's word boundaries (UAX 29). What matters for Turkish: an apostrophe, a dot or a colon between
letters stays inside the word ("İzmir'den", "ankara.bel.tr"), a dot or a comma between digits too ("1.250,00"), "_" joins,
"#" and "@" fall away, an emoji is a word. Not followed: the scripts that are written without spaces, except that Han and
Hiragana are cut into single characters.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from processors.text import turkish

MAX_TOKEN_CHARACTERS = 255  # Elasticsearch's max_token_length: longer words are cut into pieces


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it stands: `position` counts words (phrases are matched by it), `start` and `end` characters."""

    text: str
    position: int
    start: int
    end: int


def tokenise(text: str) -> Iterator[Token]:
    """The words as they are written."""
    for position, (start, end) in enumerate(_words(text)):
        yield Token(text[start:end], position, start, end)


def fold(word: str) -> str:
    """One word as it stands in the index: cut at the apostrophe, Turkish lower case, folded to ASCII."""
    return turkish.ascii_fold(turkish.lower(turkish.before_apostrophe(word)))


def folded(text: str) -> Iterator[Token]:
    """The folded words with their positions; `start` and `end` still point into `text`."""
    for token in tokenise(text):
        yield Token(fold(token.text), token.position, token.start, token.end)


def folded_tokens(text: str) -> list[str]:
    """The folded words in order; the index in the list is the position."""
    return [fold(text[start:end]) for start, end in _words(text)]


def _words(text: str) -> Iterator[tuple[int, int]]:
    for found in _WORD.finditer(text):
        start, end = found.span()
        if end - start > MAX_TOKEN_CHARACTERS:
            yield from _pieces(text, start, end)
        elif found["token"]:
            yield start, end


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A word that is too long, as the tokenizer cuts it that sees 255 characters at a time."""
    while first := _WORD.search(text, start, min(start + MAX_TOKEN_CHARACTERS, end)):
        start = first.start()
        piece = _WORD.match(text, start, min(start + MAX_TOKEN_CHARACTERS, end)) or first
        if piece["token"]:
            yield piece.span()
        start = piece.end()


def _ranges(codes: list[int]) -> str:
    """The inside of a character class."""
    parts: list[list[int]] = []
    for code in codes:
        if parts and parts[-1][1] == code - 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in parts)


_HAN = "\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9\U00020000-\U0003134f"
_HIRAGANA = "\u3041-\u3096\u309d-\u309f\U0001b001-\U0001b11f"
_KATAKANA = "\u3031-\u3035\u309b\u309c\u30a0-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u32d0-\u32fe\u3300-\u3357\uff66-\uff9f"
_EMOJI = (  # as observed from Lucene 9.12.2
    "\u00a9\u00ae\u203c\u2049\u2122\u2194-\u2199\u21a9-\u21aa\u231a-\u231b\u2328\u2388\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u25aa-\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705"
    "\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733-\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757"
    "\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf\u2934-\u2935\u2b05-\u2b07\u2b1b-\u2b1c\u2b50\u2b55\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f-\U0001f149\U0001f150-\U0001f169"
    "\U0001f16c-\U0001f189\U0001f18e\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5\U0001f200-\U0001f20f\U0001f21a"
    "\U0001f22f\U0001f232-\U0001f23a\U0001f23c-\U0001f23f\U0001f249-\U0001f53d\U0001f546-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff\U0001f80c-\U0001f80f\U0001f848-\U0001f84f"
    "\U0001f85a-\U0001f85f\U0001f888-\U0001f88f\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945"
    "\U0001f947-\U0001fbef\U0001fbfa-\U0001fffd"
)


_JOINT = "_\u202f\u203f\u2040\u2054\ufe33\ufe34\ufe4d-\ufe4f\uff3f"
_INSIDE_WORD = "'.:\u00b7\u0387\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a"
_INSIDE_NUMBER = (
    "'.,;\u037e\u0589\u060c\u060d\u066c\u07f8\u2018\u2019\u2024\u2044\ufe10\ufe14\ufe50\ufe52\ufe54\uff07\uff0c\uff0e\uff1b"
)
_LETTER_SIGNS = "\u02c2-\u02c5\u02d2-\u02d7\u02de\u02df\u02ed\u02ef-\u02ff"


def _letters_and_marks() -> tuple[str, str]:
    """Two insides of character classes: letters of the scripts that put spaces between words, and what rides on a letter."""
    elsewhere = re.compile(f"[{_HAN}{_HIRAGANA}{_KATAKANA}]")
    letters: list[int] = []
    marks: list[int] = []
    for code in (*range(0x80, 0xD800), *range(0xF900, 0x1E944)):
        category = unicodedata.category(chr(code))
        if category in {"Mn", "Mc", "Me", "Cf"} and code != 0x200B:
            marks.append(code)
        elif (category[0] == "L" or category == "Nl" or 0x24B6 <= code <= 0x24E9) and not elsewhere.match(chr(code)):
            letters.append(code)
    return f"A-Za-z{_LETTER_SIGNS}{_ranges(letters)}", _ranges(marks) + "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"


def _compile() -> re.Pattern[str]:
    """The word rules as one expression. Every repetition is possessive, so the work is linear.

    The alternative without a name swallows a run of "_" that belongs to no word.
    """
    letters, marks = _letters_and_marks()
    ext = f"[{marks}]*+"
    letter, digit, joint = f"[{letters}]{ext}", f"[\\d\u066b]{ext}", f"(?:[{_JOINT}]{ext})"
    alpha = f"(?:{letter})++(?:[{_INSIDE_WORD}]{ext}(?:{letter})++)*+"
    number = f"(?:{digit})++(?:[{_INSIDE_NUMBER}]{ext}(?:{digit})++)*+"
    run = f"(?:{alpha}|{number})++"
    word = f"{joint}*+{run}(?:{joint}++{run})*+{joint}*+"
    flag, keycap = "[\U0001f1e6-\U0001f1ff]{2}", "[#*]\ufe0f?\u20e3"
    emoji = f"(?:{flag}|{keycap}|[{_EMOJI}]{ext}(?:(?<=\u200d)[{_EMOJI}]{ext})*+){ext}"
    katakana, single = f"(?:[{_KATAKANA}]{ext})++", f"[{_HAN}{_HIRAGANA}]{ext}"
    return re.compile(f"(?P<token>{emoji}|{word}|{katakana}|{single})|{joint}++")


_WORD = _compile()
