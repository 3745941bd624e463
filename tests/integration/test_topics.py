"""The topics on a real broker are those of the table, and a topic of another shape is refused."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, NewTopic

from connectors.kafka import KafkaSettings, KafkaUnreachable, TopicMismatch, create_topics
from schemas.topics import DEAD_LETTERS, HITS, TOPICS
from tests.servers_fixture import Servers


@pytest.fixture
def kafka(servers: Servers) -> KafkaSettings:
    """A namespace that nobody else uses."""
    return KafkaSettings(bootstrap=servers.kafka, prefix=f"t{uuid.uuid4().hex[:10]}-")


@pytest.fixture
def admin(kafka: KafkaSettings) -> Iterator[KafkaAdminClient]:
    found = kafka.admin()
    yield found
    found.close()


def partitions(kafka: KafkaSettings, admin: KafkaAdminClient) -> dict[str, int]:
    names = [kafka.topic(topic) for topic in TOPICS]
    return {found["name"].removeprefix(kafka.prefix): len(found["partitions"]) for found in admin.describe_topics(names)}


def configurations(kafka: KafkaSettings, admin: KafkaAdminClient) -> dict[str, dict[str, str]]:
    """What differs from the broker's defaults."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, kafka.topic(topic)) for topic in TOPICS]
    [found] = admin.describe_configs(resources).values()
    return {
        name.removeprefix(kafka.prefix): {key: value_of(entry) for key, entry in entries.items()}
        for name, entries in found.items()
    }


def value_of(entry: Any) -> str:
    return str(entry["value"])


def test_topics_are_made_as_the_table_says(kafka: KafkaSettings, admin: KafkaAdminClient) -> None:
    """Partitions, cleanup, retention and all else; doing it again changes nothing."""
    for _ in range(2):
        create_topics(kafka)
        assert partitions(kafka, admin) == {topic.name: topic.partitions for topic in TOPICS}
        assert configurations(kafka, admin) == {topic.name: topic.configuration() for topic in TOPICS}


def test_text_leaves_the_log_within_a_week(kafka: KafkaSettings, admin: KafkaAdminClient) -> None:
    """Invariant 5, on the broker: by retention, or, where the last of each key is kept, by a limit of compaction."""
    create_topics(kafka)
    week = 7 * 24 * 3600 * 1000
    for topic in TOPICS:
        if "no text" in topic.data:
            continue
        found = configurations(kafka, admin)[topic.name]
        limit = "retention.ms" if found["cleanup.policy"] == "delete" else "max.compaction.lag.ms"
        assert int(found[limit]) <= week, topic.name


def test_what_is_missing_is_added(kafka: KafkaSettings, admin: KafkaAdminClient) -> None:
    """As after an update, or a start that was cut off."""
    admin.create_topics([NewTopic(kafka.topic(DEAD_LETTERS), DEAD_LETTERS.partitions, 1)])
    create_topics(kafka)
    assert partitions(kafka, admin) == {topic.name: topic.partitions for topic in TOPICS}


def test_another_number_of_partitions_is_refused(kafka: KafkaSettings, admin: KafkaAdminClient) -> None:
    """Keys would move to other partitions, and with them the state of the watches."""
    admin.create_topics([NewTopic(kafka.topic(HITS), 3, 1)])
    with pytest.raises(TopicMismatch) as refused:
        create_topics(kafka)
    assert str(refused.value) == (
        f"topic {kafka.prefix}hits has 3 partitions, this version needs 12: counts are fixed, since keys would move; "
        "use another prefix, or restore the topic from its owner"
    )


def test_a_broker_that_does_not_answer_is_named() -> None:
    """Within seconds, with what to do."""
    with pytest.raises(
        KafkaUnreachable, match=r"^Kafka does not answer at 127.0.0.1:1: start it with 'nabiz up', or correct kafka.bootstrap"
    ):
        create_topics(KafkaSettings(bootstrap="127.0.0.1:1"))
