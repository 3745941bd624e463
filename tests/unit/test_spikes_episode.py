"""Episode: each rise is reported once at each level, in time, and ends."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.spikes import Episode, Evidence, Level, Member, Policy, Transition, TransitionKind

POLICY = Policy(budget_weeks=12)
PAGE = math.log(12)
Step = tuple[str, str, int]


def evidence(score: float, weight: float = 10.0) -> Evidence:
    return Evidence(score, Member.HOUR, weight, 0.1)


class Rise:
    """An episode, and what it was asked with unless a test says otherwise."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.episode = Episode()
        self.policy = policy

    def step(
        self, bucket: int, score: float, weight: float = 10.0, *, closed: bool = True, mentions: int = 20, authors: int = 20,
        limit: float = math.inf,
    ) -> list[Step]:  # fmt: skip
        found = self.episode.step(
            bucket, evidence(score, weight), policy=self.policy, mentions_60m=mentions, authors_60m=authors, closed=closed,
            limit_60m=limit,
        )  # fmt: skip
        return [short(report) for report in found]


def short(report: Transition) -> Step:
    return f"{report.kind}{'?' if report.provisional else ''}", str(report.level), report.bucket


def test_nothing_is_reported_below_a_false_alarm_a_week() -> None:
    rise = Rise()
    assert rise.step(100, -0.01) == []
    assert not rise.episode.active


def test_what_exceeds_an_announcement_gets_a_notice_and_no_page_whatever_its_score() -> None:
    rise = Rise()
    assert rise.step(100, -3.0, weight=19.9, limit=20.0) == []
    assert rise.step(101, -3.0, weight=20.0, limit=20.0, mentions=POLICY.min_mentions - 1) == []
    assert rise.step(102, -3.0, weight=20.0, limit=20.0) == [("onset", "notice", 102)]
    assert rise.step(103, -3.0, weight=20.0, limit=20.0) == []


def test_notice_then_page() -> None:
    rise = Rise()
    assert rise.step(100, 0.0) == [("onset", "notice", 100)]
    assert rise.step(101, PAGE - 0.01) == []
    assert rise.step(102, PAGE) == [("onset", "page", 102)]
    assert rise.step(103, PAGE + 3) == []
    assert (rise.episode.level, rise.episode.onset_bucket) == (Level.PAGE, 100)


@pytest.mark.parametrize(("mentions", "authors"), [(7, 20), (20, 4)])
def test_a_page_needs_mentions_and_authors(mentions: int, authors: int) -> None:
    rise = Rise()
    assert rise.step(100, PAGE + 5, mentions=mentions, authors=authors) == [("onset", "notice", 100)]
    assert rise.step(101, PAGE + 5, mentions=8, authors=5) == [("onset", "page", 101)]


def test_an_infinite_budget_never_pages() -> None:
    rise = Rise(Policy(budget_weeks=math.inf))
    assert rise.step(100, 50.0) == [("onset", "notice", 100)]
    assert rise.step(101, 50.0) == []


def test_a_budget_below_a_week_asks_no_less_than_a_notice() -> None:
    assert Policy(budget_weeks=0.1).page_score == 0.0


def test_what_fires_in_an_open_bucket_is_confirmed_at_its_close_and_not_said_again() -> None:
    rise = Rise()
    assert rise.step(100, 0.5, closed=False) == [("onset?", "notice", 100)]
    assert rise.step(100, PAGE, closed=False) == [("onset?", "page", 100)]
    assert rise.step(100, PAGE + 1, closed=False) == []
    assert rise.step(100, PAGE + 1) == [("confirmed", "page", 100)]
    assert rise.step(101, PAGE + 1) == []


def test_a_bucket_ahead_is_confirmed_at_its_own_close() -> None:
    rise = Rise()
    assert rise.step(102, PAGE, closed=False) == [("onset?", "page", 102)]
    assert rise.step(100, 0.2) == []
    assert rise.step(101, 0.2) == []
    assert rise.step(102, PAGE) == [("confirmed", "page", 102)]


