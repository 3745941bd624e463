"""Connection to Kafka: one settings object, understood by the three clients that we use, and the creation of topics."""

import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

import kafka.record.util
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.secrets import SecretReference, resolve
from schemas.topics import TOPICS, Topic

BOOTSTRAP_MS = 10_000
VISIBLE_SECS = 15.0
STALLED_SECS = 30.0
DELIVERY_MS = 120_000

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class KafkaUnreachable(Exception):
    """No broker answers; the message says what to do."""


class TopicMismatch(Exception):
    """A topic exists with another number of partitions than the table of topics says."""


class KafkaSettings(BaseModel):
    """Where Kafka is and who we are there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap: str = Field(default="127.0.0.1:19092", description="host:port, several separated by commas")
    prefix: str = Field(
        default="", pattern=r"^[a-z0-9.-]*$", description="before each topic and group: one deployment = one institution"
    )
    replication: int = Field(default=1, ge=1, description="copies of each partition; 3 on a cluster")
    tls: bool = False
    ca_file: Path | None = Field(default=None, description="CA certificate; implies tls")
    sasl_mechanism: Mechanism | None = None
    sasl_user: str | None = None
    sasl_password: SecretReference | None = None

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> "KafkaSettings":
        if self.sasl_mechanism and not (self.sasl_user and self.sasl_password):
            raise ValueError("sasl_mechanism needs sasl_user and sasl_password")
        return self

    def with_prefix(self, prefix: str) -> "KafkaSettings":
        """The same broker, another namespace."""
        return self.model_copy(update={"prefix": prefix})

    def topic(self, topic: Topic) -> str:
        """The topic's name on the broker."""
        return self.prefix + topic.name

    def ssl_context(self) -> ssl.SSLContext | None:
        """None on a plain connection."""
        if not (self.tls or self.ca_file):
            return None
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)

    def client(self) -> dict[str, Any]:
        """Arguments that kafka-python and aiokafka share."""
        context = self.ssl_context()
        protocol = ("SASL_" if self.sasl_mechanism else "") + ("SSL" if context else "PLAINTEXT")
        arguments: dict[str, Any] = {"bootstrap_servers": self.bootstrap.split(","), "security_protocol": protocol}
        if context:
            arguments["ssl_context"] = context
        if self.sasl_mechanism and self.sasl_password:
            arguments |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_user,
                "sasl_plain_password": resolve(self.sasl_password),
            }
        return arguments

    def producer(self, *, delivery_ms: int = DELIVERY_MS) -> KafkaProducer:
        """An idempotent producer that acknowledges only what every replica holds. Raises `KafkaUnreachable`.

        A record that is not acknowledged within `delivery_ms` is given up, and later ones go on without it.
        """
        # Without the C library each record's checksum is computed in Python: ten times slower, and silently so.
        assert kafka.record.util.crc32c_c is not None, "the package crc32c is not installed"
        try:
            return KafkaProducer(
                **self._synchronous(), acks="all", compression_type="gzip", linger_ms=20, batch_size=256 * 1024,
                max_request_size=4 * 1024 * 1024, max_block_ms=30_000, delivery_timeout_ms=delivery_ms,
            )  # fmt: skip
        except KafkaTimeoutError as error:
            raise self.unreachable() from error

    def unreachable(self) -> KafkaUnreachable:
        """The error to raise when no broker answers."""
        return KafkaUnreachable(
            f"Kafka does not answer at {self.bootstrap}: start it with 'nabiz up', or correct kafka.bootstrap in the configuration"
        )

    def admin(self) -> KafkaAdminClient:
        """Raises `KafkaUnreachable`."""
        try:
            return KafkaAdminClient(**self._synchronous())
        except KafkaTimeoutError as error:
            raise self.unreachable() from error

    def consumer(self) -> KafkaConsumer:
        """A consumer without a group that sees only committed transactions. Raises `KafkaUnreachable`."""
        try:
            return KafkaConsumer(**self._synchronous(), isolation_level="read_committed", enable_auto_commit=False)
        except KafkaTimeoutError as error:
            raise self.unreachable() from error

    def _synchronous(self) -> dict[str, Any]:
        """For kafka-python, which a command waits for: a person should know within seconds that nobody answers."""
        return {**self.client(), "bootstrap_timeout_ms": BOOTSTRAP_MS}

    def reader(self, topics: Iterable[Topic]) -> "TopicReader":
        """A consumer without a group over whole topics."""
        return TopicReader(self, tuple(topics))


