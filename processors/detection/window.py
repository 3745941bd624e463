"""The last 60 minutes of one watch, over its buckets by minute: how much was said, where a rise began, who was first."""

from collections.abc import Mapping
from typing import Final

from processors.detection.buckets import Bucket, Sample
from processors.detection.damping import WINDOW_BUCKETS
from schemas.signals import Series

FIRST_POSTS: Final = 5
RISE_FACTOR: Final = 2.5
"""Times the usual. Less than what the statistic collects (`members.EXCESS_FACTOR`): a rise begins before it is worth a word."""

Buckets = Mapping[int, Bucket]


def window(buckets: Buckets, number: int) -> list[Bucket]:
    """The minutes with mentions among the 60 up to `number`, the earliest first."""
    return [buckets[n] for n in sorted(buckets) if number - WINDOW_BUCKETS < n <= number]


def mentions_60m(buckets: Buckets, number: int) -> int:
    """Mentions of the 60 minutes up to `number`, each as one."""
    return sum(bucket.mentions for n, bucket in buckets.items() if number - WINDOW_BUCKETS < n <= number)


def rise_of(buckets: Buckets, series: Series, number: int, expected: float) -> int:
    """Where the rise began: the start of the stretch, up to `number`, that is furthest above a multiple of the usual.

    The usual estimate of a change point from cumulated sums (Page 1954), over the last hour. `expected`: usual weight a minute.
    """
    usual = RISE_FACTOR * expected
    best, start, total = 0.0, number, 0.0
    for n in range(number, number - WINDOW_BUCKETS, -1):
        total += _amount(buckets.get(n), series) - usual
        if total > best:
            best, start = total, n
    return start


def _amount(bucket: Bucket | None, series: Series) -> float:
    """The weight of a minute; of one that is open still, its mentions."""
    if bucket is None:
        return 0.0
    counted = bucket.counted.get(series)
    return counted.weight if counted else float(len(bucket.entries))


def earliest(buckets: Buckets, rise: int, number: int) -> list[Sample]:
    """The first posts from the minute `rise` to `number`: those of concern before the others."""
    samples = [sample for n in sorted(buckets) if rise <= n <= number for sample in buckets[n].samples]
    samples.sort(key=lambda sample: (not sample.concern, sample.time, sample.mention_id))
    return samples[:FIRST_POSTS]
