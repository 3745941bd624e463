"""What is usual: a slow level, times the hour's and the weekday's share of it, and how much counts scatter around it."""

import math
import struct
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from processors.spikes import typical
from processors.spikes.evidence import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, BUCKETS_PER_WEEK

EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday; Monday is 0
HOURS: Final = 24
WEEKDAYS: Final = 7

WARM_UP_BUCKETS: Final = 60  # of a new series: it is measured, and nothing is said
FIRST_LEVEL_BUCKETS: Final = 5.0  # that the prior of the level is worth in them
LEVEL_MEMORY: Final = BUCKETS_PER_WEEK
HOUR_MEMORY: Final = 14 * BUCKETS_PER_HOUR  # 14 visits of the same hour
FIRST_WEEK: Final = BUCKETS_PER_WEEK
"""Before its end the hours of the first Monday would be taken for its weekday's; and what is typical of an hour, or what those
around say, would be wrong for all of them, as the first morning is measured against a level that was learnt at night."""
WEEKDAY_MEMORY: Final = 4 * BUCKETS_PER_DAY  # 4 visits of the same weekday
SEASON_PRIOR: Final = 20.0
"""Mentions: so much trust has what is expected of a share: the typical one, and for an hour what those around are to theirs."""
HOURS_AROUND: Final = (-3, -2, -1, 1, 2, 3)
"""A sparse series learns its night from all of these; a loud one each hour by itself."""
DISPERSION_PRIOR: Final = (3.0, 10.0)  # extra variance 0.3 mu²: realTweets have 0.1 to 1.9, median 0.5
FAST_MEMORY: Final = (30.0, 180.0)  # minutes: smoothed twice, follows a level that rises within hours
FAST_MINUTES: Final = sum(FAST_MEMORY)  # of the level that the fast one is worth
FAST_PRIOR: Final = 20.0  # mentions that is worth that the fast level is the slow one: five mentions are no rise over hours
FAST_CEILING: Final = 2.5  # times the usual, and as many standard deviations: what is above teaches the fast level no more
SMALLEST: Final = 1e-4  # weight a minute; keeps an empty series out of divisions by zero
SMALLEST_SHARE: Final = 0.05
SPREADS_LEARNED: Final = 4.0  # a bucket teaches no more than the usual plus so many standard deviations
LARGEST_COUNT: Final = 65_535  # buckets: what is older than six weeks is old
LARGEST_HALF: Final = 65_000.0  # a float16 ends a little above

DISPERSION_DECAY: Final = math.exp(-1 / BUCKETS_PER_WEEK)

Number = TypeVar("Number", float, npt.NDArray[np.float64])
"""Of one series, or of each of many."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in one bucket, before it is counted."""

    hour: int
    weekday: int
    hour_share: float
    """This hour's rate over the mean rate."""
    weekday_share: float
    factor: float
    """What is known beforehand: 2 where twice as much as usual is expected."""
    level: float
    """Weight a bucket, whatever the hour and weekday, times `factor`."""
    mean: float
    """Weight a bucket (mu)."""
    fast_mean: float
    """The same by the fast level where that is higher: a rise over hours is no surge of minutes."""
    spread: float
    """Standard deviation of a bucket's weight: Poisson, plus a part in proportion to the mean."""

    @property
    def share(self) -> float:
        """Hour, weekday and what is known beforehand together."""
        return self.hour_share * self.weekday_share * self.factor


def minute_of_week(bucket: int, utc_offset_minutes: int) -> int:
    """Local minutes since Monday 00:00."""
    return (bucket + utc_offset_minutes + EPOCH_WEEKDAY * BUCKETS_PER_DAY) % BUCKETS_PER_WEEK


def learning_rate(buckets: int) -> float:
    """Of a mean over the last week, or over all `buckets` if there are fewer."""
    return max(1 / (buckets + WARM_UP_BUCKETS), 1 / LEVEL_MEMORY)


