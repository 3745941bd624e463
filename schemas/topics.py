"""The table of topics: the one place that says what exists in the log, who writes it and who may read it.

Topics are created from this table, a test compares a running broker with it, and the README's list is made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

DAY_MS = 24 * 60 * 60 * 1000
TEXT_RETENTION_MS = 7 * DAY_MS  # an erased person is gone from the log within 7 days
RECORD_RETENTION_MS = 90 * DAY_MS
LARGE_MESSAGE_BYTES = 4 * 1024 * 1024

MENTIONS_PARTITIONS = 12
HITS_PARTITIONS = 12


class DataClass(StrEnum):
    """What a topic holds, in the terms of the data-protection register."""

    TEXT = "masked text"
    SEALED = "sealed originals"
    FIGURES = "figures, no text"
    SETTINGS = "settings, no text"


class Cleanup(StrEnum):
    """Kafka's cleanup.policy."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic without the deployment's prefix."""

    name: str
    key: str
    partitions: int
    cleanup: Cleanup
    data: DataClass
    producers: tuple[str, ...]
    readers: tuple[str, ...]
    retention_ms: int | None = None
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def configuration(self) -> dict[str, str]:
        """Kafka's topic configuration."""
        settings = {"cleanup.policy": str(self.cleanup), "max.message.bytes": str(LARGE_MESSAGE_BYTES), **self.extra}
        if self.retention_ms is not None:
            settings["retention.ms"] = str(self.retention_ms)
        return settings


# A state record holds excerpts of the evidence: what a deletion took out of it must leave the log as well.
_COMPACTED_TEXT = MappingProxyType({"max.compaction.lag.ms": str(TEXT_RETENTION_MS), "segment.ms": str(DAY_MS)})

MENTIONS = Topic(
    "mentions",
    "mention_id",
    MENTIONS_PARTITIONS,
    Cleanup.DELETE,
    DataClass.TEXT,
    ("source", "nabiz dead-letters"),
    ("enrich",),
    TEXT_RETENTION_MS,
)
ENRICHED = Topic(
    "enriched",
    "mention_id",
    MENTIONS_PARTITIONS,
    Cleanup.DELETE,
    DataClass.TEXT,
    ("enrich", "nabiz dead-letters"),
    ("index",),
    TEXT_RETENTION_MS,
)
HITS = Topic(
    "hits",
    "watch_id",
    HITS_PARTITIONS,
    Cleanup.DELETE,
    DataClass.TEXT,
    ("enrich", "nabiz watch", "nabiz dead-letters"),
    ("detect",),
    TEXT_RETENTION_MS,
)
WATCHES = Topic("watches", "watch_id", 1, Cleanup.COMPACT, DataClass.SETTINGS, ("nabiz watch",), ("enrich", "source"))
CHECKPOINTS = Topic("checkpoints", "source", 1, Cleanup.COMPACT, DataClass.FIGURES, ("source",), ("source", "nabiz status"))
DETECTOR_STATE = Topic(
    "detector-state",
    "watch_id or part of it",
    HITS_PARTITIONS,
    Cleanup.COMPACT,
    DataClass.TEXT,
    ("detect",),
    ("detect",),
    extra=_COMPACTED_TEXT,
)
SIGNALS = Topic("signals", "watch_id", 1, Cleanup.DELETE, DataClass.TEXT, ("detect",), ("alert",), TEXT_RETENTION_MS)
BUCKETS = Topic("buckets", "watch_id", 1, Cleanup.DELETE, DataClass.FIGURES, ("detect",), ("nabiz report",), RECORD_RETENTION_MS)
ALERT_STATE = Topic("alert-state", "watch_id", 1, Cleanup.COMPACT, DataClass.TEXT, ("alert",), ("alert",), extra=_COMPACTED_TEXT)
ALERTS = Topic(
    "alerts", "alert_id", 1, Cleanup.COMPACT, DataClass.TEXT, ("alert",), ("nabiz report", "nabiz status"), extra=_COMPACTED_TEXT
)
NOTIFICATIONS = Topic("notifications", "alert_id", 1, Cleanup.DELETE, DataClass.TEXT, ("alert",), ("alert",), TEXT_RETENTION_MS)
DELIVERIES = Topic(
    "deliveries",
    "alert_id",
    1,
    Cleanup.DELETE,
    DataClass.FIGURES,
    ("alert",),
    ("nabiz replay", "nabiz report"),
    RECORD_RETENTION_MS,
)
DEAD_LETTERS = Topic(
    "dead-letters",
    "letter_id",
    1,
    Cleanup.DELETE,
    DataClass.SEALED,
    ("source", "enrich", "index", "detect", "alert", "nabiz dead-letters"),
    ("nabiz dead-letters",),
    TEXT_RETENTION_MS,
)

TOPICS: tuple[Topic, ...] = (
    MENTIONS, ENRICHED, HITS, WATCHES, CHECKPOINTS, DETECTOR_STATE, SIGNALS, BUCKETS, ALERT_STATE, ALERTS, NOTIFICATIONS,
    DELIVERIES, DEAD_LETTERS,
)  # fmt: skip
