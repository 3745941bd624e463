"""SURGE: a pure, exact function of its calls, which finds surges and leaves quiet streams alone."""

import base64
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.spikes import (
    Evidence,
    Member,
    Mention,
    Surge,
    Transition,
    TransitionKind,
    copy_weight,
    run_counts,
    run_mentions,
    typical,
)
from processors.spikes.baseline import HOURS_AROUND, SEASON_PRIOR, Baseline, minute_of_week, share
from processors.spikes.expectations import Expectation, known
from processors.spikes.members import excess_scale

MONDAY = 29_368_620  # 00:00 in Türkiye
DAY = 24 * 60
TELECOM = Path(__file__).parents[3] / "shared/data/replay/telecom_2019-09-26.jsonl"

few_mentions = st.sampled_from([0.0, 0.0, 0.0, 1.0, 1.0, 2.0, copy_weight(2)])
weights = st.one_of(few_mentions, st.floats(0, 500))
streams = st.lists(weights, max_size=120)


@st.composite
def surges(draw: st.DrawFn) -> Surge:
    """A series with some history: quiet hours, then anything."""
    surge = Surge(MONDAY + draw(st.integers(0, 7 * DAY)))
    rng = Random(draw(st.integers(0, 99)))
    for weight in [*(float(rng.random() < 0.4) for _ in range(draw(st.integers(0, 200)))), *draw(streams)]:
        surge.tick(surge.next_bucket, weight)
    return surge


def ticked(surge: Surge, stream: list[float]) -> list[Evidence]:
    return [surge.tick(surge.next_bucket, weight) for weight in stream]


# -- exactness ----------------------------------------------------------------------------------------------------------


@given(surges(), weights, st.booleans())
def test_peek_is_what_tick_returns_and_changes_nothing(surge: Surge, weight: float, late: bool) -> None:
    if late:
        surge.late(weight, 3)
    before = surge.pack()
    peeked = surge.peek(surge.next_bucket, weight)
    assert surge.pack() == before
    assert surge.tick(surge.next_bucket, weight) == peeked == surge.last


@given(surges(), st.lists(weights, min_size=2, max_size=8))
def test_more_weight_never_means_less_evidence(surge: Surge, stream: list[float]) -> None:
    scores = [surge.peek(surge.next_bucket, weight).score for weight in sorted(stream)]
    assert scores == sorted(scores)


operations = st.lists(
    st.one_of(st.tuples(st.just("tick"), weights), st.tuples(st.just("late"), few_mentions, st.integers(0, 20))), max_size=60
)


@given(surges(), operations, st.sets(st.integers(0, 59)))
def test_storing_and_loading_at_any_point_changes_no_bit(surge: Surge, calls: list, reload_at: set[int]) -> None:
    stored = surge.copy()
    for number, (name, *arguments) in enumerate(calls):
        if number in reload_at:
            stored = Surge.unpack(stored.pack())
        for each in (surge, stored):
            if name == "late":
                each.late(*arguments)
            else:
                each.tick(each.next_bucket, *arguments)
        assert surge.last == stored.last
    assert surge.pack() == stored.pack()


@given(surges(), st.integers(0, 300))
def test_advance_is_so_many_empty_ticks(surge: Surge, minutes: int) -> None:
    other = surge.copy()
    to_bucket = surge.next_bucket + minutes
    ticked(surge, [0.0] * minutes)
    assert other.advance(to_bucket) == surge.last
    assert other.pack() == surge.pack()


@given(surges(), st.integers(1, 200))
def test_empty_minutes_add_no_evidence(surge: Surge, minutes: int) -> None:
    scores = [surge.last.score, *(evidence.score for evidence in ticked(surge, [0.0] * minutes))]
    assert scores == sorted(scores, reverse=True)


@given(surges(), streams)
def test_the_state_does_not_grow(surge: Surge, stream: list[float]) -> None:
    size = len(Surge(MONDAY).pack())
    ticked(surge, stream)
    assert len(surge.pack()) == size <= 256


@given(surges(), st.permutations([(1.0, 0), (0.5, 3), (2.0, 14), (1.0, 40), (0.25, 90)]))
def test_late_mentions_may_come_in_any_order(surge: Surge, late: list[tuple[float, int]]) -> None:
    other = surge.copy()
    for each, order in ((surge, late), (other, sorted(late))):
        for weight, age in order:
            each.late(weight, age)
    assert surge.peek(surge.next_bucket, 1.0).observed_60m == pytest.approx(
        other.peek(other.next_bucket, 1.0).observed_60m, rel=1e-12
    )


