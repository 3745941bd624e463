"""A partition is read without a hole and without a repeat, whatever the reader below does."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cursor import Cursor, Judgement, Offsets, Sequences, sequence_header

TP0 = TP("hits", 0)


def test_without_transactions_the_next_offset_is_the_next_record() -> None:
    """Lower is a repeat, higher is a gap."""
    position = Offsets(7)
    assert [position.judge(offset, None) for offset in (6, 7, 8)] == [Judgement.REPEAT, Judgement.APPLY, Judgement.GAP]
    position.passed(7, None)
    assert position.judge(8, None) is Judgement.APPLY


def test_in_transactions_the_numbers_count_and_not_the_offsets() -> None:
    """Commit markers take offsets of their own."""
    position = Sequences()
    position.passed(0, sequence_header("3", 0))
    assert position.judge(2, sequence_header("3", 1)) is Judgement.APPLY
    assert position.judge(2, sequence_header("3", 2)) is Judgement.GAP
    assert position.judge(2, sequence_header("3", 0)) is Judgement.REPEAT
    assert position.judge(0, sequence_header("3", 1)) is Judgement.REPEAT


def test_each_producer_numbers_its_own_records() -> None:
    """A record of another one is no gap."""
    position = Sequences()
    position.passed(0, sequence_header("3", 0))
    assert position.judge(1, sequence_header("4", 0)) is Judgement.APPLY
    assert position.judge(1, sequence_header("4", 1)) is Judgement.GAP


def test_a_repeat_of_an_aborted_transaction_does_not_turn_the_number_back() -> None:
    """The record behind it is still the next one."""
    position = Sequences()
    for offset, number in enumerate((0, 1, 0)):
        position.passed(offset, sequence_header("3", number))
    assert position.judge(3, sequence_header("3", 2)) is Judgement.APPLY


def test_headers_come_as_pairs_or_as_a_dictionary() -> None:
    """aiokafka gives the one, Faust the other."""
    assert Sequences().judge(0, dict(sequence_header("3", 0))) is Judgement.APPLY


@pytest.mark.parametrize("headers", [None, [], [("other", b"1")]])
def test_a_record_without_a_number_is_a_fault_of_ours(headers: Any) -> None:
    """Something else writes to the topic: stop instead of guessing."""
    with pytest.raises(ValueError, match="without the header nabiz-sequence"):
        Sequences().judge(0, headers)


@given(st.lists(st.integers(0, 12), max_size=80))
def test_whatever_is_fetched_in_whatever_order_each_record_is_applied_once_and_in_order(fetched: list[int]) -> None:
    """Skipped, repeated, or in a jumble."""
    position, applied = Offsets(), []
    for offset in fetched:
        if position.judge(offset, None) is Judgement.APPLY:
            applied.append(offset)
            position.passed(offset, None)
    assert applied == list(range(len(applied)))


class Reader:
    """Stands in for Faust's app: a generation, and a consumer that notes where it is sent."""

    def __init__(self, end: int = 0) -> None:
        self.consumer_generation_id, self.rebalancing, self.consumer = 5, False, self
        self.sought: list[int] = []
        self._end = end

    async def seek(self, _: TP, offset: int) -> None:
        self.sought.append(offset)

    def highwater(self, _: TP) -> int:
        return self._end

    def assignment(self) -> set[TP]:
        return {TP0}


def event(offset: int, *, generation: int = 5, tp: TP = TP0, headers: Any = None) -> Any:
    return SimpleNamespace(message=SimpleNamespace(tp=tp, offset=offset, generation_id=generation, headers=headers))


def owning(reader: Reader, position: Offsets) -> Cursor:
    cursor = Cursor(reader)
    cursor.positions[TP0] = position
    return cursor


async def test_records_of_an_old_generation_or_of_another_partition_are_dropped() -> None:
    """They were fetched before a rebalance; their owner is another one now."""
    cursor = owning(Reader(), Offsets(3))
    assert not await cursor.take(event(3, generation=4))
    assert not await cursor.take(event(3, tp=TP("hits", 1)))
    assert await cursor.take(event(3))


async def test_a_hole_is_gone_back_to_and_not_applied_over() -> None:
    """Once in two seconds: the records behind the hole are on their way in already."""
    reader = Reader()
    cursor = owning(reader, Offsets(3))
    assert not await cursor.take(event(5))
    assert not await cursor.take(event(6))
    assert reader.sought == [3]
    assert await cursor.take(event(3))


async def test_a_repeat_behind_the_position_moves_it_on() -> None:
    """What an aborted transaction left must not stand in the way of what follows."""
    position = Sequences(next=4, numbers={"3": 2})
    cursor = owning(Reader(), position)
    assert not await cursor.take(event(4, headers=sequence_header("3", 1)))
    assert position.next == 5


async def test_what_stands_still_is_sought_once_for_each_end() -> None:
    """Records that were skipped at the end wait for nobody; behind a transaction's marker there is nothing."""
    reader = Reader(end=9)
    cursor = owning(reader, Offsets(4))
    for _ in range(4):
        await cursor.unstick()
    assert reader.sought == [4]
    cursor.positions[TP0].next = 6
    await cursor.unstick()
    await cursor.unstick()
    assert reader.sought == [4, 6]


async def test_what_has_come_to_its_end_is_left_alone() -> None:
    """So is everything during a rebalance."""
    reader = Reader(end=9)
    cursor = owning(reader, Offsets(9))
    await cursor.unstick()
    await cursor.unstick()
    cursor.positions[TP0].next, reader.rebalancing = 3, True
    await cursor.unstick()
    await cursor.unstick()
    assert reader.sought == []
