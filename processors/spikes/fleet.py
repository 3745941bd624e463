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
from processors.spikes import members, tails
from processors.spikes.evidence import BUCKETS_PER_DAY, BUCKETS_PER_HOUR, BUCKETS_PER_WEEK, SCORE_FLOOR, Evidence, Member
from processors.spikes.surge import PRIOR_PER_HOUR, SLOW_LEARNING, TURKIYE_UTC_OFFSET_MINUTES, Surge

Floats = npt.NDArray[np.float64]

# rows of the stored values, in the order in which `Surge.pack` writes them but for the tails, which stand side by side
_LEVEL, _EXTRA, _SQUARED, _FAST_INPUT, _FAST, _MEAN, _VARIANCE, _QUIET, _RUN = range(9)
_TAILS: Final = 9
_THRESHOLD, _CLUSTERS, _EXCESS, _PEAK, _WEEKS = range(5)
_HOUR, _SUM = 0, 1  # the members, as places in a tail's rows
_ROWS: Final = _TAILS + 2 * 5


class _Usual:
    """What is usual in one minute, for each series."""

    __slots__ = ("fast_mean", "hour", "hour_share", "mean", "share", "spread", "weekday", "weekday_share")

    def __init__(self, fleet: "Fleet", values: Floats) -> None:
        minute = usual.minute_of_week(fleet.next_bucket, fleet.utc_offset_minutes)
        self.hour, self.weekday = minute // BUCKETS_PER_HOUR % 24, minute // BUCKETS_PER_DAY
        past_middle = (minute % BUCKETS_PER_HOUR) / BUCKETS_PER_HOUR - 0.5
        other = (self.hour + (1 if past_middle >= 0 else -1)) % 24
        hours, weekdays = fleet.hours, fleet.weekdays
        self.hour_share = (1 - abs(past_middle)) * _share(hours, self.hour) + abs(past_middle) * _share(hours, other)
        self.weekday_share = _share(weekdays, self.weekday)
        self.share = self.hour_share * self.weekday_share
        self.mean = np.maximum(values[_LEVEL] * self.share, usual._SMALLEST)
        self.fast_mean = np.maximum(values[_FAST] * self.share, self.mean)
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
        self.hours = np.zeros((2, 24, series), np.float32)  # seen, expected
        self.weekdays = np.zeros((2, 7, series), np.float32)
        self.buckets = np.zeros(series, np.int64)
        self.totals = np.zeros((2, series))
        self.late = np.zeros(series, np.bool_)
        self.scores = np.full(series, SCORE_FLOOR)  # of the last closed bucket, as are the next two
        self.observed_60m = np.zeros(series)
        level = max(prior_per_hour / BUCKETS_PER_HOUR, usual._SMALLEST)
        self.expected = np.full(series, level)
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
        """Memory of all states."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def tick(self, weights: npt.ArrayLike) -> Floats:
        """Close the next bucket with each series' weight; the scores. Raises ValueError for what is no weight."""
        weight = np.asarray(weights, np.float64)
        if weight.shape != self.scores.shape or not (np.isfinite(weight).all() and (weight >= 0).all()):
            raise ValueError(f"a weight is a number from 0 up, one for each of {len(self)} series")
        values = self.values.astype(np.float64)
        now = _Usual(self, values)
        totals, member_values = self._read(values, now, weight)
        scores: Floats = self._scores(values, member_values).max(axis=0)
        silent = (weight == 0) & ~self.late
        scores = np.where(silent, np.minimum(scores, self.scores), scores)
        self._learn_members(values, totals, member_values)
        self._learn_usual(values, now, weight, np.where(scores >= 0, SLOW_LEARNING, 1.0))
        self.values[:] = values
        self.next_bucket += 1
        self.late[:] = False
        self.scores, self.observed_60m, self.expected = scores, totals[_HOUR], now.mean
        return scores

    def advance(self, to_bucket: int) -> Floats:
        """Close all buckets before `to_bucket` as empty; the last scores."""
        nothing = np.zeros(len(self))
        while self.next_bucket < to_bucket:
            self.tick(nothing)
        return self.scores

    def weight_for(self, score: float) -> Floats:
        """The weight with which the next bucket would reach the score, per series; infinite where none would."""
        values = self.values.astype(np.float64)
        now = _Usual(self, values)
        mean_excess, log_clusters = self._tail_figures(values)
        threshold = values[_TAILS:].reshape(5, 2, -1)[_THRESHOLD]
        wanted = np.maximum(threshold + mean_excess * (log_clusters + score), np.nextafter(threshold, np.inf))
        above = np.sqrt(values[_VARIANCE] + members._PRIOR_VARIANCE) * np.expm1(wanted[_HOUR])
        by_hour = values[_MEAN] + above - self.totals[_HOUR] * members._HOUR_DECAY
        total = (1 + members.EXCESS_SCALE * now.mean) * np.expm1(wanted[_SUM])
        by_sum = total - self.totals[_SUM] + members.EXCESS_FACTOR * now.fast_mean
        by_sum = np.where(total > self._cap(values, now), np.inf, by_sum)
        needed: Floats = np.maximum(np.minimum(by_hour, by_sum), 0.0)
        return needed

    # -- steps of a tick ---------------------------------------------------------------------------------------------

    def _read(self, values: Floats, now: _Usual, weight: Floats) -> tuple[Floats, Floats]:
        hour = self.totals[_HOUR] * members._HOUR_DECAY + weight
        above = np.maximum(0.0, (hour - values[_MEAN]) / np.sqrt(values[_VARIANCE] + members._PRIOR_VARIANCE))
        excess = np.maximum(0.0, self.totals[_SUM] + weight - members.EXCESS_FACTOR * now.fast_mean)
        excess = np.minimum(excess, self._cap(values, now))
        return np.stack([hour, excess]), np.log1p(np.stack([above, excess / (1 + members.EXCESS_SCALE * now.mean)]))

    def _cap(self, values: Floats, now: _Usual) -> Floats:
        mean_excess, log_clusters = self._tail_figures(values)
        highest = values[_TAILS:].reshape(5, 2, -1)[_THRESHOLD] + mean_excess * (log_clusters + members.LARGEST_SCORE)
        scale = 1 + members.EXCESS_SCALE * now.mean
        cap: Floats = scale * np.expm1(np.minimum(highest[_SUM], members._LARGEST_LOG)) + members._ROUNDING
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

    def _learn_members(self, values: Floats, totals: Floats, read: Floats) -> None:
        tail = values[_TAILS:].reshape(5, 2, -1)
        quiet = np.where(read[_HOUR] < tail[_THRESHOLD, _HOUR], values[_QUIET] + 1, 0.0)
        hour_ends = (quiet >= members.HOUR_MEMORY) & (tail[_PEAK, _HOUR] > 0)
        values[_QUIET] = np.where(hour_ends, 0.0, quiet)
        run = values[_RUN] + (totals[_SUM] > 0)
        overdue = run > members.LONGEST_RUN
        sum_ends = overdue | ((totals[_SUM] == 0) & (self.totals[_SUM] > 0))
        values[_RUN] = np.where(sum_ends, 0.0, run)
        self._learn_tails(values, read, np.stack([hour_ends, sum_ends]))
        rate = _learning_rate(self.buckets)
        distance = totals[_HOUR] - values[_MEAN]
        values[_MEAN] += rate * distance
        values[_VARIANCE] += rate * (distance * distance - values[_VARIANCE])
        self.totals[_HOUR] = totals[_HOUR]
        self.totals[_SUM] = np.where(overdue, 0.0, totals[_SUM])

    def _learn_tails(self, values: Floats, read: Floats, ends: npt.NDArray[np.bool_]) -> None:
        tail = values[_TAILS:].reshape(5, 2, -1)
        mean_excess, log_clusters = self._tail_figures(values)
        seen = np.maximum(self.buckets / BUCKETS_PER_WEEK * tails.TARGET_CLUSTERS, tail[_CLUSTERS])
        step = mean_excess * np.maximum(tails._SMALLEST_STEP, 1 / (3 + 0.5 * seen))
        learned = mean_excess * (log_clusters + tails.LEARNED_SCORE)
        peak = np.where(read > tail[_THRESHOLD], np.maximum(tail[_PEAK], read), tail[_PEAK])
        closes = ends & (peak > 0)
        excess = np.maximum(np.minimum(peak - tail[_THRESHOLD], learned), tails._SMALLEST_EXCESS)
        threshold = tail[_THRESHOLD] + np.where(closes, step, 0.0) - step * tails.TARGET_CLUSTERS / BUCKETS_PER_WEEK
        tail[_THRESHOLD] = np.maximum(tails.SMALLEST_THRESHOLD, threshold)
        tail[_CLUSTERS] = (tail[_CLUSTERS] + closes) * tails._DECAY
        tail[_EXCESS] = (tail[_EXCESS] + np.where(closes, excess, 0.0)) * tails._DECAY
        tail[_PEAK] = np.where(ends, 0.0, peak)
        tail[_WEEKS] = tail[_WEEKS] * tails._DECAY + 1 / BUCKETS_PER_WEEK

    def _learn_usual(self, values: Floats, now: _Usual, weight: Floats, trust: Floats) -> None:
        self.buckets += 1
        level = values[_LEVEL].copy()
        taught = np.minimum(weight, now.mean + usual._SPREADS_LEARNED * now.spread + 1)
        _remember(self.hours, now.hour, usual._HOUR_DECAY, trust * taught, trust * level * now.weekday_share)
        _remember(self.weekdays, now.weekday, usual._WEEKDAY_DECAY, trust * taught, trust * level * now.hour_share)
        values[_LEVEL] = np.maximum(level + trust * _learning_rate(self.buckets) * (taught - level), usual._SMALLEST)
        surplus = (taught - now.mean) ** 2 - now.mean
        values[_EXTRA] = values[_EXTRA] * usual._DISPERSION_DECAY + trust * surplus
        values[_SQUARED] = values[_SQUARED] * usual._DISPERSION_DECAY + trust * now.mean * now.mean
        ceiling = 4 * now.fast_mean + 4 * np.sqrt(now.fast_mean) + 1
        rate = np.minimum(weight, ceiling) / np.maximum(now.share, usual._SMALLEST_SHARE)
        first, second = usual.FAST_MEMORY
        values[_FAST_INPUT] += (rate - values[_FAST_INPUT]) / first
        values[_FAST] += (values[_FAST_INPUT] - values[_FAST]) / second

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
        self.hours[:, :, place] = season.hours_seen, season.hours_expected
        self.weekdays[:, :, place] = season.weekdays_seen, season.weekdays_expected
        self.buckets[place] = base.buckets
        self.totals[:, place] = hour.total, excess.total
        self.late[place] = surge._late
        last = surge.last
        self.scores[place], self.observed_60m[place], self.expected[place] = last.score, last.observed_60m, last.expected

    def surge(self, place: int) -> Surge:
        """One series as a state of its own. Which member gave its last score is not kept, and said to be the hour."""
        surge = Surge(self.next_bucket, utc_offset_minutes=self.utc_offset_minutes)
        numbers = [float(value) for value in self.values[:_TAILS, place]]
        base, hour, excess = surge._baseline, surge._hour, surge._excess
        base.restore(tuple(numbers[:_MEAN]))
        base.buckets = int(self.buckets[place])
        base.season.restore(tuple(map(float, np.concatenate([*self.hours[:, :, place], *self.weekdays[:, :, place]]))))
        hour.restore(tuple(numbers[_MEAN:_RUN]))
        excess.restore(tuple(numbers[_RUN:]))
        for row, each in ((_HOUR, hour), (_SUM, excess)):
            each.tail.restore(tuple(map(float, self._tails()[:, row, place])))
            each.total = float(self.totals[row, place])
        score = float(self.scores[place])
        surge._late = bool(self.late[place])
        member = Member.HOUR if score > SCORE_FLOOR else Member.NONE
        surge._last = Evidence(score, member, float(self.observed_60m[place]), float(self.expected[place]))
        return surge


def _share(seen_expected: npt.NDArray[np.float32], row: int) -> Floats:
    seen, expected = seen_expected[:, row].astype(np.float64) + usual.SEASON_PRIOR
    share: Floats = seen / expected
    return share


def _remember(seen_expected: npt.NDArray[np.float32], row: int, decay: float, seen: Floats, expected: Floats) -> None:
    before = seen_expected[:, row].astype(np.float64)
    seen_expected[0, row] = before[0] * decay + seen
    seen_expected[1, row] = before[1] * decay + expected


def _learning_rate(buckets: npt.NDArray[np.int64]) -> Floats:
    rate: Floats = np.maximum(1 / (buckets + usual.WARM_UP_BUCKETS), 1 / usual.LEVEL_MEMORY)
    return rate
