"""How the statistic, and the rules of others, fare on one series of counts a minute: alarms, delays, false alarms a week.

Pure: the caller reads the file and draws the picture. Each mention counts as one of its own author with a text of its own,
so nothing is damped. A year of minutes takes about 20 seconds, and as much again for every other rival.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.spikes.baseline import minute_of_week
from processors.spikes.damping import WINDOW_MINUTES
from processors.spikes.episode import Episode, Level, Policy, Transition, TransitionKind
from processors.spikes.evidence import BUCKETS_PER_WEEK
from processors.spikes.rivals import DEBOUNCE_MINUTES, Past, Rival
from processors.spikes.surge import TURKIYE_UTC_OFFSET_MINUTES, Surge

BUCKET_SECS: Final = 60
LEARNING_BUCKETS: Final = BUCKETS_PER_WEEK  # of a series without history
_CHUNK: Final = 10_000  # minutes between two moves of the progress bar

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch in which something was up, as a person says."""

    start: int
    """Its first bucket, and (`end`) the first one after it."""
    end: int
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """What one rule said."""

    name: str
    threshold: float
    buckets: Sequence[int]
    """In which it raised an alarm."""
    weeks: float
    windows: Sequence[Window]

    @property
    def a_week(self) -> Interval:
        """All alarms."""
        return rate(len(self.buckets), self.weeks)

    @property
    def delays(self) -> list[int | None]:
        """Minutes from the start of each window to the close of the bucket of its first alarm; None without one."""
        return [self._delay(window) for window in self.windows]

    def _delay(self, window: Window) -> int | None:
        first = next((bucket for bucket in self.buckets if window.start <= bucket < window.end), None)
        return None if first is None else first - window.start + 1

    @property
    def false(self) -> list[int]:
        """Alarms outside all windows."""
        return [bucket for bucket in self.buckets if not any(window.start <= bucket < window.end for window in self.windows)]

    @property
    def false_a_week(self) -> Interval:
        """Over the time outside the windows, alarms of the learning time included."""
        covered = {bucket for window in self.windows for bucket in range(window.start, window.end)}
        return rate(len(self.false), max(self.weeks - len(covered) / BUCKETS_PER_WEEK, 1 / BUCKETS_PER_WEEK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The detector on one series, minute by minute, and what was compared with it."""

    first_bucket: int
    counts: Floats
    expected: Floats
    """Usual count of each minute, as known before it."""
    spread: Floats
    """Its usual standard deviation."""
    scores: Floats
    transitions: Sequence[Transition]
    policy: Policy
    windows: Sequence[Window]
    alarms: Sequence[Alarms]
    """Pages, notices, then those of the rivals."""

    @property
    def weeks(self) -> float:
        """Length of the series."""
        return len(self.counts) / BUCKETS_PER_WEEK

    def usual_total(self, start: int, stop: int) -> tuple[float, float]:
        """Sum of the usual over minutes `start` to `stop` of the series, and its standard deviation.

        Counting noise of several minutes adds up like coin tosses; the slow waves that make the rest of the scatter are
        one and the same within minutes or hours, and add up in full.
        """
        mean, spread = self.expected[start:stop], self.spread[start:stop]
        waves = float(np.sqrt(np.maximum(spread**2 - mean, 0.0)).sum())
        return float(mean.sum()), math.sqrt(float(mean.sum()) + waves**2)


def evaluate(
    first_bucket: int,
    counts: npt.ArrayLike,
    *,
    policy: Policy | None = None,
    rivals: Sequence[Rival] = (),
    windows: Sequence[Window] = (),
    utc_offset_minutes: int = TURKIYE_UTC_OFFSET_MINUTES,
    report: Progress = lambda _done, _total: None,
) -> Found:
    """Run the detector over counts a minute, and the rivals (each made for one series) at their published thresholds."""
    policy = policy or Policy()
    numbers = np.asarray(counts, np.float64)
    run = _Run(first_bucket, len(numbers), policy, utc_offset_minutes)
    past = Past(1)
    raised = [_Raised(rival) for rival in rivals]
    for place, count in enumerate(numbers):
        past.push(np.array([count]))
        run.take(place, float(count), int(past.total(WINDOW_MINUTES)[0]))
        for each in raised:
            each.take(first_bucket + place, past)
        if place % _CHUNK == 0:
            report(place, len(numbers))
    report(len(numbers), len(numbers))
    weeks = len(numbers) / BUCKETS_PER_WEEK
    ordered = tuple(sorted(windows, key=lambda window: window.start))
    said = [
        Alarms(name="page", threshold=policy.page_score, buckets=run.onsets(Level.PAGE), weeks=weeks, windows=ordered),
        Alarms(name="notice or page", threshold=0.0, buckets=run.onsets(None), weeks=weeks, windows=ordered),
        *(
            Alarms(name=each.rival.name, threshold=each.threshold, buckets=each.buckets, weeks=weeks, windows=ordered)
            for each in raised
        ),
    ]
    return Found(
        first_bucket=first_bucket, counts=numbers, expected=run.expected, spread=run.spread, scores=run.scores,
        transitions=run.transitions, policy=policy, windows=ordered, alarms=said,
    )  # fmt: skip


class _Run:
    """The statistic and the episode, closed minute by closed minute."""

    def __init__(self, first_bucket: int, minutes: int, policy: Policy, utc_offset_minutes: int) -> None:
        self._surge = Surge(first_bucket, utc_offset_minutes=utc_offset_minutes)
        self._utc_offset_minutes = utc_offset_minutes
        self._episode = Episode()
        self._policy = policy
        self.expected, self.spread, self.scores = np.zeros(minutes), np.zeros(minutes), np.zeros(minutes)
        self.transitions: list[Transition] = []

    def take(self, place: int, count: float, last_hour: int) -> None:
        bucket = self._surge.next_bucket
        self.spread[place] = self._surge._baseline.usual(minute_of_week(bucket, self._utc_offset_minutes)).spread
        evidence = self._surge.tick(bucket, count)
        self.expected[place], self.scores[place] = evidence.expected, evidence.score
        self.transitions += self._episode.step(
            bucket, evidence, policy=self._policy, mentions_60m=last_hour, authors_60m=last_hour, closed=True
        )

    def onsets(self, level: Level | None) -> list[int]:
        """Where a level was reached; any level where none is named, but once a rise."""
        onsets = [found for found in self.transitions if found.kind is TransitionKind.ONSET]
        if level is not None:
            return [found.bucket for found in onsets if found.level is level]
        return sorted({found.onset_bucket for found in onsets})


@dataclass(slots=True)
class _Raised:
    """Alarms of one rival, with its cool-down."""

    rival: Rival
    buckets: list[int] = field(default_factory=list)

    @property
    def threshold(self) -> float:
        return math.inf if self.rival.published is None else self.rival.published

    def take(self, bucket: int, past: Past) -> None:
        above = self.rival.value(past)[0] >= self.threshold
        if above and (not self.buckets or bucket - self.buckets[-1] > DEBOUNCE_MINUTES):
            self.buckets.append(bucket)


# -- counts ---------------------------------------------------------------------------------------------------------------


def counts_of_times(times_secs: Iterable[float]) -> tuple[int, Floats]:
    """The first minute, and mentions a minute from there to the last one. Raises ValueError without times."""
    buckets = np.floor_divide(np.fromiter(times_secs, np.float64), BUCKET_SECS).astype(np.int64)
    if not len(buckets):
        raise ValueError("there are no times")
    first = int(buckets.min())
    return first, np.bincount(buckets - first).astype(np.float64)


def counts_of_totals(times_secs: Sequence[float], totals: Sequence[int], step_minutes: int) -> tuple[int, Floats]:
    """The same of totals, each of `step_minutes` from its time on; spread as evenly as whole mentions allow.

    Even is smoother than people are, so a detector has it a little easier within the interval.
    """
    buckets = [int(time // BUCKET_SECS) for time in times_secs]
    if not buckets:
        raise ValueError("there are no times")
    first = min(buckets)
    counts = np.zeros(max(buckets) - first + step_minutes)
    for bucket, total in zip(buckets, totals, strict=True):
        edges = np.arange(step_minutes + 1) * total // step_minutes
        counts[bucket - first : bucket - first + step_minutes] += np.diff(edges)
    return first, counts


# -- intervals ------------------------------------------------------------------------------------------------------------


def rate(events: int, weeks: float) -> Interval:
    """Events a week with the exact interval of a Poisson count (Garwood 1936)."""
    low, high = poisson_interval(events)
    return Interval(value=events / weeks, low=low / weeks, high=high / weeks)


def poisson_interval(events: int, confidence: float = 0.95) -> tuple[float, float]:
    """Means for which so many events, or fewer, or more, would just not be too surprising."""
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else _solve(lambda mean: 1 - _poisson_at_most(events - 1, mean), tail, events)
    high = _solve(lambda mean: -_poisson_at_most(events, mean), -tail, events)
    return low, high


def _poisson_at_most(events: int, mean: float) -> float:
    if mean <= 0:
        return 1.0
    return min(1.0, math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(events + 1)))


def _solve(rising: Callable[[float], float], value: float, scale: float) -> float:
    """Where a rising function has the value, by halving."""
    low, high = 0.0, 10.0 + scale + 10 * math.sqrt(scale + 1)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2