@given(st.integers(0, 300), weights)
def test_a_late_mention_counts_in_the_hour_as_if_it_had_come_in_time(age: int, weight: float) -> None:
    in_time, late = Surge(MONDAY), Surge(MONDAY)
    for surge, first in ((in_time, weight), (late, 0.0)):
        surge.advance(MONDAY + 60)  # until then it only measures
        surge.tick(MONDAY + 60, first)
        surge.advance(MONDAY + 61 + age)
    late.late(weight, age)
    following = in_time.next_bucket
    assert late.peek(following, 0.0).observed_60m == pytest.approx(in_time.peek(following, 0.0).observed_60m, rel=1e-9)


def test_a_late_mention_counts_at_the_next_tick_even_if_that_is_empty() -> None:
    surge = Surge(MONDAY)
    surge.advance(MONDAY + 600)
    surge.late(100.0, 1)
    assert surge.copy().tick(MONDAY + 600, 0.0).score > 0
    assert surge.tick(MONDAY + 600, 0.0).score > 0


@pytest.mark.parametrize("bucket", [MONDAY - 1, MONDAY + 1])
def test_a_bucket_that_is_not_the_next_is_refused(bucket: int) -> None:
    with pytest.raises(ValueError, match=f"bucket {MONDAY} is next"):
        Surge(MONDAY).tick(bucket, 0.0)


@pytest.mark.parametrize("weight", [-1.0, math.inf, math.nan])
def test_what_is_no_weight_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="from 0 up"):
        Surge(MONDAY).peek(MONDAY, weight)


def test_a_state_of_another_version_is_refused() -> None:
    packed = Surge(MONDAY).pack()
    for wrong in (b"\x03" + packed[1:], packed[:-1], b""):
        with pytest.raises(ValueError, match="no state of version 2 or 1"):
            Surge.unpack(wrong)


def test_the_state_of_the_version_before_is_read() -> None:
    """As a program that is updated finds it: what is usual at which hour, thresholds and the place in time survive."""
    stored = json.loads((Path(__file__).parent / "states" / "surge-1.json").read_text(encoding="utf-8"))
    surge = Surge.unpack(base64.b64decode(stored["state"]))
    assert surge.next_bucket == stored["next_bucket"]
    assert surge.level == stored["level"]
    assert surge.last.score == pytest.approx(stored["last_score"])
    assert surge._hour.tail.threshold == stored["hour_threshold"]
    # What was stored is what the sums gave before the typical day had a part in the shares: they have survived.
    season, prior = surge._baseline.season, SEASON_PRIOR / surge.level
    sums = list(zip(season.hours_seen, season.hours_expected, strict=True))
    around = [
        [sum(column) for column in zip(*(sums[(hour + each) % 24] for each in HOURS_AROUND), strict=True)] for hour in range(24)
    ]
    without = [share(*sums[hour], prior, share(*around[hour], prior)) for hour in range(24)]
    assert without == pytest.approx(stored["hour_shares"], rel=0.01)
    shares = [surge._baseline.usual(6 * DAY + hour * 60 + 30).hour_share for hour in range(24)]
    assert shares == pytest.approx(stored["hour_shares"], rel=0.1)  # today what is typical has a part in them
    surge.tick(surge.next_bucket, 1.0)
    assert len(surge.pack()) <= 256


def test_the_state_of_this_version_stays_readable() -> None:
    """Whoever changes the layout must keep reading this one; what is judged is judged by today's statistic."""
    stored = json.loads((Path(__file__).parent / "states" / "surge-2.json").read_text(encoding="utf-8"))
    surge = Surge.unpack(base64.b64decode(stored["state"]))
    evidence = surge.peek(surge.next_bucket, 20.0)
    assert [evidence.score, evidence.observed_60m, evidence.expected] == pytest.approx(stored["at_20"], rel=1e-6)


# -- statistics ---------------------------------------------------------------------------------------------------------


def test_the_season_runs_in_local_time() -> None:
    thursday = int(datetime(2019, 9, 26, 11, 30, tzinfo=UTC).timestamp()) // 60
    assert minute_of_week(thursday, 180) == 3 * DAY + 14 * 60 + 30
    assert minute_of_week(MONDAY, 180) == 0


