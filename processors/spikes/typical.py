"""What a series expects of an hour of the day and of a weekday as far as it has not heard enough of them, after its first week.

The shares of 9,492 public posts that mention 14 Turkish universities, 2020 to 2026, on days with at most 30 of one of them
(`make bench-spikes` counts them again). Another institution's public keeps other hours, so what is expected lies half-way, on a
log scale, between these and no difference at all.
"""

import math
from collections.abc import Sequence
from typing import Final

MEASURED_HOURS: Final = (
    1.14, 0.85, 0.44, 0.29, 0.12, 0.13, 0.10, 0.18, 0.51, 0.97, 1.33, 1.16, 1.38, 1.50, 1.59, 1.26, 1.29, 1.20, 1.17, 1.37, 1.41,
    1.64, 1.54, 1.43,
)  # fmt: skip
"""Rate of each hour in Türkiye, 00:00 first, over the mean rate."""
MEASURED_WEEKDAYS: Final = (1.24, 1.09, 1.16, 1.11, 0.98, 0.73, 0.69)
"""The same of each weekday, Monday first."""


def _half_way(measured: Sequence[float]) -> tuple[float, ...]:
    roots = [math.sqrt(share) for share in measured]
    mean = math.fsum(roots) / len(roots)
    return tuple(root / mean for root in roots)


HOUR_SHARES: Final = _half_way(MEASURED_HOURS)
"""Expected share of each hour; their mean is 1, as is that of the weekdays."""
WEEKDAY_SHARES: Final = _half_way(MEASURED_WEEKDAYS)
