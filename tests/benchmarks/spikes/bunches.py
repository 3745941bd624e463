"""Real sparse streams: mentions come in bunches, and a rule that trusts in Poisson counts takes each bunch for a surge.

A stream with a mention in two hours is found soonest by the likelihood ratio of Poisson counts, and its chance needs no learning.
What that trust costs is counted here, on a year of posts to 14 universities without the days on which something happened: false
alarms of that rule and of SURGE, both at thresholds that twins of these streams, as loud in the mean but Poisson, reach as often.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from processors.text.signature import signature
from tests.benchmarks.spikes.alarms import Highest, alarms_at, rate, threshold_for
from tests.benchmarks.spikes.replays import ORDINARY, TURKIYE, UNIVERSITIES, read
from tests.benchmarks.spikes.report import Row, Verdict, shown
from tests.benchmarks.spikes.rivals import Mixture
from tests.benchmarks.spikes.simulated import HOUR, MATCHED, Field, Floats, Plan, Say
from tests.benchmarks.spikes.streams import DAY, SEEDS, WEEK, Streams

_FIRST: Final = datetime(2022, 1, 3)  # a Monday, Turkish time, as the twins begin
_WEEKS: Final = 52
_LEARNING_WEEKS: Final = 2
_TWINS: Final = 4  # of each stream
_DAYS_AROUND: Final = 2  # a loud day makes those before and after it unlike the others, too
_SMALLEST_PER_HOUR: Final = 1e-3
_BLOCKS_OF_DAY: Final = 48  # of half an hour, as `Highest` keeps them


@dataclass(frozen=True, slots=True)
class Year:
    """Posts without copies, by day: minute of the day and place of the institution; and the days that are ordinary."""

    institutions: list[str]
    days: list[list[tuple[int, int]]]
    ordinary: npt.NDArray[np.bool_]
    """A row a day, a column an institution."""

    @property
    def per_hour(self) -> Floats:
        """Mean of each institution."""
        places = [place for day in self.days for _, place in day]
        return np.bincount(places, minlength=len(self.institutions)) / (len(self.days) * DAY / 60)


def bunches(plan: Plan, say: Say) -> list[Row]:
    """False alarms on ordinary days, of the rule that is best on Poisson streams and of SURGE."""
    if not UNIVERSITIES.exists():
        return [Row(part="bunches", what="../shared/data/replay: universities", measured="not there", verdict=Verdict.SKIPPED)]
    year = year_of(read(UNIVERSITIES), _WEEKS if plan.weeks > 1 else 2 * _LEARNING_WEEKS)
    return [_row(name, year, values) for name, values in _heard(year, say).items()]


def year_of(posts: Iterator[dict[str, Any]], weeks: int) -> Year:
    """Of posts in order of time."""
    days: list[list[tuple[int, int]]] = [[] for _ in range(7 * weeks)]
    told = [(post, post["at"].replace(tzinfo=None) + TURKIYE) for post in posts]
    told = [(post, at) for post, at in told if _FIRST <= at < _FIRST + timedelta(weeks=weeks)]
    institutions = sorted({post["institution"] for post, _ in told})
    counts = np.zeros((len(days), len(institutions)))
    known: set[tuple[int, int, str]] = set()
    for post, at in told:
        day, place = (at - _FIRST).days, institutions.index(post["institution"])
        counts[day, place] += 1
        copy = day, place, signature(post["text"])
        if copy not in known:  # of copies one counts, as the damping has it
            known.add(copy)
            days[day].append((at.hour * 60 + at.minute, place))
    ordinary = np.ones(counts.shape, np.bool_)
    for day, place in np.argwhere(counts > ORDINARY).tolist():
        ordinary[max(0, day - _DAYS_AROUND) : day + _DAYS_AROUND + 1, place] = False
    return Year(institutions, days, ordinary)


def _heard(year: Year, say: Say) -> dict[str, Highest]:
    """The highest values of each rule in each half hour: first the institutions, then their twins."""
    twins = Streams(np.repeat(np.maximum(year.per_hour, _SMALLEST_PER_HOUR), _TWINS), SEEDS["bunches"], waves=())
    series = len(year.institutions)
    total = series + len(twins)
    field_ = Field(np.zeros(total), longest_minutes=HOUR, on_learnt=[Mixture(total, "trust in Poisson counts")])
    told = np.full(total, np.nan)  # no rule here is told true rates
    highest: dict[str, Highest] = {}
    for number, day in enumerate(year.days):
        say("ordinary days of universities", number, len(year.days))
        weights = np.zeros((DAY, total))
        np.add.at(weights, tuple(np.array(day, np.int64).reshape(-1, 2).T), 1.0)
        weights[:, series:] = twins.take(DAY).counts
        for minute in weights:
            field_.tick(minute, told)
            for name, values in field_.values.items():
                highest.setdefault(name, Highest(total)).push(values)
    say("ordinary days of universities", len(year.days), len(year.days))
    return highest


def _row(name: str, year: Year, highest: Highest) -> Row:
    series, learned = len(year.institutions), 7 * _LEARNING_WEEKS
    values = highest.of(np.ones(series * (1 + _TWINS), np.bool_))[learned * _BLOCKS_OF_DAY :]
    ordinary = np.repeat(year.ordinary[learned:], _BLOCKS_OF_DAY, axis=0)
    weeks = len(values) * 30 / WEEK
    twins, real = values[:, series:], np.where(ordinary, values[:, :series], -np.inf).astype(np.float32)
    threshold = threshold_for(twins, round(MATCHED * weeks * series * _TWINS))
    found = rate(alarms_at(real, threshold), series * weeks)
    each = {institution: alarms_at(real[:, [place]], threshold) / weeks for place, institution in enumerate(year.institutions)}
    most = max(each, key=each.__getitem__)
    loudness = year.per_hour[year.institutions.index(most)]
    return Row(
        part="bunches",
        what=f"{name}, at {MATCHED:g} alarms a week on Poisson twins: alarms a week on ordinary days of {series} universities",
        measured=f"{shown(found, 2)}; most {each[most]:.2f}, {most}, with {loudness:.3f} mentions an hour",
        values={"found": found, "each": each},
    )
