"""What the statistic says about one minute."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BUCKETS_PER_HOUR: Final = 60
BUCKETS_PER_DAY: Final = 24 * BUCKETS_PER_HOUR
BUCKETS_PER_WEEK: Final = 7 * BUCKETS_PER_DAY

SCORE_FLOOR: Final = -20.0  # nothing is above its threshold; far below any real score
_LARGEST_EXPONENT: Final = 700.0  # e^700 still is a float


class Member(StrEnum):
    """The statistic that gave the score."""

    NONE = "none"  # neither is above its threshold
    HOUR = "hour"  # the last hour against a usual one
    EXCESS = "excess"  # the sum of what exceeds a multiple of the usual


@dataclass(frozen=True, slots=True)
class Evidence:
    """How unusual a minute and those before it are."""

    score: float
    """Log weeks: chance alone reaches this once in e^score weeks."""
    member: Member
    observed_60m: float
    """Weight of the last hour, forgotten exponentially (time constant 60 minutes) instead of cut off."""
    expected: float
    """Weight that is usual in one bucket at this hour and weekday."""

    @property
    def expected_60m(self) -> float:
        """Weight that is usual in an hour, at the rate of this bucket."""
        return self.expected * BUCKETS_PER_HOUR

    @property
    def once_in_weeks(self) -> float:
        """Chance alone gives this once in so many weeks."""
        return math.exp(min(self.score, _LARGEST_EXPONENT))
