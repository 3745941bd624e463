"""Room on the disk of a data folder: what the embedded servers need, and a word when it is gone."""

import shutil
from pathlib import Path
from typing import Final

MIB: Final = 1024**2
#: config/elasticsearch.yml of the build: below 500 MB free Elasticsearch makes no new index, below 200 MB it takes nothing.
LEAST_AT_START: Final = 600 * MIB
LEAST_AT_WORK: Final = 200 * MIB
ENOUGH_AGAIN: Final = 500 * MIB
LOOK_SECS: Final = 5.0


class DiskFull(Exception):
    """Too little room to start; the message says how much is needed."""


def require_room(data: Path) -> None:
    """Raises `DiskFull`. For embedded servers: without them next to nothing is written here."""
    folder = next(parent for parent in (data, *data.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_AT_START:
        raise DiskFull(
            f"only {free // MIB} MB are free at {folder}, and Kafka and Elasticsearch need {LEAST_AT_START // MIB} MB to start: "
            "make room, or choose a folder on another disk with --data"
        )


class DiskWatch:
    """Says once when the disk is full and once when there is room again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._full = False
        self._looked_at = float("-inf")

    def change(self, now: float) -> str | None:
        """A line when the state has changed. May be called as often as one likes."""
        if now - self._looked_at < LOOK_SECS:
            return None
        self._looked_at = now
        free = self._free()
        if not self._full and free < LEAST_AT_WORK:
            self._full = True
            return self.shortage()
        if self._full and free >= ENOUGH_AGAIN:
            self._full = False
            return f"there is room again at {self._folder}: {free // MIB} MB; work goes on"
        return None

    def shortage(self) -> str | None:
        """What is wrong with the disk, if anything is."""
        free = self._free()
        if free >= LEAST_AT_WORK:
            return None
        return (
            f"the disk is full: {free // MIB} MB are free at {self._folder}. Nothing is lost, but nothing new is taken: "
            f"make room until {ENOUGH_AGAIN // MIB} MB are free"
        )

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free
