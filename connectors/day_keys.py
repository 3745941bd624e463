"""The keys that seal who wrote what: one pair a day, and an end to each.

The connector needs the public half only; `nabiz reveal` needs the private half. Destroying a day's private key destroys
what was sealed on that day, in every copy and backup.
"""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from processors.privacy.sealing import new_key_pair, public_key

KEPT_DAYS: Final = 7


class KeyDestroyed(Exception):
    """The private key of the day is gone, and with it what it sealed."""

    def __init__(self, day: date) -> None:
        super().__init__(f"the key of {day} has been destroyed: nobody can read any more who wrote the posts of that day")
        self.day = day


class DayKeys:
    """Key files in a folder: `public/2026-11-24` and `private/2026-11-24`, the latter readable by this user only."""

    def __init__(self, folder: Path) -> None:
        self._public, self._private = folder / "public", folder / "private"

    def public(self, day: date) -> bytes:
        """The day's public key; the pair is made at the first call of a day."""
        path = self._public / day.isoformat()
        if not path.exists():
            self._make(day)
        return path.read_bytes()

    def private(self, day: date) -> bytes:
        """Raises `KeyDestroyed`."""
        try:
            return (self._private / day.isoformat()).read_bytes()
        except FileNotFoundError as error:
            raise KeyDestroyed(day) from error

    def _make(self, day: date) -> None:
        for folder in (self._public, self._private):
            folder.mkdir(parents=True, exist_ok=True)
        self._private.chmod(0o700)
        pair = new_key_pair()
        name = day.isoformat()
        # The private half first and the public half by rename: whoever sees a public key can rely on the private one.
        # A link is made whole or not at all: of two processes the slower one takes over the quicker one's pair.
        new = self._private / f".{name}.{os.getpid()}"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(pair.private)
        try:
            os.link(new, self._private / name)
        except FileExistsError:
            self._publish(name, public_key((self._private / name).read_bytes()))
        else:
            self._publish(name, pair.public)
        finally:
            new.unlink()

    def _publish(self, name: str, public: bytes) -> None:
        new = self._public / f"{name}.{os.getpid()}"
        new.write_bytes(public)
        new.replace(self._public / name)

    def days(self) -> list[date]:
        """The days that can still be read, in order."""
        return sorted(date.fromisoformat(path.name) for path in self._private.glob("????-??-??"))

    def destroy(self, day: date) -> None:
        """Overwrite and remove the keys of one day. Raises `KeyDestroyed` when there is none (any more)."""
        path = self._private / day.isoformat()
        try:
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
        except FileNotFoundError as error:
            raise KeyDestroyed(day) from error
        path.unlink()
        (self._public / day.isoformat()).unlink(missing_ok=True)

    def expired(self, today: date) -> list[date]:
        """Days whose keys are older than the `KEPT_DAYS` days that they are kept."""
        return [day for day in self.days() if day < today - timedelta(days=KEPT_DAYS)]
