"""What is usual: a slow level, times the hour's and the weekday's share of it, and how much counts scatter around it."""

import math
import struct
from array import array
from dataclasses import dataclass
from typing import Final

from processors.spikes.evidence import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, BUCKETS_PER_WEEK

_EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday; Monday is 0
_HOURS: Final = 24
_WEEKDAYS: Final = 7

WARM_UP_BUCKETS: Final = 60.0  # a new level starts as a plain mean over this many buckets and its own prior
LEVEL_MEMORY: Final = BUCKETS_PER_WEEK
HOUR_MEMORY: Final = 14 * BUCKETS_PER_HOUR  # 14 visits of the same hour
WEEKDAY_MEMORY: Final = 4 * BUCKETS_PER_DAY  # 4 visits of the same weekday
SEASON_PRIOR: Final = 20.0  # mentions that a share of exactly 1 is worth; keeps a sparse series flat
DISPERSION_PRIOR: Final = (3.0, 10.0)  # extra variance 0.3 mu²: realTweets have 0.1 to 1.9, median 0.5
FAST_MEMORY: Final = (30.0, 180.0)  # minutes: smoothed twice, follows a level that rises within hours
_SMALLEST: Final = 1e-4  # weight a minute; keeps an empty series out of divisions by zero
_SMALLEST_SHARE: Final = 0.05
_SPREADS_LEARNED: Final = 4.0  # a bucket teaches no more than the usual plus so many standard deviations

_HOUR_DECAY: Final = math.exp(-1 / HOUR_MEMORY)
_WEEKDAY_DECAY: Final = math.exp(-1 / WEEKDAY_MEMORY)
_DISPERSION_DECAY: Final = math.exp(-1 / BUCKETS_PER_WEEK)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in one bucket, before it is counted."""

    hour: int
    weekday: int
    hour_share: float
    """This hour's rate over the mean rate."""
    weekday_share: float
    mean: float
    """Weight a bucket (mu)."""
    fast_mean: float
    """The same by the fast level where that is higher: a rise over hours is no surge of minutes."""
    spread: float
    """Standard deviation of a bucket's weight: Poisson, plus a part in proportion to the mean."""

    @property
    def share(self) -> float:
        """Hour and weekday together."""
        return self.hour_share * self.weekday_share


def minute_of_week(bucket: int, utc_offset_minutes: int) -> int:
    """Local minutes since Monday 00:00."""
    return (bucket + utc_offset_minutes + _EPOCH_WEEKDAY * BUCKETS_PER_DAY) % BUCKETS_PER_WEEK


def learning_rate(buckets: int) -> float:
    """Of a mean over the last week, or over all `buckets` if there are fewer."""
    return max(1 / (buckets + WARM_UP_BUCKETS), 1 / LEVEL_MEMORY)


class Season:
    """The share of each hour and weekday: weight that came over weight that the level alone had expected.

    Kept in arrays of float32, which round as they are written: what is in memory is what is stored.
    """

    __slots__ = ("hours_expected", "hours_seen", "weekdays_expected", "weekdays_seen")

    def __init__(self) -> None:
        self.hours_seen = array("f", bytes(4 * _HOURS))
        self.hours_expected = array("f", bytes(4 * _HOURS))
        self.weekdays_seen = array("f", bytes(4 * _WEEKDAYS))
        self.weekdays_expected = array("f", bytes(4 * _WEEKDAYS))

    def shares(self, minute: int) -> tuple[int, int, float, float]:
        """Hour, weekday and their shares; the hour's is interpolated between the middles of two hours."""
        hour, weekday = minute // BUCKETS_PER_HOUR % _HOURS, minute // BUCKETS_PER_DAY
        past_middle = (minute % BUCKETS_PER_HOUR) / BUCKETS_PER_HOUR - 0.5
        other = (hour + (1 if past_middle >= 0 else -1)) % _HOURS
        hour_share = (1 - abs(past_middle)) * self._hour_share(hour) + abs(past_middle) * self._hour_share(other)
        weekday_share = _share(self.weekdays_seen[weekday], self.weekdays_expected[weekday])
        return hour, weekday, hour_share, weekday_share

    def _hour_share(self, hour: int) -> float:
        return _share(self.hours_seen[hour], self.hours_expected[hour])

    def learn(self, usual: Usual, level: float, weight: float, trust: float) -> None:
        """Each share is measured against the level times the other one, so that the two do not explain the same."""
        hour, weekday = usual.hour, usual.weekday
        hour_expected = trust * level * usual.weekday_share
        weekday_expected = trust * level * usual.hour_share
        self.hours_seen[hour] = self.hours_seen[hour] * _HOUR_DECAY + trust * weight
        self.hours_expected[hour] = self.hours_expected[hour] * _HOUR_DECAY + hour_expected
        self.weekdays_seen[weekday] = self.weekdays_seen[weekday] * _WEEKDAY_DECAY + trust * weight
        self.weekdays_expected[weekday] = self.weekdays_expected[weekday] * _WEEKDAY_DECAY + weekday_expected

    def values(self) -> tuple[float, ...]:
        """As it is stored."""
        return (*self.hours_seen, *self.hours_expected, *self.weekdays_seen, *self.weekdays_expected)

    def restore(self, values: tuple[float, ...]) -> None:
        """The inverse of `values`."""
        days = 2 * _HOURS
        self.hours_seen, self.hours_expected = array("f", values[:_HOURS]), array("f", values[_HOURS:days])
        self.weekdays_seen = array("f", values[days : days + _WEEKDAYS])
        self.weekdays_expected = array("f", values[days + _WEEKDAYS :])


