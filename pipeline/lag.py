"""How far each role is behind its input."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import CoordinatorNotAvailableError

from connectors.kafka import STALLED_SECS, KafkaSettings
from schemas.topics import ENRICHED, HITS, MENTIONS, NOTIFICATIONS, SIGNALS, Topic

ROLE_INPUTS: Final = {"enrich": MENTIONS, "index": ENRICHED, "detect": HITS, "alert": SIGNALS}
DELIVER_PREFIX: Final = "deliver-"
#: Written in transactions, whose markers take up offsets: only reading tells whether a record is left.
_TRANSACTIONAL: Final = (SIGNALS, NOTIFICATIONS)


class LagReader:
    """Asks one namespace, again and again. Use as a context manager."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._admin: KafkaAdminClient = kafka.admin()
        self._consumer = kafka.consumer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()
        self._admin.close()

    def has_topics(self) -> bool:
        """Whether there is anything to ask for: offsets of a topic that is not there are waited for, a minute long."""
        return {self._kafka.topic(topic) for topic in ROLE_INPUTS.values()} <= set(self._admin.list_topics())

    def roles(self) -> dict[str, int]:
        """Records that each role has not finished yet."""
        return {role: self.group(role, topic) for role, topic in ROLE_INPUTS.items()}

    def group(self, group: str, topic: Topic) -> int:
        """Records of `topic` that the group has not committed."""
        committed = self._committed(self._kafka.prefix + group)
        partitions = [TopicPartition(self._kafka.topic(topic), number) for number in range(topic.partitions)]
        starts, ends = self._consumer.beginning_offsets(partitions), self._consumer.end_offsets(partitions)
        lag = 0
        for partition in partitions:
            done = _offset(committed.get(partition), starts[partition])
            if done < ends[partition]:
                lag += self._left(partition, done) if topic in _TRANSACTIONAL else ends[partition] - done
        return lag

    def _committed(self, group: str) -> Mapping[TopicPartition, Any]:
        try:
            return self._admin.list_group_offsets(group).get(group, {})  # type: ignore[no-any-return]
        except CoordinatorNotAvailableError:  # no group has ever committed on this broker
            return {}

    def deliveries(self, channels: Iterable[str]) -> int:
        """Notifications that some channel has not taken yet."""
        return sum(self.group(DELIVER_PREFIX + channel, NOTIFICATIONS) for channel in channels)

    def _left(self, partition: TopicPartition, position: int) -> int:
        self._consumer.assign([partition])
        self._consumer.seek(partition, position)
        end = self._consumer.end_offsets([partition])[partition]
        left, deadline = 0, time.monotonic() + STALLED_SECS
        while self._consumer.position(partition) < end:
            left += sum(len(batch) for batch in self._consumer.poll(timeout_ms=200).values())
            if time.monotonic() > deadline:
                raise self._kafka.unreachable()
        return left


def _offset(committed: Any, start: int) -> int:
    """-1 stands for 'never committed'."""
    return max(start, committed.offset if committed is not None else 0)
