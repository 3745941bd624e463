"""Batches overlap, their effects do not: what is written and committed has the order of the log, whatever is cancelled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

import pipeline.stateless as loop
from connectors.kafka import KafkaSettings
from pipeline.stateless import StatelessRole
from schemas.topics import MENTIONS

TP0 = TP("mentions", 0)


class Faust:
    """As much of a Faust app as the loop touches; a test plays the broker."""

    def __init__(self) -> None:
        self.conf = SimpleNamespace(id="role", broker_max_poll_interval=0.0)
        self.consumer, self.consumer_generation_id, self.rebalancing = self, 1, False
        self.handlers: dict[str, Callable[..., Awaitable[None]]] = {}
        self.committed: list[int] = []
        self.incoming: asyncio.Queue[list[Any]] = asyncio.Queue()
        self.on_partitions_assigned, self.on_partitions_revoked = self._signal("assigned"), self._signal("revoked")
        self.on_before_shutdown = self._signal("stopping")

    def _signal(self, name: str) -> Any:
        return SimpleNamespace(connect=lambda handler, weak: self.handlers.__setitem__(name, handler))

    def topic(self, name: str, acks: bool) -> str:
        assert not acks
        return name

    def agent(self, topic: str, concurrency: int, name: str) -> Callable[[Any], None]:
        return lambda body: self.handlers.__setitem__("agent", body)

    def timer(self, secs: float, name: str) -> Callable[[Any], None]:
        return lambda body: self.handlers.__setitem__("timer", body)

    async def _commit(self, ends: Mapping[TP, int]) -> bool:
        self.committed.append(ends[TP0])
        return True

    async def take_events(self, number: int, within: float) -> AsyncIterator[list[Any]]:
        while True:
            yield await self.incoming.get()

    async def assign(self, generation: int) -> None:
        self.consumer_generation_id = generation
        await self.handlers["assigned"](None, {TP0})

    def arrive(self, offsets: Iterable[int]) -> None:
        generation = self.consumer_generation_id
        self.incoming.put_nowait(
            [
                SimpleNamespace(message=SimpleNamespace(tp=TP0, offset=offset, generation_id=generation, headers=None))
                for offset in offsets
            ]
        )


class Slow:
    """Work whose every batch waits until the test lets it go on; batches are named by their first offset."""

    def __init__(self) -> None:
        self.prepared: list[int] = []
        self.begun: list[int] = []
        self.done: list[int] = []
        self.gates: dict[int, asyncio.Event] = {}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def prepare(self, events: Sequence[Any]) -> int:
        first: int = events[0].message.offset
        self.prepared.append(first)
        return first

    async def handle(self, batch: int) -> None:
        self.begun.append(batch)
        await self.gates.setdefault(batch, asyncio.Event()).wait()
        self.done.append(batch)

    def let(self, batch: int) -> None:
        self.gates.setdefault(batch, asyncio.Event()).set()


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Faust, Slow]]:
    """The loop at work on one partition, which begins at what was committed."""
    app, work = Faust(), Slow()

    async def first_offsets(*_: Any) -> dict[int, int]:
        return {0: app.committed[-1] if app.committed else 0}

    monkeypatch.setattr(loop, "first_offsets", first_offsets)
    monkeypatch.setattr(loop, "GRACE_SECS", 0.05)
    StatelessRole(app, KafkaSettings(), "role", source=MENTIONS, work=work).install(lambda body: body)
    await app.assign(1)
    agent = asyncio.ensure_future(app.handlers["agent"](app))
    yield app, work
    agent.cancel()
    await asyncio.wait({agent})


async def settled() -> None:
    """Everything that can go on without the test has gone on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_batch_is_prepared_while_the_one_before_is_at_work(running: tuple[Faust, Slow]) -> None:
    """It waits with its effects, and no third one is begun."""
    app, work = running
    for offsets in (range(3), range(3, 5), range(5, 9)):
        app.arrive(offsets)
    await settled()
    assert (work.prepared, work.begun, app.committed) == ([0, 3], [0], [])
    work.let(3)
    await settled()
    assert (work.begun, app.committed) == ([0], [])
    work.let(0)
    await settled()
    assert (work.prepared, work.done, app.committed) == ([0, 3, 5], [0, 3], [3, 5])


async def test_what_follows_a_batch_that_was_given_up_has_no_effect(running: tuple[Faust, Slow]) -> None:
    """Its records come again, behind those of the batch that was given up, and each has its effect once."""
    app, work = running
    app.arrive(range(3))
    app.arrive(range(3, 5))
    await settled()
    work.let(3)
    await app.assign(2)  # ends what is at work, for its time of grace is over
    assert (work.begun, app.committed) == ([0], [])
    app.arrive(range(5))
    work.let(0)
    await settled()
    assert (work.begun, work.done, app.committed) == ([0, 0], [0], [5])


async def test_records_of_an_old_generation_are_not_taken(running: tuple[Faust, Slow]) -> None:
    """They were on their way while the partitions moved; the new owner reads them itself."""
    app, work = running
    app.arrive(range(3))
    app.consumer_generation_id = 2
    await settled()
    assert (work.prepared, app.committed) == ([], [])


async def test_a_batch_that_ends_in_its_time_of_grace_is_committed(running: tuple[Faust, Slow]) -> None:
    """So a rebalance repeats nothing that was nearly done."""
    app, work = running
    app.arrive(range(3))
    await settled()
    asyncio.get_running_loop().call_later(0.01, work.let, 0)
    await app.handlers["revoked"](None, {TP0})
    assert (work.done, app.committed) == ([0], [3])


async def test_an_error_reaches_the_guard_and_nothing_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when no further record arrives; the guard of a real process ends it there and then."""
    app, work, caught = Faust(), Slow(), []

    def guard(body: Any) -> Any:
        async def guarded(*arguments: Any) -> None:
            try:
                await body(*arguments)
            except ZeroDivisionError as error:
                caught.append(error)
                raise

        return guarded

    async def failing(batch: int) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def first_offsets(*_: Any) -> dict[int, int]:
        return {0: 0}

    monkeypatch.setattr(loop, "first_offsets", first_offsets)
    work.handle = failing  # type: ignore[method-assign]
    StatelessRole(app, KafkaSettings(), "role", source=MENTIONS, work=work).install(guard)
    await app.assign(1)
    agent = asyncio.ensure_future(app.handlers["agent"](app))
    app.arrive(range(3))
    app.arrive(range(3, 5))
    await settled()
    assert (len(caught), work.prepared, app.committed) == (1, [0, 3], [])
    agent.cancel()
    await asyncio.wait({agent})


async def test_the_end_of_the_process_cancels_what_hangs(running: tuple[Faust, Slow]) -> None:
    """Both batches; neither is committed."""
    app, work = running
    app.arrive(range(3))
    app.arrive(range(3, 5))
    await settled()
    await app.handlers["stopping"](None)
    assert (work.begun, work.done, app.committed) == ([0], [], [])
