"""Prints each message as a phone would show it: for the demo and for development."""

import textwrap
import unicodedata
from collections.abc import Iterator
from typing import Final, TextIO

from connectors.channels.channel import ChannelUnavailable
from schemas.alerts import Notification

WIDTH: Final = 48  # characters of a line on a telephone


class ConsoleChannel:
    """Writes to `stream` and flushes it, so that a message stands there when `send` returns."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    async def send(self, notification: Notification) -> None:
        """See `Channel`."""
        try:
            self._stream.write("\n".join(_framed(notification)) + "\n")
            self._stream.flush()
        except OSError as error:
            raise ChannelUnavailable(f"the console cannot be written: {error.strerror}") from error

    async def close(self) -> None:
        """See `Channel`. The stream is not ours to close."""


def _framed(notification: Notification) -> Iterator[str]:
    yield "╭" + "─" * (WIDTH + 2) + "╮"
    yield from _lines(notification.subject)
    yield "├" + "─" * (WIDTH + 2) + "┤"
    for paragraph in notification.body.split("\n"):
        yield from _lines(paragraph)
    yield "╰" + "─" * (WIDTH + 2) + "╯"


def _lines(text: str) -> Iterator[str]:
    # What a terminal would obey instead of showing must not reach it.
    shown = "".join(character for character in text if character.isprintable())
    for line in textwrap.wrap(shown, WIDTH) or [""]:
        yield "│ " + line + " " * max(0, WIDTH - _columns(line)) + " │"


def _columns(line: str) -> int:
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in line)
