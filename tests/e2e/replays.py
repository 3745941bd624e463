"""A replay through the command line, as a user runs it, and what stands in the servers afterwards."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from connectors.elasticsearch import ElasticsearchSettings
from connectors.kafka import KafkaSettings
from pipeline.configuration import load
from pipeline.deployment import Deployment, resolve
from schemas.topics import TOPICS, Topic
from tests.servers_fixture import Servers

PAGE_DOCUMENTS = 5000


@dataclass(frozen=True)
class Installation:
    """A data folder and a configuration on the shared servers, under a prefix of its own."""

    data: Path
    config: Path

    @classmethod
    def make(cls, folder: Path, servers: Servers, prefix: str, settings: str) -> "Installation":
        """`settings` are the rest of the configuration, in YAML."""
        config = folder / "config.yaml"
        config.write_text(
            f"kafka: {{bootstrap: '{servers.kafka}', prefix: '{prefix}'}}\n"
            f"elasticsearch: {{urls: ['{servers.elasticsearch}'], prefix: '{prefix}'}}\n{settings}",
            encoding="utf-8",
        )
        return cls(folder / "data", config)

    def command(self, *arguments: str, timeout_secs: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `nabiz`; never raises for an exit code."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli.main", *arguments, "--config", str(self.config), "--data", str(self.data), "--json"],
            capture_output=True, text=True, timeout=timeout_secs, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def replay(self, file: Path, name: str, *options: str, timeout_secs: float = 240) -> "Replay":
        """Replay a file to its end."""
        done = self.command("replay", str(file), "--name", name, *options, timeout_secs=timeout_secs)
        assert done.returncode == 0, done.stderr + done.stdout
        deployment = resolve(load(self.config), self.data, namespace=f"replay-{name}")
        return Replay(self, deployment, json.loads(done.stdout), done.stdout + done.stderr)


@dataclass(frozen=True)
class Replay:
    """A finished replay."""

    installation: Installation
    deployment: Deployment
    answer: dict[str, Any]
    said: str

    def documents(self) -> list[dict[str, Any]]:
        """All documents of the index, each with its `_id`."""
        return documents(self.deployment.elasticsearch)

    def records(self, topic: Topic) -> list[Any]:
        """What a reader of the topic gets."""
        with self.deployment.kafka.reader([topic]) as reader:
            return list(reader.rest())

    def files(self) -> Iterator[Path]:
        """Everything that the replay left in its folder."""
        return (path for path in self.deployment.folder.rglob("*") if path.is_file())


def documents(elasticsearch: ElasticsearchSettings) -> list[dict[str, Any]]:
    """All mentions of a namespace, page after page."""
    found: list[dict[str, Any]] = []
    index, after = f"{elasticsearch.prefix}mentions-*", None
    with elasticsearch.sync_client() as client:
        client.indices.refresh(index=index, allow_no_indices=True)
        while True:
            page = client.search(
                index=index, size=PAGE_DOCUMENTS, sort=["mention_id", "_index"], search_after=after, allow_no_indices=True
            )["hits"]["hits"]
            found += [{"_id": hit["_id"], **hit["_source"]} for hit in page]
            if len(page) < PAGE_DOCUMENTS:
                return found
            after = page[-1]["sort"]


def raw_records(kafka: KafkaSettings) -> Iterator[Any]:
    """Every record of every topic of the namespace, those of aborted transactions included."""
    consumer = KafkaConsumer(**kafka.client(), isolation_level="read_uncommitted", enable_auto_commit=False)
    try:
        partitions = [TopicPartition(kafka.topic(topic), number) for topic in TOPICS for number in range(topic.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for batch in consumer.poll(timeout_ms=500).values():
                yield from batch
    finally:
        consumer.close()


def raw_bytes(record: Any) -> bytes:
    """Key, headers and value, as they stand in the log."""
    headers = b"".join(name.encode() + bytes(value or b"") for name, value in record.headers)
    return (record.key or b"") + b"\0" + headers + b"\0" + (record.value or b"")
