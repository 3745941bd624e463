"""SURGE for many series at once: numpy arrays with one place a series, one tick for all of them.

Gives what `Surge` gives (the C library's exp and log may differ from numpy's in the last bit; see
tests/unit/test_bench_spikes.py), at about a hundredth of its time a series once there are some thousand. For advancing all
watches of an installation over a minute, and for simulations. All series stand at the same minute.
"""

import copy
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from processors.spikes import baseline as usual
from processors.spikes import members, tails, typical
from processors.spikes.evidence import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, BUCKETS_PER_WEEK, SCORE_FLOOR, Evidence, Member
from processors.spikes.surge import (
    PRIOR_PER_HOUR,
    SEASON_SCORE,
    SILENCE,
    SLOW_LEARNING,
    TURKIYE_UTC_OFFSET_MINUTES,
    USUAL,
    Known,
    Surge,
    Verdict,
)

Floats = npt.NDArray[np.float64]

# rows of the stored values, in the order in which `Surge.pack` writes them but for the tails, which stand side by side
_LEVEL, _EXTRA, _SQUARED, _FAST_INPUT, _FAST, _MEAN, _VARIANCE, _QUIET, _RUN = range(9)
_TAILS: Final = 9
_THRESHOLD, _CLUSTERS, _EXCESS, _PEAK, _WEEKS = range(5)
_HOUR, _SUM = 0, 1  # the members, as places in a tail's rows
_ROWS: Final = _TAILS + 2 * 5


class _Usual:
    """What is usual in one minute, for each series."""

    __slots__ = (
        "excess_scale", "factor", "fast_mean", "hour", "hour_share", "mean", "share", "spread", "weekday", "weekday_share",
    )  # fmt: skip

    def __init__(self, fleet: "Fleet", values: Floats, factor: float) -> None:
        minute = usual.minute_of_week(fleet.next_bucket, fleet.utc_offset_minutes)
        self.hour, self.weekday = minute // BUCKETS_PER_HOUR % 24, minute // BUCKETS_PER_DAY
        past_middle = (minute % BUCKETS_PER_HOUR) / BUCKETS_PER_HOUR - 0.5
        other = (self.hour + (1 if past_middle >= 0 else -1)) % 24
        prior = usual.SEASON_PRIOR / values[_LEVEL]
        hour_sums, weekday_sums = fleet.sums(self.hour, self.weekday)
        after_first_week = fleet.buckets >= usual.FIRST_WEEK
        like, other_like = (np.where(after_first_week, fleet.hour_like(each, prior), 1.0) for each in (self.hour, other))
        near = _share(hour_sums, prior, like)
        far = _share(fleet.hours[:, other].astype(np.float64), prior, other_like)
        self.hour_share = (1 - abs(past_middle)) * near + abs(past_middle) * far
        weekday_share = _share(weekday_sums, prior, typical.WEEKDAY_SHARES[self.weekday])
        self.weekday_share = np.where(after_first_week, weekday_share, 1.0)
        self.factor = factor
        self.share = self.hour_share * self.weekday_share * factor
        self.mean = np.maximum(values[_LEVEL] * self.share, usual.SMALLEST)
        fast, slow = (values[row] * usual.FAST_MINUTES + usual.FAST_PRIOR for row in (_FAST, _LEVEL))
        self.fast_mean = self.mean * np.maximum(1.0, fast / slow)
        self.excess_scale = members.excess_scale(self.mean, values[_LEVEL] * factor)
        extra, weight = usual.DISPERSION_PRIOR
        dispersion = (np.maximum(values[_EXTRA], 0.0) + extra) / (values[_SQUARED] + weight)
        self.spread = np.sqrt(self.mean + dispersion * self.mean * self.mean)


