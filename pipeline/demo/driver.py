"""Runs the story through the real system and shows what happens.

The stages are bound to the story's clock, not to this machine's: when the water cut begins, Elasticsearch is stopped; when
the page has gone out, it is started again. Nothing is acted: every line shown was read from a topic or from the index.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.elasticsearch import ElasticsearchUnreachable, translated
from connectors.kafka import TopicReader
from pipeline.demo.story import Story
from pipeline.demo.surges import Surge
from pipeline.demo.wall import Wall
from pipeline.deployment import Deployment
from pipeline.report.extras import (
    DeletedPost,
    DemoExtras,
    FieldChange,
    Footprint,
    QuietSurge,
    ReceivedAndStored,
    SearchOutage,
)
from pipeline.supervisor.supervisor import Supervisor
from schemas.alerts import Alert, Delivery, Notification
from schemas.enriched import ENRICHED as ENRICHED_RECORDS
from schemas.enriched import EnrichedDeletion, EnrichedMention
from schemas.records import decode
from schemas.signals import Signal, SignalKind, SignalLevel
from schemas.topics import ALERTS, DELIVERIES, ENRICHED, NOTIFICATIONS, SIGNALS

PAGE_WATCH: Final = "cinarli-belediye"
SEARCH_SERVER: Final = "elasticsearch"
AFTERMATH: Final = timedelta(minutes=30)
CATCHING_UP: Final = timedelta(hours=12)


@dataclass(slots=True)
class Outage:
    """What is known of the stop of Elasticsearch, by this machine's clock."""

    away_from: datetime
    indexed_before: int
    paged_at: datetime | None = None
    back_at: datetime | None = None


@dataclass(slots=True)
class Seen:
    """What the demo has read so far."""

    mentions: int = 0
    tones: Counter[str] = field(default_factory=Counter)
    clock: datetime | None = None
    reached: dict[str, SignalLevel] = field(default_factory=dict)  # by surge
    showcase: EnrichedMention | None = None
    deleted_seen_at: datetime | None = None
    deleted_was_in_evidence: bool = False
    deleted_is_in_evidence: bool = False
    gone_from_evidence_at: datetime | None = None
    notifications: dict[str, Notification] = field(default_factory=dict)
    page: Delivery | None = None


