"""The index role: what stands in Elasticsearch is what the topic says, whatever order, repeat, crash or outage comes between."""

import asyncio
import base64
import logging
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from elasticsearch import AsyncElasticsearch, Elasticsearch
from kafka import KafkaConsumer, TopicPartition

from connectors.elasticsearch import ElasticsearchRefused, ElasticsearchSettings, Patience, prepare
from connectors.kafka import KafkaSettings, create_topics
from connectors.mention_writer import MentionWriter
from pipeline.dead_letters import WINDOW
from pipeline.servers.ports import choose_ports
from schemas.authors import AuthorClass
from schemas.deadletters import DeadLetter
from schemas.documents import month_index
from schemas.enriched import EnrichedDeletion, EnrichedMention, EnrichedRecord
from schemas.labels import Label
from schemas.mentions import Mention
from schemas.reasons import DeadLetterReason
from schemas.records import decode
from schemas.sentiments import Sentiment
from schemas.topics import DEAD_LETTERS, ENRICHED
from tests.servers_fixture import Servers

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def mention(
    post: str, *, revision: int = 1, text: str = "Su kesintisi bitmedi", published: datetime | None = NOON, seen: datetime = NOON
) -> EnrichedMention:
    """An invented post."""
    inner = Mention(
        mention_id=post, source="test", platform="webhook", instance="test", published_at=published, observed_at=seen,
        event_time=seen, text=text, author_class=AuthorClass.PRIVATE, revision=revision,
    )  # fmt: skip
    return EnrichedMention(
        mention=inner, language="tr", sentiment=Sentiment(label=Label.NEGATIVE, confidence=0.9, model="test"),
        signature="s", watches=("su",), author_day_keys=("k",),
    )  # fmt: skip


def deletion(post: str, *, revision: int = 2) -> EnrichedDeletion:
    return EnrichedDeletion(mention_id=post, observed_at=NOON, revision=revision)


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:10]}-"


@asynccontextmanager
async def writing(url: str, prefix: str) -> AsyncIterator[tuple[AsyncElasticsearch, MentionWriter]]:
    client = ElasticsearchSettings(urls=(url,), prefix=prefix).client()
    try:
        writer = MentionWriter(client, prefix, Patience(longest_wait_secs=0.5))
        await writer.prepare(0)
        yield client, writer
    finally:
        await client.close()


async def stored(client: AsyncElasticsearch, prefix: str) -> dict[str, tuple[str, str, int]]:
    """Text, index and version of every document by id; fails if an id stands twice."""
    await client.cluster.health(index=f"{prefix}mentions-*", wait_for_status="yellow", timeout="30s")
    await client.indices.refresh(index=f"{prefix}mentions-*")
    answer = await client.search(index=f"{prefix}mentions-*", size=1000, version=True)
    hits = answer["hits"]["hits"]
    found = {hit["_id"]: (hit["_source"]["text"], hit["_index"], hit["_version"]) for hit in hits}
    assert len(found) == len(hits), "a post stands twice"
    return found


async def until(condition: Callable[[], Awaitable[Any]], what: str, deadline_secs: float = 60) -> Any:
    """The condition's first true value."""
    end = time.monotonic() + deadline_secs
    while time.monotonic() < end:
        if value := await condition():
            return value
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {deadline_secs} s: {what}")


class Gate:
    """A door to a server that a test opens and closes; a closed one refuses connections and cuts those that stand."""

    def __init__(self, address: str) -> None:
        target = urlsplit(address)
        self._host, self._port = target.hostname, target.port
        self.port = choose_ports("auto").kafka
        self.url = f"http://127.0.0.1:{self.port}"
        self.opened = 0
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for pipe in list(self._pipes):
            pipe.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        there, back = await asyncio.open_connection(self._host, self._port)
        for source, sink in ((reader, back), (there, writer)):
            pipe = asyncio.create_task(self._pipe(source, sink))
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()


async def tokens(client: AsyncElasticsearch, index: str, field: str, text: str) -> list[str]:
    return [token["token"] for token in (await client.indices.analyze(index=index, field=field, text=text))["tokens"]]


