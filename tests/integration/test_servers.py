"""The embedded servers are the real ones: what the pipeline relies on works, and nothing acknowledged is lost."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from elasticsearch import Elasticsearch
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from pipeline.servers.build import ensure_built
from pipeline.servers.embedded import EmbeddedElasticsearch, EmbeddedKafka, ServerNotReady
from pipeline.servers.ports import PortTaken, choose_ports, free_ports
from pipeline.servers.running import running, start
from tests.servers_fixture import Servers

READ_TIMEOUT_MS = 20_000
END_TIMEOUT_SECS = 30


@pytest.fixture
def topic(servers: Servers) -> str:
    return new_topic(servers.kafka)


@pytest.fixture
def search(servers: Servers) -> Iterator[Elasticsearch]:
    with closing(Elasticsearch(servers.elasticsearch)) as client:
        yield client


def test_kafka_gives_back_what_it_was_sent(servers: Servers, topic: str) -> None:
    """A record comes back with its key, value, headers and time."""
    produce(servers.kafka, topic, "Şehir hastanesinde uzun kuyruk")
    [record] = read(servers.kafka, topic, count=1)
    assert record.value.decode() == "Şehir hastanesinde uzun kuyruk"
    assert (record.key, record.headers, record.timestamp) == (b"key", [("kind", b"mention")], 1_700_000_000_000)


def test_readers_of_committed_records_never_see_an_aborted_transaction(servers: Servers, topic: str) -> None:
    """What was sent in a transaction that aborted is invisible, what committed after it is read."""
    asyncio.run(send_in_transactions(servers.kafka, topic))
    assert [record.value for record in read(servers.kafka, topic, count=1)] == [b"committed"]


def test_kafka_does_not_invent_topics(servers: Servers) -> None:
    """A typing error in a topic's name is an error, not a new topic."""
    name = f"misspelt-{uuid4().hex}"
    with closing(KafkaProducer(bootstrap_servers=servers.kafka, max_block_ms=1000)) as producer, pytest.raises(KafkaError):
        producer.send(name, b"lost").get(timeout=5)
    with closing(KafkaAdminClient(bootstrap_servers=servers.kafka)) as admin:
        assert name not in admin.list_topics()


def test_groups_may_have_short_sessions(servers: Servers, topic: str) -> None:
    """A killed worker is given up after the six seconds that our roles ask for, and reads from where it left off."""
    produce(servers.kafka, topic, "one", "two")
    group = f"group-{uuid4().hex}"
    for expected in (b"one", b"two"):
        with closing(
            KafkaConsumer(
                topic,
                bootstrap_servers=servers.kafka,
                group_id=group,
                session_timeout_ms=6000,
                heartbeat_interval_ms=2000,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                max_poll_records=1,
                consumer_timeout_ms=READ_TIMEOUT_MS,
            )
        ) as consumer:
            assert next(consumer).value == expected
            consumer.commit()


def test_elasticsearch_finds_turkish_words_by_their_stem(search: Elasticsearch) -> None:
    """Indexed with the analyzer `turkish`, a word is found by another form of it; capital İ and I are told apart."""
    index = new_index(search)
    search.index(index=index, id="1", document={"text": "İstanbul'daki IŞIKLAR söndü"}, refresh=True)
    for words, hits in (("ışık", 1), ("istanbul", 1), ("işik", 0)):
        found = search.search(index=index, query={"match": {"text": words}})
        assert found["hits"]["total"]["value"] == hits, words


def test_turkish_analyzer(search: Elasticsearch) -> None:
    """Apostrophe, Turkish lower case, stop words and stemming, as Elasticsearch documents its analyzer `turkish`."""
    answer = search.indices.analyze(analyzer="turkish", text="İstanbul'daki ağaçlarımızdan ve IŞIK")
    assert [token["token"] for token in answer["tokens"]] == ["istanbul", "ağaç", "ışık"]


def test_elasticsearch_aggregates(search: Elasticsearch) -> None:
    """Counts per keyword and per hour, which the dashboards are made of."""
    index = new_index(search)
    for number, tone in enumerate(("negative", "negative", "positive")):
        search.index(index=index, document={"tone": tone, "at": f"2026-01-01T0{number}:00:00Z"})
    search.indices.refresh(index=index)
    tones = {"terms": {"field": "tone"}}
    hours = {"date_histogram": {"field": "at", "fixed_interval": "1h"}}
    answer = search.search(index=index, size=0, aggs={"tones": tones, "hours": hours})["aggregations"]
    assert {bucket["key"]: bucket["doc_count"] for bucket in answer["tones"]["buckets"]} == {"negative": 2, "positive": 1}
    assert len(answer["hours"]["buckets"]) == 3


@pytest.mark.timeout(180)
def test_data_survives_a_stop_and_a_kill(tmp_path: Path) -> None:
    """What was acknowledged before SIGTERM and before SIGKILL is there after the next start on the same folder."""
    kafka, search = own_servers(tmp_path)
    with running(kafka, search):
        name = new_topic(kafka.address)
        write_both(kafka, search, name, "before the stop")
    with running(kafka, search) as processes:
        write_both(kafka, search, name, "before the kill")
        for process in processes:
            process.kill()
            process.wait(END_TIMEOUT_SECS)
    with running(kafka, search):
        expected = ["before the stop", "before the kill"]
        assert [record.value.decode() for record in read(kafka.address, name, count=2)] == expected
        with closing(Elasticsearch(search.address)) as client:
            assert [client.get(index=name, id=text)["_id"] for text in expected] == expected


