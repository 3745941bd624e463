"""What was usual before a rise began: the baseline learns from the rise's first minutes, and whoever is called reads "usual"."""

import base64
from typing import Any, Final, Self

from processors.spikes import Surge
from processors.spikes.evidence import BUCKETS_PER_HOUR
from processors.spikes.expectations import is_day_off
from processors.spikes.surge import Known

_KEPT: Final = 2
"""One an hour: so one is older than a rise whose beginning is looked for within the last hour, and the other is recent."""


class Before:
    """The statistic of one series as it was at the last full hours; of a rise that goes on, as it was before it."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        # The bucket that was next, and the statistic, packed: 256 bytes, where the object takes 1.9 KB. Oldest first.
        self._kept: tuple[tuple[int, bytes], ...] = ()

    def is_due(self, surge: Surge) -> bool:
        """Whether to `keep`: on each full hour, and as soon as the first hour has been measured."""
        return not surge.warms_up and (not self._kept or surge.next_bucket % BUCKETS_PER_HOUR == 0)

    def keep(self, bucket: int, surge: Surge) -> None:
        """The statistic as it stands before `bucket`. Not to be called while a rise goes on."""
        self._kept = (*self._kept, (bucket, surge.pack()))[-_KEPT:]

    def freeze(self, rise: int) -> None:
        """A rise that began in the bucket `rise` was noticed: what was kept last before it is what was usual."""
        older = tuple(kept for kept in self._kept if kept[0] <= rise)
        self._kept = older[-1:] or self._kept[:1]

    def expected(self, bucket: int, known: Known) -> float | None:
        """Weight that is usual in the bucket, a minute, by the oldest that is kept: after `freeze` that is the one before the rise.

        None where nothing was kept.
        """
        if not self._kept:
            return None
        return Surge.unpack(self._kept[0][1], day_off=is_day_off).usual(bucket, known)

    def dump(self) -> list[list[Any]]:
        """As JSON, the statistic in base64."""
        return [[bucket, base64.b64encode(packed).decode()] for bucket, packed in self._kept]

    @classmethod
    def restore(cls, stored: list[list[Any]]) -> Self:
        """The inverse of `dump`. Raises ValueError for what is no base64."""
        before = cls()
        before._kept = tuple((bucket, base64.b64decode(packed, validate=True)) for bucket, packed in stored)
        return before
