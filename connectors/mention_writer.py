"""Writes enriched records into the monthly indices.

Idempotent, and the outcome does not depend on order: per post the highest revision wins, and at equal revisions the
deletion. So any batch may come again, late, or before what it deletes. A server that is away is waited for; a document
that it refuses is handed back. Knows nothing of Kafka.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import orjson
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import ElasticsearchUnreachable, Patience, RequestRejected, prepare, refusal
from schemas.documents import MENTIONS_ALIAS, TOMBSTONES_INDEX, MentionDocument, Tombstone, month_index
from schemas.enriched import EnrichedDeletion, EnrichedMention, EnrichedRecord

REQUEST_BYTES: Final = 5 * 1024 * 1024
LOOKUPS_PER_REQUEST: Final = 5000

NOT_FOUND: Final = 404
CONFLICT: Final = 409
UNAVAILABLE: Final = 503

R = TypeVar("R", EnrichedMention, EnrichedDeletion)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that Elasticsearch will never take; `problem` does not quote its content."""

    record: EnrichedRecord
    problem: str


def document(enriched: EnrichedMention) -> MentionDocument:
    """What the index holds of a mention."""
    mention = enriched.mention
    return MentionDocument(
        mention_id=mention.mention_id, source=mention.source, platform=mention.platform, instance=mention.instance,
        event_time=mention.event_time, published_at=mention.published_at, observed_at=mention.observed_at,
        text=mention.text, language=enriched.language, label=enriched.sentiment.label,
        confidence=enriched.sentiment.confidence, model=enriched.sentiment.model, signature=enriched.signature,
        watches=enriched.watches, author_day_keys=enriched.author_day_keys, author_class=mention.author_class,
        reach=mention.reach, place=mention.place, sealed=mention.sealed,
        sealed_day=mention.sealed_day.isoformat() if mention.sealed_day else None,
        is_backfill=mention.is_backfill, is_drill=mention.is_drill, help_call=enriched.help_call,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation of a bulk request; without a body it deletes."""

    record: EnrichedRecord
    target: Mapping[str, Any]
    body: bytes | None

    def lines(self) -> tuple[bytes, ...]:
        if self.body is None:
            return (orjson.dumps({"delete": self.target}),)
        return (orjson.dumps({"index": self.target}), self.body)

    def trouble(self, item: Mapping[str, Any]) -> Exception | None:
        """What the answer to this operation means; None if it has been done, now or before."""
        status, error = item["status"], item.get("error")
        if error is None or status == CONFLICT:  # a conflict: this revision or a newer one is there
            return None
        if status == NOT_FOUND and self.body is None:
            return None
        return refusal(status, error)


def _operation(record: EnrichedRecord, index: str, body: bytes | None) -> _Operation:
    target = {"_index": index, "_id": _post(record), "version": _revision(record), "version_type": "external_gte"}
    return _Operation(record, target, body)


def _post(record: EnrichedRecord) -> str:
    return record.mention.mention_id if isinstance(record, EnrichedMention) else record.mention_id


def _revision(record: EnrichedRecord) -> int:
    return record.mention.revision if isinstance(record, EnrichedMention) else record.revision


def _highest(records: Iterable[R]) -> dict[str, R]:
    """The highest revision of each post, the last of equal ones."""
    highest: dict[str, R] = {}
    for record in records:
        known = highest.get(_post(record))
        if known is None or _revision(record) >= _revision(known):
            highest[_post(record)] = record
    return highest


def _requests(operations: Iterable[_Operation]) -> Iterator[list[_Operation]]:
    """Portions of about `REQUEST_BYTES`."""
    portion, size = list[_Operation](), 0
    for operation in operations:
        size += len(operation.body or b"") + 200
        if portion and size > REQUEST_BYTES:
            yield portion
            portion, size = [], len(operation.body or b"") + 200
        portion.append(operation)
    if portion:
        yield portion


class MentionWriter:
    """Brings enriched records into the indices of one deployment."""

    def __init__(self, client: AsyncElasticsearch, prefix: str, patience: Patience | None = None) -> None:
        self._client, self._prefix, self._patience = client, prefix, patience or Patience()
        self._tombs = prefix + TOMBSTONES_INDEX
        self.erased = 0
        """Mentions that were not indexed because they had been deleted already; counted again when a batch is repeated."""

    async def prepare(self, replicas: int) -> None:
        """As `connectors.elasticsearch.prepare`, but waits for a server that is away."""
        await self._patience.insist(lambda: prepare(self._client, self._prefix, replicas))

    async def write(self, batch: Sequence[EnrichedRecord]) -> list[Rejected]:
        """Returns when all of the batch is durable in Elasticsearch, except for what it rejects.

        Waits as long as the server is away; may be cancelled, and called again with the same batch. Raises
        `ElasticsearchRefused`. Of several revisions of a post only the highest is sent, so only that can be rejected.
        """
        deletions = _highest(record for record in batch if isinstance(record, EnrichedDeletion))
        mentions = [record for record in batch if isinstance(record, EnrichedMention)]
        graves = await self._graves({_post(record) for record in mentions})
        for post, deletion in deletions.items():
            graves[post] = max(graves.get(post, deletion.revision), deletion.revision)
        alive = [record for record in mentions if (grave := graves.get(_post(record))) is None or _revision(record) > grave]
        self.erased += len(mentions) - len(alive)
        operations = await self._operations(_highest(alive), deletions)
        rejected = [found for request in _requests(operations) for found in await self._send(request)]
        return list({id(found.record): found for found in rejected}.values())

    async def _operations(
        self, mentions: Mapping[str, EnrichedMention], deletions: Mapping[str, EnrichedDeletion]
    ) -> list[_Operation]:
        months = {post: self._month(record) for post, record in mentions.items()}
        strays = [post for post, record in mentions.items() if self._is_stray(record)]
        existing = await self._existing_months() if strays or deletions else set[str]()
        months |= await self._standing(strays, existing)
        return [
            *(_operation(record, months[post], document(record).encode()) for post, record in mentions.items()),
            *(_operation(record, self._tombs, _tombstone(record)) for record in deletions.values()),
            # In every month, since a deletion does not say where its post is.
            *(
                _operation(record, month, None)
                for record in deletions.values()
                for month in sorted(existing | set(months.values()))
            ),
        ]

    def _month(self, record: EnrichedMention) -> str:
        return month_index(self._prefix, record.mention.published_at, record.mention.observed_at)

    def _is_stray(self, record: EnrichedMention) -> bool:
        """Its month hangs on when it was seen, so an earlier revision may stand in another month."""
        published = record.mention.published_at
        return published is None or month_index(self._prefix, published, published) != self._month(record)

    async def _existing_months(self) -> set[str]:
        pattern = f"{self._prefix}{MENTIONS_ALIAS}-*"
        return set(await self._patience.insist(lambda: self._client.indices.get_alias(index=pattern, expand_wildcards="open")))

    async def _graves(self, posts: Iterable[str]) -> dict[str, int]:
        """The revisions at which posts were deleted."""
        return {post: revision async for _, post, revision in self._look_up((self._tombs, post) for post in posts)}

    async def _standing(self, posts: Iterable[str], months: Iterable[str]) -> dict[str, str]:
        """Where posts stand already; in the earliest month if in several."""
        places = ((month, post) for month in sorted(months, reverse=True) for post in posts)
        return {post: month async for month, post, _ in self._look_up(places)}

    async def _look_up(self, places: Iterable[tuple[str, str]]) -> AsyncIterator[tuple[str, str, int]]:
        """Index, id and version of those that exist now: a get sees what a search sees only after a refresh."""
        wanted = [{"_index": index, "_id": post, "_source": False} for index, post in places]
        for start in range(0, len(wanted), LOOKUPS_PER_REQUEST):
            part = wanted[start : start + LOOKUPS_PER_REQUEST]
            for item in await self._patience.insist(partial(self._get, part)):
                if item["found"]:
                    yield item["_index"], item["_id"], item["_version"]

    async def _get(self, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        answer = await self._client.mget(docs=wanted)
        for item in answer["docs"]:
            if error := item.get("error"):
                # The items of this answer carry no status: a shard that is away passes, an index that is missing does not.
                raise refusal(NOT_FOUND if error["type"] == "index_not_found_exception" else UNAVAILABLE, error)
        return list(answer["docs"])

    async def _send(self, operations: list[_Operation]) -> list[Rejected]:
        left, rejected = operations, list[Rejected]()

        async def attempt() -> None:
            nonlocal left
            troubles = await self._bulk(left)
            left = [operation for operation, trouble in troubles if isinstance(trouble, ElasticsearchUnreachable)]
            for operation, trouble in troubles:
                if isinstance(trouble, RequestRejected):
                    rejected.append(Rejected(operation.record, str(trouble)))
                elif not isinstance(trouble, ElasticsearchUnreachable):
                    raise trouble
            if left:
                raise next(trouble for _, trouble in troubles if isinstance(trouble, ElasticsearchUnreachable))

        try:
            await self._patience.insist(attempt)
        except RequestRejected as error:
            return [*rejected, *await self._apart(left, error)]
        return rejected

    async def _bulk(self, operations: Sequence[_Operation]) -> list[tuple[_Operation, Exception]]:
        lines: list[Any] = [line for operation in operations for line in operation.lines()]
        answer = await self._client.bulk(operations=lines, filter_path="errors,items.*.status,items.*.error")
        if not answer["errors"]:
            return []
        troubles = (
            (operation, operation.trouble(*item.values())) for operation, item in zip(operations, answer["items"], strict=True)
        )
        return [(operation, trouble) for operation, trouble in troubles if trouble is not None]

    async def _apart(self, operations: list[_Operation], error: RequestRejected) -> list[Rejected]:
        """The request as a whole was refused: find the operation that is to blame."""
        if len(operations) == 1:
            return [Rejected(operations[0].record, str(error))]
        middle = len(operations) // 2
        return [*await self._send(operations[:middle]), *await self._send(operations[middle:])]


def _tombstone(record: EnrichedDeletion) -> bytes:
    return Tombstone(mention_id=record.mention_id, observed_at=record.observed_at, revision=record.revision).encode()