@pytest.mark.timeout(120)
def test_users_and_roles(tmp_path: Path) -> None:
    """With a password, Elasticsearch refuses strangers; the password is not in the command line."""
    _, plain = own_servers(tmp_path)
    search = EmbeddedElasticsearch(
        data_dir=plain.data_dir, port=plain.port, transport_port=plain.transport_port, password="cok-gizli-1"
    )
    assert "cok-gizli-1" not in " ".join(search.command()) + repr(search)
    with running(search):
        with closing(Elasticsearch(search.address)) as stranger:
            assert not stranger.ping()
        with closing(Elasticsearch(search.address, basic_auth=("elastic", "cok-gizli-1"))) as admin:
            assert admin.info()["version"]["number"].startswith("8.19.")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("which", [0, 1], ids=["kafka", "elasticsearch"])
def test_a_killed_parent_leaves_no_orphan(tmp_path: Path, which: int) -> None:
    """kill -9 of the process that started a server ends the server."""
    server = own_servers(tmp_path)[which]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), server.name, *map(str, server.ports)], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    with parent.stdout as said:
        child = int(said.readline())
        server.wait_ready(time.monotonic() + 60, lambda: parent.poll() is None)
        parent.kill()
        parent.wait(END_TIMEOUT_SECS)
    wait_for_end(child)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The error names the port and the way out, before anything is started."""
    kafka, _ = own_servers(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", kafka.port))
        other.listen()
        with pytest.raises(PortTaken, match=rf"{kafka.port}.*--ports auto"):
            start(kafka)
    assert not kafka.data_dir.exists()


def test_a_failed_start_tells_why(tmp_path: Path) -> None:
    """A server that ends before it is ready is noticed at once, and its last words are in the error."""
    port, controller = free_ports(2)
    kafka = EmbeddedKafka(data_dir=tmp_path, port=port, controller_port=controller, settings={"num.io.threads": "none"})
    with pytest.raises(ServerNotReady, match=r"ended before it was ready[\s\S]*num\.io\.threads"), running(kafka):
        pass


PARENT = """
import sys, signal
from pathlib import Path
from pipeline.servers.embedded import EmbeddedElasticsearch, EmbeddedKafka
from pipeline.servers.running import start
folder, name, first, second = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if name == "kafka":
    server = EmbeddedKafka(data_dir=folder / name, port=first, controller_port=second)
else:
    server = EmbeddedElasticsearch(data_dir=folder / name, port=first, transport_port=second)
process = start(server)
print(process.pid, flush=True)
signal.pause()
"""


def own_servers(folder: Path) -> tuple[EmbeddedKafka, EmbeddedElasticsearch]:
    ensure_built()
    ports = choose_ports("auto")
    return (
        EmbeddedKafka(data_dir=folder / "kafka", port=ports.kafka, controller_port=ports.kafka_controller),
        EmbeddedElasticsearch(
            data_dir=folder / "elasticsearch", port=ports.elasticsearch, transport_port=ports.elasticsearch_transport
        ),
    )


def new_topic(address: str) -> str:
    name = f"servers-{uuid4().hex}"
    with closing(KafkaAdminClient(bootstrap_servers=address)) as admin:
        admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1)])
    return name


def new_index(search: Elasticsearch) -> str:
    name = f"servers-{uuid4().hex}"
    search.indices.create(
        index=name,
        mappings={
            "properties": {"text": {"type": "text", "analyzer": "turkish"}, "tone": {"type": "keyword"}, "at": {"type": "date"}}
        },
        settings={"number_of_replicas": 0},
    )
    return name


def produce(address: str, topic: str, *texts: str) -> None:
    with closing(KafkaProducer(bootstrap_servers=address, acks="all")) as producer:
        for text in texts:
            sent = producer.send(topic, text.encode(), key=b"key", headers=[("kind", b"mention")], timestamp_ms=1_700_000_000_000)
            sent.get(timeout=20)


def read(address: str, topic: str, *, count: int) -> list[Any]:
    """The first `count` records of a topic with one partition; fewer when no more come."""
    consumer = KafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=READ_TIMEOUT_MS,
    )
    with closing(consumer):
        consumer.assign([TopicPartition(topic, 0)])
        return list(islice(consumer, count))


async def send_in_transactions(address: str, topic: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, transactional_id=f"id-{uuid4().hex}") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed")


def write_both(kafka: EmbeddedKafka, search: EmbeddedElasticsearch, name: str, text: str) -> None:
    produce(kafka.address, name, text)
    with closing(Elasticsearch(search.address)) as client:
        client.index(index=name, id=text, document={"text": text})


def wait_for_end(pid: int) -> None:
    """Returns when the process has ended; not our child, so it is watched through its file descriptor."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([watched], [], [], END_TIMEOUT_SECS)
    finally:
        os.close(watched)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    assert ended, f"process {pid} outlived its parent"
