"""What is known beforehand: an announced water cut, a match day, a public holiday. It raises what is expected, and never mutes."""

import math
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from typing import Final, NamedTuple, TypeVar

import holidays
import numpy as np
import numpy.typing as npt

from processors.spikes.evidence import BUCKETS_PER_HOUR
from processors.spikes.members import HOUR_MEMORY
from processors.spikes.surge import USUAL, Known

Amounts = TypeVar("Amounts", float, npt.NDArray[np.float64])
_EPOCH: Final = date(1970, 1, 1)
BEYOND: Final = 2.0
"""Times what was announced, over an hour: busy hours seldom go so far by themselves."""
MEMORY_BUCKETS: Final = 12 * BUCKETS_PER_HOUR  # after its end the hour's sum has forgotten an expectation


class Expectation(NamedTuple):
    """From one bucket to before another, so many times the usual."""

    first: int
    until: int
    factor: float


def known(bucket: int, expectations: Iterable[Expectation]) -> Known:
    """What is expected in the bucket, and in the hour up to it, forgotten as the hour's sum forgets; of several the most."""
    now = hour = USUAL.now
    for first, until, factor in expectations:
        if bucket < first:
            continue
        begun, ended = math.exp(-(bucket + 1 - first) / HOUR_MEMORY), math.exp(-max(0, bucket + 1 - until) / HOUR_MEMORY)
        hour = max(hour, 1 + (factor - 1) * (ended - begun))
        if bucket < until:
            now = max(now, factor)
    return Known(now, hour)


def limit_60m(expected: Amounts, known: Known) -> Amounts:
    """The weight of 60 minutes from which an announcement does not explain them; infinite where none holds.

    `expected`: weight a bucket, with what is announced. Announced times are rare, and the tails have not learnt from them:
    a plain multiple says sooner than they do that there is more.
    """
    return expected * (BEYOND * BUCKETS_PER_HOUR * known.hour / known.now if known.now > 1 else math.inf)


@cache
def is_day_off(day: int) -> bool:
    """Whether a day (since 1970) is a public holiday of Türkiye; those of the moon are estimated for years to come."""
    return _EPOCH + timedelta(days=day) in _TURKIYE


_TURKIYE: Final = holidays.country_holidays("TR")
