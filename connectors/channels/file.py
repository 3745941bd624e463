"""Appends each notification to a file as a line of JSON: for archives, tests, and whatever else reads files."""

import asyncio
import os
from pathlib import Path

from connectors.channels.channel import ChannelUnavailable
from schemas.alerts import Notification


class FileChannel:
    """A notification is on the disk when `send` returns. The file holds excerpts of posts: readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def send(self, notification: Notification) -> None:
        """See `Channel`."""
        try:
            await asyncio.to_thread(self._append, notification.encode())
        except OSError as error:
            raise ChannelUnavailable(f"{self._path} cannot be written: {error.strerror}") from error

    async def close(self) -> None:
        """See `Channel`."""

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            written = file.write(_after_torn_line(file.fileno()) + line + b"\n")
            os.fsync(file.fileno())
            if written < len(line) + 1:
                raise OSError(0, "only a part of the line was written")


def _after_torn_line(descriptor: int) -> bytes:
    """A process that was killed may have left half a line: begin a new one, so that only that half is lost."""
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
