"""State that is exact through kill -9, restarts and rebalances: a deterministic fold over one topic.

For each partition of the input one transactional producer writes the outputs, the changed state (to a compacted topic
of equal partition count) and the consumer offset in one transaction. On assignment it first fences the previous owner
(InitProducerId), then reads the state up to its end. Whatever goes wrong, the partition's memory is dropped and loaded
again: never continue on guessed state.

Knows nothing of watches, spikes or alerts.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from connectors.kafka import KafkaSettings
from pipeline.cursor import Cursor, Offsets, Sequences, sequence_header
from pipeline.dead_letters import DeadLetterLimit, letter_of_message
from schemas.outputs import Output
from schemas.reasons import DeadLetterReason
from schemas.records import NotARecord, UnknownKind
from schemas.topics import DEAD_LETTERS, LARGE_MESSAGE_BYTES, Topic

log = logging.getLogger(__name__)

SNAPSHOT_SECS: Final = 1.0
BATCH_RECORDS: Final = 2000
BATCH_SECS: Final = 0.1
TRANSACTION_TIMEOUT_MS: Final = 10_000
POSITION_KEY: Final = b""  # the partition's own record, written last: it vouches for the others


class Fold(Protocol):
    """The state of one partition. A pure function of the records applied: no clock, no randomness, no I/O."""

    def load(self, records: Mapping[str, bytes]) -> None:
        """Take over the stored state. Called once, before anything else."""

    def apply(self, value: bytes | None) -> None:
        """Apply the next record. Raises `NotARecord` or `UnknownKind`, and then has changed nothing."""

    @property
    def urgent(self) -> bool:
        """Whether an output waits that somebody waits for: it is written at once, not with the next snapshot."""

    def outputs(self) -> Iterable[Output]:
        """What to write since the last call."""

    def changes(self) -> Iterable[tuple[str, bytes | None]]:
        """State records to write since the last call; None deletes."""


@dataclass(slots=True)
class Partition:
    """A fold with its position and its exclusive right to write."""

    number: int
    fold: Fold
    position: Offsets
    producer: Any
    written: dict[str, int] = field(default_factory=dict)  # by output topic: how many records so far
    dead: list[bytes] = field(default_factory=list)
    dirty: bool = False
    unknown: int = 0

    def load(self, records: dict[bytes, bytes]) -> None:
        """Take over the stored records: the last one of each key."""
        position = records.pop(POSITION_KEY, None)
        self.fold.load({key.decode(): value for key, value in records.items()})
        if position is None:
            return
        stored = orjson.loads(position)
        self.position.next = max(stored["next"], self.position.next)
        self.written = stored["written"]
        if isinstance(self.position, Sequences):
            self.position.numbers = stored["numbers"]

    def position_record(self) -> bytes:
        """The record that vouches for the state."""
        numbers = self.position.numbers if isinstance(self.position, Sequences) else {}
        return orjson.dumps({"next": self.position.next, "written": self.written, "numbers": numbers})

    def numbered(self, outputs: Iterable[Output]) -> Iterator[tuple[Output, list[tuple[str, bytes]]]]:
        """Outputs with the header from which a reader sees that none is missing."""
        for output in outputs:
            number = self.written.get(output.topic.name, 0)
            self.written[output.topic.name] = number + 1
            yield output, sequence_header(str(self.number), number)


class FoldRole:
    """Runs one fold per owned partition of `source` inside a Faust app."""

    def __init__(
        self,
        app: Any,
        kafka: KafkaSettings,
        role: str,
        *,
        source: Topic,
        state: Topic,
        make: Callable[[int], Fold],
        order: Callable[[], Offsets],
        clock: Callable[[], datetime],
    ) -> None:
        self._app, self._kafka, self._role = app, kafka, role
        self._source, self._state, self._make, self._order, self._clock = source, state, make, order, clock
        self._lock = asyncio.Lock()
        self._cursor = Cursor(app)
        self._partitions: dict[int, Partition] = {}
        self._limit = DeadLetterLimit(role)
        self._saved_at = time.monotonic()

    def install(self, guard: Callable[[Any], Any]) -> None:
        """Register agent, timers and handlers; `guard` ends the process on a bug before anything is committed."""
        app = self._app
        topic = app.topic(self._kafka.topic(self._source), acks=False)
        app.on_partitions_assigned.connect(self._assigned, weak=False)
        app.on_partitions_revoked.connect(self._revoked, weak=False)
        app.on_before_shutdown.connect(self._stopping, weak=False)
        app.agent(topic, concurrency=1, name=f"{self._role}.fold")(guard(self._consume))
        app.timer(SNAPSHOT_SECS / 2, name=f"{self._role}.snapshot")(guard(self._tick))
        app.timer(5.0, name=f"{self._role}.unstick")(guard(self._unstick))

    async def _consume(self, stream: Any) -> None:
        async for events in stream.take_events(BATCH_RECORDS, within=BATCH_SECS):
            async with self._lock:
                for event in events:
                    if await self._cursor.take(event):
                        self._apply(event)
                if self._due():
                    await self._save_all()
                else:
                    await self._save_some(number for number, partition in self._partitions.items() if partition.fold.urgent)

    def _apply(self, event: Any) -> None:
        message = event.message
        partition = self._partitions[message.partition]
        bad = False
        try:
            partition.fold.apply(message.value)
        except UnknownKind:
            partition.unknown += 1
        except NotARecord as error:
            bad = True
            partition.dead.append(
                letter_of_message(message, self._role, DeadLetterReason.NOT_A_RECORD, error.problem, self._clock())
            )
        self._limit.seen(bad=bad)
        self._cursor.passed(event)
        partition.dirty = True

    def _due(self) -> bool:
        return time.monotonic() - self._saved_at >= SNAPSHOT_SECS

    async def _tick(self, *_: Any) -> None:
        if self._due() and not self._lock.locked():
            async with self._lock:
                await self._save_all()

    async def _unstick(self, *_: Any) -> None:
        await self._cursor.unstick()

    async def _save_all(self) -> None:
        self._saved_at = time.monotonic()
        await self._save_some(number for number, partition in self._partitions.items() if partition.dirty)

    async def _save_some(self, wanted: Iterable[int]) -> None:
        numbers = list(wanted)
        results = await asyncio.gather(*(self._save(self._partitions[number]) for number in numbers), return_exceptions=True)
        for number, result in zip(numbers, results, strict=True):
            if isinstance(result, KafkaError | TimeoutError):
                log.warning("%s: partition %s not saved (%r): loading it again", self._role, number, result)
                await self._reload(number)
            elif isinstance(result, BaseException):
                raise result

    async def _save(self, partition: Partition) -> None:
        producer, source = partition.producer, self._kafka.topic(self._source)
        async with producer.transaction():
            for output, headers in partition.numbered(partition.fold.outputs()):
                await producer.send(self._kafka.topic(output.topic), output.value, key=output.key.encode(), headers=headers)
            for letter in partition.dead:
                await producer.send(self._kafka.topic(DEAD_LETTERS), letter)
            for key, value in partition.fold.changes():
                await producer.send(self._kafka.topic(self._state), value, key=key.encode(), partition=partition.number)
            await producer.send(
                self._kafka.topic(self._state), partition.position_record(), key=POSITION_KEY, partition=partition.number
            )
            await producer.send_offsets_to_transaction(
                {TopicPartition(source, partition.number): partition.position.next}, self._app.conf.id
            )
        partition.dead.clear()
        partition.dirty = False

    async def _assigned(self, _: Any, assigned: Iterable[TP], **__: Any) -> None:
        async with self._lock:
            started = time.monotonic()
            await self._drop_all()
            numbers = sorted(tp.partition for tp in assigned if tp.topic == self._kafka.topic(self._source))
            await self._load(numbers)
            log.info("%s: partitions %s loaded in %.2f s", self._role, numbers, time.monotonic() - started)

    async def _revoked(self, _: Any, __: Iterable[TP], **___: Any) -> None:
        async with self._lock:
            await self._save_all()
            await self._drop_all()

    async def _stopping(self, _: Any, **__: Any) -> None:
        async with self._lock:
            await self._save_all()
            await self._drop_all()

    async def _reload(self, number: int) -> None:
        await self._drop(number)
        await self._load([number])
        tp = TP(self._kafka.topic(self._source), number)
        await self._app.consumer.seek(tp, self._partitions[number].position.next)

    async def _load(self, numbers: list[int]) -> None:
        if not numbers:
            return
        # Fence first: only then is the end of the state topic final.
        producers = await asyncio.gather(*(self._producer(number) for number in numbers))
        fresh = {
            number: Partition(number, self._make(number), self._order(), producer)
            for number, producer in zip(numbers, producers, strict=True)
        }
        await self._read_state(fresh)
        for number, partition in fresh.items():
            self._partitions[number] = partition
            self._cursor.positions[TP(self._kafka.topic(self._source), number)] = partition.position

    async def _producer(self, number: int) -> Any:
        producer = AIOKafkaProducer(
            **self._kafka.client(), transactional_id=f"{self._kafka.topic(self._state)}-{number}", linger_ms=2,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS, max_batch_size=256 * 1024, max_request_size=LARGE_MESSAGE_BYTES,
        )  # fmt: skip
        await producer.start()
        return producer

    async def _read_state(self, fresh: dict[int, Partition]) -> None:
        consumer = AIOKafkaConsumer(
            **self._kafka.client(), enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        )  # fmt: skip
        await consumer.start()
        try:
            await self._skip_expired(consumer, fresh)
            owned = [TopicPartition(self._kafka.topic(self._state), number) for number in fresh]
            consumer.assign(owned)
            ends = await consumer.end_offsets(owned)
            stored: dict[int, dict[bytes, bytes]] = {number: {} for number in fresh}
            left = {tp for tp in owned if ends[tp] > 0}
            while left:
                for tp, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                    for record in records:
                        _remember(stored[tp.partition], record)
                left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
            for number, partition in fresh.items():
                partition.load(stored[number])
        finally:
            await consumer.stop()

    async def _skip_expired(self, consumer: Any, fresh: dict[int, Partition]) -> None:
        """A partition without state starts at the log's start, which retention may have moved."""
        source = [TopicPartition(self._kafka.topic(self._source), number) for number in fresh]
        for tp, first in (await consumer.beginning_offsets(source)).items():
            fresh[tp.partition].position.next = first

    async def _drop_all(self) -> None:
        for number in list(self._partitions):
            await self._drop(number)

    async def _drop(self, number: int) -> None:
        partition = self._partitions.pop(number, None)
        self._cursor.positions.pop(TP(self._kafka.topic(self._source), number), None)
        if partition is None:
            return
        try:
            await asyncio.wait_for(partition.producer.stop(), 5)
        except (KafkaError, TimeoutError) as error:  # a fenced producer has nothing left to lose
            log.warning("%s: producer of partition %s: %r", self._role, number, error)


def _remember(stored: dict[bytes, bytes], record: Any) -> None:
    if record.value is None:
        stored.pop(record.key, None)
    else:
        stored[record.key] = record.value
