"""From the topic `notifications` to one channel: at least once each, in order, tried for a day.

    read → send (again and again while the channel is away) → `deliveries` durable → commit

A crash between any two steps repeats what follows the last commit; the receiver recognises that by `notification_id`.
Each channel has a consumer group of its own, so that one which is stuck never delays another. Within a channel the
order is kept: while its receiver is away, everything waits.

Knows nothing of what a message says or of a channel's protocol.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.channels import Channel, ChannelRefused, ChannelUnavailable
from connectors.kafka import KafkaSettings
from pipeline.dead_letters import letter_of_message
from pipeline.stateless import idempotent_producer
from schemas.alerts import Delivery, Notification
from schemas.reasons import DeadLetterReason
from schemas.records import NotARecord, Union, UnknownKind
from schemas.topics import DEAD_LETTERS, DELIVERIES, NOTIFICATIONS

log = logging.getLogger(__name__)

SESSION_TIMEOUT_MS: Final = 15_000
KAFKA_PAUSE_SECS: Final = 5.0
NOTIFICATION_RECORDS: Final = Union(Notification)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often a channel that is away is tried."""

    first_secs: float = 1.0
    longest_secs: float = 60.0
    give_up_after: timedelta = timedelta(hours=24)  # since the message was written: restarts do not prolong it

    def pause_secs(self, attempts: int, rng: random.Random) -> float:
        """Doubles with each attempt; scattered, so that many channels do not knock at the same moment."""
        pause = min(self.longest_secs, self.first_secs * 2.0 ** min(attempts - 1, 16))
        return pause * rng.uniform(0.5, 1.0)


class DeliveryLoop:
    """Serves one channel until it is cancelled."""

    def __init__(
        self,
        kafka: KafkaSettings,
        name: str,
        channel: Channel,
        *,
        instance: str,
        clock: Callable[[], datetime],
        patience: Patience | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._kafka, self._name, self._channel, self._instance, self._clock = kafka, name, channel, instance, clock
        self._patience, self._rng = patience or Patience(), rng or random.Random()  # noqa: S311 (scatters pauses)
        self._consumer: Any = None
        self._producer: Any = None

    async def run(self) -> None:
        """Until cancelled. A broker that is away is waited for; any other error is a bug and is raised."""
        try:
            while True:
                try:
                    await self._serve()
                except KafkaError as error:
                    log.warning("channel %s: %r: starting again from the last commit", self._name, error)
                    await asyncio.sleep(KAFKA_PAUSE_SECS)
        finally:
            await self._channel.close()

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            self._producer = idempotent_producer(self._kafka)
            stack.push_async_callback(self._producer.stop)
            await self._producer.start()
            self._consumer = self._new_consumer()
            stack.push_async_callback(self._consumer.stop)
            await self._consumer.start()
            while True:
                await self._next()

    def _new_consumer(self) -> Any:
        return AIOKafkaConsumer(
            self._kafka.topic(NOTIFICATIONS), **self._kafka.client(), group_id=f"{self._kafka.prefix}deliver-{self._name}",
            # The same member after a restart: nobody waits until the dead one is given up.
            group_instance_id=f"{self._instance}-{self._name}", session_timeout_ms=SESSION_TIMEOUT_MS,
            isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest",
            # Heartbeats show that we live; a channel may be away for longer than the poll interval of any default.
            max_poll_interval_ms=int(2 * self._patience.give_up_after.total_seconds() * 1000),
        )  # fmt: skip

    async def _next(self) -> None:
        message = await self._consumer.getone()
        try:
            notification = NOTIFICATION_RECORDS.decode(message.value).record
        except UnknownKind:
            notification = None
        except NotARecord as error:
            notification = None
            letter = letter_of_message(message, "alert", DeadLetterReason.NOT_A_RECORD, error.problem, self._clock())
            await self._producer.send_and_wait(self._kafka.topic(DEAD_LETTERS), letter)
        if notification is not None and self._name in notification.channels:
            written_at = datetime.fromtimestamp(message.timestamp / 1000, UTC)
            delivery = await self._deliver(notification, written_at + self._patience.give_up_after)
            await self._producer.send_and_wait(self._kafka.topic(DELIVERIES), delivery.encode(), key=delivery.alert_id.encode())
        await self._consumer.commit({TopicPartition(message.topic, message.partition): message.offset + 1})

    async def _deliver(self, notification: Notification, deadline: datetime) -> Delivery:
        """Tries at least once, however late it is."""
        attempts = 0
        while True:
            attempts += 1
            try:
                await self._channel.send(notification)
            except ChannelRefused as error:
                return self._given_up(notification, attempts, str(error))
            except ChannelUnavailable as error:
                if self._clock() >= deadline:
                    return self._given_up(notification, attempts, f"given up: {error}")
                self._say_away(attempts, error)
            else:
                return self._delivery(notification, attempts, None)
            await asyncio.sleep(self._patience.pause_secs(attempts, self._rng))

    def _say_away(self, attempts: int, error: ChannelUnavailable) -> None:
        if attempts & (attempts - 1) == 0:  # the 1st, 2nd, 4th, 8th …: a log that is read, not filled
            log.warning("channel %s: attempt %s: %s: trying again", self._name, attempts, error)

    def _given_up(self, notification: Notification, attempts: int, error: str) -> Delivery:
        log.error("channel %s: %s not delivered: %s", self._name, notification.notification_id, error)
        return self._delivery(notification, attempts, error)

    def _delivery(self, notification: Notification, attempts: int, error: str | None) -> Delivery:
        return Delivery(
            notification_id=notification.notification_id, alert_id=notification.alert_id, watch_id=notification.watch_id,
            channel=self._name, kind=notification.kind, level=notification.level, event_time=notification.event_time,
            observed_at=notification.observed_at, sent_at=self._clock(), attempts=attempts, error=error,
        )  # fmt: skip
