"""Five of the realTweets series of numenta/NAB (../shared/data/nab): windows found, false alarms, at one alarm a week.

A weak referee: windows last 26 to 66 hours, so it cannot measure
minutes; labels are incomplete, so some false alarms are none; the study chose its constants on these very series, so
figures are optimistic. A regression gate, not a title. Counts of five minutes are split over their minutes at random.
"""

import csv
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.spikes import Policy
from processors.spikes.evaluation import rate
from processors.spikes.fleet import Fleet
from processors.spikes.rivals import HourZScore, Past
from tests.benchmarks.spikes.alarms import BLOCK_MINUTES, DEBOUNCE_BLOCKS, Delays, Highest, Pages, threshold_for
from tests.benchmarks.spikes.report import Row, Verdict, shown
from tests.benchmarks.spikes.simulated import HOUR, Plan, Say
from tests.benchmarks.spikes.streams import DAY, SEEDS, WEEK, surge

Floats = npt.NDArray[np.float64]

FOLDER: Final = Path(__file__).parents[4] / "shared" / "data" / "nab"
STEP_MINUTES: Final = 5
_UNJUDGED: Final = 0.15  # NAB leaves the first 15 % of each file out, for learning
_SURGE_STARTS: Final = 60
_SURGE_MINUTES: Final = 120
_COST: Final = {"standard": (0.11, 1.0), "few false alarms": (0.22, 1.0), "few missed": (0.11, 2.0)}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The series on one clock: one that begins later or ends earlier is silent until and after, some hours at most."""

    first: int
    names: tuple[str, ...]
    counts: Floats
    """A row a minute, a column a series."""
    windows: tuple[list[tuple[int, int]], ...]
    """Labelled, as rows."""


@cache
def recorded() -> Recorded:
    """Counts of five minutes are split over their minutes at random."""
    labelled = json.loads((FOLDER / "windows.json").read_text(encoding="utf-8"))
    rng = np.random.default_rng(SEEDS["nab"])
    totals: dict[str, list[tuple[int, int]]] = {}
    for file in sorted(FOLDER.glob("*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            totals[file.stem] = [(_minute(row["timestamp"]), int(row["value"])) for row in csv.DictReader(lines)]
    first = min(rows[0][0] for rows in totals.values())
    counts = np.zeros((max(rows[-1][0] for rows in totals.values()) - first + STEP_MINUTES, len(totals)))
    for place, rows in enumerate(totals.values()):
        for minute, total in rows:
            split = rng.multinomial(total, [1 / STEP_MINUTES] * STEP_MINUTES)
            counts[minute - first : minute - first + STEP_MINUTES, place] += split
    windows = tuple([(_minute(start) - first, _minute(end) - first) for start, end in labelled[name]] for name in totals)
    names = tuple(name.removeprefix("Twitter_volume_").removesuffix(".csv") for name in totals)
    return Recorded(first, names, counts, windows)


def _minute(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


def score(alarms: list[int], windows: list[tuple[int, int]], minutes: int, *, false_cost: float, missed_cost: float) -> float:
    """Raw score of one series by the formula of Lavin and Ahmad (2015), arXiv:1510.03336: 1 for an alarm at a window's start,
    falling to 0 at its end; false alarms cost more the further they are from the window before."""  # fmt: skip
    total, judged_from = 0.0, int(_UNJUDGED * minutes)
    for start, end in windows:
        inside = [alarm for alarm in alarms if start <= alarm < end]
        if inside:
            total += _falling((inside[0] - end) / (end - start)) / _falling(-1.0)
        else:
            total -= missed_cost
    for alarm in alarms:
        if alarm < judged_from or any(start <= alarm < end for start, end in windows):
            continue
        before = [(start, end) for start, end in windows if end <= alarm]
        after = _falling((alarm - before[-1][1]) / (before[-1][1] - before[-1][0])) if before else -1.0
        total += false_cost * after
    return total


def _falling(position: float) -> float:
    """1 at -1, 0 at 0, -1 far beyond."""
    return float(2 / (1 + np.exp(5 * min(position, 3.0))) - 1)


def scores(alarms: list[list[int]]) -> dict[str, float]:
    """0 for silence, 100 for an alarm at each window's start and nothing else, for each of NAB's profiles."""
    found, minutes = {}, len(recorded().counts)
    for profile, (false_cost, missed_cost) in _COST.items():
        windows = recorded().windows
        raw = sum(
            score(one, labelled, minutes, false_cost=false_cost, missed_cost=missed_cost)
            for one, labelled in zip(alarms, windows, strict=True)
        )
        perfect = sum(map(len, windows))
        silent = -missed_cost * perfect
        found[profile] = 100 * (raw - silent) / (perfect - silent)
    return found


def nab(plan: Plan, say: Say) -> list[Row]:
    """SURGE at a budget of one a week, the z-score at 3 and at as many alarms as SURGE; no labels used for any of them."""
    if not FOLDER.exists():
        return [Row(part="nab", what="series of ../shared/data/nab", measured="not there", verdict=Verdict.SKIPPED)]
    data = recorded()
    fleet, past, rival = (
        Fleet(len(data.names), data.first),
        Past(len(data.names), longest_minutes=HOUR),
        HourZScore(len(data.names)),
    )
    pages, highest = Pages(), Highest(len(data.names))
    rng = np.random.default_rng(SEEDS["nab"] + 1)
    injected = plan.weeks > 1
    starts = np.linspace(2 * WEEK, len(data.counts) - 181, _SURGE_STARTS).astype(int).tolist() if injected else []
    delays: dict[float, list[Floats]] = {5.0: [], 10.0: [], 20.0: []}
    usual = _usual(data.counts)
    for minute, counts in enumerate(data.counts):
        if minute % DAY == 0:
            say("nab", minute, len(data.counts))
        if minute in starts:
            for times, kept in delays.items():
                found = _delays(fleet.copy(), data.counts[minute:], usual[minute:], rng, times)
                labelled = [any(s - 180 <= minute < e for s, e in windows) for windows in data.windows]
                kept.append(np.where(labelled, np.nan, found))
        past.push(counts)
        scores_now = fleet.tick(counts)
        pages.push(minute, scores_now, fleet.observed_60m, past.total(HOUR))
        highest.push(rival.value(past))
    say("nab", len(data.counts), len(data.counts))
    weekly, monthly = (pages.onsets(Policy(budget_weeks=weeks)) for weeks in (1.0, 12.0))
    places = range(len(data.names))
    hours = highest.of(np.ones(len(data.names), np.bool_))
    same = threshold_for(hours, sum(len(_spaced(weekly.get(place, []))) for place in places))
    candidates = {
        "SURGE, budget one a week": [_spaced(weekly.get(place, [])) for place in places],
        "z-score of the last hour at 3": [_blocks(hours[:, place], 3.0) for place in places],
        f"z-score of the last hour at {same:.1f}, as many alarms as SURGE": [_blocks(hours[:, place], same) for place in places],
        "SURGE, budget one in 12 weeks": [monthly.get(place, []) for place in places],
    }
    rows = [_row(name, alarms) for name, alarms in candidates.items()]
    return rows + (_injected_rows({times: np.array(kept) for times, kept in delays.items()}) if injected else [])


def _spaced(alarms: list[int]) -> list[int]:
    found: list[int] = []
    for alarm in alarms:
        if not found or alarm - found[-1] > BLOCK_MINUTES * DEBOUNCE_BLOCKS:
            found.append(alarm)
    return found


def _blocks(highest: npt.NDArray[np.float32], threshold: float) -> list[int]:
    """Ends of the half hours with an alarm."""
    return _spaced([(int(block) + 1) * BLOCK_MINUTES - 1 for block in np.flatnonzero(highest > threshold)])


def _row(name: str, alarms: list[list[int]]) -> Row:
    data = recorded()
    found, false, delays = 0, 0, []
    for raised, windows in zip(alarms, data.windows, strict=True):
        firsts = [next((a for a in raised if s <= a < e), None) for s, e in windows]
        delays += [(first - start) / 60 for first, (start, _) in zip(firsts, windows, strict=True) if first is not None]
        found += sum(first is not None for first in firsts)
        false += sum(not any(s <= a < e for s, e in windows) for a in raised)
    labelled = [(start, end) for windows in data.windows for start, end in windows]
    outside = (data.counts.size - sum(end - start for start, end in labelled)) / WEEK
    marks = scores(alarms)
    measured = (
        f"{found} of {len(labelled)} windows, {shown(rate(false, outside), 2)} alarms a week outside, median "
        f"{np.median(delays) if delays else float('nan'):.1f} h after the window's start; by NAB's formula "
        + " / ".join(f"{mark:.0f}" for mark in marks.values())
    )
    return Row(part="nab", what=name, measured=measured, values={"found": found, "false": false, "scores": marks})


def _injected_rows(delays: dict[float, Floats]) -> list[Row]:
    """Surges of two hours on these streams' own noise, outside the labelled windows, at a budget of one page in 12 weeks."""
    rows = []
    for times, minutes in delays.items():
        tried = Delays(minutes)
        by_series = ", ".join(
            f"{name} {np.mean(column[~np.isnan(column)] <= HOUR):.2f}" for name, column in zip(recorded().names, minutes.T, strict=True)
        )  # fmt: skip
        measured = f"median {shown(tried.median())} minutes, found in 60 {shown(tried.within(HOUR), 2)} ({by_series})"
        rows.append(
            Row(
                part="nab",
                what=f"{times:g} times the usual injected, page budget 12 weeks, {tried.surges} surges",
                measured=measured,
            )
        )
    return rows


def _usual(counts: Floats) -> Floats:
    """Mean of the same hour of the day over the whole series: what the injected surge is a multiple of."""
    hours = np.arange(len(counts)) % DAY // HOUR
    means = np.array([counts[hours == hour].mean(axis=0) for hour in range(24)])
    usual: Floats = means[hours]
    return usual


def _delays(fleet: Fleet, counts: Floats, usual: Floats, rng: np.random.Generator, times: float) -> Floats:
    budget = Policy().page_score
    before, found = fleet.scores >= budget, np.full(len(fleet), np.inf)
    for minute, weight in enumerate(counts[:_SURGE_MINUTES] + surge(rng, usual[:_SURGE_MINUTES], times)):
        found[(fleet.tick(weight) >= budget) & np.isinf(found)] = minute + 1
    return np.where(before, np.nan, found)
