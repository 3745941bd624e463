"""`make bench-power`: how soon a rise is found, and how often a page is false; writes `processors/spikes/power_table.py`.

The streams are those of `streams`, with frailty, season and weekend; the rises begin at all hours of the day in the weeks
after the learning. A page is one at the close of a minute, with the floor of `Policy` and each mention by an author of
its own. Inside an open minute the running system is sooner by up to a minute.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

import click
import numpy as np

from processors.spikes import Policy, baseline, episode, evidence, members, power_table, surge, tails, typical
from processors.spikes.fleet import Fleet
from tests.benchmarks.spikes.alarms import Pages
from tests.benchmarks.spikes.rivals import Past
from tests.benchmarks.spikes.streams import DAY, MONDAY, SEEDS, Floats, Streams, starts
from tests.benchmarks.spikes.streams import surge as rise

RATES: Final = (0.5, 1.5, 3.0, 6.0, 12.0, 60.0, 600.0, 6_000.0, 60_000.0)  # mentions an hour
TIMES: Final = (3.0, 5.0, 10.0)
BUDGETS: Final = (4.0, 12.0, 60.0, 240.0, 1_000.0)  # weeks
SPAN_MINUTES: Final = 180
HOUR: Final = 60
TABLE: Final = Path(power_table.__file__)
DETECTOR: Final[tuple[ModuleType, ...]] = (baseline, episode, evidence, members, surge, tails, typical)
PROBE_RATES: Final = (1.5, 12.0, 600.0)
PROBE_SEED: Final = 7
PROBE_DAYS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is simulated. `make bench-power` takes the defaults."""

    series: int = 128  # a rate
    learning_weeks: int = 2
    weeks: int = 6  # in which the rises begin
    rises: int = 48  # a series and height
    rates: tuple[float, ...] = RATES
    times: tuple[float, ...] = TIMES
    budgets: tuple[float, ...] = BUDGETS
    floor: int = Policy().min_mentions


Cell = tuple[float, float, float]
"""Times the usual, budget in weeks, mentions an hour."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the table holds."""

    found: dict[Cell, "Entry"]
    false_pages: dict[tuple[float, float], float]
    """Of a week without a rise, by budget in weeks and mentions an hour."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Of one cell."""

    median: float
    """Minutes to the page; infinite where fewer than half are found within the span."""
    found: float
    """Share that is found within 60 minutes."""
    rises: int


def measure(plan: Plan, *, seed: int = SEEDS["power"]) -> Measured:
    """Let the series rise in copies. A rise of which a page had come before it began is none to be found, and left out."""
    per_hour = np.repeat(plan.rates, plan.series)
    streams, rng = Streams(per_hour, seed), np.random.default_rng(seed + 1)
    fleet, past = Fleet(len(per_hour), MONDAY), Past(len(per_hour), longest_minutes=HOUR)
    days = 7 * (plan.learning_weeks + plan.weeks)
    coming = starts(rng, first_day=7 * plan.learning_weeks, days=7 * plan.weeks, count=plan.rises)
    delays: dict[float, list[Floats]] = {times: [] for times in plan.times}
    quiet = Pages()
    with click.progressbar(length=days, label="simulating days", file=click.get_text_stream("stderr")) as bar:
        for first, stretch in streams.days(days, ahead=SPAN_MINUTES):
            for minute in range(DAY):
                while coming and coming[0] == first + minute:
                    coming.pop(0)
                    ahead = stretch.part(minute, SPAN_MINUTES)
                    for times in plan.times:
                        counts = ahead.counts + rise(rng, ahead.usual, times)
                        delays[times].append(_delays(fleet.copy(), past.copy(), counts, plan))
                fleet.tick(stretch.counts[minute])
                past.push(stretch.counts[minute])
                if first >= DAY * 7 * plan.learning_weeks:
                    quiet.push(fleet.next_bucket - 1, fleet.scores, fleet.observed_60m, past.total(HOUR))
            bar.update(1)
    found = {
        (times, budget, rate): _entry(np.array(delays[times])[:, place, per_hour == rate])
        for times in plan.times for place, budget in enumerate(plan.budgets) for rate in plan.rates
    }  # fmt: skip
    return Measured(found, {
        (budget, rate): pages / (plan.series * plan.weeks)
        for budget in plan.budgets for rate, pages in _false_pages(quiet, per_hour, budget, plan).items()
    })  # fmt: skip


def _false_pages(quiet: Pages, per_hour: Floats, budget: float, plan: Plan) -> dict[float, int]:
    onsets = quiet.onsets(Policy(budget_weeks=budget, min_mentions=plan.floor))
    return {rate: sum(len(found) for place, found in onsets.items() if per_hour[place] == rate) for rate in plan.rates}


