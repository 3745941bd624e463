"""The watermark: which minutes of event time are complete."""

from datetime import datetime
from typing import Final

from schemas.hits import Progress
from schemas.topics import MENTIONS_PARTITIONS

BUCKET_SECS: Final = 60
LAG_SECS: Final = 120  # what a source may deliver out of order


def bucket_of(time: datetime) -> int:
    """Minutes since the epoch."""
    return int(time.timestamp()) // BUCKET_SECS


class Clocks:
    """How far each source has come in each partition of `mentions`.

    A source that is known in one partition holds the watermark until it is heard of in all; a source that has ended in
    a partition holds it no longer there.
    """

    def __init__(self) -> None:
        self._clocks: dict[str, dict[int, float]] = {}
        self._ended: dict[str, set[int]] = {}
        # The last clock of a source, and since when nothing of it was missed; None where nobody knows.
        self._listening: dict[str, tuple[float, float | None]] = {}
        self._since: float | None = None

    def progress(self, record: Progress) -> None:
        """Take over a report; one that is older than what is known, or of nothing, changes nothing."""
        if not record.clocks:
            return
        since = min(record.since or first for first in record.clocks.values()).timestamp()
        self._since = since if self._since is None else min(since, self._since)
        clocks = self._clocks.setdefault(record.source, {})
        ended = self._ended.setdefault(record.source, set())
        for partition, time in record.clocks.items():
            clock = time.timestamp()
            if clock > clocks.get(partition, 0.0):
                clocks[partition] = clock
                ended.discard(partition)  # a source that had ended speaks again
            if partition in record.finished and clock >= clocks[partition]:
                ended.add(partition)
        self._note_listening(record)

    def _note_listening(self, record: Progress) -> None:
        """The report with the latest clock is right; of two with the same one, the one that promises less."""
        clock = max(record.clocks.values()).timestamp()
        told = None if record.listening_since is None else record.listening_since.timestamp()
        known = self._listening.get(record.source)
        if known is not None and known[0] == clock:
            told = None if told is None or known[1] is None else max(told, known[1])
        if known is None or known[0] <= clock:
            self._listening[record.source] = (clock, told)

    def listening_since(self, source: str) -> int | None:
        """The first minute since which nothing of the source was missed; None when nobody knows, or it has ended somewhere."""
        _, since = self._listening.get(source, (0.0, None))
        return None if since is None or self._ended.get(source) else -int(-since // BUCKET_SECS)

    def heard_from(self) -> int | None:
        """The bucket with which listening began: that of the first report, however many are told of as one later."""
        return None if self._since is None else int(self._since - LAG_SECS) // BUCKET_SECS

    def open_from(self) -> int | None:
        """The first bucket that may still change; None as long as some source has not reported everywhere."""
        return self._reached(LAG_SECS)

    def complete_before(self) -> int | None:
        """The first bucket that the sources have not delivered whole, but for what they deliver out of order."""
        return self._reached(0)

    def _reached(self, lag_secs: int) -> int | None:
        slowest: list[float] = []
        last = 0.0
        for source, clocks in self._clocks.items():
            last = max(last, *clocks.values())
            waiting = [partition for partition in range(MENTIONS_PARTITIONS) if partition not in self._ended[source]]
            if any(partition not in clocks for partition in waiting):
                return None
            slowest += [clocks[partition] for partition in waiting]
        if slowest:
            return int(min(slowest) - lag_secs) // BUCKET_SECS
        return int(last) // BUCKET_SECS + 1 if self._clocks else None

    def dump(self) -> dict[str, object]:
        """As it is stored, but for `since`."""
        return {
            source: {
                "clocks": {str(p): clocks[p] for p in sorted(clocks)},
                "ended": sorted(self._ended[source]),
                "listening": list(self._listening[source]),
            }
            for source, clocks in sorted(self._clocks.items())
        }

    @property
    def since(self) -> float | None:
        """The clock of the first report; stored on its own."""
        return self._since

    def restore(self, stored: dict[str, dict[str, object]], since: float | None) -> None:
        """The inverse of `dump`."""
        self._since = since
        for source, entry in stored.items():
            clocks, ended = entry["clocks"], entry["ended"]
            assert isinstance(clocks, dict)
            assert isinstance(ended, list)
            self._clocks[source] = {int(partition): float(clock) for partition, clock in clocks.items()}
            self._ended[source] = set(ended)
            told = entry.get("listening", [max(self._clocks[source].values(), default=0.0), None])
            assert isinstance(told, list)
            self._listening[source] = (told[0], told[1])
