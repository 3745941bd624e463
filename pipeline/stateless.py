"""The loop of a role that keeps no state: take the next records, make their effects durable, then commit.

    class Translate:                                       # the role's own work; see `Work`
        async def open(self) -> None: ...                  # start producers, load models
        async def prepare(self, events) -> Translated: ... # has no effect yet
        async def handle(self, translated) -> None: ...    # returns when everything is durable
        async def close(self) -> None: ...

    StatelessRole(app, kafka, "translate", source=MENTIONS, work=Translate(...)).install(guard)

A batch is prepared while the one before it is still at work, so that what is slow there, such as a model, never waits for
what is slow here. Effects and commits keep the order of the log: a batch has an effect only once the one before it is
durable. Records come at least once, so what `handle` writes must be idempotent by id.

Owns positions, commit, and the way out of a batch that cannot end because a sink is away; knows nothing of what the records
say.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from aiokafka import AIOKafkaProducer
from faust.types import TP

from connectors.kafka import KafkaSettings
from pipeline.cursor import Cursor, Offsets, first_offsets
from schemas.topics import LARGE_MESSAGE_BYTES, Topic

log = logging.getLogger(__name__)

BATCH_RECORDS: Final = 500
BATCH_SECS: Final = 0.3
BATCHES_AT_WORK: Final = 2  # one that has effects, and one that is prepared meanwhile
GRACE_SECS: Final = 3.0  # far below the rebalance timeout (30 s) and the supervisor's patience
UNSTICK_SECS: Final = 5.0
# A consumer that fetches nothing for longer than this, because a sink is away and the buffers are full, leaves the group
# and never joins again: aiokafka waits for a fetch first, Faust for the group. Measured: the role stands still for good.
# That a worker is alive is told by its heartbeats; how long a sink may be away is not ours to limit.
LONGEST_OUTAGE_SECS: Final = 10 * 365 * 86_400.0


B = TypeVar("B")


class Work(Protocol[B]):
    """What a stateless role does with its records: `B` is a batch of them, prepared."""

    async def open(self) -> None:
        """Called once, before the first batch. May wait for a server that is away, and be cancelled by the process's end."""

    async def prepare(self, events: Sequence[Any]) -> B:
        """Everything that can be done before the batch ahead is durable: it must have no effect that anyone sees.

        `events` are Faust events (`event.message` has topic, partition, offset, key, value): contiguous, in order within a
        partition, never empty. May be cancelled at any `await`. Any exception ends the process.
        """

    async def handle(self, batch: B) -> None:
        """Do the whole batch; return only when every effect is durable, because the offsets are committed next.

        Called in the order of the log, one batch at a time. A sink that is away is waited for in here, as long as it takes.
        May be cancelled at any `await` when partitions move or the process stops; what it then left half done comes again.
        Any exception ends the process before the commit.
        """

    async def close(self) -> None:
        """Called once when the process stops in order; no batch is running, and `open` may not have come to its end."""


