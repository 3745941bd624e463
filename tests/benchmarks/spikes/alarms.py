"""Arithmetic of alarms: how many a week with exact intervals, how soon with bootstrap intervals, at which threshold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.spikes import Episode, Evidence, Level, Member, Policy, TransitionKind
from processors.spikes.evaluation import Interval, rate
from processors.spikes.evidence import SCORE_FLOOR

Floats = npt.NDArray[np.float64]

BLOCK_MINUTES: Final = 30  # maxima are kept of so many minutes
DEBOUNCE_BLOCKS: Final = 12  # six hours, as the rivals' cool-down
RESAMPLES: Final = 1000

__all__ = ["Delays", "Highest", "Interval", "Pages", "rate"]


class Highest:
    """The highest values of each half hour and series: what is needed to count the alarms of any threshold afterwards."""

    def __init__(self, series: int) -> None:
        self._rows: list[npt.NDArray[np.float32]] = []
        self._open = np.full(series, -np.inf)
        self._minutes = 0

    def push(self, values: Floats) -> None:
        """Of the next minute."""
        self._open = np.maximum(self._open, values)
        self._minutes += 1
        if self._minutes % BLOCK_MINUTES == 0:
            self._rows.append(self._open.astype(np.float32))
            self._open = np.full(len(self._open), -np.inf)

    def of(self, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """A row a half hour, a column a chosen series."""
        return np.array(self._rows)[:, chosen]


def alarms_at(highest: npt.NDArray[np.float32], threshold: float) -> int:
    """Alarms above the threshold, six hours apart at least within a series."""
    count = 0
    for column in highest.T:
        last = -DEBOUNCE_BLOCKS - 1
        for block in np.flatnonzero(column > threshold).tolist():
            if block - last > DEBOUNCE_BLOCKS:
                count, last = count + 1, block
    return count


def threshold_for(highest: npt.NDArray[np.float32], alarms: int) -> float:
    """The lowest threshold with at most so many alarms."""
    low, high = 0, highest.size - 1
    ordered = np.sort(highest, axis=None)
    while low < high:
        middle = (low + high) // 2
        if alarms_at(highest, float(ordered[middle])) <= alarms:
            high = middle
        else:
            low = middle + 1
    return float(ordered[low])


class Pages:
    """Minutes of evidence of many series, from which the reports of any budget are made afterwards, by `Episode` itself."""

    def __init__(self) -> None:
        self._found: list[tuple[int, npt.NDArray[np.int64], Floats, Floats, Floats]] = []

    def push(self, bucket: int, scores: Floats, observed_60m: Floats, mentions_60m: Floats) -> None:
        """Of a closed minute; only where something is unusual is kept."""
        places = np.flatnonzero(scores >= 0)
        if len(places):
            self._found.append((bucket, places, scores[places], observed_60m[places], mentions_60m[places]))

    def onsets(self, policy: Policy, level: Level = Level.PAGE) -> dict[int, list[int]]:
        """Buckets in which each series reached the level."""
        lines: dict[int, list[tuple[int, float, float, float]]] = {}
        for bucket, *columns in self._found:
            for place, score, observed, mentions in zip(*(column.tolist() for column in columns), strict=True):
                lines.setdefault(int(place), []).append((bucket, score, observed, mentions))
        return {place: _onsets(minutes, policy, level) for place, minutes in lines.items()}


def _onsets(minutes: Sequence[tuple[int, float, float, float]], policy: Policy, level: Level) -> list[int]:
    episode, found, last = Episode(), [], None
    for bucket, score, observed, mentions in minutes:
        if last is not None and bucket - last > policy.quiet_minutes:  # the quiet minute that ended the rise before
            quiet = Evidence(SCORE_FLOOR, Member.NONE, 0.0, 0.0)
            episode.step(last + policy.quiet_minutes, quiet, policy=policy, mentions_60m=0, authors_60m=0, closed=True)
        said = episode.step(
            bucket, Evidence(score, Member.HOUR, observed, 0.0), policy=policy, mentions_60m=int(mentions),
            authors_60m=int(mentions), closed=True,
        )  # fmt: skip
        found += [bucket for one in said if one.kind is TransitionKind.ONSET and one.level is level]
        last = bucket
    return found


@dataclass(frozen=True)
class Delays:
    """Minutes to the alarm of many surges: rows are surges, columns series.

    Infinite where none came; not a number where one had come already, which is no surge to be found.
    """

    minutes: Floats

    @property
    def surges(self) -> int:
        return int((~np.isnan(self.minutes)).sum())

    def median(self) -> Interval:
        """With the bootstrap interval over series: surges of one series are not independent."""
        return self._resampled(lambda minutes: float(np.percentile(minutes, 50, method="inverted_cdf")))

    def within(self, limit: float) -> Interval:
        """Share that is found in so many minutes; likewise."""
        return self._resampled(lambda minutes: float((minutes <= limit).mean()))

    def _resampled(self, figure) -> Interval:  # type: ignore[no-untyped-def]
        rng = np.random.default_rng(511_100)
        columns = [column[~np.isnan(column)] for column in self.minutes.T]
        picks = rng.integers(0, len(columns), (RESAMPLES, len(columns)))
        drawn = np.sort([figure(np.concatenate([columns[pick] for pick in row])) for row in picks])
        low, high = drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES) - 1]
        return Interval(value=figure(np.concatenate(columns)), low=float(low), high=float(high))


def share_interval(hits: int, trials: int) -> Interval:
    """A share with Wilson's interval."""
    if not trials:
        return Interval(value=math.nan, low=0.0, high=1.0)
    share, z = hits / trials, 1.959964
    middle = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return Interval(value=share, low=max(0.0, middle - half), high=min(1.0, middle + half))


def first_crossing(values: npt.NDArray[np.float32], threshold: float) -> Floats:
    """Minutes to the close of the first bucket whose value is above the threshold, a column a series; infinite without one.

    Infinite also where it was above before (row 0 is the minute before the surge): that alarm was false, not early.
    """
    above = values > threshold
    first = np.where(above[1:].any(axis=0), above[1:].argmax(axis=0) + 1.0, np.inf)
    return np.where(above[0], np.nan, first)
