"""On simulated streams: pages that nothing called for, minutes to a surge, and both beside the rules of others."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.spikes import Level, Policy
from processors.spikes.evaluation import Interval
from processors.spikes.fleet import Fleet
from tests.benchmarks.spikes.alarms import (
    Delays,
    Highest,
    Pages,
    alarms_at,
    first_crossing,
    rate,
    threshold_for,
)
from tests.benchmarks.spikes.fitted import Fitted
from tests.benchmarks.spikes.report import Row, judged, shown
from tests.benchmarks.spikes.rivals import Bound, Past, Rival, all_rivals
from tests.benchmarks.spikes.streams import DAY, MONDAY, SEEDS, WEEK, Streams, Stretch, season, starts, surge

Floats = npt.NDArray[np.float64]
Say = Callable[[str, int, int], None]

RATES: Final = (0.5, 1.5, 3.0, 12.0, 60.0, 600.0, 6_000.0, 60_000.0)  # mentions an hour
BUDGETS: Final = (1.0, 4.0, 12.0, 26.0)
MATCHED: Final = 0.1  # false alarms a week at which rules are compared
LEARNING_WEEKS: Final = 1  # a signal of the first week says that the watch is learning; counted apart
POLICY: Final = Policy()
HOUR: Final = 60
WATERMARK_MINUTES: Final = 2  # in the running system a minute closes so much later; firing inside it does not wait

MEDIAN_BARS: Final = {
    10.0: {3.0: 45, 12.0: 20, 60.0: 10, 600.0: 7, 6_000.0: 7, 60_000.0: 7},
    5.0: {60.0: 30, 600.0: 20, 6_000.0: 20, 60_000.0: 20},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is simulated."""

    series: int = 64  # a rate
    weeks: int = 8  # beside the first one
    surges: int = 24  # a series and height
    lists: int = 40
    span: int = 120  # minutes of a surge


FULL: Final = Plan()
QUICK: Final = Plan(series=12, weeks=1, surges=6, lists=4)


@dataclass
class Trials:
    """What surges of one height did, a row a surge."""

    weeks: list[int] = field(default_factory=list)
    """Of listening before it."""
    closed: list[Floats] = field(default_factory=list)
    """Minutes to the page at the close of a bucket."""
    inside: list[Floats] = field(default_factory=list)
    """Minutes to the page inside an open one."""
    values: dict[str, list[npt.NDArray[np.float32]]] = field(default_factory=dict)
    """Of each rule, minute by minute; the first row is before the surge."""


class Field:
    """Series of all rates with everything that watches them."""

    def __init__(
        self, per_hour: Floats, *, longest_minutes: int, rivals: Sequence[Rival] = (), told: Sequence[Bound] = (),
        on_learnt: Sequence[Bound] = (), on_fitted: Sequence[Bound] = (),
    ) -> None:  # fmt: skip
        """`told` are told the true rates, `on_learnt` what the fleet takes for usual, `on_fitted` what `Fitted` does."""
        series = len(per_hour)
        self.fleet = Fleet(series, MONDAY)
        self.past = Past(series, longest_minutes=longest_minutes)
        self.rivals, self.told, self.on_learnt, self.on_fitted = rivals, told, on_learnt, on_fitted
        self.fitted = Fitted(series) if on_fitted else None
        self.values: dict[str, Floats] = {}

    def tick(self, counts: Floats, rates: Floats) -> None:
        self.past.push(counts)
        self.values = {"SURGE": self.fleet.tick(counts)}
        for rival in self.rivals:
            self.values[rival.name] = rival.value(self.past)
        for bound in self.told:
            self.values[bound.name] = bound.value(counts, rates)
        for bound in self.on_learnt:
            self.values[bound.name] = bound.value(counts, self.fleet.expected.astype(np.float64))
        if self.fitted is not None:
            fitted = self.fitted.rates()
            for bound in self.on_fitted:
                self.values[bound.name] = bound.value(counts, fitted)
            self.fitted.push(counts)

    def copy(self) -> "Field":
        other = object.__new__(Field)
        other.fleet, other.past, other.values = self.fleet.copy(), self.past.copy(), self.values
        other.rivals = [rival.copy() for rival in self.rivals]
        other.told = [bound.copy() for bound in self.told]
        other.on_learnt = [bound.copy() for bound in self.on_learnt]
        other.on_fitted = [bound.copy() for bound in self.on_fitted]
        other.fitted = None if self.fitted is None else self.fitted.copy()
        return other


