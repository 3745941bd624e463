"""Rules that others publish or use for unusual rises, to compare with: minute by minute, for many series at once.

Each gives a value that is compared with one threshold; `published` is the threshold that its source names. All are judged
at every minute, which is at least as often as their sources do, and over the plain counts. Who wants a rule's alarms, not
its values, leaves `DEBOUNCE_MINUTES` between two of them, as the sources' cool-downs do.
"""

import math
from abc import ABC, abstractmethod
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.spikes.baseline import learning_rate
from processors.spikes.evidence import BUCKETS_PER_HOUR, BUCKETS_PER_WEEK

Floats = npt.NDArray[np.float64]

DEBOUNCE_MINUTES: Final = 360
_LONGEST: Final = BUCKETS_PER_WEEK + BUCKETS_PER_HOUR  # how far back a rule looks
_SMALLEST_MEAN: Final = 0.5  # mentions an hour: a first mention after silence would be infinitely many times the usual
_SMALLEST_SPREAD: Final = 0.5  # `surveillance::earsC` has the same guard, minSigma
_MENTIONS_FOR_A_SPIKE: Final = 8  # ElastAlert2's threshold_cur, for which a user must choose; as many as our pages need


class Past:
    """The counts of the last week of many series, as cumulated sums."""

    def __init__(self, series: int, *, longest_minutes: int = _LONGEST) -> None:
        self._sums = np.zeros((longest_minutes + 1, series))
        self.minutes = 0

    def push(self, counts: Floats) -> None:
        """Take the next minute."""
        before = self._sums[self.minutes % len(self._sums)]
        self.minutes += 1
        np.add(before, counts, out=self._sums[self.minutes % len(self._sums)])

    def total(self, minutes: int, *, before: int = 0) -> Floats:
        """Mentions of so many minutes that ended `before` minutes ago; less where the past is shorter."""
        last = max(0, self.minutes - before)
        first = max(0, last - minutes)
        found: Floats = self._sums[last % len(self._sums)] - self._sums[first % len(self._sums)]
        return found

    def hourly(self, minutes: int, *, before: int = BUCKETS_PER_HOUR) -> Floats:
        """The same as a mean an hour, over what there is of the past, and never nothing."""
        there = max(0, min(minutes, self.minutes - before))
        return np.maximum(self.total(minutes, before=before) * (BUCKETS_PER_HOUR / max(there, 1)), _SMALLEST_MEAN)

    def copy(self) -> "Past":
        """An independent past that is equal to this one."""
        other = Past(0)
        other._sums, other.minutes = self._sums.copy(), self.minutes
        return other


class Rival(ABC):
    """One rule, with what it remembers of many series."""

    name: str
    published: float | None
    """The threshold that the source names; None where it names none."""

    @abstractmethod
    def value(self, past: Past) -> Floats:
        """Of the minute that `past` took last. Call it once a minute."""

    def copy(self) -> "Rival":
        """An independent state; rules that remember nothing share themselves."""
        return self


class _Moments:
    """Mean and variance over the last week, exponentially forgotten; over all, while there is less."""

    def __init__(self, series: int) -> None:
        self.mean = np.zeros(series)
        self.variance = np.zeros(series)
        self._minutes = 0

    def learn(self, values: Floats) -> None:
        rate = learning_rate(self._minutes)
        self._minutes += 1
        distance = values - self.mean
        self.mean = self.mean + rate * distance
        self.variance = self.variance + rate * (distance * distance - self.variance)

    def distance(self, values: Floats, *, spread_of_mean: float = 1.0) -> Floats:
        """In standard deviations, half a mention being the least variance."""
        found: Floats = (values - self.mean) / np.sqrt((self.variance + 0.5) * spread_of_mean)
        return found

    def copy(self) -> "_Moments":
        other = _Moments(0)
        other.mean, other.variance, other._minutes = self.mean, self.variance, self._minutes
        return other


class HourZScore(Rival):
    """The last hour's count in standard deviations above that of the past week's hours.

    Of simple rules the hardest to beat on the realTweets of numenta/NAB.
    """

    name = "z-score of the last hour"
    published = 3.0

    def __init__(self, series: int) -> None:
        self._hours = _Moments(series)

    def value(self, past: Past) -> Floats:
        hour = past.total(BUCKETS_PER_HOUR)
        found = self._hours.distance(hour)
        self._hours.learn(hour)
        return found

    def copy(self) -> "HourZScore":
        other = HourZScore(0)
        other._hours = self._hours.copy()
        return other


