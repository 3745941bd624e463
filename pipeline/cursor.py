"""Reading a partition without a hole.

Faust's own acknowledgement loses records (see TRAPS.md), so each role holds the position itself. Faust's position and
Kafka's committed offset are hints; the cursor is the truth: a record is applied only if it is exactly the next one,
anything lower is a repeat, and anything higher means that records were skipped, so the reader seeks back.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP

from connectors.kafka import KafkaSettings
from schemas.topics import Topic

log = logging.getLogger(__name__)

SEQUENCE_HEADER: Final = "nabiz-sequence"
SEEK_INTERVAL_SECS: Final = 2.0


class Judgement(Enum):
    """What to do with a record."""

    APPLY = "apply"
    REPEAT = "repeat"
    GAP = "gap"


@dataclass(slots=True)
class Offsets:
    """Order of a topic that is written without transactions: offsets are contiguous."""

    next: int = 0

    def judge(self, offset: int, headers: Any) -> Judgement:  # noqa: ARG002
        """Does not move the position; `passed` does."""
        if offset < self.next:
            return Judgement.REPEAT
        return Judgement.APPLY if offset == self.next else Judgement.GAP

    def passed(self, offset: int, headers: Any) -> None:  # noqa: ARG002
        """The record at `offset` has been applied or found to be a repeat."""
        self.next = offset + 1


@dataclass(slots=True)
class Sequences(Offsets):
    """Order of a topic that is written in transactions, whose markers leave gaps in the offsets.

    Each producer numbers its records (`SEQUENCE_HEADER`, "producer:number"). A number seen before is a repeat from an
    aborted transaction, whose content is the same, since the producers are deterministic.
    """

    numbers: dict[str, int] = field(default_factory=dict)

    def judge(self, offset: int, headers: Any) -> Judgement:
        """See `Offsets.judge`."""
        if offset < self.next:
            return Judgement.REPEAT
        producer, number = _sequence(headers)
        expected = self.numbers.get(producer, 0)
        if number < expected:
            return Judgement.REPEAT
        return Judgement.APPLY if number == expected else Judgement.GAP

    def passed(self, offset: int, headers: Any) -> None:
        """See `Offsets.passed`."""
        self.next = offset + 1
        producer, number = _sequence(headers)
        self.numbers[producer] = max(self.numbers.get(producer, 0), number + 1)


def _sequence(headers: Any) -> tuple[str, int]:
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    for name, value in pairs:
        if name == SEQUENCE_HEADER:
            producer, _, number = bytes(value).decode().rpartition(":")
            return producer, int(number)
    raise ValueError(f"a record without the header {SEQUENCE_HEADER}: something else writes to our topic")


def sequence_header(producer: str, number: int) -> list[tuple[str, bytes]]:
    """The header that `Sequences` reads."""
    return [(SEQUENCE_HEADER, f"{producer}:{number}".encode())]


class Cursor:
    """The positions of the partitions that this worker owns."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.positions: dict[TP, Offsets] = {}
        self._sought: dict[TP, float] = {}
        self._seen: dict[TP, tuple[int, int]] = {}

    async def take(self, event: Any) -> bool:
        """Whether the event is to be applied now; the caller then calls `passed`."""
        message = event.message
        position = self.positions.get(message.tp)
        if position is None or message.generation_id != self._app.consumer_generation_id:
            return False
        judgement = position.judge(message.offset, message.headers)
        if judgement is Judgement.GAP:
            await self._seek(message.tp, position.next, message.offset)
        elif judgement is Judgement.REPEAT and message.offset >= position.next:
            position.passed(message.offset, message.headers)
        return judgement is Judgement.APPLY

    def passed(self, event: Any) -> None:
        """The event has been applied."""
        message = event.message
        self.positions[message.tp].passed(message.offset, message.headers)

    async def _seek(self, tp: TP, wanted: int, got: int) -> None:
        now = time.monotonic()
        if now - self._sought.get(tp, 0.0) < SEEK_INTERVAL_SECS:
            return
        self._sought[tp] = now
        log.warning("%s: wanted offset %s, got %s: seeking back", tp, wanted, got)
        await self._app.consumer.seek(tp, wanted)

    async def unstick(self) -> None:
        """Seek where nothing moves although the partition goes on. Call every few seconds.

        Records that were skipped at the end of a partition would otherwise wait for the next record.
        """
        if self._app.rebalancing:
            return
        for tp, position in list(self.positions.items()):
            end = self._app.consumer.highwater(tp) or 0
            if end <= position.next or tp not in self._app.consumer.assignment():
                continue
            if self._seen.get(tp) == (position.next, end):
                log.info("%s: no progress at %s, end %s: seeking", tp, position.next, end)
                await self._app.consumer.seek(tp, position.next)
                self._seen[tp] = (position.next, -1)  # once for each end: behind a transaction's marker there is nothing
            elif self._seen.get(tp) != (position.next, -1):
                self._seen[tp] = (position.next, end)


async def first_offsets(kafka: KafkaSettings, topic: Topic, group: str, partitions: Iterable[int]) -> dict[int, int]:
    """Where a stateless role goes on: the committed offset, or the start of the log if that is higher."""
    consumer = AIOKafkaConsumer(**kafka.client(), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        owned = [TopicPartition(kafka.topic(topic), number) for number in partitions]
        consumer.assign(owned)
        starts = await consumer.beginning_offsets(owned)
        return {tp.partition: max(starts[tp], await consumer.committed(tp) or 0) for tp in owned}
    finally:
        await consumer.stop()
