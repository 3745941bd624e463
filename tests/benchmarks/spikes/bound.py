"""On Poisson streams, beside the best that can be done on them; there alone a bound is known that can be reached."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from processors.spikes.evaluation import Interval
from tests.benchmarks.spikes.alarms import Delays, first_crossing, threshold_for
from tests.benchmarks.spikes.report import Row, judged, shown
from tests.benchmarks.spikes.rivals import Clairvoyant, Mixture, Past, Rival
from tests.benchmarks.spikes.simulated import HOUR, LEARNING_WEEKS, MATCHED, POLICY, RATES, Field, Floats, Plan, Say, run
from tests.benchmarks.spikes.streams import SEEDS, Streams

_TOLD, _FITTED, _LEARNT = "told the rates", "on a fitted season", "on what SURGE has learnt"
_HEIGHTS: Final = (3.0, 5.0, 10.0, 20.0)
_BARRED_HEIGHT: Final = 5.0  # and more
_SPARSE_PER_HOUR: Final = 0.5
_LISTENED_WEEKS: Final = 8  # as long as a tail remembers


class Found(Protocol):
    """Minutes of a rule to find rises to so many times the usual, at so many mentions an hour; `paging` as its page would come."""

    def __call__(self, rule: str, times: float, per_hour: float, *, paging: bool = False) -> Delays: ...


class _Mentions(Rival):
    """Not a rule, but what a page asks for beside one."""

    name = f"mentions in {HOUR} minutes"
    published = None

    def value(self, past: Past) -> Floats:
        """See `Rival.value`."""
        return past.total(HOUR)


def poisson(plan: Plan, say: Say) -> list[Row]:
    """Held against the bars after a week of listening, as a new watch has it; sparse streams also when there was more to learn from."""
    plan = replace(plan, span=3 * plan.span)  # at 0.5/h a median is 4 hours
    found = _found(RATES, "poisson", plan, say, "streams without frailty", LEARNING_WEEKS)
    rows = [_bound_row(times, each, *_compared(found, times, each)) for times in _HEIGHTS for each in RATES]
    barred = [times for times in _HEIGHTS if times >= _BARRED_HEIGHT]
    rows += [_page_row(found, times, _SPARSE_PER_HOUR, plan.span) for times in barred]
    weeks = _LISTENED_WEEKS if plan.weeks > 1 else LEARNING_WEEKS
    found = _found((_SPARSE_PER_HOUR,), "sparse", plan, say, "sparse streams", weeks)
    return rows + [_later_row(times, _SPARSE_PER_HOUR, weeks, *_compared(found, times, _SPARSE_PER_HOUR)) for times in barred]


def _found(rates: Sequence[float], seed: str, plan: Plan, say: Say, name: str, learning_weeks: int) -> Found:
    """Each rule at the threshold that the streams, by themselves, reach as often."""
    per_hour = np.repeat(rates, plan.series)
    series = len(per_hour)
    streams = Streams(per_hour, SEEDS[seed], waves=())
    bounds = [Clairvoyant(series, times) for times in _HEIGHTS]
    told, fitted, learnt = (Mixture(series, each) for each in (_TOLD, _FITTED, _LEARNT))
    field_ = Field(
        per_hour, longest_minutes=HOUR, rivals=[_Mentions()], told=[*bounds, told], on_learnt=[learnt], on_fitted=[fitted]
    )  # fmt: skip
    heights = dict.fromkeys(_HEIGHTS, True)
    _, highest, trials = run(streams, SEEDS[f"{seed} surges"], field_, heights, plan, say, name, learning_weeks=learning_weeks)
    alarms = round(MATCHED * plan.series * plan.weeks)

    @cache
    def threshold(rule: str, rate: float) -> float:
        return threshold_for(highest[rule].of(per_hour == rate), alarms)

    def found(rule: str, times: float, per_hour_: float, *, paging: bool = False) -> Delays:
        values = trials[times].values
        tried = [each[:, per_hour == per_hour_] for each in values[rule]]
        if paging:
            mentions = (each[:, per_hour == per_hour_] for each in values[_Mentions.name])
            tried = [_where_enough(each, there) for each, there in zip(tried, mentions, strict=True)]
        return Delays(np.array([first_crossing(each, threshold(rule, per_hour_)) for each in tried]))

    return found


def _where_enough(values: npt.NDArray[np.float32], mentions: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Values of the minutes with as many mentions as a page needs."""
    return np.where(mentions >= POLICY.min_mentions, values, -np.inf).astype(np.float32)


def _compared(found: Found, times: float, per_hour: float) -> tuple[Interval, Interval, list[Interval]]:
    """Ours, the bound, and the others."""
    rules = ("SURGE", Clairvoyant(0, times).name, _TOLD, _FITTED, _LEARNT)
    ours, bound, *others = (found(rule, times, per_hour).median() for rule in rules)
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


def _page_row(found: Found, times: float, per_hour: float, span: int) -> Row:
    """A page waits for its mentions, whoever finds the rise: what is lost to the bound is lost to the notice."""
    ours, bound = (found(rule, times, per_hour, paging=True) for rule in ("SURGE", Clairvoyant(0, times).name))
    medians, shares = [each.median() for each in (ours, bound)], [each.within(span) for each in (ours, bound)]
    return Row(
        part="bound", what=f"Poisson, {times:g} times the usual at {per_hour:g}/h, until there are {POLICY.min_mentions} mentions in "
        f"{HOUR} minutes, too, which a page needs",
        measured=f"{shown(medians[0])} minutes, the clairvoyant CUSUM {shown(medians[1])}; in {span} minutes {shown(shares[0], 2)} and "
        f"{shown(shares[1], 2)} of the rises",
        values={"times": times, "rate": per_hour, "ours": medians[0], "bound": medians[1], "found": shares[0], "bound_found": shares[1]},
    )  # fmt: skip


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
