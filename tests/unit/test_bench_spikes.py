"""The measuring side of the crisis detector: streams, rivals, alarms and the fleet do what their figures are taken for."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from processors.spikes import Policy, Surge
from processors.spikes.damping import COPIES_EXPONENT
from processors.spikes.evaluation import Interval, poisson_interval
from processors.spikes.fleet import Fleet
from processors.spikes.misread import MISSED_PER_FOUND
from processors.spikes.rivals import Agility, EarsC2, EwmaChart, HourZScore, Meltwater, Past, PoissonCusum, Spike, all_rivals
from schemas.labels import Label
from tests.benchmarks.spikes import nab, report
from tests.benchmarks.spikes.alarms import (
    Delays,
    Highest,
    Pages,
    alarms_at,
    first_crossing,
    share_interval,
    threshold_for,
)
from tests.benchmarks.spikes.bound import _bound_row, _where_enough
from tests.benchmarks.spikes.bunches import year_of
from tests.benchmarks.spikes.fitted import Fitted
from tests.benchmarks.spikes.floods import ANSWERS, SERIES, Series, answered, flood_weights
from tests.benchmarks.spikes.replays import labels
from tests.benchmarks.spikes.report import Row, Verdict, judged
from tests.benchmarks.spikes.rivals import Clairvoyant, Mixture
from tests.benchmarks.spikes.simulated import QUICK, Field, Plan, Trials, _moment, try_surge
from tests.benchmarks.spikes.streams import DAY, MONDAY, WEEK, Streams, season, starts, surge


def counted(*runs: tuple[int, float]) -> Past:
    """A past of one series: so many minutes with so many mentions each."""
    past = Past(1)
    for minutes, count in runs:
        for _ in range(minutes):
            past.push(np.array([count]))
    return past


# -- many series at once ------------------------------------------------------------------------------------------------


def test_a_fleet_gives_what_single_series_give() -> None:
    """Scores, sums and expectations, from a mention in hours to fifty a minute, through surges, silence and late mentions."""
    rng = np.random.default_rng(1)
    rates = np.geomspace(0.005, 50, 5)
    singles, fleet = [Surge(MONDAY) for _ in rates], Fleet(len(rates), MONDAY)
    for minute in range(1_500):
        weights = rng.poisson(rates * (12 if minute % 600 > 560 else minute % 800 < 700)).astype(np.float64)
        if minute == 500:
            fleet = Fleet.of(singles)
        if minute == 800:
            singles = [fleet.surge(place) for place in range(len(rates))]
        if minute == 1_100:
            for single in singles:
                single.late(2.0, 3)
            fleet = Fleet.of(singles)
        scores = fleet.tick(weights)
        said = [single.tick(MONDAY + minute, float(weight)) for single, weight in zip(singles, weights, strict=True)]
        assert scores == pytest.approx([evidence.score for evidence in said], abs=1e-6)
        assert fleet.observed_60m == pytest.approx([evidence.observed_60m for evidence in said], rel=1e-9, abs=1e-9)
        assert fleet.expected == pytest.approx([evidence.expected for evidence in said], rel=1e-6)


@pytest.mark.parametrize("crisis", [True, False])
def test_a_fleet_learns_of_a_verdict_what_single_series_learn(crisis: bool) -> None:
    """Also of its tails, through the rise and the calm after it."""
    rng = np.random.default_rng(2)
    rates = np.array([0.2, 3.0])
    singles = [Surge(MONDAY) for _ in rates]
    fleet = Fleet.of(singles)
    for minute in range(2_400):
        if minute == 1_820:
            for single in singles:
                single.take_verdict(crisis=crisis)
            fleet = Fleet.of(singles)
            assert fleet.verdicts.all()
        weights = rng.poisson(rates * (12 if 1_800 <= minute < 1_900 else 1)).astype(np.float64)
        scores = fleet.tick(weights)
        said = [single.tick(MONDAY + minute, float(weight)) for single, weight in zip(singles, weights, strict=True)]
        assert scores == pytest.approx([evidence.score for evidence in said], abs=1e-6)
    assert not fleet.verdicts.any()


def test_the_weight_for_a_score_is_the_least_that_reaches_it() -> None:
    rng = np.random.default_rng(3)
    fleet = Fleet(4, MONDAY)
    for _ in range(1_500):
        fleet.tick(rng.poisson([0.02, 0.3, 3.0, 30.0]).astype(np.float64))
    for place, weight in enumerate(fleet.weight_for(2.0)):
        single = fleet.surge(place)
        assert single.peek(single.next_bucket, weight * (1 + 1e-9) + 1e-9).score >= 2.0
        assert single.peek(single.next_bucket, weight * (1 - 1e-6) - 1e-6).score < 2.0


def test_a_fleet_gives_what_single_series_give_after_the_first_week() -> None:
    """When the hours around and the weekdays are known."""
    rng = np.random.default_rng(2)
    rates = np.array([0.02, 0.5, 20.0])
    singles, fleet = [Surge(MONDAY) for _ in rates], Fleet(len(rates), MONDAY)
    for minute in range(WEEK + 300):
        weights = rng.poisson(rates * (2 if minute % DAY > DAY / 2 else 0.4)).astype(np.float64)
        single = [surge.tick(surge.next_bucket, float(weight)) for surge, weight in zip(singles, weights, strict=True)]
        fleet.tick(weights)
    assert fleet.scores == pytest.approx([evidence.score for evidence in single], rel=1e-5)
    assert fleet.expected == pytest.approx([evidence.expected for evidence in single], rel=1e-5)
    assert fleet.expected[0] < 0.7 * rates[0]


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, math.nan]])
def test_a_fleet_refuses_what_is_no_weight(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="for each of 2 series"):
        Fleet(2, MONDAY).tick(weights)


def test_a_fleet_is_of_one_minute() -> None:
    with pytest.raises(ValueError, match="one minute"):
        Fleet.of([Surge(MONDAY), Surge(MONDAY + 1)])


def test_a_fleet_takes_little_memory_and_a_copy_is_its_own() -> None:
    fleet = Fleet(1_000, MONDAY)
    assert fleet.nbytes / len(fleet) < 400
    other = fleet.copy()
    other.advance(MONDAY + 5)
    assert fleet.next_bucket == MONDAY
    assert not fleet.buckets.any()


# -- streams ------------------------------------------------------------------------------------------------------------


def test_the_season_is_as_in_the_study() -> None:
    """Mean 1, five times from trough to peak on a weekday, weekends at 0.6."""
    shares = season()
    assert shares.mean() == pytest.approx(1)
    weekday = shares[:DAY]
    assert weekday.max() / weekday.min() == pytest.approx(5, rel=0.1)
    assert shares[5 * DAY : 6 * DAY] == pytest.approx(0.6 * weekday)


def test_a_stream_has_the_moments_it_is_made_with() -> None:
    """Counts have the mean of their rates; the frailty has mean 1, its log variance is 0.35² + 0.40²."""
    stretch = Streams(np.full(300, 60.0), 999).take(2 * DAY)
    frailty = stretch.rates / stretch.usual
    assert frailty.mean() == pytest.approx(1, abs=0.02)
    assert np.log(frailty).var() == pytest.approx(0.35**2 + 0.40**2, rel=0.05)
    assert stretch.counts.mean() == pytest.approx(stretch.rates.mean(), rel=0.02)
    logs = np.log(frailty) - np.log(frailty).mean()
    assert (logs[:-180] * logs[180:]).mean() == pytest.approx(0.40**2 * math.exp(-1), rel=0.15)  # the slow wave, an e-fold


def test_a_stream_without_waves_is_poisson() -> None:
    stretch = Streams(np.full(400, 600.0), 999, waves=()).take(60)
    assert stretch.rates == pytest.approx(stretch.usual)
    assert (stretch.counts.var(axis=1) / stretch.counts.mean(axis=1)).mean() == pytest.approx(1, abs=0.05)


def test_series_of_a_group_move_together() -> None:
    stretch = Streams(np.full(40, 60.0), 999, groups=np.repeat(np.arange(20), 2), shared=0.8).take(2 * DAY)
    logs = np.log(stretch.rates / stretch.usual)
    together = np.mean([np.corrcoef(logs[:, 2 * n], logs[:, 2 * n + 1])[0, 1] for n in range(20)])
    apart = np.mean([np.corrcoef(logs[:, 2 * n], logs[:, (2 * n + 2) % 40])[0, 1] for n in range(20)])
    assert together == pytest.approx(0.8, abs=0.1)
    assert apart == pytest.approx(0, abs=0.15)


def test_days_join_without_a_gap() -> None:
    whole = list(Streams(np.array([60.0]), 7).days(3, ahead=30))
    for (_, day), (_, following) in pairwise(whole):
        assert (day.counts[DAY:] == following.counts[:30]).all()
    assert [first for first, _ in whole] == [0, DAY, 2 * DAY]
    assert whole[0][1].usual[0] == pytest.approx(season()[0])
    assert whole[2][1].usual[0] == pytest.approx(season()[2 * DAY])


def test_a_surge_of_ten_adds_nine_times_the_usual_whatever_the_waves_do() -> None:
    extra = surge(np.random.default_rng(1), np.full((1_000, 50), 2.0), 10.0)
    assert extra.mean() == pytest.approx(18, rel=0.01)


def test_surges_start_at_all_hours_of_the_chosen_days() -> None:
    found = starts(np.random.default_rng(1), first_day=7, days=14, count=24)
    assert sorted(minute % DAY // 60 for minute in found) == list(range(24))
    assert {minute // DAY for minute in found} == set(range(7, 21))


# -- rivals, by hand ----------------------------------------------------------------------------------------------------


def test_the_past_counts_back_from_now() -> None:
    past = counted((100, 1.0), (60, 2.0), (5, 10.0))
    assert past.total(5)[0] == 50
    assert past.total(60, before=5)[0] == 120
    assert past.total(1_000)[0] == 100 + 120 + 50
    assert past.hourly(60, before=65)[0] == 60
    assert past.hourly(1_000, before=65)[0] == 60  # over the 100 minutes that there are
    assert Past(1).hourly(60)[0] == 0.5


def test_a_past_forgets_nothing_within_its_length() -> None:
    past = counted((3 * WEEK // 2, 1.0))
    assert past.total(WEEK)[0] == WEEK
    assert past.hourly(WEEK)[0] == pytest.approx(60)


def test_elastalert_compares_two_hours() -> None:
    assert Spike().value(counted((60, 1.0), (60, 3.0)))[0] == 3
    assert Spike().value(counted((60, 0.0), (60, 3.0)))[0] == 0  # threshold_ref
    assert Spike().value(counted((57, 0.0), (3, 1.0), (53, 0.0), (7, 1.0)))[0] == 0  # threshold_cur


def test_agility_compares_with_the_week() -> None:
    assert Agility().value(counted((WEEK, 1.0), (60, 1.5)))[0] == pytest.approx(1.5)


def test_meltwater_is_silent_about_what_the_day_before_had_too() -> None:
    assert Meltwater().value(counted((24 * 60, 1.0), (60, 4.0)))[0] == pytest.approx(4)
    busy_day = counted((12 * 60, 4.0), (12 * 60, 1.0), (60, 4.0))
    assert Meltwater().value(busy_day)[0] == pytest.approx(4 / 2.5)


def test_ears_c2_leaves_two_hours_between() -> None:
    """Baseline hours 60, 120, ... 60 of seven: mean and standard deviation with n - 1, nothing of the last two hours."""
    hours = [60.0, 120.0, 60.0, 120.0, 60.0, 120.0, 60.0]
    past = counted(*((60, hour / 60) for hour in hours), (120, 50.0), (60, 5.0))
    assert EarsC2().value(past)[0] == pytest.approx((300 - np.mean(hours)) / np.std(hours, ddof=1))
    assert EarsC2().value(counted((9 * 60, 1.0), (60, 2.0)))[0] == pytest.approx(60 / 0.5)


def test_the_z_score_compares_with_the_hours_before() -> None:
    """After weeks of 60 an hour nothing is left to say; then it is a distance over a standard deviation."""
    rule, past = HourZScore(1), Past(1)
    for _ in range(2 * WEEK):
        past.push(np.array([1.0]))
        value = rule.value(past)
    assert value[0] == pytest.approx(0, abs=0.1)
    mean, variance = float(rule._hours.mean[0]), float(rule._hours.variance[0])
    past.push(np.array([31.0]))
    assert rule.value(past)[0] == pytest.approx((90 - mean) / math.sqrt(variance + 0.5))


def test_the_ewma_chart_by_hand() -> None:
    rule, past = EwmaChart(1), Past(1)
    past.push(np.array([2.0]))
    assert rule.value(past)[0] == pytest.approx(0.4 / math.sqrt(0.5 * 0.2 / 1.8))
    mean = 2 / 60
    past.push(np.array([1.0]))
    variance = (4 - 0) / 60
    assert rule.value(past)[0] == pytest.approx((0.4 + 0.2 * 0.6 - mean) / math.sqrt((variance + 0.5) * 0.2 / 1.8))


def test_the_poisson_cusum_by_hand() -> None:
    rule, past = PoissonCusum(1), Past(1)
    past.push(np.array([3.0]))
    assert rule.value(past)[0] == pytest.approx(3 * math.log(5) - 4 * 0.5 / 60)
    past.push(np.array([0.0]))
    assert rule.value(past)[0] == pytest.approx(3 * math.log(5) - 4 * 0.5 / 60 - 4 * 3 / 60)


@pytest.mark.parametrize("number", range(7))
def test_a_copied_rival_goes_its_own_way(number: int) -> None:
    """What its copy hears changes nothing."""
    one, two = all_rivals(1)[number], all_rivals(1)[number]
    past = counted((200, 1.0))
    for rule in (one, two):
        rule.value(past)
    copy, louder = one.copy(), past.copy()
    louder.push(np.array([500.0]))
    copy.value(louder)
    past.push(np.array([2.0]))
    assert one.value(past) == two.value(past)


def test_the_clairvoyant_sum_by_hand() -> None:
    bound = Clairvoyant(1, 10.0)
    assert bound.value(np.array([2.0]), np.array([0.1]))[0] == pytest.approx(2 * math.log(10) - 0.9)
    assert bound.value(np.array([0.0]), np.array([0.1]))[0] == pytest.approx(2 * math.log(10) - 1.8)
    assert bound.value(np.array([0.0]), np.array([9.0]))[0] == 0


def test_the_clairvoyant_sum_is_near_its_theory() -> None:
    """Lorden: a threshold of ln(minutes) has at most one false alarm in so many; the delay is about threshold / information."""
    rng = np.random.default_rng(12)
    rate, times, series = np.full(200, 1.0), 5.0, 200
    bound, highest = Clairvoyant(series, times), Highest(series)
    for _ in range(2 * DAY):
        highest.push(bound.value(rng.poisson(rate).astype(float), rate))
    threshold = math.log(DAY)
    false = alarms_at(highest.of(np.ones(series, np.bool_)), threshold)
    assert false <= 2 * series * 1.2
    bound, delays = Clairvoyant(series, times), np.full(series, np.inf)
    for minute in range(60):
        value = bound.value(rng.poisson(times * rate).astype(float), rate)
        delays[(value > threshold) & np.isinf(delays)] = minute + 1
    information = times * math.log(times) - times + 1
    assert 0 <= delays.mean() - threshold / information <= 1.5


def test_the_ratio_over_all_beginnings_by_hand() -> None:
    """Of each height: (1 + ratio before) times the likelihood ratio of the minute; then the mean of the three."""
    rule, rates, ratios = Mixture(1, "told"), np.array([0.1]), [0.0, 0.0, 0.0]
    for count in (2.0, 0.0, 1.0):
        value = rule.value(np.array([count]), rates)
        ratios = [
            (1 + ratio) * times**count * math.exp(-(times - 1) * 0.1)
            for ratio, times in zip(ratios, (5.0, 10.0, 20.0), strict=True)
        ]
        assert value[0] == pytest.approx(math.log(sum(ratios) / 3))
    other = rule.copy()
    assert other.value(np.array([5.0]), rates)[0] > rule.value(np.array([0.0]), rates)[0]


def test_the_mean_ratio_is_the_minutes_that_passed() -> None:
    """Where nothing happens: what its threshold is in false alarms follows from that (Pollak and Tartakovsky 2009)."""
    rng, series, minutes = np.random.default_rng(5), 40_000, 20
    rule, rates = Mixture(series, "told"), np.full(series, 0.01)
    for _ in range(minutes):
        value = rule.value(rng.poisson(rates).astype(float), rates)
    assert np.exp(value).mean() == pytest.approx(minutes, rel=0.1)


def test_a_season_is_fitted_in_its_own_form() -> None:
    """Six numbers a series from the counts of three weeks; what a copy hears the first one does not."""
    streams = Streams([60.0, 600.0], 21, waves=())
    fitted = Fitted(2)
    for _ in range(21):
        stretch = streams.take(DAY)
        for counts in stretch.counts:
            fitted.push(counts)
    other = fitted.copy()
    for usual in streams.take(WEEK).usual:
        assert fitted.rates() == pytest.approx(usual, rel=0.1)
        fitted.push(usual)
    for _ in range(WEEK):
        other.push(np.zeros(2))
    assert other.rates()[1] == pytest.approx(0.75 * fitted.rates()[1], rel=0.02)


# -- alarms -------------------------------------------------------------------------------------------------------------


def test_the_interval_of_a_count_is_exact() -> None:
    """Garwood's, as in any table."""
    assert poisson_interval(0) == pytest.approx((0, 3.689), abs=1e-3)
    assert poisson_interval(1) == pytest.approx((0.0253, 5.572), abs=1e-3)
    assert poisson_interval(10) == pytest.approx((4.795, 18.390), abs=1e-3)
    assert poisson_interval(100) == pytest.approx((81.364, 121.627), abs=1e-3)