async def test_prepare_is_idempotent_and_the_analyzers_are_turkish(servers: Servers, prefix: str) -> None:
    """Text is folded as watches fold it, `text.turkish` is stemmed, ids are keywords, and the alias covers the month."""
    async with writing(servers.elasticsearch, prefix) as (client, writer):
        await prepare(client, prefix, 0)
        await writer.write([mention("a")])
        month = f"{prefix}mentions-2026.11"
        mapping = (await client.indices.get_mapping(index=month))[month]["mappings"]["properties"]
        assert mapping["mention_id"]["type"] == "keyword"
        assert mapping["event_time"]["type"] == "date"
        assert (await client.indices.get_alias(index=month))[month]["aliases"] == {f"{prefix}mentions": {}}
        assert await tokens(client, month, "text", "İSTANBUL'DAKİ IŞIKLAR") == ["istanbul", "isiklar"]
        assert await tokens(client, month, "text.turkish", "ışıklarımız") == ["isik"]


async def test_a_repeated_batch_changes_nothing(servers: Servers, prefix: str) -> None:
    """Twice the same batch: the same documents at the same versions, and nothing is rejected."""
    batch = [mention(f"p{number}", revision=number) for number in range(50)]
    async with writing(servers.elasticsearch, prefix) as (client, writer):
        assert await writer.write(batch) == []
        first = await stored(client, prefix)
        assert await writer.write(batch) == []
        assert await stored(client, prefix) == first
        assert len(first) == 50
        assert first["p7"] == ("Su kesintisi bitmedi", f"{prefix}mentions-2026.11", 7)


@pytest.mark.parametrize(
    ("batches", "texts"),
    [
        ([[mention("a"), deletion("a")]], {}),
        ([[mention("a")], [deletion("a")]], {}),
        ([[deletion("a"), mention("a")]], {}),
        ([[deletion("a")], [mention("a")]], {}),
        ([[deletion("a", revision=1)], [mention("a", revision=1)]], {}),
        ([[mention("a", revision=1)], [deletion("a", revision=1)]], {}),
        ([[deletion("a")], [mention("a")], [deletion("a")], [mention("a")]], {}),
        ([[deletion("a")], [mention("a", revision=3, text="yeniden")]], {"a": "yeniden"}),
        ([[mention("a", revision=3, text="yeniden"), deletion("a")]], {"a": "yeniden"}),
        ([[mention("a", revision=3, text="yeniden")], [deletion("a")]], {"a": "yeniden"}),
        ([[mention("a", revision=2, text="yeni")], [mention("a", text="eski")]], {"a": "yeni"}),
        ([[mention("a", revision=2, text="yeni"), mention("a", text="eski")]], {"a": "yeni"}),
        ([[mention("a", text="eski"), mention("a", revision=2, text="yeni")]], {"a": "yeni"}),
        ([[mention("a"), mention("b"), deletion("a")]], {"b": "Su kesintisi bitmedi"}),
    ],
)
async def test_the_highest_revision_wins_in_any_order(
    servers: Servers, prefix: str, batches: list[list[EnrichedRecord]], texts: dict[str, str]
) -> None:
    """A deletion that overtakes its post keeps it out; an older revision never covers a newer one."""
    async with writing(servers.elasticsearch, prefix) as (client, writer):
        await writer.write([mention("other")])
        for batch in batches:
            assert await writer.write(batch) == []
        found = {post: text for post, (text, _, _) in (await stored(client, prefix)).items() if post != "other"}
        assert found == texts


async def test_a_post_seen_in_two_months_stands_once(servers: Servers, prefix: str) -> None:
    """A post without a usable date of its own stays in the month in which it was first seen; its deletion finds it there."""
    december = NOON + timedelta(days=30)
    first = mention("a", published=None)
    again = mention("a", revision=2, published=None, seen=december, text="yeni")
    async with writing(servers.elasticsearch, prefix) as (client, writer):
        await writer.write([mention("b", seen=december, published=december)])
        await writer.write([first])
        await writer.write([again])
        assert (await stored(client, prefix))["a"] == ("yeni", month_index(prefix, None, NOON), 2)
        await writer.write([deletion("a", revision=3)])
        assert set(await stored(client, prefix)) == {"b"}