def _delays(fleet: Fleet, past: Past, counts: Floats, plan: Plan) -> Floats:
    """Minutes to the page, a row a budget; as in `alarms.Delays`."""
    scores = np.log(plan.budgets)[:, None]
    found = np.where(fleet.scores >= scores, np.nan, np.inf)
    for minute, came in enumerate(counts):
        fleet.tick(came)
        past.push(came)
        pages = (fleet.scores >= scores) & (past.total(HOUR) >= plan.floor)
        found[pages & np.isinf(found)] = minute + 1
    return found


def _entry(minutes: Floats) -> Entry:
    kept = minutes[~np.isnan(minutes)]
    return Entry(float(np.percentile(kept, 50, method="inverted_cdf")), float((kept <= HOUR).mean()), len(kept))


# -- what the table was made with -----------------------------------------------------------------------------------------


def fingerprint() -> str:
    """Of the detector's constants: another one means that the table may be of another detector."""
    lines = [
        f"{module.__name__}.{name}={value!r}"
        for module in DETECTOR for name, value in sorted(vars(module).items())
        if name.isupper() and not name.startswith("_") and isinstance(value, int | float | tuple)
    ]  # fmt: skip
    lines.append(repr(Policy(budget_weeks=1)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def probe() -> tuple[float, ...]:
    """Scores of a few series after ten days, as the first week is unlike the others, and a rise: another figure, another detector."""
    streams = Streams(PROBE_RATES, PROBE_SEED)
    fleet = Fleet(len(PROBE_RATES), MONDAY)
    rng = np.random.default_rng(PROBE_SEED)
    stretch = streams.take(PROBE_DAYS * DAY + HOUR)
    for counts in stretch.counts[: PROBE_DAYS * DAY]:
        fleet.tick(counts)
    found: list[float] = []
    last = stretch.part(PROBE_DAYS * DAY)
    for minute, counts in enumerate(last.counts + rise(rng, last.usual, 10.0), 1):
        fleet.tick(counts)
        if minute % 10 == 0:
            found += [round(float(score), 3) for score in fleet.scores]
    return tuple(found)


# -- the table ------------------------------------------------------------------------------------------------------------


def written(measured: Measured, plan: Plan) -> str:
    """The module, as it is stored."""
    lines = [
        '"""Measured: how soon a rise is found. Written by `make bench-power`; see `power` for its use, and change nothing here."""',
        "",
        "from typing import Final",
        "",
        "# fmt: off",
        f'FINGERPRINT: Final = "{fingerprint()}"  # of the detector\'s constants',
        f"PROBE: Final[tuple[float, ...]] = {probe()}",
        f"RISES: Final = {plan.rises * plan.series}  # that a figure comes from",
        f"LISTENED_WEEKS: Final = {(plan.learning_weeks, plan.learning_weeks + plan.weeks)}  # that a series had, at a rise",
        f"FLOOR: Final = {plan.floor}  # mentions in 60 minutes, each by an author of its own, that a page needs",
        f"SPAN_MINUTES: Final = {SPAN_MINUTES}  # of a rise",
        f"RATES: Final[tuple[float, ...]] = {plan.rates}  # mentions an hour",
        f"BUDGETS: Final[tuple[float, ...]] = {plan.budgets}  # weeks to a false page",
        f"TIMES: Final[tuple[float, ...]] = {plan.times}  # the usual",
        "",
        "# By times and budget, then rate; the span where it takes longer, or fewer than half are found.",
        "MEDIAN_MINUTES: Final[dict[tuple[float, float], tuple[float, ...]]] = {",
        *_rows(plan, lambda cell: _shown(min(measured.found[cell].median, SPAN_MINUTES))),
        "}",
        "# Likewise, the share.",
        "FOUND_IN_60: Final[dict[tuple[float, float], tuple[float, ...]]] = {",
        *_rows(plan, lambda cell: f"{measured.found[cell].found:.3f}"),
        "}",
        "# False pages a week, by budget, then rate.",
        "FALSE_PAGES_A_WEEK: Final[dict[float, tuple[float, ...]]] = {",
        *(
            f"    {budget}: ({', '.join(f'{measured.false_pages[budget, rate]:.4f}' for rate in plan.rates)}),"
            for budget in plan.budgets
        ),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _rows(plan: Plan, shown: Callable[[Cell], str]) -> list[str]:
    return [
        f"    ({times}, {budget}): ({', '.join(shown((times, budget, rate)) for rate in plan.rates)}),"
        for times in plan.times for budget in plan.budgets
    ]  # fmt: skip


def _shown(minutes: float) -> str:
    assert math.isfinite(minutes)
    return f"{minutes:.1f}"


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of it, printed instead of written: to see that it runs.")
def main(*, quick: bool) -> None:
    """Measure the detection power and write the table anew. Progress on standard error."""
    plan = Plan(series=16, weeks=1, rises=8) if quick else Plan()
    text = written(measure(plan), plan)
    if quick:
        click.echo(text)
    else:
        TABLE.write_text(text, encoding="utf-8")
        click.echo(f"written: {TABLE.relative_to(Path.cwd()) if TABLE.is_relative_to(Path.cwd()) else TABLE.name}")


if __name__ == "__main__":
    main()