class StatelessRole:
    """Runs `work` over the owned partitions of `source` inside a Faust app."""

    def __init__(
        self,
        app: Any,
        kafka: KafkaSettings,
        role: str,
        *,
        source: Topic,
        work: Work[Any],
        batch_records: int = BATCH_RECORDS,
        batch_secs: float = BATCH_SECS,
    ) -> None:
        self._app, self._kafka, self._role, self._source, self._work = app, kafka, role, source, work
        self._batch_records, self._batch_secs = batch_records, batch_secs
        self._cursor = Cursor(app)
        self._opening: asyncio.Task[None] | None = None
        self._taking = asyncio.Lock()
        self._batches: list[asyncio.Task[None]] = []  # those that have not ended, in the order of the log
        self._ended, self._ended_before = 0, 0

    def install(self, guard: Callable[[Any], Any]) -> None:
        """Register agent, timer and handlers; `guard` ends the process on a bug before anything is committed."""
        app = self._app
        app.conf.broker_max_poll_interval = LONGEST_OUTAGE_SECS
        topic = app.topic(self._kafka.topic(self._source), acks=False)  # Faust itself never commits this topic
        app.on_partitions_assigned.connect(self._assigned, weak=False)
        app.on_partitions_revoked.connect(self._revoked, weak=False)
        app.on_before_shutdown.connect(self._stopping, weak=False)
        self._guarded_run = guard(self._run)
        app.agent(topic, concurrency=1, name=f"{self._role}.stateless")(guard(self._consume))
        app.timer(UNSTICK_SECS, name=f"{self._role}.unstick")(guard(self._unstick))

    async def _consume(self, stream: Any) -> None:
        self._opening = asyncio.create_task(self._work.open())
        if not await _finished(self._opening):
            return
        try:
            async for events in stream.take_events(self._batch_records, within=self._batch_secs):
                # A task of its own, so that a rebalance can end it while it waits for a sink.
                before = self._batches[-1] if self._batches else None
                self._batches.append(asyncio.create_task(self._guarded_run(events, before)))
                await self._room()
        finally:
            for batch in self._batches:
                batch.cancel()

    async def _room(self) -> None:
        """Until no more than one batch is at work: the next one may then be prepared."""
        while True:
            self._batches = [batch for batch in self._batches if not batch.done()]
            if len(self._batches) < BATCHES_AT_WORK:
                return
            await asyncio.wait({self._batches[0]})

    async def _run(self, events: Iterable[Any], before: asyncio.Task[None] | None) -> None:
        taken = await self._take(events)
        batch = await self._work.prepare(taken) if taken else None
        if before is not None:
            await asyncio.wait({before})
            if before.cancelled() or before.exception():  # it comes again, and so must what follows it
                raise asyncio.CancelledError
        if taken:
            await self._work.handle(batch)
            await self._commit({event.message.tp: event.message.offset + 1 for event in taken})
        self._ended += 1

    async def _take(self, events: Iterable[Any]) -> list[Any]:
        """Those that are next in their partitions; batch after batch, so that a later one holds later records."""
        taken = []
        async with self._taking:
            for event in events:
                if await self._cursor.take(event):
                    self._cursor.passed(event)
                    taken.append(event)
        return taken

    async def _commit(self, ends: Mapping[TP, int]) -> None:
        if not await self._app.consumer._commit(ends):
            log.info("%s: not committed, the partitions have moved on: the new owner repeats the batch", self._role)

    async def _assigned(self, _: Any, assigned: Iterable[TP], **__: Any) -> None:
        await self._let_go()
        owned = {tp.partition: tp for tp in assigned if tp.topic == self._kafka.topic(self._source)}
        if not owned:
            return
        starts = await first_offsets(self._kafka, self._source, self._app.conf.id, owned)
        for number, tp in owned.items():
            self._cursor.positions[tp] = Offsets(starts[number])
        log.info("%s: partitions %s", self._role, sorted(owned))

    async def _revoked(self, _: Any, __: Iterable[TP], **___: Any) -> None:
        await self._let_go()

    async def _stopping(self, _: Any, **__: Any) -> None:
        if self._opening is not None:
            await self._end({self._opening})
        await self._let_go()
        await self._work.close()

    async def _let_go(self) -> None:
        """Take nothing more, and end the batches at work."""
        self._cursor.positions.clear()
        await self._end(set(self._batches))

    async def _end(self, tasks: set[asyncio.Task[None]]) -> None:
        """In their own time if that is short, else by force."""
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECS)
        if late:
            log.info("%s: gave up waiting; what was not committed comes again", self._role)
            for task in late:
                task.cancel()
            await asyncio.wait(late)

    async def _unstick(self, *_: Any) -> None:
        waiting = any(not batch.done() for batch in self._batches) and self._ended == self._ended_before
        self._ended_before = self._ended
        if not waiting:  # nothing moves while a sink is away, and seeking would not help
            await self._cursor.unstick()


async def _finished(task: asyncio.Task[None]) -> bool:
    """Whether the task came to its end, False if it was cancelled from elsewhere. Raises what it raised."""
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()  # when we are cancelled ourselves; no effect once it has ended
    if task.cancelled():
        return False
    task.result()
    return True


def idempotent_producer(kafka: KafkaSettings) -> Any:
    """A producer for the outputs of a stateless role; not started. Await every send's future before `handle` returns."""
    return AIOKafkaProducer(
        **kafka.client(), enable_idempotence=True, linger_ms=5, max_batch_size=256 * 1024, max_request_size=LARGE_MESSAGE_BYTES
    )