async def test_a_document_that_cannot_be_indexed_is_handed_back(servers: Servers, prefix: str) -> None:
    """One bad document among good ones: it comes back with a reason that does not quote it, the others are indexed."""
    # A keyword longer than Lucene's limit of 32,766 bytes.
    bad = mention("bad").model_copy(update={"language": "gizli" * 7000})

    async with writing(servers.elasticsearch, prefix) as (client, writer):
        rejected = await writer.write([mention("a"), bad, mention("b")])
        assert [found.record for found in rejected] == [bad]
        assert "language" in rejected[0].problem
        assert "gizli" not in rejected[0].problem
        assert set(await stored(client, prefix)) == {"a", "b"}


async def test_a_request_that_is_refused_as_a_whole_is_taken_apart(servers: Servers, prefix: str) -> None:
    """An impossible version makes Elasticsearch refuse the request; only its record is handed back."""
    bad = mention("bad", revision=-2)

    async with writing(servers.elasticsearch, prefix) as (client, writer):
        rejected = await writer.write([*(mention(f"p{number}") for number in range(7)), bad])
        assert [found.record for found in rejected] == [bad]
        assert len(await stored(client, prefix)) == 7


@pytest.mark.parametrize(
    ("block", "lifted_by_the_server"),
    [("index.blocks.write", False), ("index.blocks.read_only_allow_delete", True)],
)
async def test_an_index_that_is_blocked_is_waited_for(
    servers: Servers, prefix: str, block: str, lifted_by_the_server: bool
) -> None:  # fmt: skip
    """For maintenance, or as a full disk sets one: nothing is rejected, and the write ends when the block is lifted.

    The second one Elasticsearch lifts by itself, at any moment, when it looks at the disk and finds room.
    """
    async with writing(servers.elasticsearch, prefix) as (client, writer):
        await writer.write([mention("a")])
        month = f"{prefix}mentions-2026.11"
        await client.indices.put_settings(index=month, settings={block: True})
        write = asyncio.create_task(writer.write([mention("a"), mention("b")]))
        done, _ = await asyncio.wait({write}, timeout=1.5)
        assert lifted_by_the_server or not done
        await client.indices.put_settings(index=month, settings={block: None})
        assert await asyncio.wait_for(write, 30) == []
        assert set(await stored(client, prefix)) == {"a", "b"}


async def test_missing_tombstones_stop_the_writer(servers: Servers, prefix: str) -> None:
    """Without the index of tombstones nobody knows what was deleted: no post may pass."""
    async with writing(servers.elasticsearch, prefix) as (client, writer):
        await client.indices.delete(index=f"{prefix}tombstones")
        with pytest.raises(ElasticsearchRefused, match="index_not_found"):
            await writer.write([mention("a")])