def create_topics(settings: KafkaSettings) -> None:
    """Create what is missing and refuse partition counts that differ; on return every topic can be used.

    Raises `KafkaUnreachable`, `TopicMismatch`.
    """
    admin = settings.admin()
    try:
        new = [
            NewTopic(settings.topic(topic), topic.partitions, settings.replication, topic_configs=topic.configuration())
            for topic in TOPICS
        ]
        existing = set(admin.list_topics())
        missing = [topic for topic in new if topic.name not in existing]
        if missing:
            with suppress(TopicAlreadyExistsError):  # another process was quicker; the comparison below sees the result
                admin.create_topics(missing)
        _compare(settings, admin)
    except KafkaError as error:
        raise settings.unreachable() from error
    finally:
        admin.close()


def _compare(settings: KafkaSettings, admin: KafkaAdminClient) -> None:
    described = _partitions(settings, admin)
    deadline = time.monotonic() + VISIBLE_SECS
    # A broker tells of a new topic a moment after it was made; what it does not tell of yet cannot be compared.
    while not all(described.values()) and time.monotonic() < deadline:
        time.sleep(0.05)  # noqa: TID251 - a condition with a deadline
        described = _partitions(settings, admin)
    for topic in TOPICS:
        found = described[topic.name]
        if not found:
            raise KafkaUnreachable(
                f"Kafka does not know the topic {settings.topic(topic)} {VISIBLE_SECS:g} s after it was made: try again"
            )
        if found != topic.partitions:
            raise TopicMismatch(
                f"topic {settings.topic(topic)} has {found} partitions, this version needs {topic.partitions}: "
                "counts are fixed, since keys would move; use another prefix, or restore the topic from its owner"
            )


def _partitions(settings: KafkaSettings, admin: KafkaAdminClient) -> dict[str, int]:
    """How many each topic has by now; 0 for what the broker does not know (yet)."""
    described = admin.describe_topics([settings.topic(topic) for topic in TOPICS])
    found = {topic["name"]: len(topic["partitions"]) for topic in described}
    return {topic.name: found.get(settings.topic(topic), 0) for topic in TOPICS}


class TopicReader:
    """Reads topics from the start to the end that they have now, and on; sees only committed transactions."""

    def __init__(self, settings: KafkaSettings, topics: tuple[Topic, ...]) -> None:
        self._settings = settings
        self._consumer = settings.consumer()
        self._by_name = {settings.topic(topic): topic for topic in topics}
        self._partitions = [
            TopicPartition(name, number) for name, topic in self._by_name.items() for number in range(topic.partitions)
        ]
        self._consumer.assign(self._partitions)
        self._consumer.seek_to_beginning(*self._partitions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def poll(self, timeout_ms: int = 500) -> list[Any]:
        """The next records, in order within a partition; each has topic, partition, offset, key, value, headers."""
        return [record for batch in self._consumer.poll(timeout_ms=timeout_ms).values() for record in batch]

    def rest(self) -> list[Any]:
        """All records from here to the end that the topics have now. Raises `KafkaUnreachable` when they stop coming."""
        ends = self._consumer.end_offsets(self._partitions)
        records: list[Any] = []
        deadline = time.monotonic() + STALLED_SECS
        while any(self._consumer.position(partition) < end for partition, end in ends.items()):
            found = self.poll()
            records += found
            if found:
                deadline = time.monotonic() + STALLED_SECS
            elif time.monotonic() > deadline:
                raise self._settings.unreachable()
        return records