def test_growth_is_reported_at_each_doubling_of_the_damped_weight() -> None:
    rise = Rise()
    rise.step(100, PAGE, 10.0)
    assert rise.step(101, PAGE, 19.9) == []
    assert rise.step(102, PAGE, 20.0, closed=False) == [("growth?", "page", 102)]
    assert rise.step(102, PAGE, 39.0) == [("confirmed", "page", 102)]
    assert rise.step(103, PAGE, 40.0) == [("growth", "page", 103)]


def test_a_page_grows_on_evidence_for_a_page_only() -> None:
    rise = Rise()
    rise.step(100, PAGE, 10.0)
    assert rise.step(101, PAGE - 0.1, 30.0) == []
    assert rise.step(102, PAGE, 30.0, authors=4) == []


def test_it_ends_after_60_quiet_minutes() -> None:
    rise = Rise()
    rise.step(100, PAGE)
    assert [rise.step(bucket, -1.0) for bucket in range(101, 160)] == [[]] * 59
    assert rise.step(160, -1.0) == [("end", "page", 160)]
    assert (rise.episode.level, rise.episode.onset_bucket) == (Level.QUIET, None)


def test_evidence_in_the_60th_minute_keeps_it_going() -> None:
    rise = Rise()
    rise.step(100, 0.0)
    assert rise.step(160, 0.0) == []
    assert rise.step(219, -1.0) == []
    assert rise.step(220, -1.0) == [("end", "notice", 220)]


def test_a_rise_after_a_gap_in_the_calls_is_a_new_one() -> None:
    rise = Rise()
    rise.step(100, 0.0)
    assert rise.step(161, 0.0) == [("end", "notice", 161), ("onset", "notice", 161)]
    assert rise.episode.onset_bucket == 161


def test_for_six_hours_after_a_page_another_needs_twice_the_weight() -> None:
    rise = Rise()
    rise.step(100, PAGE, 10.0)
    rise.step(160, -1.0)
    assert rise.step(300, PAGE, 19.0) == [("onset", "notice", 300)]
    assert rise.step(310, PAGE, 20.0) == [("onset", "page", 310)]


def test_after_six_hours_a_page_needs_no_more_than_the_first() -> None:
    rise = Rise()
    rise.step(100, PAGE, 10.0)
    rise.step(160, -1.0)
    assert rise.step(460, PAGE, 10.0) == [("onset", "notice", 460)]
    assert rise.step(461, PAGE, 10.0) == [("onset", "page", 461)]


asked = st.tuples(st.integers(0, 3), st.floats(-5, 9), st.floats(0, 500), st.integers(0, 30), st.integers(0, 30), st.booleans())


@given(st.lists(asked, max_size=80), st.sets(st.integers(0, 79)))
def test_storing_and_loading_at_any_point_changes_nothing(steps: list, reload_at: set[int]) -> None:
    straight, stored = Episode(), Episode()
    closed_to = 0
    for number, (ahead, score, weight, mentions, authors, closed) in enumerate(steps):
        if number in reload_at:
            stored = Episode.restore(json.loads(json.dumps(stored.dump())))
        bucket = closed_to + (0 if closed else ahead)
        closed_to += closed * (1 + 20 * (ahead == 3))
        found = [
            each.step(bucket, evidence(score, weight), policy=POLICY, mentions_60m=mentions, authors_60m=authors, closed=closed)
            for each in (straight, stored)
        ]
        assert found[0] == found[1]
    assert straight.dump() == stored.dump()


@given(st.lists(asked, max_size=80))
def test_every_provisional_report_is_confirmed_once_and_every_rise_is_told_once(steps: list) -> None:
    episode, found, bucket = Episode(), [], 0
    for _, score, weight, mentions, authors, closed in [*steps, (0, -5.0, 0.0, 0, 0, True)]:
        found += episode.step(
            bucket, evidence(score, weight), policy=POLICY, mentions_60m=mentions, authors_60m=authors, closed=closed
        )
        bucket += closed
    onsets = [(report.onset_bucket, report.level) for report in found if report.kind is TransitionKind.ONSET]
    assert len(onsets) == len(set(onsets))
    said = {report.bucket for report in found if report.provisional}
    assert [report.bucket for report in found if report.kind is TransitionKind.CONFIRMED] == sorted(said)