class Driver:
    """One run. `step` is called several times a second by the supervisor's loop."""

    def __init__(
        self, story: Story, deployment: Deployment, supervisor: Supervisor, reader: TopicReader, wall: Wall, *,
        ids: Callable[[str, str], str], clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        """`ids` gives the mention_id of a platform and a native id."""
        self._story, self._deployment, self._supervisor, self._reader, self._wall = story, deployment, supervisor, reader, wall
        self._clock = clock
        self.seen = Seen()
        self.outage: Outage | None = None
        self._outage_stack = ExitStack()
        self._told: set[str] = set()
        platforms = {record["id"]: record["platform"] for record in story.records}
        self._deleted = ids(platforms[story.deleted_id], story.deleted_id)
        self._showcase = ids(platforms[story.showcase_id], story.showcase_id)
        self._water = next(surge for surge in story.surges if surge.should_page)

    # -- reading ----------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Read what is new, show it, and do what the story asks for at this time."""
        for record in self._reader.poll(timeout_ms=20):
            self._take(record)
        self._tell_surges()
        self._stop_search_server()
        self._start_search_server()
        self._wall.counts(self.seen.mentions, self.seen.tones, self.seen.clock)

    def _take(self, record: Any) -> None:
        kafka = self._deployment.kafka
        if record.topic == kafka.topic(ENRICHED):
            self._enriched(record.value)
        elif record.topic == kafka.topic(SIGNALS):
            self._signal(decode(Signal, record.value))
        elif record.topic == kafka.topic(NOTIFICATIONS):
            notification = decode(Notification, record.value)
            self.seen.notifications[notification.notification_id] = notification
        elif record.topic == kafka.topic(DELIVERIES):
            self._delivery(decode(Delivery, record.value))
        elif record.topic == kafka.topic(ALERTS) and record.value is not None:
            self._alert(decode(Alert, record.value))

    def _enriched(self, value: bytes) -> None:
        record = ENRICHED_RECORDS.decode(value).record
        if isinstance(record, EnrichedDeletion):
            if record.mention_id == self._deleted:
                self.seen.deleted_seen_at = self._clock()
            return
        assert isinstance(record, EnrichedMention)
        self.seen.mentions += 1
        self.seen.tones[record.sentiment.label] += 1
        self.seen.clock = max(self.seen.clock or record.mention.event_time, record.mention.event_time)
        if record.mention.mention_id == self._showcase:
            self.seen.showcase = record

    def _signal(self, signal: Signal) -> None:
        if signal.watch_id != PAGE_WATCH or signal.kind is not SignalKind.ONSET:
            return
        for surge in self._story.surges:
            if surge.start <= signal.event_time <= surge.end + AFTERMATH:
                before = self.seen.reached.get(surge.name)
                self.seen.reached[surge.name] = SignalLevel.PAGE if SignalLevel.PAGE in (before, signal.level) else signal.level

    def _delivery(self, delivery: Delivery) -> None:
        notification = self.seen.notifications.get(delivery.notification_id)
        is_page = delivery.level is SignalLevel.PAGE and delivery.kind is SignalKind.ONSET
        if notification is None or not is_page or self.seen.page is not None:
            return
        self.seen.page = delivery
        self._wall.page(notification)
        if self.outage is not None:
            self.outage.paged_at = delivery.sent_at

    def _alert(self, alert: Alert) -> None:
        if alert.watch_id != PAGE_WATCH:
            return
        shown = any(post.mention_id == self._deleted for post in alert.evidence.first_posts)
        if self.seen.deleted_is_in_evidence and not shown:
            self.seen.gone_from_evidence_at = self._clock()
        self.seen.deleted_was_in_evidence |= shown
        self.seen.deleted_is_in_evidence = shown

    # -- acting -----------------------------------------------------------------------------------------------------

    def _tell_surges(self) -> None:
        clock = self.seen.clock
        for surge in self._story.surges:
            if clock is None or surge.name in self._told or clock < surge.start:
                continue
            if f"{surge.name}.begins" not in self._told:
                self._told.add(f"{surge.name}.begins")
                self._wall.begins(surge)
            if not surge.should_page and clock >= surge.end + AFTERMATH:
                self._told.add(surge.name)
                self._wall.over(surge, self.seen.reached.get(surge.name))

    def _stop_search_server(self) -> None:
        clock = self.seen.clock
        if self.outage is not None or clock is None or clock < self._water.start or not self._supervisor.owns(SEARCH_SERVER):
            return
        self.outage = Outage(self._clock(), self.documents() or 0)
        self._wall.search_server_away()
        self._outage_stack.enter_context(self._supervisor.paused(SEARCH_SERVER))

    def _start_search_server(self) -> None:
        """When the page is out; or when the surge is over without one, so that the demo ends either way."""
        outage, clock = self.outage, self.seen.clock
        if outage is None or outage.back_at is not None or clock is None:
            return
        if outage.paged_at is not None or clock >= self._water.end:
            outage.back_at = self._clock()
            self._outage_stack.close()
            self._wall.search_server_back()

    def close(self) -> None:
        """Whatever was stopped runs again."""
        self._outage_stack.close()

    # -- the end ----------------------------------------------------------------------------------------------------

    def documents(self) -> int | None:
        """Mentions in the index; None while it is away."""
        elasticsearch = self._deployment.elasticsearch
        try:
            with elasticsearch.sync_client() as client, translated():
                client.indices.refresh(index=f"{elasticsearch.prefix}mentions-*", allow_no_indices=True)
                return int(client.count(index=f"{elasticsearch.prefix}mentions-*", allow_no_indices=True)["count"])
        except ElasticsearchUnreachable:
            return None

    def extras(self, language: str) -> DemoExtras:
        """What the report shows beside the facts of the log."""
        documents = self.documents()
        return DemoExtras(
            quiet=tuple(self._quiet(surge, language) for surge in self._story.surges if not surge.should_page),
            stored=self._received_and_stored(),
            deleted=self._deleted_post(),
            outage=self._search_outage(documents),
            footprint=footprint(self._supervisor, self._deployment.data),
        )

    def _quiet(self, surge: Surge, language: str) -> QuietSurge:
        turkish = language == "tr"
        return QuietSurge(
            title=surge.title_tr if turkish else surge.title_en, start=surge.start, end=surge.end,
            reason=surge.why_tr if turkish else surge.why_en, reached=self.seen.reached.get(surge.name),
        )  # fmt: skip

    def _received_and_stored(self) -> ReceivedAndStored | None:
        if self.seen.showcase is None:
            return None
        received = next(record for record in self._story.records if record["id"] == self._story.showcase_id)
        stored = self.seen.showcase.mention
        author = received["author"]
        return ReceivedAndStored(
            received=received["text"], stored=stored.text,
            fields=(
                FieldChange(name="id", received=received["id"], stored=stored.mention_id),
                FieldChange(name="@", received=author["handle"], stored=f"{stored.author_class} · {stored.reach or '–'}"),
            ),
        )  # fmt: skip

    def _deleted_post(self) -> DeletedPost:
        record = next(record for record in self._story.records if record["id"] == self._story.deleted_id)
        removal = next(record for record in self._story.records if record.get("type") == "delete")
        seen, gone_after = self.seen, None
        if seen.gone_from_evidence_at is not None and seen.deleted_seen_at is not None:
            gone_after = max(0.0, (seen.gone_from_evidence_at - seen.deleted_seen_at).total_seconds())
        return DeletedPost(
            posted_at=datetime.fromisoformat(record["published_at"]), deleted_at=datetime.fromisoformat(removal["deleted_at"]),
            was_in_evidence=seen.deleted_was_in_evidence, is_in_evidence=seen.deleted_is_in_evidence,
            is_in_index=self._is_indexed(self._deleted), gone_after_secs=gone_after,
        )  # fmt: skip

    def _is_indexed(self, mention_id: str) -> bool:
        elasticsearch = self._deployment.elasticsearch
        with elasticsearch.sync_client() as client, translated():
            found = client.search(index=f"{elasticsearch.prefix}mentions-*", query={"ids": {"values": [mention_id]}}, size=1)
        return bool(found["hits"]["hits"])

    def _search_outage(self, documents: int | None) -> SearchOutage | None:
        outage = self.outage
        if outage is None or outage.back_at is None or outage.paged_at is None:
            return None
        expected = self.seen.mentions - 1  # one was deleted
        return SearchOutage(
            away_from=outage.away_from, back_at=outage.back_at, paged_at=outage.paged_at,
            indexed_afterwards=None if documents is None else documents - outage.indexed_before,
            missing=None if documents is None else expected - documents,
        )  # fmt: skip


def footprint(supervisor: Supervisor, data: Path) -> tuple[Footprint, ...]:
    """Resident memory of each process, and the disk that the servers' data takes."""
    disk = {name: _disk(data / name) for name in ("kafka", "elasticsearch")}
    return tuple(
        Footprint(name=name, memory_bytes=_resident(pid), disk_bytes=disk.get(name)) for name, pid in supervisor.pids().items()
    )


def _resident(pid: int | None) -> int | None:
    if pid is None:
        return None
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:  # it has just ended, or this is no Linux
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    return int(line.split()[1]) * 1024 if line else None


def _disk(folder: Path) -> int | None:
    if not folder.is_dir():
        return None
    # allocated blocks: Kafka's index files are mostly holes
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