def test_weekdays_are_told_apart_from_the_second_week_on() -> None:
    """In the first week it would be the hours of a day that count as its weekday's."""
    surge = Surge(MONDAY)
    rng = Random(4)

    def counts(days: int) -> list[float]:
        return [float(rng.random() < (0.5 if 8 <= minute // 60 % 24 < 20 else 0.05)) for minute in range(days * DAY)]

    ticked(surge, counts(2))
    noons = [surge._baseline.usual(day * DAY + 780).mean for day in range(7)]
    assert noons == pytest.approx([noons[0]] * 7)
    assert noons[0] == pytest.approx(0.5, rel=0.2)
    ticked(surge, counts(5) + [3 * count for count in counts(1)])
    monday, tuesday = (surge._baseline.usual(day * DAY + 780).mean for day in (0, 1))
    assert monday > 1.3 * tuesday


def test_a_sparse_series_learns_its_night_from_the_hours_around() -> None:
    """Two mentions an hour by day, 0.4 at night, 1.2 on the mean: 03:00 alone, which has heard six, would not know that."""
    rng = Random(11)
    nights = []
    for _ in range(6):
        surge = Surge(MONDAY)
        ticked(surge, [float(rng.random() < (2 if 8 <= minute // 60 % 24 < 20 else 0.4) / 60) for minute in range(14 * DAY)])
        nights.append(60 * surge._baseline.usual(3 * 60 + 30).mean)
    assert 0.4 < sum(nights) / len(nights) < 0.75


def test_a_sparse_series_expects_a_typical_day() -> None:
    """Of two dozen mentions in eleven days nobody learns an hour, so nights stay quieter than evenings, and Sundays than Mondays."""
    surge = Surge(MONDAY)
    rng = Random(13)
    ticked(surge, [float(rng.random() < 0.1 / 60) for _ in range(11 * DAY)])
    night, evening = (surge._baseline.usual(2 * DAY + hour * 60 + 30).mean for hour in (5, 21))
    assert 2 < evening / night < 4
    monday, sunday = (surge._baseline.usual(day * DAY + 13 * 60).mean for day in (0, 6))
    assert 1.1 < monday / sunday < 1.6


@pytest.mark.parametrize(
    ("half_way", "measured"),
    [(typical.HOUR_SHARES, typical.MEASURED_HOURS), (typical.WEEKDAY_SHARES, typical.MEASURED_WEEKDAYS)],
)
def test_what_is_typical_is_half_as_far_from_the_mean_as_what_was_measured(
    half_way: tuple[float, ...], measured: tuple[float, ...]
) -> None:
    assert sum(half_way) / len(half_way) == pytest.approx(1)
    highest, lowest = measured.index(max(measured)), measured.index(min(measured))
    assert (half_way[highest] / half_way[lowest]) ** 2 == pytest.approx(max(measured) / min(measured))


def test_a_loud_series_knows_each_hour_by_itself() -> None:
    surge = Surge(MONDAY)
    rng = Random(12)
    ticked(surge, [float(rng.random() < (0.9 if minute // 60 % 24 == 9 else 0.3)) for minute in range(7 * DAY)])
    nine, eleven = (surge._baseline.usual(hour * 60 + 30).mean for hour in (9, 11))
    assert (nine, eleven) == pytest.approx((0.9, 0.3), rel=0.2)


def test_a_few_mentions_are_no_rise_over_hours() -> None:
    """The fast level of a sparse series is chance: five mentions instead of three in as many hours. Of a loud one it is not."""
    for level, least, most in ((1 / 60, 1.1, 1.2), (10.0, 1.9, 2.0)):
        baseline = Baseline(level)
        assert baseline.usual(0).fast_mean == pytest.approx(baseline.usual(0).mean)
        baseline.fast = 2 * baseline.level
        assert least < baseline.usual(0).fast_mean / baseline.usual(0).mean < most
        baseline.fast = 0.0
        assert baseline.usual(0).fast_mean == baseline.usual(0).mean


def test_the_scale_of_the_excess_goes_with_the_level_and_less_with_the_hour() -> None:
    at_level = excess_scale(100.0, 100.0) - 1
    assert excess_scale(1_000.0, 1_000.0) - 1 == pytest.approx(10 * at_level)
    assert at_level / 4 < excess_scale(25.0, 100.0) - 1 < at_level / 2
    assert excess_scale(0.0, 0.0) == 1


def test_scores_of_a_fixed_stream_stay_what_they_are() -> None:
    """Ten times the usual after three days."""
    rng = Random(7)
    surge = Surge(MONDAY)
    ticked(surge, [float(rng.random() < 0.3) for _ in range(3 * DAY)])
    burst = ticked(surge, [3.0] * 20)
    assert [evidence.score for evidence in burst[4::5]] == pytest.approx([0.3082, 1.9510, 2.9878, 3.7312], abs=1e-3)
    assert burst[-1].member is Member.EXCESS
    assert burst[-1].observed_60m == pytest.approx(65.052, abs=1e-3)
    assert burst[-1].expected_60m == pytest.approx(20.2, abs=0.1)


def test_evidence_of_either_member_reaches_far_beyond_a_thousand_weeks() -> None:
    surge = Surge(MONDAY)
    rng = Random(3)
    ticked(surge, [float(rng.random() < 0.5) for _ in range(7 * DAY)])
    readings = surge._hour.read(1_000.0), surge._excess.read(1_000.0, surge._baseline.usual(0))
    assert all(reading.score > math.log(2_900) for reading in readings)


@pytest.mark.parametrize("per_minute", [0.01, 1.0, 1000.0])
def test_rounding_does_not_stop_the_learning(per_minute: float) -> None:
    """The level approaches a new rate as an exact mean with a memory of a week would."""
    baseline = Baseline(per_minute)
    for minute in range(4 * 7 * DAY):
        usual = baseline.usual(minute % (7 * DAY))
        weight = per_minute if minute < 14 * DAY else 1.1 * per_minute
        baseline.learn(usual, weight, 1.0, to_season=True, ends_hour=minute % 60 == 59)
    assert baseline.level == pytest.approx(per_minute * (1.1 - 0.1 * math.exp(-2)), rel=0.001)


def test_years_of_silence_change_nothing_and_cost_nothing() -> None:
    """After two weeks without a mention time stands still, however it is cut; the next mention is heard."""
    surge = Surge(MONDAY)
    rng = Random(3)
    ticked(surge, [float(rng.random() < 0.3) for _ in range(3 * DAY)])
    surge.advance(MONDAY + 20 * DAY)
    known = surge.copy()
    other = surge.copy()
    surge.advance(MONDAY + 3_000 * DAY)
    for day in (21, 500, 3_000):
        other.advance(MONDAY + day * DAY)
    assert other.pack() == surge.pack()
    assert surge.level == known.level
    assert ticked(surge, [5.0] * 10)[-1].score > math.log(12)


def test_a_new_series_says_nothing_for_an_hour_and_knows_its_level_then() -> None:
    """Ten mentions a minute are no surge of a topic that always has so many."""
    surge = Surge(MONDAY)
    rng = Random(5)
    busy = [float(sum(rng.random() < 0.1 for _ in range(100))) for _ in range(6 * 60)]
    scores = [evidence.score for evidence in ticked(surge, busy)]
    assert set(scores[:60]) == {-20.0}
    assert max(scores) < 0
    assert surge.level == pytest.approx(10, rel=0.1)


def test_a_day_off_is_like_a_sunday() -> None:
    """A Thursday that is a holiday is expected to be as quiet as a Sunday, and does not make Thursdays quiet."""
    holiday = (MONDAY + 180) // DAY + 17  # the Thursday of the third week
    surge = Surge(MONDAY, day_off=lambda day: day == holiday)
    rng = Random(3)
    for minute in range(21 * DAY):
        quiet = minute // DAY % 7 == 6 or minute // DAY == 17
        surge.tick(MONDAY + minute, 0.0 if quiet else float(sum(rng.random() < 0.5 for _ in range(2))))
    thursday, friday, sunday = (surge._baseline.usual(day * DAY + 720).mean for day in (3, 4, 6))
    assert thursday == pytest.approx(friday, rel=0.15)
    assert sunday < 0.3 * friday


class TestKnownBeforehand:
    ANNOUNCED = Expectation(MONDAY + 7 * DAY + 600, MONDAY + 7 * DAY + 840, 4.0)

    def scores(self, times: float, expectations: list[Expectation]) -> list[float]:
        """While so many times the usual come in the announced hours, after a week."""
        surge = Surge(MONDAY)
        rng = Random(8)
        ticked(surge, [float(rng.random() < 0.5) for _ in range(7 * DAY + 600)])
        found = []
        for _ in range(240):
            bucket, count = surge.next_bucket, float(sum(rng.random() < 0.05 * times for _ in range(10)))
            found.append(surge.tick(bucket, count, known(bucket, expectations)).score)
        return found

    def test_what_was_announced_gives_no_page(self) -> None:
        assert max(self.scores(4.0, [])) > math.log(12)
        assert max(self.scores(4.0, [self.ANNOUNCED])) < 0

    def test_three_times_what_was_announced_is_told(self) -> None:
        assert max(self.scores(12.0, [self.ANNOUNCED])) >= 0

    def test_an_expectation_begins_and_ends_as_the_hour_forgets(self) -> None:
        first, until, _ = self.ANNOUNCED
        assert known(first - 1, [self.ANNOUNCED]) == (1.0, 1.0)
        assert known(first, [self.ANNOUNCED]).now == 4.0
        assert known(first, [self.ANNOUNCED]).hour == pytest.approx(1 + 3 * (1 - math.exp(-1 / 60)))
        assert known(until - 1, [self.ANNOUNCED]).hour == pytest.approx(1 + 3 * (1 - math.exp(-4)))
        assert known(until, [self.ANNOUNCED]).now == 1.0
        assert known(until + 60, [self.ANNOUNCED]).hour == pytest.approx(2.1, abs=0.1)

    def test_of_several_the_largest_counts(self) -> None:
        more = Expectation(self.ANNOUNCED.first, self.ANNOUNCED.until, 6.0)
        assert known(self.ANNOUNCED.first, [self.ANNOUNCED, more]).now == 6.0


class TestVerdict:
    def surged(self, *, crisis: bool | None) -> Surge:
        """A week with a surge on its fifth day, of which a person says what it was."""
        surge = Surge(MONDAY)
        rng = Random(11)
        ticked(surge, [float(rng.random() < 0.5) for _ in range(5 * DAY)])
        ticked(surge, [5.0] * 20)
        if crisis is not None:
            surge.take_verdict(crisis=crisis)
        ticked(surge, [5.0] * 40)
        ticked(surge, [float(rng.random() < 0.5) for _ in range(2 * DAY)])
        return surge

    def test_a_crisis_teaches_nothing_and_no_crisis_teaches_all(self) -> None:
        """The same again is then more, or less, unusual than without a verdict."""
        scores = []
        for crisis in (True, None, False):
            surge = self.surged(crisis=crisis)
            scores.append(ticked(surge, [5.0] * 30)[-1].score)
        assert scores[0] > scores[1] > scores[2]

    @pytest.mark.parametrize("crisis", [True, False])
    def test_only_of_a_crisis_the_tails_stand_still(self, crisis: bool) -> None:
        """Hours in which no cluster may come would say that clusters are rare, and make the next one unusual."""
        surge = Surge(MONDAY)
        rng = Random(11)
        ticked(surge, [float(rng.random() < 0.5) for _ in range(2 * DAY)] + [5.0] * 20)
        surge.take_verdict(crisis=crisis)
        before = [(tail.threshold, tail.clusters, tail.excess, tail.weeks) for tail in (surge._hour.tail, surge._excess.tail)]
        ticked(surge, [5.0] * 40)
        after = [(tail.threshold, tail.clusters, tail.excess, tail.weeks) for tail in (surge._hour.tail, surge._excess.tail)]
        assert (after == before) is crisis

    def test_it_may_come_when_the_worst_is_over(self) -> None:
        """People answer when they have time to: the alert is open for another hour, and the hour's tail has not learnt yet."""
        learnt = []
        for crisis in (True, None, False):
            surge, rng = Surge(MONDAY), Random(11)
            ticked(surge, [float(rng.random() < 0.5) for _ in range(5 * DAY)])
            ticked(surge, [5.0] * 60)
            last = ticked(surge, [float(rng.random() < 0.5) for _ in range(80)])[-1]
            assert last.score < 0
            if crisis is not None:
                surge.take_verdict(crisis=crisis)
            ticked(surge, [float(rng.random() < 0.5) for _ in range(DAY)])
            learnt.append(surge._hour.tail.excess)
        assert learnt[0] < learnt[1] < learnt[2]

    def test_it_survives_storing_and_ends_with_the_rise(self) -> None:
        surge = Surge(MONDAY)
        ticked(surge, [0.0] * DAY + [3.0] * 30)
        surge.take_verdict(crisis=True)
        assert surge.copy().pack() == surge.pack()
        surge.advance(surge.next_bucket + DAY)
        calm = surge.pack()
        surge.take_verdict(crisis=False)  # of nothing that is going on
        assert surge.pack() == calm


def test_a_crisis_does_not_become_the_norm() -> None:
    """The same surge a day later is found as well."""
    surge = Surge(MONDAY)
    rng = Random(11)
    quiet = [float(rng.random() < 0.5) for _ in range(7 * DAY)]
    delays = []
    ticked(surge, quiet)
    for _ in range(2):
        scores = [evidence.score for evidence in ticked(surge, [5.0] * 60)]
        delays.append(next(minute for minute, score in enumerate(scores) if score >= math.log(12)))
        ticked(surge, quiet[: DAY - 60])
    assert delays[0] <= 10
    assert delays[1] <= 40


# -- whole streams ------------------------------------------------------------------------------------------------------


def pages(found: list[Transition]) -> list[Transition]:
    return [report for report in found if report.kind is TransitionKind.ONSET and report.level == "page"]


SURGE_AT = MONDAY + 2 * DAY + 14 * 60  # on the third day, at 14:00


def usual_rate(bucket: int) -> float:
    """Mentions a minute: 25 an hour on average, five times as many at 15:00 as at 03:00."""
    hour = (bucket - MONDAY) % DAY / 60
    return 25 / 60 / 1.17 * math.exp(0.8 * math.cos(2 * math.pi * (hour - 15) / 24))


def everyday(rng: Random, minutes: int) -> Iterator[Mention]:
    for bucket in range(MONDAY, MONDAY + minutes):
        for second in range(60):
            if rng.random() < usual_rate(bucket) / 60:
                yield Mention(bucket * 60 + second, f"citizen {rng.randrange(2_000)}", f"text {rng.random()}")


def third_day(seed: int, extra: list[Mention]) -> list[Mention]:
    return sorted([*everyday(Random(seed), 2 * DAY + 16 * 60), *extra])


def spread(count: int, minutes: int) -> list[float]:
    """Times of so many mentions, evenly over the minutes."""
    return [SURGE_AT * 60 + number * minutes * 60 / count for number in range(count)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("times", "within_minutes"), [(10, 15), (20, 6)])
def test_a_surge_of_many_people_pages_within_minutes(seed: int, times: int, within_minutes: int) -> None:
    count = round((times - 1) * usual_rate(SURGE_AT) * 60)
    surge = [Mention(time, f"person {time}", f"question {time}") for time in spread(count, 60)]
    (page,) = pages(run_mentions(third_day(seed, surge)))
    assert 0 <= page.bucket - SURGE_AT <= within_minutes


@pytest.mark.parametrize("seed", range(3))
def test_everyday_life_gives_no_page(seed: int) -> None:
    assert pages(run_mentions(third_day(seed, []))) == []


def test_300_posts_of_one_author_give_no_page() -> None:
    flood = [Mention(time, "bot", f"text {time}") for time in spread(300, 10)]
    assert pages(run_mentions(third_day(1, flood))) == []


def test_200_accounts_with_one_text_give_no_page() -> None:
    copies = [Mention(time, f"bot {time}", "the same") for time in spread(200, 10)]
    assert pages(run_mentions(third_day(1, copies))) == []


def test_counts_alone_give_the_same_page_at_the_close_of_a_minute() -> None:
    counts = [0] * DAY + [5] * 30
    found = run_counts(MONDAY, counts)
    assert [page.bucket - MONDAY - DAY < 10 for page in pages(found)] == [True]
    assert not any(report.provisional for report in found)


@pytest.mark.shared_data
@pytest.mark.skipif(not TELECOM.exists(), reason="the recorded stream is not part of the project")
def test_the_outage_of_26_september_2019_pages_within_minutes() -> None:
    """A mobile network broke down with the earthquake of 13:59. No history, no authors, nothing labelled positive."""

    def at(hour: int, minute: int) -> int:
        return int(datetime(2019, 9, 26, hour - 3, minute, tzinfo=UTC).timestamp()) // 60

    found = run_mentions(telecom_mentions())
    (page,) = pages(found)
    assert at(13, 59) <= page.bucket <= at(14, 20)
    assert at(13, 59) <= page.onset_bucket
    assert max(report.evidence.once_in_weeks for report in found) > 1_000


def telecom_mentions() -> Iterator[Mention]:
    with TELECOM.open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            yield Mention(datetime.fromisoformat(record["published_at"]).timestamp(), None, record["text"])