class Season:
    """The share of each hour and weekday: weight that came over weight that the level alone had expected.

    Both are counted in minutes of the level, so that they say the same at any rate. What came in the hour that goes on is
    kept apart until its end, in 32 bits: the sums of all hours have 16, and steps of a minute would be lost in them.
    """

    __slots__ = ("_sums_around", "hour_expected", "hours_expected", "hours_seen", "minutes", "seen", "weekday_expected",
                 "weekdays_expected", "weekdays_seen")  # fmt: skip

    STORED: Final = struct.Struct(f"<4f{2 * (HOURS + WEEKDAYS)}e")

    def __init__(self) -> None:
        self.hours_seen, self.hours_expected = [0.0] * HOURS, [0.0] * HOURS
        self.weekdays_seen, self.weekdays_expected = [0.0] * WEEKDAYS, [0.0] * WEEKDAYS
        self.seen = self.minutes = self.hour_expected = self.weekday_expected = 0.0  # of the hour that goes on
        self._sums_around: dict[int, tuple[float, float]] = {}  # they change at the end of an hour only

    def shares(self, minute: int, level: float, *, after_first_week: bool) -> tuple[int, int, float, float]:
        """Hour, weekday and their shares; the hour's is interpolated between the middles of two hours.

        `after_first_week`: weekdays are told apart, and what is typical and the hours around say what an hour is like.
        """
        hour, weekday = minute // BUCKETS_PER_HOUR % HOURS, minute // BUCKETS_PER_DAY
        past_middle = (minute % BUCKETS_PER_HOUR) / BUCKETS_PER_HOUR - 0.5
        other = (hour + (1 if past_middle >= 0 else -1)) % HOURS
        prior = SEASON_PRIOR / level
        like, other_like = 1.0, 1.0
        if after_first_week:
            like, other_like = (typical.HOUR_SHARES[each] * self._around(each, prior) for each in (hour, other))
        near = share(*self._hour(hour), prior, like)
        far = share(self.hours_seen[other], self.hours_expected[other], prior, other_like)
        weekday_share = share(*self._weekday(weekday), prior, typical.WEEKDAY_SHARES[weekday]) if after_first_week else 1.0
        return hour, weekday, (1 - abs(past_middle)) * near + abs(past_middle) * far, weekday_share

    def _around(self, hour: int, prior: float) -> float:
        """What the three hours before and the three after are together, over what is typical of them."""
        if hour not in self._sums_around:
            hours = [(hour + distance) % HOURS for distance in HOURS_AROUND]
            self._sums_around[hour] = (
                sum(self.hours_seen[each] for each in hours),
                sum(self.hours_expected[each] * typical.HOUR_SHARES[each] for each in hours),
            )
        return share(*self._sums_around[hour], prior)

    def _hour(self, hour: int) -> tuple[float, float]:
        """Seen and expected, with the hour that goes on."""
        decay = math.exp(-self.minutes / HOUR_MEMORY)
        return self.hours_seen[hour] * decay + self.seen, self.hours_expected[hour] * decay + self.hour_expected

    def _weekday(self, weekday: int) -> tuple[float, float]:
        decay = math.exp(-self.minutes / WEEKDAY_MEMORY)
        return self.weekdays_seen[weekday] * decay + self.seen, self.weekdays_expected[weekday] * decay + self.weekday_expected

    def learn(self, usual: "Usual", minutes: float) -> None:
        """Take a minute over, in which as much came as in so many minutes of the level.

        Each share is measured against the level times the other one, so that the two do not explain the same.
        """
        self.seen += minutes
        self.minutes += 1
        self.hour_expected += usual.weekday_share
        self.weekday_expected += usual.hour_share

    def end_hour(self, usual: "Usual", *, after_first_week: bool) -> None:
        """Put what came in the hour to the sums; after the first week also to those of the weekday."""
        hour, weekday = usual.hour, usual.weekday
        self.hours_seen[hour], self.hours_expected[hour] = map(half, self._hour(hour))
        if after_first_week:
            self.weekdays_seen[weekday], self.weekdays_expected[weekday] = map(half, self._weekday(weekday))
        self.seen = self.minutes = self.hour_expected = self.weekday_expected = 0.0
        self._sums_around.clear()

    def values(self) -> tuple[float, ...]:
        """As it is stored."""
        going_on = (self.seen, self.minutes, self.hour_expected, self.weekday_expected)
        return (*going_on, *self.hours_seen, *self.hours_expected, *self.weekdays_seen, *self.weekdays_expected)

    def restore(self, values: tuple[float, ...]) -> None:
        """The inverse of `values`."""
        self.seen, self.minutes, self.hour_expected, self.weekday_expected, *sums = values
        self.hours_seen, self.hours_expected = sums[:HOURS], sums[HOURS : 2 * HOURS]
        self.weekdays_seen, self.weekdays_expected = sums[2 * HOURS : 2 * HOURS + WEEKDAYS], sums[2 * HOURS + WEEKDAYS :]
        self._sums_around.clear()

    def restore_mentions(self, values: tuple[float, ...], level: float) -> None:
        """From sums of mentions instead of minutes of the level."""
        self.restore((0.0, 0.0, 0.0, 0.0, *(half(value / level) for value in values)))


