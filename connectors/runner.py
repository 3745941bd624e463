"""Runs a source: admission, privacy gate, records, progress, checkpoints.

Order of durable steps: mentions and dead letters, then the progress that covers them, then (acknowledged by Kafka) the
checkpoint. After a crash the source goes on at the checkpoint: what was sent already is sent again with the same source
positions and ids, by which readers recognise it.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kafka.errors import KafkaError

from connectors.kafka import KafkaSettings
from connectors.posts import Item, Post, Refused, Removal, Source, Unusable
from connectors.privacy_gate import PrivacyGate
from schemas.checkpoints import Checkpoint, SourceCounts
from schemas.deadletters import DeadLetter
from schemas.mentions import SourceProgress
from schemas.reasons import DeadLetterReason, RefusalReason
from schemas.records import NotARecord, Record, decode
from schemas.topics import CHECKPOINTS, DEAD_LETTERS, MENTIONS, Topic

log = logging.getLogger(__name__)

PROGRESS_EVERY: Final = timedelta(seconds=10)
CHECKPOINT_ITEMS: Final = 2000
CHECKPOINT_SECS: Final = 1.0
FLUSH_SECS: Final = 120.0
# A record that were given up while later ones go on would leave a hole: sent again after the restart, it has a position
# below those that have arrived, and is taken for a repeat. So none is given up, and what ends is the process.
NEVER_MS: Final = 7 * 24 * 3600 * 1000

Admits = Callable[[str], bool]
Monotonic = Callable[[], float]


class DeliveryFailed(Exception):
    """Kafka did not acknowledge in time. Nothing is lost: the checkpoint stays where it was."""


@dataclass(slots=True)
class _Tally:
    """Mutable counts behind `SourceCounts`."""

    read: int = 0
    admitted: int = 0
    deleted: int = 0
    refused: dict[RefusalReason, int] = field(default_factory=dict)
    dead: dict[DeadLetterReason, int] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: SourceCounts) -> "_Tally":
        return cls(counts.read, counts.admitted, counts.deleted, dict(counts.refused), dict(counts.dead))

    def counts(self) -> SourceCounts:
        return SourceCounts(
            read=self.read, admitted=self.admitted, deleted=self.deleted, refused=dict(self.refused), dead=dict(self.dead)
        )


class Pace:
    """Maps the source's clock to waiting. `factor` None: as fast as possible; and so it is up to `fast_until`, if given."""

    def __init__(
        self, factor: float | None, monotonic: Monotonic, stopping: threading.Event, fast_until: datetime | None = None
    ) -> None:
        self._factor, self._monotonic, self._stopping, self._fast_until = factor, monotonic, stopping, fast_until
        self._first: datetime | None = None
        self._started = 0.0

    def now(self, item_clock: datetime) -> datetime:
        """The source's clock now, at most `item_clock`."""
        if self._factor is None or (self._fast_until is not None and item_clock < self._fast_until):
            return item_clock
        if self._first is None:
            self._first, self._started = item_clock, self._monotonic()
        elapsed = (self._monotonic() - self._started) * self._factor
        return min(item_clock, self._first + timedelta(seconds=elapsed))

    def wait(self, until: datetime, now: datetime) -> None:
        """Wait for a part of the time that is left, or until the process is asked to stop."""
        if self._factor is not None and until > now:
            self._stopping.wait(min((until - now).total_seconds() / self._factor, 0.5))


