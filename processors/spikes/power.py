"""Detection power: how soon a rise is found, said beforehand, by a watch's rate and its page budget.

The figures are measured on simulated streams with the real statistic (`power_table`, written by `make bench-power`), for a
watch that has listened for some weeks, with rises at all hours of the day and every mention by an author of its own. They
are those of a page at the close of a minute. Between the measured rates and budgets they are interpolated on a log scale.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from processors.spikes import power_table as table
from processors.spikes.episode import Policy

RELIABLE: Final = 0.9  # of the rises: what is found within an hour less often is not found reliably
WITHIN_MINUTES: Final = 60
LISTENED_WEEKS: Final = table.LISTENED_WEEKS
"""Of the watches that were simulated, at the rise: a younger one is slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Of rises to so many times the usual."""

    times: float
    found: float
    """Share that is found within 60 minutes."""
    median_minutes: float | None
    """To the page; None where half of them take longer than the three hours that were tried, or are never found."""

    @property
    def reliable(self) -> bool:
        """Found within 60 minutes nearly always."""
        return self.found >= RELIABLE


def power(mentions_per_hour: float, policy: Policy) -> tuple[Power, ...]:
    """For tenfold, fivefold and threefold rises of a series with that mean rate, damped; the largest first.

    Empty for a budget that was not measured: of more than 1,000 weeks, or none. A shorter one than 4 weeks is taken as 4.
    Where the policy's floor is another than the table's, the rate is also looked up in its proportion to the floor and the
    worse figure given: never better than what would be measured, and equal where the floor does not bind.
    Raises ValueError for a rate that is none.
    """
    if not 0 <= mentions_per_hour < math.inf:
        raise ValueError(f"a rate is a number from 0 up, not {mentions_per_hour}")
    if policy.budget_weeks > table.BUDGETS[-1]:
        return ()
    scaled = mentions_per_hour * table.FLOOR / max(policy.min_authors, policy.min_mentions, 1)
    return tuple(
        _worse(_looked_up(times, mentions_per_hour, policy.budget_weeks), _looked_up(times, scaled, policy.budget_weeks))
        for times in sorted(table.TIMES, reverse=True)
    )


def false_pages_a_week(budget_weeks: float) -> tuple[float, float]:
    """Of one watch, for its share of a list's budget: of the rates that were simulated, the quietest and the worst.

    The budget is what the statistic aims at; that of busy watches with many sharers is missed, since it reaches further
    into the tail than the weeks that were heard. Not a number beyond the budgets that were measured.
    """
    if not table.BUDGETS[0] <= budget_weeks <= table.BUDGETS[-1]:
        return math.nan, math.nan
    places = list(_between(table.BUDGETS, budget_weeks))
    rates = [
        sum(part * table.FALSE_PAGES_A_WEEK[table.BUDGETS[row]][place] for row, part in places)
        for place in range(len(table.RATES))
    ]
    return min(rates), max(rates)


def _worse(one: Power, other: Power) -> Power:
    medians = (one.median_minutes, other.median_minutes)
    median = None if medians[0] is None or medians[1] is None else max(medians[0], medians[1])
    return Power(times=one.times, found=min(one.found, other.found), median_minutes=median)


def _looked_up(times: float, rate: float, budget: float) -> Power:
    slowest = table.RATES[0]
    found, log_median = 0.0, 0.0
    for place, rate_part in _between(table.RATES, rate):
        for row, budget_part in _between(table.BUDGETS, budget):
            cell, part = (times, table.BUDGETS[row]), rate_part * budget_part
            minutes = table.MEDIAN_MINUTES[cell][place]
            found += part * table.FOUND_IN_60[cell][place]
            log_median += part * (math.log(minutes) if minutes < table.SPAN_MINUTES else math.inf)
    if rate < slowest:  # nothing is found of nothing
        found, log_median = found * rate / slowest, math.inf
    return Power(times=times, found=found, median_minutes=None if math.isinf(log_median) else math.exp(log_median))


def _between(axis: tuple[float, ...], value: float) -> Iterator[tuple[int, float]]:
    """The places of an axis around a value and the part of each, on a log scale; beyond its ends, the end."""
    if value <= axis[0]:
        yield 0, 1.0
        return
    for place, (low, high) in enumerate(pairwise(axis)):
        if value < high:
            part = math.log(value / low) / math.log(high / low)
            yield place, 1 - part
            if part > 0:
                yield place + 1, part
            return
    yield len(axis) - 1, 1.0
