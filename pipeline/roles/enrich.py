"""mentions → enriched and hits: language, watches, tone.

A mention's hits are written before the progress that covers them, all is durable before the commit. What is sent again
after a crash is recognised by its origin (see processors.detection.fold) or by its id (index).
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from connectors.kafka import KafkaSettings
from pipeline.dead_letters import DeadLetterLimit, letter_of_message
from pipeline.stateless import StatelessRole, idempotent_producer
from pipeline.tone import Tone
from pipeline.watch_follower import WatchFollower
from processors.enrichment import Matched, enriched, hits, match, tones
from schemas.enriched import EnrichedDeletion
from schemas.hits import Progress, Retract
from schemas.mentions import MENTIONS as MENTION_RECORDS
from schemas.mentions import Deletion, Mention, MentionRecord, SourceProgress
from schemas.reasons import DeadLetterReason
from schemas.records import NotARecord, Record, UnknownKind
from schemas.sentiments import Sentiment
from schemas.topics import DEAD_LETTERS, ENRICHED, HITS, HITS_PARTITIONS, MENTIONS, Topic

log = logging.getLogger(__name__)

BATCH_RECORDS: Final = 256
BATCH_SECS: Final = 0.1


@dataclass(slots=True)
class Judged:
    """A batch of mentions as far as it can be brought without writing anything."""

    letters: list[bytes] = field(default_factory=list)
    records: list[tuple[Any, MentionRecord]] = field(default_factory=list)
    """Each with its message."""
    mentions: list[tuple[Any, Matched, Sentiment]] = field(default_factory=list)


class Enrich:
    """The role's work. See pipeline.stateless.Work."""

    def __init__(
        self, kafka: KafkaSettings, *, tone: Tone, watches: WatchFollower, secret: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._kafka, self._tone, self._watches, self._secret, self._clock = kafka, tone, watches, secret, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inference")
        self._limit = DeadLetterLimit("enrich")
        self._producer: Any = None

    async def open(self) -> None:
        """See `Work`."""
        self._producer = idempotent_producer(self._kafka)
        await self._producer.start()
        await self._watches.start()

    async def close(self) -> None:
        """See `Work`."""
        await self._watches.stop()
        if self._producer is not None:
            await self._producer.stop()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def prepare(self, events: Sequence[Any]) -> Judged:
        """See `Work`."""
        judged = Judged()
        for event in events:
            self._decode(event.message, judged)
        watches = self._watches.current
        matched = [
            (message, found)
            for message, record in judged.records
            if isinstance(record, Mention) and (found := match(record, watches)) is not None
        ]
        sentiments = await self._judge([found for _, found in matched])
        judged.mentions = [(*pair, sentiment) for pair, sentiment in zip(matched, sentiments, strict=True)]
        return judged

    async def handle(self, judged: Judged) -> None:
        """See `Work`."""
        batch = _Batch(self._kafka, self._producer)
        for letter in judged.letters:
            await batch.send_bytes(DEAD_LETTERS, letter)
        for message, found, sentiment in judged.mentions:
            await self._write(batch, message, found, sentiment)
        for _, record in judged.records:
            if isinstance(record, Deletion):
                await self._delete(batch, record)
        await self._progress(batch, judged.records)
        await batch.durable()

    def _decode(self, message: Any, judged: Judged) -> None:
        try:
            judged.records.append((message, MENTION_RECORDS.decode(message.value).record))
        except UnknownKind:
            return
        except NotARecord as error:
            self._limit.seen(bad=True)
            letter = letter_of_message(message, "enrich", DeadLetterReason.NOT_A_RECORD, error.problem, self._clock())
            judged.letters.append(letter)
            return
        self._limit.seen(bad=False)

    async def _judge(self, matched: Sequence[Matched]) -> list[Sentiment]:
        texts = [found.mention.text for found in matched if found.classifiable]
        judged = await asyncio.get_running_loop().run_in_executor(self._thread, self._tone.judge, texts) if texts else []
        return tones(matched, judged)

    async def _write(self, batch: "_Batch", message: Any, found: Matched, sentiment: Sentiment) -> None:
        await batch.send(ENRICHED, enriched(found, sentiment, self._secret), key=found.mention.mention_id)
        for hit in hits(found, sentiment, partition=message.partition, offset=message.offset):
            await batch.send(HITS, hit, key=hit.watch_id)

    async def _delete(self, batch: "_Batch", deletion: Deletion) -> None:
        gone = EnrichedDeletion(
            mention_id=deletion.mention_id, observed_at=deletion.observed_at, revision=deletion.revision
        )  # fmt: skip
        await batch.send(ENRICHED, gone, key=deletion.mention_id)
        await batch.broadcast(Retract(mention_id=deletion.mention_id))

    async def _progress(self, batch: "_Batch", records: Iterable[tuple[Any, MentionRecord]]) -> None:
        """One report per source and batch, after the hits that it covers."""
        clocks: dict[str, dict[int, datetime]] = {}
        since: dict[str, datetime] = {}
        listening: dict[str, SourceProgress] = {}  # the latest report; of equal ones the one that promises less
        finished: dict[str, set[int]] = {}
        for message, record in records:
            if isinstance(record, SourceProgress):
                clocks.setdefault(record.source, {})[message.partition] = record.clock
                since[record.source] = min(record.clock, since.get(record.source, record.clock))
                listening[record.source] = _less_sure(record, listening.get(record.source, record))
                ended = finished.setdefault(record.source, set())
                (ended.add if record.finished else ended.discard)(message.partition)
        for source, reported in clocks.items():
            await batch.broadcast(
                Progress(
                    source=source, clocks=reported, finished=frozenset(finished[source]), since=since[source],
                    listening_since=listening[source].listening_since,
                )
            )  # fmt: skip


def _less_sure(one: SourceProgress, other: SourceProgress) -> SourceProgress:
    """The later of two reports of a source; of two with the same clock, the one that promises less."""
    if one.clock != other.clock:
        return max(one, other, key=lambda report: report.clock)
    if one.listening_since is None or other.listening_since is None:
        return one if one.listening_since is None else other
    return max(one, other, key=lambda report: report.listening_since or report.clock)


class _Batch:
    """What one batch sends, and the wait until all of it is durable."""

    def __init__(self, kafka: KafkaSettings, producer: Any) -> None:
        self._kafka, self._producer = kafka, producer
        self._sent: list[asyncio.Future[Any]] = []

    async def send(self, topic: Topic, record: Record, *, key: str) -> None:
        self._sent.append(await self._producer.send(self._kafka.topic(topic), record.encode(), key=key.encode()))

    async def send_bytes(self, topic: Topic, value: bytes) -> None:
        self._sent.append(await self._producer.send(self._kafka.topic(topic), value))

    async def broadcast(self, record: Record) -> None:
        value = record.encode()
        for partition in range(HITS_PARTITIONS):
            self._sent.append(await self._producer.send(self._kafka.topic(HITS), value, partition=partition))

    async def durable(self) -> None:
        await asyncio.gather(*self._sent)


def enrich_role(app: Any, kafka: KafkaSettings, work: Enrich) -> StatelessRole:
    """Ready to be installed."""
    return StatelessRole(app, kafka, "enrich", source=MENTIONS, work=work, batch_records=BATCH_RECORDS, batch_secs=BATCH_SECS)
