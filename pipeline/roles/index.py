"""enriched → Elasticsearch.

Deterministic ids and external versions make a repeated batch harmless, so the offsets are committed after the index has
answered and the dead letters are in Kafka, and a crash in between costs nothing but work.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import ElasticsearchSettings
from connectors.kafka import KafkaSettings
from connectors.mention_writer import MentionWriter
from pipeline.dead_letters import DeadLetterLimit, letter_of_message
from pipeline.stateless import StatelessRole, idempotent_producer
from schemas.enriched import ENRICHED as ENRICHED_RECORDS
from schemas.enriched import EnrichedRecord
from schemas.reasons import DeadLetterReason
from schemas.records import NotARecord, UnknownKind
from schemas.topics import DEAD_LETTERS, ENRICHED

ROLE: Final = "index"


@dataclass(slots=True)
class Counts:
    """What came in since the start, repeats included."""

    records: int = 0
    dead_letters: int = 0
    unknown_kinds: int = 0
    unknown_fields: int = 0


@dataclass(slots=True)
class Read:
    """A batch, decoded; `sources` by identity, since two equal records are two messages."""

    events: Sequence[Any]
    records: list[EnrichedRecord] = field(default_factory=list)
    sources: dict[int, Any] = field(default_factory=dict)
    letters: list[tuple[Any, bytes]] = field(default_factory=list)


class Index:
    """The role's work. See pipeline.stateless.Work."""

    def __init__(self, kafka: KafkaSettings, elasticsearch: ElasticsearchSettings, *, clock: Callable[[], datetime]) -> None:
        self._kafka, self._elasticsearch, self._clock = kafka, elasticsearch, clock
        self._limit = DeadLetterLimit(ROLE)
        self._client: AsyncElasticsearch | None = None
        self._writer: MentionWriter | None = None
        self._producer: Any = None
        self.counts = Counts()

    async def open(self) -> None:
        """See `Work`."""
        self._producer = idempotent_producer(self._kafka)
        await self._producer.start()
        self._client = self._elasticsearch.client()
        writer = MentionWriter(self._client, self._elasticsearch.prefix)
        await writer.prepare(self._elasticsearch.replicas)
        self._writer = writer

    async def close(self) -> None:
        """See `Work`."""
        if self._client is not None:
            await self._client.close()
        if self._producer is not None:
            await self._producer.stop()

    async def prepare(self, events: Sequence[Any]) -> Read:
        """See `Work`."""
        batch = Read(events)
        for event in events:
            record = self._decode(event.message, batch.letters)
            if record is not None:
                batch.sources[id(record)] = event.message
                batch.records.append(record)
        return batch

    async def handle(self, batch: Read) -> None:
        """See `Work`."""
        assert self._writer is not None, "handle before open"
        for rejected in await self._writer.write(batch.records):
            message = batch.sources[id(rejected.record)]
            batch.letters.append((message, self._letter(message, DeadLetterReason.REJECTED_BY_INDEX, rejected.problem)))
        self._count(batch.events, batch.letters)
        await self._put_aside(batch.letters)

    def _decode(self, message: Any, letters: list[tuple[Any, bytes]]) -> EnrichedRecord | None:
        try:
            decoded = ENRICHED_RECORDS.decode(message.value)
        except UnknownKind:
            self.counts.unknown_kinds += 1
            return None
        except NotARecord as error:
            letters.append((message, self._letter(message, DeadLetterReason.NOT_A_RECORD, error.problem)))
            return None
        self.counts.unknown_fields += decoded.unknown
        return decoded.record

    def _letter(self, message: Any, reason: DeadLetterReason, problem: str) -> bytes:
        return letter_of_message(message, ROLE, reason, problem, self._clock())

    def _count(self, events: Sequence[Any], letters: Sequence[tuple[Any, bytes]]) -> None:
        bad = {(message.tp, message.offset) for message, _ in letters}
        for event in events:
            self._limit.seen(bad=(event.message.tp, event.message.offset) in bad)
        self.counts.records += len(events)
        self.counts.dead_letters += len(letters)

    async def _put_aside(self, letters: Sequence[tuple[Any, bytes]]) -> None:
        topic = self._kafka.topic(DEAD_LETTERS)
        sent = [
            await self._producer.send(topic, letter, key=f"{message.topic}:{message.partition}:{message.offset}".encode())
            for message, letter in letters
        ]
        await asyncio.gather(*sent)  # a flush would swallow what went wrong


class IndexRole(StatelessRole):
    """Ready to be installed in a Faust app."""

    def __init__(
        self, app: Any, kafka: KafkaSettings, elasticsearch: ElasticsearchSettings, *, clock: Callable[[], datetime]
    ) -> None:
        self.work = Index(kafka, elasticsearch, clock=clock)
        super().__init__(app, kafka, ROLE, source=ENRICHED, work=self.work)