def test_the_interval_of_a_share() -> None:
    """Wilson's."""
    found = share_interval(5, 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)
    assert share_interval(0, 100).low == 0


def test_alarms_are_counted_six_hours_apart() -> None:
    highest = Highest(2)
    for minute in range(40 * 30):
        highest.push(np.array([5.0 if minute // 30 in (0, 3, 12, 13, 14, 30) else 0.0, 1.0]))
    values = highest.of(np.array([True, False]))
    assert values.shape == (40, 1)
    assert alarms_at(values, 4.0) == 3  # in half hours 0, 13, 30
    assert alarms_at(values, 5.0) == 0
    both = highest.of(np.array([True, True]))
    assert threshold_for(both, 3) == 1.0
    assert threshold_for(both, 0) == 5.0


def test_an_alarm_of_before_the_surge_finds_nothing() -> None:
    values = np.array([[0, 9, 0], [5, 9, 0], [9, 9, 0]], np.float32)
    assert first_crossing(values, 4.0).tolist() == [1.0, pytest.approx(math.nan, nan_ok=True), math.inf]


def test_delays_leave_out_what_was_alarmed_before_and_count_what_was_missed() -> None:
    delays = Delays(np.array([[1.0, 3.0, math.inf], [2.0, math.nan, math.inf]]))
    assert delays.surges == 5
    assert delays.median().value == 3.0
    assert delays.within(2).value == pytest.approx(0.4)
    assert delays.within(2).low <= 0.4 <= delays.within(2).high
    assert Delays(np.array([[1.0, math.inf, math.inf]])).median().value == math.inf


def test_pages_are_those_of_the_episode() -> None:
    """A rise that is over, a second page within the refractory time only when it has doubled, too few mentions, a notice."""
    pages = Pages()
    page = np.array([3.0])
    for bucket, weight, mentions in ((10, 20.0, 7.0), (11, 20.0, 8.0), (12, 20.0, 9.0), (200, 30.0, 30.0), (400, 40.0, 30.0)):
        pages.push(bucket, page, np.array([weight]), np.array([mentions]))
    pages.push(900, np.array([1.0]), np.array([5.0]), np.array([30.0]))
    assert pages.onsets(Policy()) == {0: [11, 400]}
    assert pages.onsets(Policy(budget_weeks=100.0)) == {0: []}


def test_the_bar_beside_the_bound() -> None:
    def verdict(times: float, rate: float, ours: float, bound: float) -> Verdict:
        other = Interval(value=1.0, low=1.0, high=1.0)
        ours_and_bound = (Interval(value=each, low=each, high=each) for each in (ours, bound))
        return _bound_row(times, rate, *ours_and_bound, [other] * 3).verdict

    assert verdict(10.0, 0.5, 59, 57) is Verdict.MET
    assert verdict(10.0, 0.5, 60, 57) is Verdict.MISSED
    assert verdict(5.0, 1.5, 112, 70) is Verdict.MET
    assert verdict(5.0, 1.5, 113, 70) is Verdict.MISSED
    assert verdict(5.0, 0.5, math.inf, math.inf) is Verdict.MISSED
    assert verdict(3.0, 0.5, math.inf, 80) is Verdict.REPORTED


def test_a_page_waits_for_its_mentions() -> None:
    """Three series, above the threshold from the first minute on: enough mentions in the second minute, never, and before."""
    values = np.array([[0, 0, 3], [3, 3, 3], [3, 3, 3]], np.float32)
    mentions = np.array([[7, 7, 8], [7, 7, 8], [8, 7, 8]], np.float32)
    assert first_crossing(_where_enough(values, mentions), 2.0) == pytest.approx([2, math.inf, math.nan], nan_ok=True)


# -- surges and reports -------------------------------------------------------------------------------------------------


def test_a_surge_is_tried_in_a_copy_and_found_sooner_inside_the_bucket() -> None:
    per_hour = np.full(8, 60.0)
    streams, trials = Streams(per_hour, 5, waves=()), Trials()
    field = Field(per_hour, longest_minutes=60, told=[Clairvoyant(8, 20.0)], on_fitted=[Mixture(8, "fitted")])
    quiet = streams.take(DAY + 14 * 60)
    for counts, rates in zip(quiet.counts, quiet.rates, strict=True):
        field.tick(counts, rates)
    before = field.fleet.scores.copy()
    try_surge(field, streams.take(60), np.random.default_rng(1), 20.0, trials, keep=True)
    assert (field.fleet.scores == before).all()
    assert np.isfinite(trials.closed[0]).all()
    assert (trials.inside[0] <= trials.closed[0]).all()
    assert (trials.inside[0] > trials.closed[0] - 1).all()
    assert trials.values["SURGE"][0].shape == (61, 8)
    assert (trials.values["fitted"][0][-1] > 10 * trials.values["fitted"][0][0] + 1).all()
    assert field.fitted is not None and (field.fitted.rates() < 4).all()  # the surge was heard by the copy alone
    first = first_crossing(trials.values["SURGE"][0], Policy().page_score - 1e-6)
    assert (first <= trials.closed[0]).all()


def test_inside_a_minute_the_mention_that_decides_comes_in_its_turn() -> None:
    rng = np.random.default_rng(1)
    moments = _moment(rng, np.full(5_000, 2.5), np.full(5_000, 9.0))
    assert moments.mean() == pytest.approx(3 / 10, abs=0.01)
    assert _moment(rng, np.array([9.5]), np.array([9.0])).tolist() == [1.0]


def test_ordinary_days_are_those_without_an_event_near() -> None:
    """Copies count once; before and after a day with more than 30 posts of one institution it is not ordinary for that one."""
    noon = datetime(2022, 1, 12, 9, 0, tzinfo=UTC)
    crowd = [(noon + timedelta(minutes=minute), "A", f"sistem {minute} yine açılmıyor") for minute in range(31)]
    told = [
        (noon - timedelta(days=5), "B", "kütüphane saat kaçta kapanıyor"), (noon - timedelta(days=5), "B", "kütüphane saat kaçta kapanıyor"),
        *crowd, (noon + timedelta(days=400), "A", "çok sonra"),
    ]  # fmt: skip
    year = year_of(({"at": at, "institution": institution, "text": text} for at, institution, text in told), 2)
    assert year.institutions == ["A", "B"]
    assert year.days[4] == [(12 * 60, 1)]
    assert len(year.days) == 14
    assert year.ordinary[:, 1].all()
    assert np.flatnonzero(~year.ordinary[:, 0]).tolist() == [7, 8, 9, 10, 11]


def test_copies_and_repeats_weigh_little() -> None:
    one = flood_weights([(float(minute), "one", f"text {minute}") for minute in range(10)], 10)
    assert (one[0].sum(), one[1].sum(), one[2].sum()) == (1, 10, 1)
    many = flood_weights([(minute / 20, f"account {minute}", "text") for minute in range(200)], 10)
    assert many[0].sum() == pytest.approx(200**COPIES_EXPONENT)
    assert (many[1].sum(), many[2].sum()) == (200, 200)


def test_series_see_what_the_model_leaves_of_a_rise() -> None:
    assert ANSWERS.sum() == 2_164
    prize, cut = answered("prize"), answered("water cut")
    assert [sum(prize), sum(cut)] == pytest.approx([1, 1])
    assert prize[0] < cut[0] < cut[2]
    assert cut[1] < 0.2 < 0.6 < prize[1]
    minute = np.array([[3.0], [10.0], [2.0]])  # negative, positive, neither
    weights = {name: Series(name, 1).weight(minute).tolist() for name in SERIES}
    assert weights == {"concern": [5 - 10 * MISSED_PER_FOUND], "negative only": [3.0], "all": [15.0]}


def test_nab_s_formula_at_its_corners() -> None:
    windows, minutes = [(1_000, 2_000)], 4_000
    costs = {"false_cost": 0.11, "missed_cost": 1.0}
    assert nab.score([1_000], windows, minutes, **costs) == pytest.approx(1)
    assert nab.score([1_999], windows, minutes, **costs) == pytest.approx(0, abs=0.01)
    assert nab.score([], windows, minutes, **costs) == -1
    assert nab.score([1_000, 900], windows, minutes, **costs) == pytest.approx(1 - 0.11)
    assert nab.score([1_000, 100], windows, minutes, **costs) == pytest.approx(1)  # while it learns
    assert 0.9 < nab.score([1_000, 2_010], windows, minutes, **costs) < 1


def test_the_last_lines_name_what_was_missed() -> None:
    rows = [
        judged("a", "one", "3", "at most 4", holds=True),
        judged("a", "two", "5", "at most 4", holds=False),
        Row(part="b", what="three", measured="", bar="later", verdict=Verdict.SKIPPED),
        Row(part="b", what="four", measured="9"),
    ]
    assert report.summary(rows).splitlines() == [
        "skipped: b: three",
        "MISSED: a: two",
        "bars met: 1; missed: 1; skipped: 1",
    ]
    assert report.failed(rows)
    assert not report.failed([rows[0], *rows[2:]])
    text = report.as_text(rows)
    assert "MISSED: two: 5   [at most 4]" in text
    assert "skipped: three   [later]" in text
    assert report.as_value(rows)["missed"]


def test_noise_errs_as_the_model_does() -> None:
    """On random truths: more wrong than right is impossible, and it is the same each time."""
    told = labels("noise", 2_000, seed=3)
    assert told == labels("noise", 2_000, seed=3) != labels("noise", 2_000, seed=4)
    truth = np.array([0.6, 0.3, 0.1]) @ (ANSWERS / ANSWERS.sum(axis=1, keepdims=True))
    assert told.count(Label.UNSURE) / 2_000 == pytest.approx(truth[3], abs=0.02)
    assert told.count(Label.NEGATIVE) / 2_000 == pytest.approx(truth[0], abs=0.04)
    assert set(labels("unsure", 3)) == {Label.UNSURE}
    assert set(labels("none", 3)) == {Label.NEUTRAL}


def test_quick_is_less_of_everything() -> None:
    full = Plan()
    assert all(getattr(QUICK, name) <= getattr(full, name) for name in ("series", "weeks", "surges", "lists"))
    assert full.series * full.weeks >= 500
