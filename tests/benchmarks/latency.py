"""From a mention's record in Kafka to the message that it caused, on a live system at a steady load.

A source delivers invented posts in real time. Most belong to no surge; each of `SURGES` watches has a name of its own that
many people write within seconds, one watch after another, so that there are messages to measure.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import yaml

from connectors.channels.settings import FileSettings
from connectors.kafka import KafkaSettings
from connectors.posts import Item, Post
from connectors.runner import SourceRunner
from pipeline.configuration import Configuration
from pipeline.deployment import LIVE, Deployment, wall_clock
from pipeline.lag import LagReader
from pipeline.tone import SentimentSettings
from pipeline.wiring import privacy_gate
from processors.alerting.on_call import OnCallList
from schemas.alerts import Delivery, Notification
from schemas.hits import HITS as HIT_RECORDS
from schemas.hits import Hit
from schemas.mentions import MENTIONS as MENTION_RECORDS
from schemas.mentions import Mention
from schemas.records import decode
from schemas.signals import Signal, SignalKind
from schemas.topics import DELIVERIES, HITS, MENTIONS, NOTIFICATIONS, SIGNALS, Topic
from tests.benchmarks.corpus import Invented
from tests.benchmarks.installation import BenchmarkFailed, Installation, run_until

SURGES = 40
POSTS_A_SURGE = 25
SURGE_SECS = 6.0
EVERY_SECS = 3.0
LEAD_SECS = 20.0  # so that every role has long taken over its partitions when the first surge begins
LENGTH_SECS = LEAD_SECS + SURGES * EVERY_SECS + SURGE_SECS
FEWEST_MESSAGES = 30
STAGES = ("enrich", "detect", "alert", "deliver")
CHANNEL = "file"


@dataclass(frozen=True)
class Latencies:
    """Seconds, one for each message that a mention decided; `stages` split them by role."""

    total: Sequence[float]
    stages: Mapping[str, Sequence[float]]


class LiveFeed:
    """Implements `connectors.posts.Source`: posts at even distances from a moment on."""

    name = "benchmark"
    fingerprint = "benchmark"

    def __init__(self, texts: Sequence[Invented], rate: float, first: datetime) -> None:
        self._texts, self._rate, self._first = texts, rate, first
        self._surges = surge_of_each(rate)
        self.total: int | None = int(LENGTH_SECS * rate)

    def items(self, after: int) -> Iterator[Item]:
        """See `Source`."""
        assert self.total is not None
        for position in range(after + 1, self.total):
            clock = self._first + timedelta(seconds=position / self._rate)
            yield Item(position, clock, self._post(position, clock))

    def _post(self, position: int, clock: datetime) -> Post:
        text = self._texts[position % len(self._texts)].record["text"]
        surge = self._surges.get(position)
        return Post(
            native_id=str(position), platform="x", text=text if surge is None else f"{text} {surge_name(surge)}",
            published_at=clock, author_id=f"author-{position}",
        )  # fmt: skip


def surge_of_each(rate: float) -> dict[int, int]:
    """Which positions belong to which surge."""
    found: dict[int, int] = {}
    for surge in range(SURGES):
        for number in range(POSTS_A_SURGE):
            position = int((LEAD_SECS + surge * EVERY_SECS + number * SURGE_SECS / POSTS_A_SURGE) * rate)
            while position in found:
                position += 1
            found[position] = surge
    return found


def surge_name(surge: int) -> str:
    """A word that no other text holds."""
    return "vakfe" + "abcdefghij"[surge // 10] + "abcdefghij"[surge % 10]


def write_watches(file: Path) -> None:
    """One that takes everything and tells nobody, and one for each surge, with an on-call list of its own."""
    common = {"purpose": "ölçüm", "legal_basis": "ölçüm", "owner": "ölçüm", "expires": str(date(2099, 12, 31))}
    everything = {"id": "hepsi", "title": "Hepsi", "query": "çınarlı* OR belediye*", "level": "count", **common}
    surges = [
        {"id": surge_name(n), "title": surge_name(n), "query": surge_name(n), "level": "page", "on_call": surge_name(n), **common}
        for n in range(SURGES)
    ]
    file.write_text(yaml.safe_dump([everything, *surges], allow_unicode=True), encoding="utf-8")


def measure(installation: Installation, texts: Sequence[Invented], model: Path, rate: float) -> Latencies:
    """Feed `rate` posts a second for `LENGTH_SECS`. Raises `BenchmarkFailed` if too few messages came of it."""
    watches = installation.data / "latency-watches.yaml"
    write_watches(watches)
    configuration = Configuration(
        sentiment=SentimentSettings(model=model, threads=1),
        channels={CHANNEL: FileSettings(name=CHANNEL, path=installation.data / "messages.jsonl")},
        on_call={surge_name(n): OnCallList(name=surge_name(n), channels=(CHANNEL,), budget_weeks=1) for n in range(SURGES)},
        watches=(watches,),
    )
    deployment = installation.deployment(configuration, LIVE)
    with installation.roles(deployment) as supervisor, LagReader(deployment.kafka) as lag:
        feed = _Feeder(deployment, texts, rate)
        feed.start()
        run_until(supervisor, lambda: not feed.is_alive(), "the live feed")
        run_until(supervisor, lambda: _quiet(lag), "the rest after the live feed")
    feed.require_delivered()
    found = latencies(deployment.kafka)
    if len(found.total) < FEWEST_MESSAGES:
        raise BenchmarkFailed(f"{len(found.total)} messages: too few for a distribution")
    return found


class _Feeder(threading.Thread):
    """Runs the source as its own process would."""

    def __init__(self, deployment: Deployment, texts: Sequence[Invented], rate: float) -> None:
        super().__init__(daemon=True)
        self._deployment, self._source = deployment, LiveFeed(texts, rate, wall_clock())
        self._delivered = False

    def run(self) -> None:
        runner = SourceRunner(
            self._deployment.kafka, privacy_gate(self._deployment), admits=None, clock=wall_clock, monotonic=time.monotonic,
            stopping=threading.Event(),
        )  # fmt: skip
        self._delivered = runner.run(self._source, 1.0).finished

    def require_delivered(self) -> None:
        if not self._delivered:
            raise BenchmarkFailed("the live feed ended early")


def _quiet(lag: LagReader) -> bool:
    return not any(lag.roles().values()) and not lag.deliveries([CHANNEL])


def latencies(kafka: KafkaSettings) -> Latencies:
    """Read from the topics. A message that time decided, such as the end of a surge, has no deciding mention."""
    with kafka.reader([MENTIONS, HITS, SIGNALS, NOTIFICATIONS, DELIVERIES]) as reader:
        log = _Log(kafka, reader.rest())
    total, stages = [], {stage: [] for stage in STAGES}
    for delivery in log.deliveries:
        steps = log.steps(delivery)
        if steps is not None:
            total.append(steps[-1] - steps[0])
            for stage, secs in split(steps).items():
                stages[stage].append(secs)
    return Latencies(total, stages)


def split(steps: Sequence[float]) -> dict[str, float]:
    """Seconds by role, of the moments at which each role's input and the last one's output were written."""
    return {stage: end - start for stage, (start, end) in zip(STAGES, pairwise(steps), strict=True)}


class _Log:
    """When what a delivery rests on was written, in seconds since the epoch."""

    def __init__(self, kafka: KafkaSettings, records: Sequence[object]) -> None:
        self._kafka, self._records = kafka, records
        self._mentions: dict[datetime, float] = {}
        self._hits: dict[tuple[str, datetime], float] = {}
        for at, value in self._of(MENTIONS):
            record = MENTION_RECORDS.decode(value).record
            if isinstance(record, Mention):
                self._mentions[record.observed_at] = at
        for at, value in self._of(HITS):
            hit = HIT_RECORDS.decode(value).record
            if isinstance(hit, Hit):
                self._hits[hit.watch_id, hit.observed_at] = at
        self._signals = {decode(Signal, value).signal_id: at for at, value in self._of(SIGNALS)}
        self._notifications = {decode(Notification, value).notification_id: at for at, value in self._of(NOTIFICATIONS)}
        self.deliveries = [decode(Delivery, value) for _, value in self._of(DELIVERIES)]

    def _of(self, topic: Topic) -> Iterator[tuple[float, bytes]]:
        name = self._kafka.topic(topic)
        return ((record.timestamp / 1000, record.value) for record in self._records if record.topic == name)  # type: ignore[attr-defined]

    def steps(self, delivery: Delivery) -> tuple[float, ...] | None:
        """The mention, its hit, the signal, the notification, and when it was sent."""
        mention = self._mentions.get(delivery.observed_at)
        hit = self._hits.get((delivery.watch_id, delivery.observed_at))
        if mention is None or hit is None or delivery.kind is SignalKind.END or delivery.error is not None:
            return None
        signal = self._signals[delivery.notification_id.rpartition("/")[0]]
        return (mention, hit, signal, self._notifications[delivery.notification_id], delivery.sent_at.astimezone(UTC).timestamp())