async def test_a_server_that_is_away_is_waited_for(servers: Servers, prefix: str, caplog: pytest.LogCaptureFixture) -> None:
    """Closed from the start, then cut in the middle: both writes end when it is back; one warning and one all-clear each."""
    caplog.set_level(logging.INFO, "connectors")

    async def prepared_write(writer: MentionWriter, record: EnrichedMention) -> None:
        await writer.prepare(0)
        assert await writer.write([record]) == []

    def lines(level: int) -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "connectors.elasticsearch" and record.levelno == level]

    gate = Gate(servers.elasticsearch)
    client = ElasticsearchSettings(urls=(gate.url,), prefix=prefix, request_timeout_secs=5).client()
    writer = MentionWriter(client, prefix, Patience(longest_wait_secs=0.2))
    try:
        for number in range(2):
            write = asyncio.create_task(prepared_write(writer, mention(f"p{number}")))
            done, _ = await asyncio.wait({write}, timeout=1.5)
            assert not done
            assert len(lines(logging.WARNING)) == number + 1
            await gate.open()
            await asyncio.wait_for(write, 30)
            assert len(lines(logging.INFO)) == number + 1
            assert gate.opened
            if number == 0:
                await gate.close()
        assert set(await stored(client, prefix)) == {"p0", "p1"}
    finally:
        await client.close()
        await gate.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"urls": ("localhost:9200",)}, "http://host:port"),
        ({"urls": ("http://me:secret@localhost:9200",)}, "keys of their own"),
        ({"user": "me"}, "come together"),
        ({"user": "me", "password": "env:P", "api_key": "env:K"}, "not both"),
        ({"password": "secret", "user": "me"}, "never the secret itself"),
        ({"ca_file": "/ca.pem"}, "https://"),
        ({"prefix": "mentions-x-"}, "must not begin"),
        ({"unknown": 1}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(change: dict[str, Any], message: str) -> None:
    """Each mistake is named before anything connects."""
    with pytest.raises(ValueError, match=message):
        ElasticsearchSettings.model_validate(change)


class Deployment:
    """Topics, indices and `index` processes under one prefix."""

    def __init__(self, servers: Servers, prefix: str, data: Path) -> None:
        self.kafka = KafkaSettings(bootstrap=servers.kafka, prefix=prefix)
        self.prefix, self._data, self._url = prefix, data, servers.elasticsearch
        self.search: Elasticsearch = ElasticsearchSettings(urls=(servers.elasticsearch,), prefix=prefix).sync_client()
        self._processes: list[subprocess.Popen[bytes]] = []
        create_topics(self.kafka)
        self._producer = self.kafka.producer()
        self._group = KafkaConsumer(**self.kafka.client(), group_id=f"{prefix}index", enable_auto_commit=False)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._producer.close()
        self._group.close()
        self.search.close()

    def send(self, *values: EnrichedRecord | bytes) -> None:
        for value in values:
            encoded = value if isinstance(value, bytes) else value.encode()
            key = b"bytes" if isinstance(value, bytes) else _key(value)
            self._producer.send(self.kafka.topic(ENRICHED), encoded, key=key)
        self._producer.flush()

    def start(self, worker: int = 0, url: str | None = None, *options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.index_process", self.kafka.bootstrap, url or self._url, self.prefix,
             str(self._data), str(worker), *options],
            cwd=ROOT, stdin=subprocess.PIPE, stderr=self.log(worker).open("ab"),
        )  # fmt: skip
        self._processes.append(process)
        return process

    def kill_at(self, documents: int) -> None:
        """Run the role, and kill it when so many documents are there."""
        process = self.start()
        wait_for(lambda: self.count() >= documents, f"{documents} documents")
        process.kill()
        process.wait()

    def log(self, worker: int) -> Path:
        return self._data / f"index-{worker}.log"

    def said(self, worker: int, text: str) -> bool:
        return text in self.log(worker).read_text()

    def count(self) -> int:
        names = self._searchable()
        return int(self.search.count(index=names)["count"]) if names else 0

    def texts(self) -> list[str]:
        names = self._searchable()
        if not names:
            return []
        answer = self.search.search(index=names, size=10_000, source_includes=["text"])
        return [hit["_source"]["text"] for hit in answer["hits"]["hits"]]

    def _searchable(self) -> list[str]:
        """The indices that are there now, by name: a pattern would also find one that is created a moment later, and a new
        one refuses searches until its shard has started."""
        names = list(self.search.indices.get(index=f"{self.prefix}mentions-*"))
        if names:
            self.search.cluster.health(index=names, wait_for_status="yellow", timeout="30s")
            self.search.indices.refresh(index=names)
        return names

    def lag(self) -> int:
        """How many records are not committed yet."""
        partitions = [TopicPartition(self.kafka.topic(ENRICHED), number) for number in range(ENRICHED.partitions)]
        ends = self._group.end_offsets(partitions)
        return sum(end - (self._group.committed(partition) or 0) for partition, end in ends.items())

    def letters(self) -> list[DeadLetter]:
        with self.kafka.reader([DEAD_LETTERS]) as reader:
            return [decode(DeadLetter, record.value) for record in reader.rest()]


def _key(record: EnrichedRecord) -> bytes:
    return (record.mention.mention_id if isinstance(record, EnrichedMention) else record.mention_id).encode()