class Fleet:
    """States of many series; see `Surge` for what each part means."""

    def __init__(
        self,
        series: int,
        first_bucket: int,
        *,
        utc_offset_minutes: int = TURKIYE_UTC_OFFSET_MINUTES,
        prior_per_hour: float = PRIOR_PER_HOUR,
    ) -> None:
        self.next_bucket = first_bucket
        self.utc_offset_minutes = utc_offset_minutes
        self.hours = np.zeros((2, usual.HOURS, series), np.float16)  # seen, expected
        self._around: dict[int, Floats] = {}  # sums of `hours`, which change at the end of an hour only
        self.weekdays = np.zeros((2, usual.WEEKDAYS, series), np.float16)
        self.pending = np.zeros((4, series), np.float32)  # of the hour that has not ended; see `Season`
        self.buckets = np.zeros(series, np.int32)
        self.silent = np.zeros(series, np.int32)  # empty buckets since the last mention
        self.verdicts = np.zeros(series, np.int8)
        self.totals = np.zeros((2, series))
        self.late = np.zeros(series, np.bool_)
        self.scores = np.full(series, SCORE_FLOOR, np.float32)  # of the last closed bucket, as are the next two
        self.observed_60m = np.zeros(series, np.float32)
        level = max(prior_per_hour / BUCKETS_PER_HOUR, usual.SMALLEST)
        self.expected = np.full(series, level, np.float32)
        self.values = np.zeros((_ROWS, series), np.float32)
        self.values[[_LEVEL, _FAST_INPUT, _FAST]] = level
        self._tails()[_THRESHOLD, _HOUR] = members.Hour().tail.threshold
        self._tails()[_THRESHOLD, _SUM] = members.Excess(float(np.float32(level))).tail.threshold

    def __len__(self) -> int:
        return len(self.buckets)

    def copy(self) -> Self:
        """An independent fleet that is equal to this one."""
        return copy.deepcopy(self)

    @property
    def nbytes(self) -> int:
        """Memory of all states, with what is kept of them to be found sooner."""
        arrays = [value for value in vars(self).values() if isinstance(value, np.ndarray)]
        return sum(value.nbytes for value in [*arrays, *self._around.values()])

    def tick(self, weights: npt.ArrayLike, known: Known = USUAL) -> Floats:
        """Close the next bucket with each series' weight; the scores. Raises ValueError for what is no weight."""
        weight = np.asarray(weights, np.float64)
        if weight.shape != self.scores.shape or not (np.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError(f"a weight is a number from 0 up, one for each of {len(self)} series")
        silent = (weight == 0) & ~self.late
        asleep = silent & (self.silent > SILENCE)
        if asleep.any():
            return self._tick_some(weight, known, ~asleep)
        values = self.values.astype(np.float64)
        now = _Usual(self, values, known.now)
        totals, member_values = self._read(values, now, weight, known)
        scores: Floats = self._scores(values, member_values).max(axis=0)
        scores = np.where(silent, np.minimum(scores, self.scores), scores)
        young = self.buckets < usual.WARM_UP_BUCKETS
        scores = np.where(young, SCORE_FLOOR, scores).astype(np.float32).astype(np.float64)
        self.silent = np.where(silent, self.silent + 1, 0).astype(np.int32)
        self._learn_members(values, totals, member_values, young, known)
        trust = np.where(scores >= 0, SLOW_LEARNING, 1.0)
        self._learn_usual(values, now, weight, trust, young, to_season=scores < SEASON_SCORE)
        self._begin(values, young & (self.buckets >= usual.WARM_UP_BUCKETS))
        if (self.next_bucket + self.utc_offset_minutes) % BUCKETS_PER_HOUR == BUCKETS_PER_HOUR - 1:
            self._end_hour(now)
        self.values[:] = values
        calm = (member_values[_HOUR] <= self._tails()[_THRESHOLD, _HOUR]) & (self.totals[_SUM] == 0)
        self.verdicts[calm & (self._tails()[_PEAK] == 0).all(axis=0)] = Verdict.NONE
        self.next_bucket += 1
        self.late[:] = False
        self.scores[:], self.observed_60m[:], self.expected[:] = scores, totals[_HOUR], now.mean
        return scores

    def _tick_some(self, weight: Floats, known: Known, awake: npt.NDArray[np.bool_]) -> Floats:
        """For those that have been silent for long, time stands still."""
        arrays = {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        before = {name: value[..., ~awake].copy() for name, value in arrays.items()}
        self.late |= ~awake  # so that none of them is asleep; undone below
        self.tick(weight, known)
        for name, value in before.items():
            getattr(self, name)[..., ~awake] = value
        return self.scores.astype(np.float64)

    def advance(self, to_bucket: int) -> Floats:
        """Close all buckets before `to_bucket` as empty; the last scores."""
        nothing = np.zeros(len(self))
        while self.next_bucket < to_bucket:
            self.tick(nothing)
        scores: Floats = self.scores.astype(np.float64)
        return scores

    def weight_for(self, score: float) -> Floats:
        """The weight with which the next bucket would reach the score, per series; infinite where none would."""
        values = self.values.astype(np.float64)
        now = _Usual(self, values, 1.0)
        mean_excess, log_clusters = self._tail_figures(values)
        threshold = values[_TAILS:].reshape(5, 2, -1)[_THRESHOLD]
        wanted = np.maximum(threshold + mean_excess * (log_clusters + score), np.nextafter(threshold, np.inf))
        above = np.sqrt(values[_VARIANCE] + members.PRIOR_VARIANCE) * np.expm1(wanted[_HOUR])
        by_hour = values[_MEAN] + above - self.totals[_HOUR] * members.HOUR_DECAY
        total = now.excess_scale * np.expm1(wanted[_SUM])
        by_sum = total - self.totals[_SUM] + members.EXCESS_FACTOR * now.fast_mean
        by_sum = np.where(total > self._cap(values, now), np.inf, by_sum)
        needed: Floats = np.maximum(np.minimum(by_hour, by_sum), 0.0)
        return needed

    def sums(self, hour: int, weekday: int) -> tuple[Floats, Floats]:
        """Seen and expected of an hour and a weekday, with the hour that goes on."""
        seen, minutes, hour_expected, weekday_expected = self.pending.astype(np.float64)
        return (
            _with(self.hours[:, hour], np.exp(-minutes / usual.HOUR_MEMORY), seen, hour_expected),
            _with(self.weekdays[:, weekday], np.exp(-minutes / usual.WEEKDAY_MEMORY), seen, weekday_expected),
        )

    def hour_like(self, hour: int, prior: Floats) -> Floats:
        """What is typical of an hour, times what those around are of what is typical of them; see `Season.shares`."""
        if hour not in self._around:
            hours = [(hour + distance) % usual.HOURS for distance in usual.HOURS_AROUND]
            seen, expected = self.hours[:, hours].astype(np.float64)
            self._around[hour] = np.stack([seen.sum(axis=0), np.array(typical.HOUR_SHARES)[hours] @ expected])
        return typical.HOUR_SHARES[hour] * _share(self._around[hour], prior)

    # -- steps of a tick ---------------------------------------------------------------------------------------------

    def _read(self, values: Floats, now: _Usual, weight: Floats, known: Known) -> tuple[Floats, Floats]:
        hour = self.totals[_HOUR] * members.HOUR_DECAY + weight
        spread = np.sqrt(values[_VARIANCE] * known.hour**2 + members.PRIOR_VARIANCE)
        above = np.maximum(0.0, (hour - values[_MEAN] * known.hour) / spread)
        excess = np.maximum(0.0, self.totals[_SUM] + weight - members.EXCESS_FACTOR * now.fast_mean)
        excess = np.minimum(excess, self._cap(values, now))
        return np.stack([hour, excess]), np.log1p(np.stack([above, excess / now.excess_scale]))

    def _cap(self, values: Floats, now: _Usual) -> Floats:
        mean_excess, log_clusters = self._tail_figures(values)
        highest = values[_TAILS:].reshape(5, 2, -1)[_THRESHOLD] + mean_excess * (log_clusters + members.LARGEST_SCORE)
        cap: Floats = now.excess_scale * np.expm1(np.minimum(highest[_SUM], members.LARGEST_LOG)) + members.ROUNDING
        return cap

    @staticmethod
    def _tail_figures(values: Floats) -> tuple[Floats, Floats]:
        """Mean excess and log of clusters a week, a row a member."""
        tail = values[_TAILS:].reshape(5, 2, -1)
        mean_excess = (tail[_EXCESS] + tails.PRIOR_EXCESS_CLUSTERS * tails.PRIOR_EXCESS) / (
            tail[_CLUSTERS] + tails.PRIOR_EXCESS_CLUSTERS
        )
        prior_weeks = tails.PRIOR_CLUSTERS / tails.TARGET_CLUSTERS
        per_week = (tail[_CLUSTERS] + tails.PRIOR_CLUSTERS) / (tail[_WEEKS] + prior_weeks)
        return mean_excess, np.log(per_week * tails.MEMBERS)

    def _scores(self, values: Floats, read: Floats) -> Floats:
        mean_excess, log_clusters = self._tail_figures(values)
        threshold = values[_TAILS:].reshape(5, 2, -1)[_THRESHOLD]
        return np.where(read <= threshold, SCORE_FLOOR, (read - threshold) / mean_excess - log_clusters)

    def _learn_members(self, values: Floats, totals: Floats, read: Floats, young: npt.NDArray[np.bool_], known: Known) -> None:
        before = values[_MEAN:].copy()
        tail = values[_TAILS:].reshape(5, 2, -1)
        quiet = np.where(read[_HOUR] < tail[_THRESHOLD, _HOUR], values[_QUIET] + 1, 0.0)
        hour_ends = (quiet >= members.HOUR_MEMORY) & (tail[_PEAK, _HOUR] > 0)
        values[_QUIET] = np.where(hour_ends, 0.0, quiet)
        run = values[_RUN] + (totals[_SUM] > 0)
        overdue = run > members.LONGEST_RUN
        sum_ends = overdue | ((totals[_SUM] == 0) & (self.totals[_SUM] > 0))
        values[_RUN] = np.where(sum_ends, 0.0, run)
        in_crisis = self.verdicts == Verdict.CRISIS
        still = (self.buckets < tails.FIRST_LEARNT_BUCKETS) | in_crisis
        kept = tail[:, :, still].copy()
        self._learn_tails(values, read, np.stack([hour_ends, sum_ends]))
        tail[:, :, still] = kept
        tail[_PEAK, :, in_crisis] = 0.0
        rate = _learning_rate(self.buckets)
        distance = totals[_HOUR] / known.hour - values[_MEAN]
        values[_MEAN] += rate * distance
        values[_VARIANCE] += rate * (distance * distance - values[_VARIANCE])
        self.totals[_HOUR] = totals[_HOUR]
        self.totals[_SUM] = np.where(overdue & ~young, 0.0, totals[_SUM])
        values[_MEAN:] = np.where(young, before, values[_MEAN:])

    def _begin(self, values: Floats, those: npt.NDArray[np.bool_]) -> None:
        """See `Hour.begin` and `Excess.begin`."""
        if not those.any():
            return
        level = values[_LEVEL, those].astype(np.float32).astype(np.float64)
        mean = members.HOUR_MEMORY * level
        self.totals[_HOUR, those], self.totals[_SUM, those] = mean, 0.0
        values[_MEAN, those], values[_RUN, those] = mean, 0.0
        values[_VARIANCE, those] = members.HOUR_MEMORY / 2 * level + (members.PRIOR_SPREAD * mean) ** 2
        tail = values[_TAILS:].reshape(5, 2, -1)
        tail[:, _SUM, those] = 0.0
        tail[_THRESHOLD, _SUM, those] = np.log1p((2 + 6 * level) / members.excess_scale(level, level))

    def _learn_tails(self, values: Floats, read: Floats, ends: npt.NDArray[np.bool_]) -> None:
        tail = values[_TAILS:].reshape(5, 2, -1)
        mean_excess, log_clusters = self._tail_figures(values)
        seen = np.maximum(self.buckets / BUCKETS_PER_WEEK * tails.TARGET_CLUSTERS, tail[_CLUSTERS])
        step = mean_excess * np.maximum(tails.SMALLEST_STEP, 1 / (3 + 0.5 * seen))
        most = np.where(self.verdicts == Verdict.NO_CRISIS, members.LARGEST_SCORE, tails.LEARNED_SCORE)
        learned = mean_excess * (log_clusters + most)
        peak = np.where(read > tail[_THRESHOLD], np.maximum(tail[_PEAK], read), tail[_PEAK])
        closes = ends & (peak > 0)
        excess = np.maximum(np.minimum(peak - tail[_THRESHOLD], learned), tails.SMALLEST_EXCESS)
        threshold = tail[_THRESHOLD] + np.where(closes, step, 0.0) - step * tails.TARGET_CLUSTERS / BUCKETS_PER_WEEK
        tail[_THRESHOLD] = np.maximum(tails.SMALLEST_THRESHOLD, threshold)
        tail[_CLUSTERS] = (tail[_CLUSTERS] + closes) * tails.DECAY
        tail[_EXCESS] = (tail[_EXCESS] + np.where(closes, excess, 0.0)) * tails.DECAY
        tail[_PEAK] = np.where(ends, 0.0, peak)
        tail[_WEEKS] = tail[_WEEKS] * tails.DECAY + 1 / BUCKETS_PER_WEEK

    def _learn_usual(
        self, values: Floats, now: _Usual, weight: Floats, trust: Floats, young: npt.NDArray[np.bool_], *,
        to_season: npt.NDArray[np.bool_],
    ) -> None:  # fmt: skip
        self.buckets = np.minimum(self.buckets + 1, usual.LARGEST_COUNT)
        level, rate = values[_LEVEL].copy(), _learning_rate(self.buckets)
        first_rate = 1 / (self.buckets + usual.FIRST_LEVEL_BUCKETS)
        first_level = np.maximum(level + first_rate * (weight - level), usual.SMALLEST)
        taught = np.minimum(weight, now.mean + usual.SPREADS_LEARNED * now.spread + 1) / now.factor
        learns = to_season & ~young
        self.pending += np.where(learns, [taught / level, np.ones_like(level), now.weekday_share, now.hour_share], 0.0)
        later = np.maximum(level + trust * rate * (taught - level), usual.SMALLEST)
        values[_LEVEL] = np.where(young, first_level, later)
        mean = now.mean / now.factor
        extra = values[_EXTRA] * usual.DISPERSION_DECAY + trust * ((taught - mean) ** 2 - mean)
        squared = values[_SQUARED] * usual.DISPERSION_DECAY + trust * mean * mean
        values[[_EXTRA, _SQUARED]] = np.where(young, values[[_EXTRA, _SQUARED]], [extra, squared])
        ceiling = usual.FAST_CEILING * (now.fast_mean + np.sqrt(now.fast_mean)) + 1
        came = np.minimum(weight, ceiling) / np.maximum(now.share, usual.SMALLEST_SHARE)
        first, second = usual.FAST_MEMORY
        fast_input = values[_FAST_INPUT] + (came - values[_FAST_INPUT]) / first
        fast = values[_FAST] + (fast_input - values[_FAST]) / second
        values[[_FAST_INPUT, _FAST]] = np.where(young, values[_LEVEL], [fast_input, fast])

    def _end_hour(self, now: _Usual) -> None:
        hour_sums, weekday_sums = self.sums(now.hour, now.weekday)
        self.hours[:, now.hour] = np.minimum(hour_sums, usual.LARGEST_HALF)
        self._around.clear()
        known = self.buckets >= usual.FIRST_WEEK
        self.weekdays[:, now.weekday, known] = np.minimum(weekday_sums, usual.LARGEST_HALF)[:, known]
        self.pending[:] = 0.0

    # -- from and to single series -----------------------------------------------------------------------------------

    def _tails(self) -> Any:
        return self.values[_TAILS:].reshape(5, 2, -1)

    @classmethod
    def of(cls, series: Sequence[Surge]) -> Self:
        """Of states that stand at the same minute, in the same time zone; raises ValueError if they do not."""
        zones = {(surge.next_bucket, surge._utc_offset_minutes) for surge in series}
        if len(zones) != 1:
            raise ValueError("a fleet's series stand at one minute of one time zone")
        ((bucket, offset),) = zones
        fleet = cls(len(series), bucket, utc_offset_minutes=offset)
        for place, surge in enumerate(series):
            fleet._put(place, surge)
        return fleet

    def _put(self, place: int, surge: Surge) -> None:
        base, hour, excess = surge._baseline, surge._hour, surge._excess
        self.values[:_TAILS, place] = [*base.values(), *hour.values(), *excess.values()]
        self._tails()[:, _HOUR, place] = hour.tail.values()
        self._tails()[:, _SUM, place] = excess.tail.values()
        season = base.season
        self.pending[:, place] = season.seen, season.minutes, season.hour_expected, season.weekday_expected
        self.hours[:, :, place] = season.hours_seen, season.hours_expected
        self.weekdays[:, :, place] = season.weekdays_seen, season.weekdays_expected
        self.buckets[place] = base.buckets
        self.totals[:, place] = hour.total, excess.total
        self.late[place], self.silent[place], self.verdicts[place] = surge._late, surge._silent, surge._verdict
        last = surge.last
        self.scores[place], self.observed_60m[place], self.expected[place] = last.score, last.observed_60m, last.expected

    def surge(self, place: int) -> Surge:
        """One series as a state of its own. Which member gave its last score is not kept, and said to be the hour."""
        surge = Surge(self.next_bucket, utc_offset_minutes=self.utc_offset_minutes)
        numbers = [float(value) for value in self.values[:_TAILS, place]]
        base, hour, excess = surge._baseline, surge._hour, surge._excess
        base.restore(tuple(numbers[:_MEAN]))
        base.buckets = int(self.buckets[place])
        season = [self.pending[:, place], *self.hours[:, :, place], *self.weekdays[:, :, place]]
        base.season.restore(tuple(map(float, np.concatenate(season))))
        hour.restore(tuple(numbers[_MEAN:_RUN]))
        excess.restore(tuple(numbers[_RUN:]))
        for row, each in ((_HOUR, hour), (_SUM, excess)):
            each.tail.restore(tuple(map(float, self._tails()[:, row, place])))
            each.total = float(self.totals[row, place])
        score = float(self.scores[place])
        surge._late, surge._silent, surge._verdict = (
            bool(self.late[place]), int(self.silent[place]), Verdict(int(self.verdicts[place])),
        )  # fmt: skip
        member = Member.HOUR if score > SCORE_FLOOR else Member.NONE
        surge._last = Evidence(score, member, float(self.observed_60m[place]), float(self.expected[place]))
        return surge


def _with(sums: npt.NDArray[np.float16], decay: Floats, seen: Floats, expected: Floats) -> Floats:
    """Seen and expected with the hour that goes on."""
    both: Floats = sums.astype(np.float64) * decay + np.stack([seen, expected])
    return both


def _share(seen_expected: Floats, prior: Floats, otherwise: Floats | float = 1.0) -> Floats:
    seen, expected = seen_expected
    return usual.share(seen, expected, prior, otherwise)


def _learning_rate(buckets: npt.NDArray[np.int32]) -> Floats:
    rate: Floats = np.maximum(1 / (buckets + usual.WARM_UP_BUCKETS), 1 / usual.LEVEL_MEMORY)
    return rate
