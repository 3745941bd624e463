"""Detection power: the table is of this detector, and what is said of it is no better than what was measured."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.spikes import Policy, power_table
from processors.spikes.power import RELIABLE, false_pages_a_week, power
from tests.benchmarks.spikes.power import Plan, fingerprint, measure, probe

ANEW = "the detector has changed: run 'make bench-power', and look at what became of the table"
rates = st.floats(0, 1e6)
budgets = st.floats(0.1, 1_000)


# -- the table ----------------------------------------------------------------------------------------------------------


def test_the_table_is_of_these_constants() -> None:
    assert fingerprint() == power_table.FINGERPRINT, ANEW


def test_the_table_is_of_this_statistic() -> None:
    """Its scores on a few series, constants aside; the C library's exp and log may differ in the last bit."""
    assert probe() == pytest.approx(power_table.PROBE, abs=0.01), ANEW


def test_a_fresh_simulation_gives_about_what_the_table_says() -> None:
    """Few rises and another seed, of the third week alone: hence the wide limits."""
    plan = Plan(series=16, weeks=1, rises=12, rates=(12.0, 600.0), times=(5.0, 10.0), budgets=(4.0, 12.0))
    found = measure(plan, seed=21).found
    for (times, budget, rate), entry in found.items():
        place = power_table.RATES.index(rate)
        median, share = (figures[times, budget][place] for figures in (power_table.MEDIAN_MINUTES, power_table.FOUND_IN_60))
        assert entry.found == pytest.approx(share, abs=0.2), (times, budget, rate, ANEW)
        if median < 60:
            assert entry.median == pytest.approx(median, rel=0.4, abs=2), (times, budget, rate, ANEW)


def test_the_table_is_complete() -> None:
    for figures in (power_table.MEDIAN_MINUTES, power_table.FOUND_IN_60):
        assert set(figures) == {(times, budget) for times in power_table.TIMES for budget in power_table.BUDGETS}
        assert {len(row) for row in figures.values()} == {len(power_table.RATES)}


# -- what is made of it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", power_table.RATES)
@pytest.mark.parametrize("budget", power_table.BUDGETS)
def test_what_was_measured_is_given_as_it_was_measured(rate: float, budget: float) -> None:
    place = power_table.RATES.index(rate)
    for each in power(rate, Policy(budget_weeks=budget)):
        assert each.found == pytest.approx(power_table.FOUND_IN_60[each.times, budget][place])
        median = power_table.MEDIAN_MINUTES[each.times, budget][place]
        expected = None if median >= power_table.SPAN_MINUTES else pytest.approx(median)
        assert each.median_minutes == expected


def test_between_two_rates_it_lies_between() -> None:
    low, between, high = (power(rate, Policy())[0] for rate in (12.0, 27.0, 60.0))
    assert low.found < between.found < high.found
    assert low.median_minutes is not None
    assert between.median_minutes is not None
    assert high.median_minutes is not None
    assert low.median_minutes > between.median_minutes > high.median_minutes


def test_between_two_budgets_it_lies_between() -> None:
    small, between, large = (power(12.0, Policy(budget_weeks=weeks))[0].found for weeks in (12, 30, 60))
    assert small > between > large


@given(rates, budgets)
def test_a_larger_rise_is_found_more_often(rate: float, budget: float) -> None:
    tenfold, fivefold, threefold = power(rate, Policy(budget_weeks=budget))
    assert (tenfold.times, fivefold.times, threefold.times) == (10, 5, 3)
    assert 1 >= tenfold.found >= fivefold.found >= threefold.found >= 0


@given(rates, st.floats(4, 1_000), st.floats(1, 4))
def test_a_rarer_false_call_costs_power(rate: float, budget: float, more: float) -> None:
    """By no figure does it gain; the table is measured, so a hair is allowed."""
    rarer = power(rate, Policy(budget_weeks=min(budget * more, 1_000)))
    for one, other in zip(power(rate, Policy(budget_weeks=budget)), rarer, strict=True):
        assert other.found <= one.found + 1e-9


@given(rates, st.integers(1, 500), st.integers(1, 500))
def test_another_floor_never_makes_it_better(rate: float, authors: int, mentions: int) -> None:
    """Which of the two binds does not matter, each mention being by an author of its own."""
    policy = Policy(min_authors=authors, min_mentions=mentions)
    assert power(rate, policy) == power(rate, Policy(min_authors=mentions, min_mentions=authors))
    for one, other in zip(power(rate, Policy()), power(rate, policy), strict=True):
        assert other.found <= one.found


def test_a_floor_that_a_rise_cannot_reach_is_told() -> None:
    """Sixty an hour after the rise, and a hundred are asked."""
    assert power(60.0, Policy())[0].reliable
    assert not power(6.0, Policy(min_mentions=100))[0].reliable
    assert power(600.0, Policy(min_mentions=100))[0].reliable


def test_a_higher_floor_is_told_no_better_than_measured() -> None:
    """At the rate at which it binds."""
    plan = Plan(series=16, weeks=1, rises=12, rates=(12.0,), times=(10.0,), budgets=(12.0,), floor=24)
    [entry] = measure(plan, seed=22).found.values()
    said = power(12.0, Policy(min_mentions=24))[0]
    assert said.found <= entry.found + 0.1
    assert said.median_minutes is not None
    assert said.median_minutes >= 0.8 * entry.median


def test_of_nothing_nothing_is_found() -> None:
    assert [each.found for each in power(0, Policy())] == [0, 0, 0]
    assert power(0.1, Policy())[0].found < power(0.5, Policy())[0].found < RELIABLE


@pytest.mark.parametrize("budget", [1_001, math.inf])
def test_what_was_not_measured_is_not_told(budget: float) -> None:
    assert power(60.0, Policy(budget_weeks=budget)) == ()


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf])
def test_what_is_no_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="a rate is a number from 0 up"):
        power(rate, Policy())


def test_false_pages_of_a_share_grow_with_the_budget_and_are_not_told_beyond_it() -> None:
    """Of one watch: the quietest never fewer than none, the worst more than the budget says, since its tail is heavy."""
    low, high = false_pages_a_week(12)
    assert 0 <= low < 1 / 12 < high
    assert high > false_pages_a_week(30)[1] > false_pages_a_week(60)[1] > 1 / 60
    assert math.isnan(false_pages_a_week(2_000)[1])
