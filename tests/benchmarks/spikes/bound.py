"""On Poisson streams, beside the best that can be done on them; there alone a bound is known that can be reached."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np

from processors.spikes.evaluation import Interval
from tests.benchmarks.spikes.alarms import Delays, first_crossing, threshold_for
from tests.benchmarks.spikes.report import Row, judged, shown
from tests.benchmarks.spikes.rivals import Clairvoyant, Mixture
from tests.benchmarks.spikes.simulated import HOUR, LEARNING_WEEKS, MATCHED, RATES, Field, Plan, Say, run
from tests.benchmarks.spikes.streams import SEEDS, Streams

_TOLD, _FITTED, _LEARNT = "told the rates", "on a fitted season", "on what SURGE has learnt"
_HEIGHTS: Final = (3.0, 5.0, 10.0, 20.0)
_BARRED_HEIGHT: Final = 5.0  # and more
_SPARSE_PER_HOUR: Final = 0.5
_LISTENED_WEEKS: Final = 8  # as long as a tail remembers

Median = Callable[[str, float, float], Interval]
"""Minutes of a rule to find a rise to so many times the usual, at so many mentions an hour."""


def poisson(plan: Plan, say: Say) -> list[Row]:
    """Held against the bars after a week of listening, as a new watch has it; sparse streams also when there was more to learn from."""
    plan = replace(plan, span=3 * plan.span)  # at 0.5/h a median is 4 hours
    median = _medians(RATES, "poisson", plan, say, "streams without frailty", LEARNING_WEEKS)
    rows = [_bound_row(times, each, *_compared(median, times, each)) for times in _HEIGHTS for each in RATES]
    weeks = _LISTENED_WEEKS if plan.weeks > 1 else LEARNING_WEEKS
    median = _medians((_SPARSE_PER_HOUR,), "sparse", plan, say, "sparse streams", weeks)
    return rows + [
        _later_row(times, _SPARSE_PER_HOUR, weeks, *_compared(median, times, _SPARSE_PER_HOUR))
        for times in _HEIGHTS if times >= _BARRED_HEIGHT
    ]  # fmt: skip


def _medians(rates: Sequence[float], seed: str, plan: Plan, say: Say, name: str, learning_weeks: int) -> Median:
    """Each rule at the threshold that the streams, by themselves, reach as often."""
    per_hour = np.repeat(rates, plan.series)
    series = len(per_hour)
    streams = Streams(per_hour, SEEDS[seed], waves=())
    bounds = [Clairvoyant(series, times) for times in _HEIGHTS]
    told, fitted, learnt = (Mixture(series, each) for each in (_TOLD, _FITTED, _LEARNT))
    field_ = Field(per_hour, longest_minutes=HOUR, told=[*bounds, told], on_learnt=[learnt], on_fitted=[fitted])
    heights = dict.fromkeys(_HEIGHTS, True)
    _, highest, trials = run(streams, SEEDS[f"{seed} surges"], field_, heights, plan, say, name, learning_weeks=learning_weeks)
    alarms = round(MATCHED * plan.series * plan.weeks)

    @cache
    def threshold(rule: str, rate: float) -> float:
        return threshold_for(highest[rule].of(per_hour == rate), alarms)

    def median(rule: str, times: float, rate: float) -> Interval:
        tried = (values[:, per_hour == rate] for values in trials[times].values[rule])
        return Delays(np.array([first_crossing(values, threshold(rule, rate)) for values in tried])).median()

    return median


def _compared(median: Median, times: float, per_hour: float) -> tuple[Interval, Interval, list[Interval]]:
    """Ours, the bound, and the others."""
    rules = ("SURGE", Clairvoyant(0, times).name, _TOLD, _FITTED, _LEARNT)
    ours, bound, *others = (median(rule, times, per_hour) for rule in rules)
    return ours, bound, others


def _bound_row(times: float, per_hour: float, ours: Interval, bound: Interval, others: Sequence[Interval]) -> Row:
    """The bar speaks of five times and more."""
    near = 1.5 <= per_hour <= 12 and times >= _BARRED_HEIGHT
    holds = math.isfinite(ours.value) and (_ratio(ours, bound) <= 1.6 if near else ours.value <= bound.value + 2)
    what, measured = f"Poisson, {times:g} times the usual at {per_hour:g}/h", _measured(ours, bound, others)
    bar = "at most 1.6 times" if near else "at most 2 minutes more"
    values = _values(times, per_hour, ours, bound, others)
    if times < _BARRED_HEIGHT:
        return Row(part="bound", what=what, measured=measured, values=values)
    return judged("bound", what, measured, bar, holds, values)


def _later_row(
    times: float, per_hour: float, weeks: int, ours: Interval, bound: Interval, others: Sequence[Interval]
) -> Row:  # fmt: skip
    """How much of the distance to the bound is that the watch is young."""
    return Row(
        part="bound", what=f"Poisson, {times:g} times the usual at {per_hour:g}/h, after {weeks} weeks of listening",
        measured=_measured(ours, bound, others), values=_values(times, per_hour, ours, bound, others),
    )  # fmt: skip


def _ratio(ours: Interval, bound: Interval) -> float:
    return ours.value / bound.value if math.isfinite(bound.value) else math.nan


def _measured(ours: Interval, bound: Interval, others: Sequence[Interval]) -> str:
    """The `others` say what it costs not to be told the height, and to learn the season."""
    told, fitted, learnt = others
    more = ours.value - bound.value
    return (
        f"{shown(ours)} minutes, the clairvoyant CUSUM {shown(bound)}: {_ratio(ours, bound):.2f} times, "
        f"{f'{more:.0f}' if math.isfinite(more) else '-'} more; "
        f"a Shiryaev-Roberts rule that is not told the height {shown(told)}, on a season fitted in the simulation's own form "
        f"{shown(fitted)}, on what SURGE has learnt {shown(learnt)}"
    )


def _values(times: float, per_hour: float, ours: Interval, bound: Interval, others: Sequence[Interval]) -> dict[str, object]:
    told, fitted, learnt = others
    return {"times": times, "rate": per_hour, "ours": ours, "bound": bound, "told": told, "fitted": fitted, "learnt": learnt}