def try_surge(
    field_: Field, ahead: Stretch, rng: np.random.Generator, times: float, trials: Trials, *, policy: Policy = POLICY,
    keep: bool,
) -> None:  # fmt: skip
    """Let all series rise at once, in a copy, and note when each would page and what each rule's value was."""
    field_ = field_.copy()
    extra = surge(rng, ahead.usual, times)
    series = len(field_.fleet)
    closed, inside = np.full(series, np.inf), np.full(series, np.inf)
    before = field_.fleet.scores >= policy.page_score
    rows = {name: [values.astype(np.float32)] for name, values in field_.values.items()}
    for minute, counts in enumerate(ahead.counts + extra):
        needed = np.maximum(field_.fleet.weight_for(policy.page_score), policy.min_mentions - field_.past.total(HOUR - 1))
        field_.tick(counts, ahead.rates[minute])
        pages = (field_.fleet.scores >= policy.page_score) & (field_.past.total(HOUR) >= policy.min_mentions)
        new = np.flatnonzero(pages & np.isinf(closed))
        closed[new] = minute + 1
        inside[new] = minute + _moment(rng, needed[new], counts[new])
        if keep:
            for name, values in field_.values.items():
                rows[name].append(values.astype(np.float32))
    trials.weeks.append((field_.fleet.next_bucket - MONDAY) // WEEK)
    trials.closed.append(np.where(before, np.nan, closed))
    trials.inside.append(np.where(before, np.nan, inside))
    if keep:
        for name, kept in rows.items():
            trials.values.setdefault(name, []).append(np.array(kept))


def _moment(rng: np.random.Generator, needed: Floats, counts: Floats) -> Floats:
    """When the mention that decides comes, of so many at random moments of a minute; 1 is the minute's end."""
    counts = counts.astype(np.int64)
    place = np.clip(np.ceil(needed - 1e-9), 1, None).astype(np.int64)
    step = np.maximum(place // 10, 1)  # `detect` judges each of the first ten hits of a minute, then each tenth more
    place = np.where(place > 10, -(-place // step) * step, place)
    moment = np.ones(len(counts))
    there = place <= counts
    moment[there] = rng.beta(place[there], counts[there] - place[there] + 1)
    return moment


def run(
    streams: Streams,
    seed: int,
    field_: Field,
    heights: dict[float, bool],
    plan: Plan,
    say: Say,
    name: str,
    *,
    policy: Policy = POLICY,
    learning_weeks: int = LEARNING_WEEKS,
) -> tuple[Pages, dict[str, Highest], dict[float, Trials]]:
    """Quiet weeks, with surges tried in copies. `heights`: whether the rules' values are kept, once it has learnt."""
    days = 7 * (learning_weeks + plan.weeks)
    rng = np.random.default_rng(seed)
    coming = starts(rng, first_day=7 * learning_weeks, days=7 * plan.weeks, count=plan.surges)
    pages, trials = Pages(), {times: Trials() for times in heights}
    highest: dict[str, Highest] = {}
    for first, stretch in streams.days(days, ahead=plan.span):
        say(name, first // DAY, days)
        for minute in range(DAY):
            while coming and coming[0] == first + minute:
                coming.pop(0)
                ahead = stretch.part(minute, plan.span)
                for times, keep in heights.items():
                    try_surge(field_, ahead, rng, times, trials[times], policy=policy, keep=keep)
            field_.tick(stretch.counts[minute], stretch.rates[minute])
            fleet = field_.fleet
            pages.push(MONDAY + first + minute, fleet.scores, fleet.observed_60m, field_.past.total(HOUR))
            if first >= learning_weeks * WEEK:
                for each, values in field_.values.items():
                    highest.setdefault(each, Highest(len(fleet))).push(values)
    say(name, days, days)
    return pages, highest, trials


# -- page budget, delays and rivals ----------------------------------------------------------------------------------------


def noise(plan: Plan, say: Say) -> list[Row]:
    """With frailty, as real streams have it."""
    per_hour = np.repeat(RATES, plan.series)
    streams = Streams(per_hour, SEEDS["noise"])
    field_ = Field(per_hour, longest_minutes=7 * DAY + HOUR, rivals=all_rivals(len(per_hour)))
    heights = {5.0: True, 10.0: True, 20.0: False}
    pages, highest, trials = run(streams, SEEDS["surges"], field_, heights, plan, say, "streams with frailty")
    rows = _budget_rows(pages, per_hour, plan)
    rows += _delay_rows(trials, per_hour)
    return rows + _rival_rows(highest, trials, per_hour, plan)


def _budget_rows(pages: Pages, per_hour: Floats, plan: Plan) -> list[Row]:
    """The first week apart: it is of the learning, and happens to a watch once."""
    rows = []
    series_weeks, learned = plan.series * plan.weeks, MONDAY + LEARNING_WEEKS * WEEK
    for budget in BUDGETS:
        onsets = [
            (float(per_hour[place]), bucket)
            for place, found in pages.onsets(Policy(budget_weeks=budget)).items()
            for bucket in found
        ]
        later = [each for each, bucket in onsets if bucket >= learned]
        pooled = rate(len(later), series_weeks * len(RATES))
        whole = rate(len(onsets), plan.series * (plan.weeks + LEARNING_WEEKS) * len(RATES))
        by_rate = {each: rate(later.count(each), series_weeks) for each in RATES}
        detail = "; ".join(f"{each:g}/h {shown(found, 2)}" for each, found in by_rate.items())
        what = f"false pages a week at a budget of one in {budget:g} weeks"
        measured = f"{shown(pooled, 3)} pooled, {series_weeks} series-weeks a rate; with the first week {shown(whole, 3)}"
        values = {"pooled": pooled, "with_first_week": whole, "by_rate": by_rate, "series_weeks_a_rate": series_weeks}
        if budget != POLICY.budget_weeks:
            rows.append(Row(part="budget", what=what, measured=f"{measured}; {detail}", values=values))
            continue
        worst = max(interval.value for interval in by_rate.values())
        rows.append(judged("budget", what, measured, "at most 0.15 pooled", pooled.value <= 0.15, values))
        rows.append(judged("budget", "the same by rate", detail, "at most 0.30 at any", worst <= 0.30))
        rows += [_early_row(onsets, plan, name, minutes) for name, minutes in (("hour", HOUR), ("week", WEEK))]
    return rows


def _early_row(onsets: list[tuple[float, int]], plan: Plan, name: str, minutes: int) -> Row:
    """How a watch without any history begins."""
    early = [each for each, bucket in onsets if bucket < MONDAY + minutes]
    detail = "; ".join(f"{each:g}/h {early.count(each) / plan.series:.2f}" for each in RATES)
    return Row(part="budget", what=f"pages within the first {name} of a watch without history", measured=f"a series: {detail}")


_UNLIKE_RATES: Final = (1.5, 3.0, 6.0, 12.0, 20.0)  # where what is typical counts beside what was heard


def unlike_days(plan: Plan, say: Say) -> list[Row]:
    """False pages where the public keeps other hours than the detector takes for typical."""
    as_it_is = season()
    kinds = {"as in the others": as_it_is, "of no difference": np.ones(WEEK), "12 hours later": np.roll(as_it_is, 12 * HOUR)}
    found = [(kind, _false_pages(plan, shares, kind, say)) for kind, shares in kinds.items()]
    return [
        Row(
            part="budget", what=f"false pages a week at a budget of one in 4 weeks, hours and weekdays {kind}",
            measured="; ".join(f"{each:g}/h {shown(pages, 2)}" for each, pages in by_rate.items()), values=by_rate,
        )
        for kind, by_rate in found
    ]  # fmt: skip


def _false_pages(plan: Plan, shares: Floats, kind: str, say: Say) -> dict[float, Interval]:
    """After the first week, by rate."""
    per_hour = np.repeat(_UNLIKE_RATES, plan.series)
    streams = Streams(per_hour, SEEDS["unlike days"], shares=shares)
    field_, seed = Field(per_hour, longest_minutes=HOUR), SEEDS["unlike days"]
    pages, _, _ = run(streams, seed, field_, {}, plan, say, f"days {kind}")
    learned = MONDAY + LEARNING_WEEKS * WEEK
    later = [
        float(per_hour[place])
        for place, found in pages.onsets(Policy(budget_weeks=4.0)).items()
        for bucket in found if bucket >= learned
    ]  # fmt: skip
    return {each: rate(later.count(each), plan.series * plan.weeks) for each in _UNLIKE_RATES}


def _delay_rows(trials: dict[float, Trials], per_hour: Floats) -> list[Row]:
    rows = []
    for times, tried in trials.items():
        closed, inside = np.array(tried.closed), np.array(tried.inside)
        for each in RATES:
            chosen = per_hour == each
            at_close, within = Delays(closed[:, chosen]), Delays(inside[:, chosen])
            median, early = at_close.median(), within.median()
            gained = _gain(closed[:, chosen], inside[:, chosen])
            found = at_close.within(HOUR)
            what = f"median minutes to a page, {times:g} times the usual at {each:g}/h"
            measured = (
                f"{shown(median)} at the close, {shown(early, 1)} inside the bucket (by {gained:.1f} sooner, and no "
                f"{WATERMARK_MINUTES} minutes for the close); found in 60 minutes {shown(found, 2)}; {at_close.surges} surges; "
                f"at the close after so many weeks of listening: {_by_age(tried.weeks, closed[:, chosen])}"
            )
            values = {"times": times, "rate": each, "closed": median, "inside": early, "within_60": found, "gain": gained}
            limit = MEDIAN_BARS.get(times, {}).get(each)
            if limit is None:
                rows.append(Row(part="delays", what=what, measured=measured, values=values))
            else:
                rows.append(judged("delays", what, measured, f"at most {limit}", median.value <= limit, values))
    return rows


def _by_age(weeks: list[int], closed: Floats) -> str:
    """A detector that learns for weeks is slow before."""
    ages = np.array(weeks)
    parts = []
    for first, last in ((1, 1), (2, 3), (4, 99)):
        chosen = (ages >= first) & (ages <= last)
        if chosen.any():
            name = f"{first}" if first == last else f"{first} to {min(last, int(ages.max()))}"
            parts.append(f"{name}: {_minutes(Delays(closed[chosen]).median().value)}")
    return ", ".join(parts)


def _gain(closed: Floats, inside: Floats) -> float:
    both = np.isfinite(closed)
    return float(np.median(closed[both] - inside[both])) if both.any() else math.nan


def _rival_rows(highest: dict[str, Highest], trials: dict[float, Trials], per_hour: Floats, plan: Plan) -> list[Row]:
    rows = []
    alarms = round(MATCHED * plan.series * plan.weeks)
    published = {rival.name: rival.published for rival in all_rivals(1)}
    for name, values in highest.items():
        parts, as_published = [], 0
        for each in RATES[2:]:
            chosen = per_hour == each
            threshold = threshold_for(values.of(chosen), alarms)
            found = {}
            for times in (5.0, 10.0):
                kept = np.array([first_crossing(one[:, chosen], threshold) for one in trials[times].values[name]])
                found[times] = Delays(kept).median().value
            parts.append(f"{each:g}/h {_minutes(found[10.0])} ({_minutes(found[5.0])})")
            if published.get(name) is not None:
                as_published += alarms_at(values.of(chosen), float(published[name]))
        measured = ", ".join(parts)
        if published.get(name) is not None:
            own = rate(as_published, plan.series * plan.weeks * len(RATES[2:]))
            measured += f"; at its published threshold {published[name]:.3g} {shown(own, 1)} false alarms a week"
        what = f"{name}, both at {MATCHED:g} false alarms a week: median minutes at 10 times (5 times)"
        rows.append(Row(part="rivals", what=what, measured=measured))
    return rows


def _minutes(value: float) -> str:
    return "-" if math.isinf(value) or math.isnan(value) else f"{value:.0f}"


# -- a list of watches -----------------------------------------------------------------------------------------------------

_LIST_SIZES: Final = (5, 20)
_LIST_RATE: Final = 60.0
_TOGETHER: Final = 0.8  # correlation of the waves of watches that hear the same public
_STORY_MINUTES: Final = 60  # pages of one list within so many minutes wake once


def lists(plan: Plan, say: Say) -> list[Row]:
    """One on-call list with several watches, its budget divided as `pipeline.watch_registry` divides it."""
    rows = []
    for size in _LIST_SIZES:
        for shared in (0.0, _TOGETHER):
            rows += _list_rows(plan, size, shared, say)
    return rows


def _list_rows(plan: Plan, size: int, shared: float, say: Say) -> list[Row]:
    count = max(2, plan.lists * 12 // (size + 7))  # 40 lists of 5, about 18 of 20
    groups = np.repeat(np.arange(count), size)
    per_hour = np.full(len(groups), _LIST_RATE)
    kind = "watches that move together" if shared else "independent watches"
    name = f"a list of {size} {kind}"
    streams = Streams(per_hour, SEEDS["lists"] + size + round(100 * shared), groups=groups, shared=shared)
    field_ = Field(per_hour, longest_minutes=HOUR)
    policy = Policy(budget_weeks=POLICY.budget_weeks * size)
    seed, fewer = SEEDS["list surges"] + size + round(100 * shared), replace(plan, surges=max(4, plan.surges // 2))
    pages, _, tried = run(streams, seed, field_, {10.0: False}, fewer, say, name, policy=policy)
    trials = tried[10.0]
    learned = MONDAY + LEARNING_WEEKS * WEEK
    calls: dict[int, list[int]] = {}
    for place, buckets in pages.onsets(policy, Level.PAGE).items():
        calls.setdefault(int(groups[place]), []).extend(bucket for bucket in buckets if bucket >= learned)
    single = rate(sum(map(len, calls.values())), count * plan.weeks)
    woken = rate(sum(_stories(sorted(buckets)) for buckets in calls.values()), count * plan.weeks)
    delays = Delays(np.array(trials.closed))
    found = delays.within(HOUR)
    measured = f"{shown(single, 3)} pages, {shown(woken, 3)} wakings an hour apart; {count * plan.weeks} list-weeks"
    values = {"size": size, "shared": shared, "pages": single, "wakings": woken, "within_60": found}
    return [
        Row(part="lists", what=f"{name}: false pages a week (1 in 12 weeks is {1 / 12:.3f})", measured=measured, values=values),
        judged(
            "lists", f"{name}: a rise to 10 times the usual at {_LIST_RATE:g}/h is found in 60 minutes",
            f"{shown(found, 2)}, median {shown(delays.median())} minutes; {delays.surges} surges; after so many weeks of "
            f"listening: {_by_age(trials.weeks, np.array(trials.closed))}",
            "at least 0.9", found.value >= 0.9,
        ),
    ]  # fmt: skip


def _stories(buckets: list[int]) -> int:
    count, last = 0, -math.inf
    for bucket in buckets:
        if bucket - last > _STORY_MINUTES:
            count += 1
        last = bucket
    return count
