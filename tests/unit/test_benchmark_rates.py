"""The benchmark's arithmetic, on times whose rate is known."""

import pytest

from tests.benchmarks.latency import split
from tests.benchmarks.rates import Spread, quantile, steady_rate


def bursts(rate: float, sizes: list[int], spread_secs: float = 0.1) -> list[float]:
    """The results of a batch are written within moments, when all of it has been judged."""
    times, now = [], 100.0
    for size in sizes:
        now += size / rate
        times += [now - spread_secs * (size - 1 - number) / size for number in range(size)]
    return times


@pytest.mark.parametrize("sizes", [[256] * 12, [30, *[256] * 11, 40], [17, 256, 100, 256, 256, 3] * 4])
def test_the_rate_does_not_depend_on_where_the_batches_are_cut(sizes: list[int]) -> None:
    """Neither a small first batch nor a rest at the end changes it."""
    assert steady_rate(bursts(80.0, sizes)) == pytest.approx(80.0, rel=1e-6)


def test_results_one_by_one_are_counted_one_by_one() -> None:
    """As the naive agent writes them."""
    assert steady_rate(bursts(25.0, [1] * 300)) == pytest.approx(25.0)


def test_start_and_end_do_not_count() -> None:
    """A slow first and last part say nothing about the rest."""
    times = [*bursts(1.0, [1] * 10)]
    times += [times[-1] + number / 50 for number in range(1, 181)]
    times += [times[-1] + number for number in range(1, 11)]
    assert steady_rate(times) == pytest.approx(50.0, rel=0.05)


def test_a_pause_in_the_middle_counts() -> None:
    """It is part of what a batch took, and hides no boundary between two."""
    times = bursts(80.0, [256] * 12)
    later = [time + (10.0 if number >= 5 * 256 else 0.0) for number, time in enumerate(times)]
    assert steady_rate(later) == pytest.approx(9 * 256 / (9 * 256 / 80 + 10), rel=0.15)


def test_quantiles_are_values_that_were_measured() -> None:
    """The one that so many do not exceed."""
    values = [0.1 * number for number in range(1, 41)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1.0)) == (values[19], values[39], values[39])
    assert quantile([3.0], 0.01) == 3.0


def test_a_median_is_shown_with_its_range() -> None:
    """And with the number of rounds that it rests on."""
    assert Spread.of([0.9, 0.8, 0.85]).shown(2) == "0.85 (0.80–0.90, 3 rounds)"


def test_a_message_s_time_is_split_by_role() -> None:
    """Mention, hit, signal, notification, sent: four roles between five moments."""
    assert split((10.0, 10.5, 12.5, 12.75, 13.0)) == {"enrich": 0.5, "detect": 2.0, "alert": 0.25, "deliver": 0.25}
