"""The two statistics. Each keeps a sum that mentions add to, and turns it into a value on a log scale for its tail.

The sums are float64, so that late mentions may be added in any order; all else is rounded to float32 as it is stored.
"""

import math
import struct
from dataclasses import dataclass
from typing import Final

from processors.spikes.baseline import Number, Usual, learning_rate
from processors.spikes.evidence import BUCKETS_PER_DAY, BUCKETS_PER_HOUR
from processors.spikes.tails import LEARNED_SCORE, Tail

HOUR_MEMORY: Final = float(BUCKETS_PER_HOUR)  # minutes
EXCESS_FACTOR: Final = 3.0  # times the usual: less than this is not collected
EXCESS_SCALE: Final = 9.0  # minutes: the sum is measured in the usual weight of so many; see `excess_scale`
HOUR_EXPONENT: Final = 0.7
"""Of what is usual at this hour in that weight; the rest is the level's. With 1 a steady series is found later, with 1/2 one that
goes up and down by itself pages more often for nothing."""
LARGEST_SCORE: Final = 8.0  # the excess stops here, at 2,981 weeks, so that it can run down again after a crisis
LONGEST_RUN: Final = BUCKETS_PER_DAY  # then it is no surge but a level, and starts again
LATE_RUN: Final = 15  # minutes: the excess takes a late mention that is younger, as its run may still be the same
PRIOR_THRESHOLD: Final = 0.9  # of the hour
PRIOR_VARIANCE: Final = 0.5
PRIOR_SPREAD: Final = 0.4  # of an hour's weight by itself, as a share of it, beyond chance: realTweets have about 0.2² to 0.6²
ROUNDING: Final = 3.0  # mentions above the cap, so that it never cuts a sparse series
LARGEST_LOG: Final = 20.0

HOUR_DECAY: Final = math.exp(-1 / HOUR_MEMORY)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a member would say if the bucket closed now."""

    total: float
    value: float
    score: float


class Hour:
    """The weight of the last hour, in standard deviations above that of the past week's hours.

    Mean and variance are those of the plain sums, waves included: deliberately not robust, because a series that
    goes up and down by itself must go far higher to be unusual.
    """

    __slots__ = ("mean", "quiet", "tail", "total", "variance")

    STORED: Final = struct.Struct("<3f")

    def __init__(self) -> None:
        self.total = 0.0
        self.mean = 0.0
        self.variance = 0.0
        self.quiet = 0.0  # minutes since the value was above the threshold
        self.tail = Tail(PRIOR_THRESHOLD)

    def begin(self, level: float) -> None:
        """At the end of the warm-up: the hours before are taken to have been as this one was."""
        self.total = self.mean = HOUR_MEMORY * level
        self.variance = HOUR_MEMORY / 2 * level + (PRIOR_SPREAD * self.mean) ** 2
        self.restore(self.STORED.unpack(self.STORED.pack(*self.values())))

    def read(self, weight: float, factor: float = 1.0) -> Reading:
        """With `factor` times the usual expected in the last hour; changes nothing."""
        total = self.total * HOUR_DECAY + weight
        spread = math.sqrt(self.variance * factor * factor + PRIOR_VARIANCE)
        value = math.log1p(max(0.0, (total - self.mean * factor) / spread))
        return Reading(total, value, self.tail.score(value))

    def learn(self, reading: Reading, buckets: int, factor: float = 1.0, *, most: float = LEARNED_SCORE) -> None:
        """Close the bucket. A cluster ends after an hour below the threshold; `most`: see `Tail.learn`."""
        self.quiet = self.quiet + 1 if reading.value < self.tail.threshold else 0.0
        ends = self.quiet >= HOUR_MEMORY and self.tail.peak > 0
        if ends:
            self.quiet = 0.0
        self.tail.learn(reading.value, ends=ends, buckets=buckets, most=most)
        rate, distance = learning_rate(buckets), reading.total / factor - self.mean
        self.total = reading.total
        self.mean += rate * distance
        self.variance += rate * (distance * distance - self.variance)
        self.restore(self.STORED.unpack(self.STORED.pack(*self.values())))

    def late(self, weight: float, age_minutes: int) -> None:
        """Exactly what the sum would be had the mention come in time, since forgetting is linear."""
        self.total += weight * math.exp(-age_minutes / HOUR_MEMORY)

    def values(self) -> tuple[float, ...]:
        """As it is stored, without sum and tail."""
        return (self.mean, self.variance, self.quiet)

    def restore(self, values: tuple[float, ...]) -> None:
        """The inverse of `values`."""
        self.mean, self.variance, self.quiet = values


def excess_scale(mean: Number, level: Number) -> Number:
    """What the sum is measured in, so that it says the same at night and at noon.

    Chance alone scatters by the root of what is usual, a series that goes up and down by itself in proportion to it. From
    series to series the scale goes in proportion; from hour to hour of one, whose level is the same, between the two.
    """
    scale: Number = 1 + EXCESS_SCALE * mean**HOUR_EXPONENT * level ** (1 - HOUR_EXPONENT)
    return scale


class Excess:
    """The sum of what exceeds 3 times the usual (a one-sided CUSUM, Page 1954): sees a steep rise within minutes."""

    __slots__ = ("run", "tail", "total")

    STORED: Final = struct.Struct("<f")

    def __init__(self, level: float) -> None:
        self.total = 0.0
        self.run = 0.0  # minutes since the sum was 0
        self.tail = Tail(0.0)
        self.begin(level)

    def begin(self, level: float) -> None:
        """At the end of the warm-up: about two mentions too many are the first threshold."""
        self.total = self.run = 0.0
        self.tail = Tail(math.log1p((2 + 6 * level) / excess_scale(level, level)))

    def read(self, weight: float, usual: Usual) -> Reading:
        """Changes nothing."""
        scale = excess_scale(usual.mean, usual.level)
        cap = scale * math.expm1(min(self.tail.value_at(LARGEST_SCORE), LARGEST_LOG)) + ROUNDING
        total = min(max(0.0, self.total + weight - EXCESS_FACTOR * usual.fast_mean), cap)
        value = math.log1p(total / scale)
        return Reading(total, value, self.tail.score(value))

    def learn(self, reading: Reading, buckets: int, *, most: float = LEARNED_SCORE) -> None:
        """Close the bucket. A cluster ends when the sum has run down, or has stood for a day; `most`: see `Tail.learn`."""
        self.run += reading.total > 0
        overdue = self.run > LONGEST_RUN
        ends = overdue or (reading.total == 0 and self.total > 0)
        self.total = 0.0 if overdue else reading.total
        if ends:
            self.run = 0.0
        self.tail.learn(reading.value, ends=ends, buckets=buckets, most=most)

    def late(self, weight: float, age_minutes: int) -> None:
        """Older mentions belong to a run that may be over, and are left out."""
        if age_minutes <= LATE_RUN:
            self.total += weight

    def values(self) -> tuple[float, ...]:
        """As it is stored, without sum and tail."""
        return (self.run,)

    def restore(self, values: tuple[float, ...]) -> None:
        """The inverse of `values`."""
        (self.run,) = values