@pytest.fixture
def deployment(servers: Servers, prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    deployed = Deployment(servers, prefix, tmp_path)
    try:
        yield deployed
    finally:
        deployed.close()


def wait_for(condition: Callable[[], Any], what: str, deadline_secs: float = 90) -> None:
    async def asked() -> Any:
        return condition()

    asyncio.run(until(asked, what, deadline_secs))


def test_every_record_is_indexed_once_through_kills(deployment: Deployment) -> None:
    """kill -9 in the middle, twice: each post stands once, the deleted ones not at all, and everything is committed."""
    posts = [mention(f"p{number}", text=f"metin {number}") for number in range(6000)]
    deployment.send(*posts[:3000], *(deletion(f"p{number}") for number in range(100)))
    deployment.kill_at(500)
    deployment.send(*posts[3000:], *(deletion(f"p{number}") for number in range(5900, 6000)))
    deployment.kill_at(3500)
    assert deployment.lag() > 0, "the kills came too late to show anything"
    process = deployment.start()
    wait_for(lambda: deployment.lag() == 0, "everything committed")
    texts = deployment.texts()
    assert len(texts) == len(set(texts))
    assert set(texts) == {f"metin {number}" for number in range(100, 5900)}
    process.terminate()
    assert process.wait(30) == 0
    assert deployment.letters() == []


def test_what_cannot_be_used_goes_to_the_dead_letters(deployment: Deployment) -> None:
    """Bytes that are no record and a document that is refused are put aside with their offset; the rest goes on."""
    bad = mention("bad").model_copy(update={"language": "g" * 40_000})
    deployment.send(b"{not json", b'{"type":"enriched.v9"}', bad, *(mention(f"p{number}") for number in range(20)))
    deployment.start()
    wait_for(lambda: deployment.lag() == 0, "everything committed")
    assert deployment.count() == 20
    by_reason = {letter.reason: letter for letter in deployment.letters()}
    assert set(by_reason) == {DeadLetterReason.NOT_A_RECORD, DeadLetterReason.REJECTED_BY_INDEX}
    undecodable, rejected = by_reason[DeadLetterReason.NOT_A_RECORD], by_reason[DeadLetterReason.REJECTED_BY_INDEX]
    assert base64.b64decode(undecodable.payload_base64 or "") == b"{not json"
    assert base64.b64decode(rejected.payload_base64 or "") == bad.encode()
    assert undecodable.letter_id == f"{undecodable.topic}:{undecodable.partition}:{undecodable.offset}"
    assert undecodable.role == "index"


def test_most_records_unusable_stops_the_role_before_the_commit(deployment: Deployment) -> None:
    """More than half of a window bad: the fault is ours, so the batch that shows it is not committed, and the process ends.

    How many records a batch holds is Faust's affair: what came in batches before is committed, as dead letters.
    """
    deployment.send(*(b"{not json" for _ in range(150)))
    process = deployment.start()
    assert process.wait(90) == 70
    assert deployment.said(0, "TooManyDeadLetters")
    committed = 150 - deployment.lag()
    assert committed <= WINDOW // 2
    assert len({letter.letter_id for letter in deployment.letters()}) >= committed


@contextmanager
def _gate_thread(address: str) -> Iterator[tuple[Gate, Callable[[Awaitable[None]], None]]]:
    """A gate that lives in a loop of its own, for tests that block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    gate = Gate(address)

    def call(step: Any) -> None:
        asyncio.run_coroutine_threadsafe(step, loop).result(10)

    try:
        yield gate, call
    finally:
        call(gate.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def test_an_outage_holds_up_neither_rebalance_nor_stop(deployment: Deployment, servers: Servers) -> None:
    """Elasticsearch away with a long backlog: a second worker gets its share, a stop takes seconds, nothing is lost."""
    deployment.send(mention("first"))
    with _gate_thread(servers.elasticsearch) as (gate, call):
        call(gate.open())
        # The outage lasts longer than this; the role must have lifted Faust's limit, or it would never join again.
        first = deployment.start(0, gate.url, "broker_max_poll_interval=5")
        wait_for(lambda: deployment.lag() == 0, "the first record")
        call(gate.close())
        deployment.send(*(mention(f"p{number}", text=f"metin {number}") for number in range(9000)))  # fills Faust's buffers
        wait_for(lambda: deployment.said(0, "waiting:"), "the first worker waits")
        time_away = time.monotonic() + 8
        wait_for(lambda: time.monotonic() > time_away, "an outage longer than the poll interval")
        second = deployment.start(1, gate.url)
        wait_for(lambda: deployment.said(1, "partitions [") and deployment.said(0, "gave up waiting"), "a rebalance", 40)
        began = time.monotonic()
        second.terminate()
        assert second.wait(30) == 0
        assert time.monotonic() - began < 15
        assert deployment.lag() == 9000
        call(gate.open())
        wait_for(lambda: deployment.lag() == 0, "everything committed", 120)
        assert deployment.count() == 9001
        assert first.poll() is None