def share(seen: Number, expected: Number, prior: Number, otherwise: Number | float = 1.0) -> Number:
    """Of what was seen and expected; with a `prior` minutes' worth of trust in what it is `otherwise`."""
    found: Number = (seen + prior * otherwise) / (expected + prior)
    return found


def half(value: float) -> float:
    """Rounded to a float16, or the largest that there is."""
    (rounded,) = _HALF.unpack(_HALF.pack(min(value, LARGEST_HALF)))
    return float(rounded)


_HALF: Final = struct.Struct("<e")


class Baseline:
    """Level, season and scatter of one series."""

    __slots__ = ("buckets", "extra_variance", "fast", "fast_input", "level", "season", "squared_mean")

    STORED: Final = struct.Struct("<5f")

    def __init__(self, level: float) -> None:
        self.buckets = 0
        self.level = self.fast_input = self.fast = max(level, SMALLEST)
        self.extra_variance = 0.0  # sum over a week of (weight - mean)² - mean
        self.squared_mean = 0.0  # sum over a week of mean²
        self.season = Season()
        self._round()

    @property
    def warms_up(self) -> bool:
        """Too young to say what is usual."""
        return self.buckets < WARM_UP_BUCKETS

    @property
    def _after_first_week(self) -> bool:
        return self.buckets >= FIRST_WEEK

    def usual(self, minute: int, factor: float = 1.0) -> Usual:
        """What is usual at this minute of the week, times what is known beforehand; changes nothing."""
        hour, weekday, hour_share, weekday_share = self.season.shares(minute, self.level, after_first_week=self._after_first_week)
        mean = max(self.level * hour_share * weekday_share * factor, SMALLEST)
        fast_mean = mean * max(1.0, (self.fast * FAST_MINUTES + FAST_PRIOR) / (self.level * FAST_MINUTES + FAST_PRIOR))
        extra, weight = DISPERSION_PRIOR
        dispersion = (max(self.extra_variance, 0.0) + extra) / (self.squared_mean + weight)
        spread = math.sqrt(mean + dispersion * mean * mean)
        return Usual(hour, weekday, hour_share, weekday_share, factor, self.level * factor, mean, fast_mean, spread)

    def learn(self, usual: Usual, weight: float, trust: float, *, to_season: bool, ends_hour: bool) -> None:
        """Take a closed bucket over; with trust < 1 it counts as less than one bucket. `to_season`: also for hour and weekday."""
        self.buckets = min(self.buckets + 1, LARGEST_COUNT)
        if self.buckets <= WARM_UP_BUCKETS:
            first_rate = 1 / (self.buckets + FIRST_LEVEL_BUCKETS)
            self.level = max(self.level + first_rate * (weight - self.level), SMALLEST)
            self.fast = self.fast_input = self.level
        else:
            self._learn(usual, weight, trust, to_season=to_season)
        if ends_hour:
            self.season.end_hour(usual, after_first_week=self._after_first_week)
        self._round()

    def _learn(self, usual: Usual, weight: float, trust: float, *, to_season: bool) -> None:
        level = self.level
        taught = min(weight, usual.mean + SPREADS_LEARNED * usual.spread + 1) / usual.factor
        if to_season:
            self.season.learn(usual, taught / level)
        self.level = max(level + trust * learning_rate(self.buckets) * (taught - level), SMALLEST)
        mean = usual.mean / usual.factor
        self.extra_variance = self.extra_variance * DISPERSION_DECAY + trust * ((taught - mean) ** 2 - mean)
        self.squared_mean = self.squared_mean * DISPERSION_DECAY + trust * mean * mean
        ceiling = FAST_CEILING * (usual.fast_mean + math.sqrt(usual.fast_mean)) + 1
        rate = min(weight, ceiling) / max(usual.share, SMALLEST_SHARE)
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
        season = self.season
        season.seen, season.minutes, season.hour_expected, season.weekday_expected = _GOING_ON.unpack(
            _GOING_ON.pack(season.seen, season.minutes, season.hour_expected, season.weekday_expected)
        )  # fmt: skip


_GOING_ON: Final = struct.Struct("<4f")