class EwmaChart(Rival):
    """Exponentially weighted mean of the counts a minute, in its own standard deviations above the week's mean.

    S. W. Roberts, Control Chart Tests Based on Geometric Moving Averages, Technometrics 1 (1959); weight 0.2 and three
    standard deviations, the textbook's choice (Montgomery, Introduction to Statistical Quality Control).
    """

    name = "EWMA z-score"
    published = 3.0
    weight = 0.2

    def __init__(self, series: int) -> None:
        self._minutes = _Moments(series)
        self._mean = np.zeros(series)

    def value(self, past: Past) -> Floats:
        counts = past.total(1)
        self._mean = self._mean + self.weight * (counts - self._mean)
        found = self._minutes.distance(self._mean, spread_of_mean=self.weight / (2 - self.weight))
        self._minutes.learn(counts)
        return found

    def copy(self) -> "EwmaChart":
        other = EwmaChart(0)
        other._minutes, other._mean = self._minutes.copy(), self._mean
        return other


class Spike(Rival):
    """The last hour over the hour before it, where that had a mention and this one has eight.

    ElastAlert2, rule type `spike`: cur/ref ≥ spike_height in adjacent windows of `timeframe`, threshold_ref, threshold_cur
    (elastalert2.readthedocs.io, ruletypes; example rule: spike_height 3). It has no figures for one hour of one's own.
    """

    name = "ElastAlert2 spike"
    published = 3.0

    def value(self, past: Past) -> Floats:
        now, before = past.total(BUCKETS_PER_HOUR), past.total(BUCKETS_PER_HOUR, before=BUCKETS_PER_HOUR)
        counts = (now >= _MENTIONS_FOR_A_SPIKE) & (before >= 1)
        return np.where(counts, now / np.maximum(before, 1.0), 0.0)


class Meltwater(Rival):
    """The last hour over the mean hour of the 12 before, if it is as unusual against the day and the week before.

    Meltwater, Spike Detection for social media (community.meltwater.com, Understanding alert types, 8057). Its threshold
    is not published: 2 is what two other vendors name for theirs.
    """

    name = "Meltwater (1 h against 12 h)"
    published = 2.0

    def value(self, past: Past) -> Floats:
        usual = [past.hourly(hours * BUCKETS_PER_HOUR) for hours in (12, 24, 7 * 24)]
        found: Floats = past.total(BUCKETS_PER_HOUR) / np.maximum.reduce(usual)
        return found


class Agility(Rival):
    """The last hour over the mean hour of the seven days before: 150 %, with a cool-down.

    Agility PR Solutions, spike alerts (help.agilitypr.com, 9272018).
    """

    name = "Agility (1 h against 7 d)"
    published = 1.5

    def value(self, past: Past) -> Floats:
        return past.total(BUCKETS_PER_HOUR) / past.hourly(BUCKETS_PER_WEEK)


class EarsC2(Rival):
    """The last hour in standard deviations above seven hours that ended two hours before it.

    CDC's Early Aberration Reporting System, C2 (Hutwagner et al., J Urban Health 80, 2003; Fricker et al., Stat Med 27,
    2008): baseline of 7 intervals, 2 between, threshold 3. Made for days; here with hours, sliding, which finds a rise
    earlier than at the full hour.
    """

    name = "EARS-C2, by hours"
    published = 3.0

    def value(self, past: Past) -> Floats:
        starts = range(3 * BUCKETS_PER_HOUR, 10 * BUCKETS_PER_HOUR, BUCKETS_PER_HOUR)
        hours = np.stack([past.total(BUCKETS_PER_HOUR, before=start) for start in starts])
        spread = np.maximum(hours.std(axis=0, ddof=1), _SMALLEST_SPREAD)
        found: Floats = (past.total(BUCKETS_PER_HOUR) - hours.mean(axis=0)) / spread
        return found


class PoissonCusum(Rival):
    """Cumulated log-likelihood ratio of a rate `factor` times the week's mean, for counts that are Poisson.

    E. S. Page, Continuous Inspection Schemes, Biometrika 41 (1954); Lucas, Counted Data CUSUM's, Technometrics 27 (1985).
    Threshold: ln of the minutes between false alarms (Lorden 1971), here twelve weeks.
    """

    name = "Poisson CUSUM"
    published = math.log(12 * BUCKETS_PER_WEEK)
    factor = 5.0

    def __init__(self, series: int) -> None:
        self._minutes = _Moments(series)
        self._sum = np.zeros(series)

    def value(self, past: Past) -> Floats:
        counts = past.total(1)
        usual = np.maximum(self._minutes.mean, _SMALLEST_MEAN / BUCKETS_PER_HOUR)
        self._sum = np.maximum(0.0, self._sum + counts * math.log(self.factor) - (self.factor - 1) * usual)
        self._minutes.learn(counts)
        return self._sum

    def copy(self) -> "PoissonCusum":
        other = PoissonCusum(0)
        other._minutes, other._sum = self._minutes.copy(), self._sum
        return other


def all_rivals(series: int) -> list[Rival]:
    """One of each."""
    return [
        HourZScore(series), EwmaChart(series), Spike(), Meltwater(), Agility(), EarsC2(), PoissonCusum(series),
    ]  # fmt: skip
