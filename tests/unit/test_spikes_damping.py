"""Damping: many voices count more than one loud one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.spikes import Damping, weigh
from processors.spikes.damping import COPIES_EXPONENT

NOON = 29_369_340


def test_an_author_counts_once_in_60_minutes() -> None:
    state = Damping()
    found = [weigh(state, NOON + minute, "a", f"text {minute}") for minute in (0, 1, 59, 60, 61)]
    assert found == [1.0, 0.0, 0.0, 1.0, 0.0]


def test_copies_of_many_authors_count_as_about_the_root_of_their_number() -> None:
    state = Damping()
    found = [weigh(state, NOON + number // 10, f"author {number}", "same") for number in range(100)]
    assert found[:2] == [1.0, pytest.approx(2**COPIES_EXPONENT - 1)]
    assert sum(found) == pytest.approx(100**COPIES_EXPONENT)


def test_a_copy_is_new_again_after_an_hour() -> None:
    state = Damping()
    weigh(state, NOON, "a", "same")
    assert weigh(state, NOON + 59, "b", "same") < 1
    assert weigh(state, NOON + 119, "c", "same") == 1.0


def test_repeats_of_an_author_do_not_make_others_copies() -> None:
    state = Damping()
    for _ in range(300):
        weigh(state, NOON, "bot", "quoted")
    assert weigh(state, NOON, "citizen", "quoted") == pytest.approx(2**COPIES_EXPONENT - 1)


def test_without_an_author_the_text_stands_in_for_one() -> None:
    state = Damping()
    assert [weigh(state, NOON, None, text) for text in ("one", "one", "two")] == [1.0, 0.0, 1.0]
    assert state.authors == 2


def test_an_author_whose_key_is_a_text_is_another_one() -> None:
    state = Damping()
    weigh(state, NOON, None, "one")
    assert weigh(state, NOON, "one", "two") == 1.0


def test_a_mention_that_comes_out_of_order_is_a_repeat_as_well() -> None:
    state = Damping()
    assert weigh(state, NOON + 2, "a", "x") == 1.0
    assert weigh(state, NOON, "a", "y") == 0.0
    assert weigh(state, NOON + 1, "b", "x") == pytest.approx(2**COPIES_EXPONENT - 1)


def test_forgetting_keeps_the_hour() -> None:
    state = Damping()
    weigh(state, NOON, "a", "x")
    weigh(state, NOON + 1, "b", "x")
    state.forget(NOON + 1)
    assert state.authors == 1
    assert weigh(state, NOON + 2, "a", "y") == 1.0
    assert weigh(state, NOON + 2, "c", "x") == pytest.approx(2**COPIES_EXPONENT - 1)
    state.forget(NOON + 60)
    assert state.dump() == Damping().dump()


def test_the_memory_is_bounded_and_loses_the_oldest() -> None:
    state = Damping(keys_kept=3)
    for author in "abcd":
        weigh(state, NOON, author, f"text of {author}")
    assert state.authors == 3
    assert weigh(state, NOON, "d", "more") == 0.0
    assert weigh(state, NOON, "a", "more") == 1.0


mentions = st.tuples(st.integers(-3, 90), st.one_of(st.none(), st.sampled_from("abcdef")), st.sampled_from("xyz"))


@given(st.lists(mentions, max_size=80), st.sets(st.integers(0, 79)))
def test_storing_and_loading_at_any_point_changes_nothing(stream: list, reload_at: set[int]) -> None:
    straight, stored = Damping(keys_kept=4), Damping(keys_kept=4)
    for number, (minute, author, text) in enumerate(stream):
        if number in reload_at:
            stored = Damping.restore(json.loads(json.dumps(stored.dump())), keys_kept=4)
            for each in (straight, stored):
                each.forget(NOON + minute - 59)
        assert weigh(straight, NOON + minute, author, text) == weigh(stored, NOON + minute, author, text)
    assert json.dumps(straight.dump()) == json.dumps(stored.dump())


@given(st.lists(mentions, max_size=80))
def test_weights_lie_between_0_and_1(stream: list) -> None:
    state = Damping()
    assert all(0.0 <= weigh(state, NOON + minute, author, text) <= 1.0 for minute, author, text in stream)
