"""The current watches, as the topic `watches` tells them: read whole at the start, then followed."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import date

from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka import KafkaSettings
from processors.watches.matcher import WatchSet
from schemas.records import NotARecord, decode
from schemas.topics import WATCHES
from schemas.watches import Watch

log = logging.getLogger(__name__)


class WatchFollower:
    """Holds the set that matches mentions; a change is seen within a second."""

    def __init__(self, kafka: KafkaSettings, today: Callable[[], date]) -> None:
        self._kafka, self._today = kafka, today
        self._watches: dict[str, Watch] = {}
        self._built_for: date | None = None
        self._set = WatchSet.build([], today())
        self._task: asyncio.Task[None] | None = None

    @property
    def current(self) -> WatchSet:
        """Enabled watches that have not expired today."""
        if self._task is not None and self._task.done():
            self._task.result()  # following has failed: matching on with old watches would hide it
        today = self._today()
        if today != self._built_for:
            self._set, self._built_for = WatchSet.build(self._watches.values(), today), today
            for watch_id, error in self._set.unusable.items():
                log.error("watch %s hears nothing, its query cannot be used: %s", watch_id, error)
        return self._set

    async def start(self) -> None:
        """Returns when all watches that exist now are known."""
        consumer = AIOKafkaConsumer(**self._kafka.client(), enable_auto_commit=False, auto_offset_reset="earliest")
        await consumer.start()
        partition = TopicPartition(self._kafka.topic(WATCHES), 0)
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        while await consumer.position(partition) < end:
            await self._read(consumer)
        self._task = asyncio.create_task(self._follow(consumer))

    async def stop(self) -> None:
        """End following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        try:
            while True:
                await self._read(consumer)
        finally:
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                self._take(record.key.decode(), record.value)

    def _take(self, watch_id: str, value: bytes | None) -> None:
        self._built_for = None
        if value is None:
            self._watches.pop(watch_id, None)
            return
        try:
            self._watches[watch_id] = decode(Watch, value)
        except NotARecord:
            log.exception("watch %s cannot be read: its last version stays in force", watch_id)
