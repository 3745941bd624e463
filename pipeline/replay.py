"""A file listened to in a namespace of its own: nothing of it touches live counts, and nobody is called for it.

The run is over when the source has ended and every role has done all that follows from it; each step is asked for in
the order of the flow, so that a zero stays a zero.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from kafka.errors import KafkaError

from connectors.kafka import KafkaSettings, KafkaUnreachable
from pipeline.dead_letter_box import letters
from pipeline.deployment import Deployment
from pipeline.lag import LagReader
from pipeline.launch import ROLES, role_spec
from pipeline.supervisor.children import ChildSpec
from pipeline.wiring import alert_channels
from processors.detection.fold import late_mentions
from schemas.alerts import Delivery
from schemas.checkpoints import Checkpoint, SourceCounts
from schemas.records import decode
from schemas.signals import SignalKind, SignalLevel
from schemas.topics import CHECKPOINTS, DELIVERIES, DETECTOR_STATE, ENRICHED, HITS, MENTIONS, SIGNALS

REPORT_SECS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page or notice that went out."""

    watch: str
    event_time: datetime
    observed_at: datetime
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What `nabiz replay --wait --json` prints."""

    namespace: str
    read: int
    admitted: int
    deleted: int
    refused: Mapping[str, int]
    indexed: int
    late: int
    dead_letters: int
    notices: list[Page]
    pages: list[Page]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """How far a run is: the source's counts and what each role has left."""

    counts: SourceCounts
    delivered: bool
    left: Mapping[str, int]

    @property
    def done(self) -> bool:
        """Nothing is left anywhere."""
        return self.delivered and not any(self.left.values())


def source_spec(deployment: Deployment, file: Path, *, encoding: str, speed: str, more: Sequence[str] = ()) -> ChildSpec:
    """The process that reads the file."""
    options = ("--file", str(file.absolute()), "--encoding", encoding, "--speed", speed, *more)
    return role_spec(deployment, "source", 0, *options, once=True)


class ReplayWatcher:
    """Looks at a replay from outside. Use as a context manager.

    Looks from a thread of its own: while Kafka is away each question may take half a minute, and whoever asks `done` is the
    one who tends the children and starts Kafka again.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lag = LagReader(deployment.kafka)
        self._channels = tuple(alert_channels(deployment))
        self._looked_at = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="replay-watcher")
        self._asked: Future[ReplayProgress] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._lag.close()

    def look(self) -> ReplayProgress:
        """The state now. The order of the questions is the order of the flow."""
        checkpoint = last_checkpoint(self._deployment.kafka)
        delivered = checkpoint is not None and checkpoint.finished
        left = {}
        for role, topic in zip(ROLES, (MENTIONS, ENRICHED, HITS, SIGNALS), strict=True):
            left[role] = self._lag.group(role, topic)
        left["deliver"] = self._lag.deliveries(self._channels)
        return ReplayProgress(checkpoint.counts if checkpoint else SourceCounts(), delivered, left)

    def done(self, report: Callable[[ReplayProgress], None]) -> bool:
        """To be called often; asks Kafka once a second, and never waits for it."""
        if self._asked is None:
            if time.monotonic() - self._looked_at >= REPORT_SECS:
                self._looked_at = time.monotonic()
                self._asked = self._thread.submit(self.look)
            return False
        if not self._asked.done():
            return False
        asked, self._asked = self._asked, None
        try:
            progress = asked.result()
        except (KafkaError, KafkaUnreachable):  # the broker is being started again; the supervisor says so
            return False
        report(progress)
        return progress.done


def last_checkpoint(kafka: KafkaSettings) -> Checkpoint | None:
    """Of the one source of a replay."""
    with kafka.reader([CHECKPOINTS]) as reader:
        records = reader.rest()
    return decode(Checkpoint, records[-1].value) if records else None


def result(deployment: Deployment, seconds: float) -> ReplayResult:
    """The figures of a finished replay, counted from the topics and the index."""
    kafka = deployment.kafka
    checkpoint = last_checkpoint(kafka)
    counts = checkpoint.counts if checkpoint else SourceCounts()
    with kafka.reader([DELIVERIES, DETECTOR_STATE]) as reader:
        records = reader.rest()
    by_topic: dict[str, list[Any]] = {}
    for record in records:
        by_topic.setdefault(record.topic, []).append(record)
    deliveries = [decode(Delivery, record.value) for record in by_topic.get(kafka.topic(DELIVERIES), [])]
    state = {record.key: record.value for record in by_topic.get(kafka.topic(DETECTOR_STATE), [])}
    return ReplayResult(
        namespace=deployment.namespace, read=counts.read, admitted=counts.admitted, deleted=counts.deleted, refused={str(reason): count for reason, count in counts.refused.items()},
        indexed=indexed(deployment), late=late_mentions(state), dead_letters=len(letters(kafka)),
        notices=_sent(deliveries, SignalLevel.NOTICE), pages=_sent(deliveries, SignalLevel.PAGE), seconds=round(seconds, 1),
    )  # fmt: skip


def _sent(deliveries: list[Delivery], level: SignalLevel) -> list[Page]:
    """Onsets of a level, once each however many channels took them."""
    first: dict[str, Delivery] = {}
    for delivery in deliveries:
        if delivery.level is level and delivery.kind is SignalKind.ONSET and delivery.error is None:
            first.setdefault(delivery.notification_id, delivery)
    return [Page(watch=d.watch_id, event_time=d.event_time, observed_at=d.observed_at, sent_at=d.sent_at) for d in first.values()]


def indexed(deployment: Deployment) -> int:
    """Documents of the namespace."""
    with deployment.elasticsearch.sync_client() as client:
        client.indices.refresh(index=f"{deployment.elasticsearch.prefix}mentions-*", allow_no_indices=True)
        found = client.count(index=f"{deployment.elasticsearch.prefix}mentions-*", allow_no_indices=True)
    return int(found["count"])


def remove_topics(kafka: KafkaSettings) -> None:
    """Take a finished replay's topics off the broker; the documents stay."""
    from schemas.topics import TOPICS

    admin = kafka.admin()
    try:
        admin.delete_topics([kafka.topic(topic) for topic in TOPICS])
    finally:
        admin.close()