def _share(seen: float, expected: float) -> float:
    return (seen + SEASON_PRIOR) / (expected + SEASON_PRIOR)


class Baseline:
    """Level, season and scatter of one series."""

    __slots__ = ("buckets", "extra_variance", "fast", "fast_input", "level", "season", "squared_mean")

    STORED: Final = struct.Struct("<5f")
    SEASON_VALUES: Final = 2 * (_HOURS + _WEEKDAYS)

    def __init__(self, level: float) -> None:
        self.buckets = 0
        self.level = self.fast_input = self.fast = max(level, _SMALLEST)
        self.extra_variance = 0.0  # sum over a week of (weight - mean)² - mean
        self.squared_mean = 0.0  # sum over a week of mean²
        self.season = Season()
        self._round()

    def usual(self, minute: int) -> Usual:
        """What is usual at this minute of the week; changes nothing."""
        hour, weekday, hour_share, weekday_share = self.season.shares(minute)
        share = hour_share * weekday_share
        mean = max(self.level * share, _SMALLEST)
        fast_mean = max(self.fast * share, mean)
        extra, weight = DISPERSION_PRIOR
        dispersion = (max(self.extra_variance, 0.0) + extra) / (self.squared_mean + weight)
        spread = math.sqrt(mean + dispersion * mean * mean)
        return Usual(hour, weekday, hour_share, weekday_share, mean, fast_mean, spread)

    def learn(self, usual: Usual, weight: float, trust: float) -> None:
        """Take a closed bucket over; with trust < 1 it counts as less than one bucket."""
        self.buckets += 1
        level = self.level
        taught = min(weight, usual.mean + _SPREADS_LEARNED * usual.spread + 1)
        self.season.learn(usual, level, taught, trust)
        self.level = max(level + trust * learning_rate(self.buckets) * (taught - level), _SMALLEST)
        surplus = (taught - usual.mean) ** 2 - usual.mean
        self.extra_variance = self.extra_variance * _DISPERSION_DECAY + trust * surplus
        self.squared_mean = self.squared_mean * _DISPERSION_DECAY + trust * usual.mean * usual.mean
        self._follow(usual, weight)
        self._round()

    def _follow(self, usual: Usual, weight: float) -> None:
        ceiling = 4 * usual.fast_mean + 4 * math.sqrt(usual.fast_mean) + 1
        rate = min(weight, ceiling) / max(usual.share, _SMALLEST_SHARE)
        first, second = FAST_MEMORY
        self.fast_input += (rate - self.fast_input) / first
        self.fast += (self.fast_input - self.fast) / second

    def values(self) -> tuple[float, ...]:
        """As it is stored, without the season."""
        return (self.level, self.extra_variance, self.squared_mean, self.fast_input, self.fast)

    def restore(self, values: tuple[float, ...]) -> None:
        """The inverse of `values`."""
        self.level, self.extra_variance, self.squared_mean, self.fast_input, self.fast = values

    def _round(self) -> None:
        self.restore(self.STORED.unpack(self.STORED.pack(*self.values())))