class SourceRunner:
    """Delivers one source. Blocks its thread until the source ends or `stopping` is set."""

    def __init__(
        self, kafka: KafkaSettings, gate: PrivacyGate, *, admits: Admits | None, clock: Callable[[], datetime],
        monotonic: Monotonic, stopping: threading.Event,
    ) -> None:  # fmt: skip
        """`admits` None: the source passes whole (files, own channels)."""
        self._kafka, self._gate, self._admits = kafka, gate, admits
        self._clock, self._monotonic, self._stopping = clock, monotonic, stopping
        self._producer: Any = None
        self._failed: BaseException | None = None
        self._listening_since: datetime | None = None

    def run(self, source: Source, factor: float | None, *, fast_until: datetime | None = None) -> Checkpoint:
        """Deliver from the last checkpoint on, at a pace (see `Pace`). Raises `DeliveryFailed`, `KafkaUnreachable`."""
        last = self._last_checkpoint(source)
        if last.finished:
            log.info("%s has been delivered before: nothing to do", source.name)
            return last
        self._producer = self._kafka.producer(delivery_ms=NEVER_MS)
        try:
            return self._deliver(source, last, Pace(factor, self._monotonic, self._stopping, fast_until))
        finally:
            self._producer.close(timeout=5)

    def _last_checkpoint(self, source: Source) -> Checkpoint:
        fresh = Checkpoint(source=source.name, fingerprint=source.fingerprint, position=-1)
        with self._kafka.reader([CHECKPOINTS]) as reader:
            for record in reader.rest():
                if record.key == source.name.encode():
                    found = _checkpoint(record.value)
                    if found is not None and found.fingerprint == source.fingerprint:
                        fresh = found
        return fresh

    def _deliver(self, source: Source, last: Checkpoint, pace: Pace) -> Checkpoint:
        tally = _Tally.of(last.counts)
        position, clock, reported = last.position, last.clock, None
        self._listening_since = last.listening_since
        saved_items, saved_at = 0, self._monotonic()
        for item in source.items(after=position):
            now = pace.now(item.clock)
            if self._listening_since is None:
                # A source that goes on behind a position misses nothing by its own clock, whatever happens to this process.
                self._listening_since = now.astimezone(UTC)
            while reported is None or now - reported >= PROGRESS_EVERY or now < item.clock:
                if reported is None or now - reported >= PROGRESS_EVERY:
                    self._progress(source.name, now)
                    reported = now
                pace.wait(item.clock, now)
                if self._stopping.is_set():
                    return self._checkpoint(source, position, clock, tally, finished=False)
                now = pace.now(item.clock)
            self._item(source.name, item, tally)
            position, clock, saved_items = item.position, item.clock, saved_items + 1
            if saved_items >= CHECKPOINT_ITEMS or self._monotonic() - saved_at >= CHECKPOINT_SECS:
                self._checkpoint(source, position, clock, tally, finished=False)
                saved_items, saved_at = 0, self._monotonic()
            if self._stopping.is_set():
                return self._checkpoint(source, position, clock, tally, finished=False)
        if clock is not None:
            self._progress(source.name, clock, finished=True)
        return self._checkpoint(source, position, clock, tally, finished=True)

    def _item(self, source: str, item: Item, tally: _Tally) -> None:
        tally.read += 1
        match item.content:
            case Post() as post if self._admits is not None and not self._admits(post.text):
                _count(tally.refused, RefusalReason.NOT_WATCHED)
            case Post() as post:
                mention = self._gate.mention(post, source=source, position=item.position, observed_at=item.clock)
                self._send(MENTIONS, mention, key=mention.mention_id)
                tally.admitted += 1
            case Removal() as removal:
                deletion = self._gate.deletion(removal, source=source, observed_at=item.clock)
                self._send(MENTIONS, deletion, key=deletion.mention_id)
                tally.deleted += 1
            case Refused(reason=reason):
                _count(tally.refused, reason)
            case Unusable() as unusable:
                self._put_aside(source, item.position, unusable)
                _count(tally.dead, unusable.reason)

    def _put_aside(self, source: str, position: int, unusable: Unusable) -> None:
        sealed, day = self._gate.sealed_original(unusable.original)
        letter = DeadLetter(
            letter_id=f"{source}:{position}", role="source", reason=unusable.reason, problem=unusable.problem,
            at=self._clock(), source=source, position=position, sealed=sealed, sealed_day=day,
        )  # fmt: skip
        self._send(DEAD_LETTERS, letter, key=letter.letter_id)

    def _progress(self, source: str, clock: datetime, *, finished: bool = False) -> None:
        record = SourceProgress(
            source=source, clock=clock.astimezone(UTC), finished=finished, listening_since=self._listening_since
        )
        for partition in range(MENTIONS.partitions):
            self._send(MENTIONS, record, key=source, partition=partition)

    def _checkpoint(self, source: Source, position: int, clock: datetime | None, tally: _Tally, *, finished: bool) -> Checkpoint:
        self._flush()  # what the checkpoint covers is acknowledged first
        checkpoint = Checkpoint(
            source=source.name, fingerprint=source.fingerprint, position=position, clock=clock,
            listening_since=self._listening_since, counts=tally.counts(), finished=finished,
        )  # fmt: skip
        self._send(CHECKPOINTS, checkpoint, key=source.name)
        self._flush()
        return checkpoint

    def _send(self, topic: Topic, record: Record, *, key: str, partition: int | None = None) -> None:
        future = self._producer.send(self._kafka.topic(topic), value=record.encode(), key=key.encode(), partition=partition)
        future.add_errback(self._note_failure)

    def _note_failure(self, error: BaseException) -> None:
        self._failed = error

    def _flush(self) -> None:
        try:
            self._producer.flush(timeout=FLUSH_SECS)
        except KafkaError as error:
            raise DeliveryFailed(f"Kafka at {self._kafka.bootstrap} did not acknowledge within {FLUSH_SECS:g} s") from error
        if self._failed is not None:
            raise DeliveryFailed(f"Kafka refused a record: {self._failed}") from self._failed


def _checkpoint(value: bytes) -> Checkpoint | None:
    try:
        return decode(Checkpoint, value)
    except NotARecord as error:
        log.warning("a checkpoint cannot be read (%s): starting before it", error.problem)
        return None


def _count(counts: dict[Any, int], reason: Any) -> None:
    counts[reason] = counts.get(reason, 0) + 1
