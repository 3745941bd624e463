"""A notification as the phone of the person on call would show it, for a terminal.

Bodies quote posts of strangers: control characters are dropped, or a post could move the cursor and redraw the page.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TextIO

from rich.cells import cell_len, chop_cells

from pipeline.report.wording import WORDINGS
from processors.text import turkish
from schemas.alerts import Notification

COLUMNS: Final = 44
FEWEST_COLUMNS: Final = 20
APP: Final = "Nabız"

_JOINER: Final = "\u200d"  # holds an emoji of several parts together
_BLANK: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Frame:
    """The characters that the phone is drawn with; an edge is its left corner, its line and its right corner."""

    top: str
    bottom: str
    rule: str
    side: str
    speaker: str


DRAWN: Final = Frame(top="╭─╮", bottom="╰─╯", rule="├─┤", side="│", speaker="━━━━━━")
TYPED: Final = Frame(top="+-+", bottom="+-+", rule="+-+", side="|", speaker="======")


def phone(notification: Notification, *, columns: int = COLUMNS, is_unicode: bool = True) -> str:
    """The drawing, `columns` cells wide, without a line end after it. Plain ASCII if not `is_unicode`."""
    if columns < FEWEST_COLUMNS:
        raise ValueError(f"a phone of {columns} columns cannot be read, at least {FEWEST_COLUMNS} are needed")
    frame = DRAWN if is_unicode else TYPED
    lines = [
        _edge(frame.top, columns, frame.speaker),
        *_rows(_title_bar(notification, columns - 4, is_unicode=is_unicode), frame, columns),
        _edge(frame.rule, columns),
        *_rows(_wrapped(notification.subject, columns - 4, is_unicode=is_unicode), frame, columns),
        *_rows([""], frame, columns),
        *_rows(_wrapped(notification.body, columns - 4, is_unicode=is_unicode), frame, columns),
        _edge(frame.bottom, columns),
    ]
    return "\n".join(lines)


def phone_for(stream: TextIO, notification: Notification, *, columns: int = COLUMNS) -> str:
    """The drawing in characters that `stream` can write."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
    return phone(notification, columns=columns, is_unicode=encoding in ("utf8", "utf8sig", "utf16", "utf32"))


def _title_bar(notification: Notification, width: int, *, is_unicode: bool) -> list[str]:
    """Time to the left, the app to the right, as far apart as the width allows."""
    app = APP if is_unicode else to_ascii(APP)
    clock = WORDINGS["en" if notification.language == "en" else "tr"].clock(notification.observed_at)
    return [clock + " " * (width - cell_len(clock) - cell_len(app)) + app]


def _edge(ends: str, columns: int, speaker: str = "") -> str:
    return ends[0] + (f" {speaker} " if speaker else "").center(columns - 2, ends[1]) + ends[2]


def _rows(lines: list[str], frame: Frame, columns: int) -> Iterator[str]:
    for line in lines:
        yield f"{frame.side} {line}{' ' * (columns - 4 - cell_len(line))} {frame.side}"


def _wrapped(text: str, width: int, *, is_unicode: bool) -> list[str]:
    """Lines of at most `width` cells: broken between words, within a word only if it is longer than a line."""
    shown = [visible(line) if is_unicode else to_ascii(visible(line)) for line in text.splitlines()]
    return [row for line in shown for row in _wrapped_line(line, width)]


def _wrapped_line(line: str, width: int) -> Iterator[str]:
    row = ""
    for word in line.split():
        if row and cell_len(row) + 1 + cell_len(word) <= width:
            row = f"{row} {word}"
            continue
        if row:
            yield row
        *full, row = chop_cells(word, width)
        yield from full
    yield row


def visible(text: str) -> str:
    """Without control and direction characters."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return character if character == _JOINER else ""
    return " " if category in _BLANK else character


def to_ascii(text: str) -> str:
    """The nearest ASCII: Turkish letters without their marks, signs by a likeness, the rest as a question mark."""
    composed = unicodedata.normalize("NFC", text).translate(_LIKENESS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", turkish.ascii_fold(composed)) if not unicodedata.combining(c))
    return bare.encode("ascii", "replace").decode("ascii")


_LIKENESS: Final = str.maketrans(
    {"▲": "!", "●": "*", "■": "#", "·": "-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "⟨": "<", "⟩": ">",
     _JOINER: ""}
)  # fmt: skip
