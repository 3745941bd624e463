"""What a finished run left behind, and how it differs from what it had to leave."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from pipeline.deployment import Deployment
from pipeline.replay import result
from pipeline.tone import text_hash
from pipeline.wiring import alert_channels
from schemas.signals import SignalKind
from schemas.topics import BUCKETS, DEAD_LETTERS, DELIVERIES, NOTIFICATIONS, SIGNALS
from tests.e2e.replays import documents

Minute = tuple[str, str]
Onset = tuple[str, str, str]
SAME_ONSET = timedelta(minutes=1)


@dataclass(frozen=True)
class Violation:
    """One difference. `kind` is lost, doubled or wrong."""

    kind: str
    text: str


@dataclass
class Outcome:
    """A run as its readers see it."""

    name: str
    documents: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → label, hash of the text
    labels: list[dict[str, Any]] = field(default_factory=list)  # lines for `sentiment.stored_labels`
    doubled_documents: list[str] = field(default_factory=list)
    minutes: dict[Minute, tuple[int, dict[str, float]]] = field(default_factory=dict)
    doubled_minutes: list[Minute] = field(default_factory=list)
    onsets: dict[Onset, list[datetime]] = field(default_factory=dict)
    signals: Counter[str] = field(default_factory=Counter)
    notifications: Counter[str] = field(default_factory=Counter)
    pages: list[datetime] = field(default_factory=list)
    delivered: dict[str, Counter[str]] = field(default_factory=dict)  # by channel
    late: int = 0
    dead: int = 0

    @classmethod
    def of(cls, deployment: Deployment, name: str) -> "Outcome":
        """Read topics and index of a finished run."""
        outcome, answer = cls(name), result(deployment, 0)
        outcome.late, outcome.dead = answer.late, answer.dead_letters
        outcome.pages = [page.event_time for page in answer.pages]
        for document in documents(deployment.elasticsearch):
            outcome._document(document)
        with deployment.kafka.reader([BUCKETS, SIGNALS, NOTIFICATIONS, DELIVERIES, DEAD_LETTERS]) as reader:
            records = reader.rest()
        for record in records:
            fields, topic = orjson.loads(record.value), record.topic.removeprefix(deployment.kafka.prefix)
            outcome._record(topic, fields)
        for channel in alert_channels(deployment):
            outcome.delivered.setdefault(channel, Counter())
        return outcome

    def _document(self, document: dict[str, Any]) -> None:
        if document["_id"] in self.documents:
            self.doubled_documents.append(document["_id"])
        key = text_hash(document["text"])
        self.documents[document["_id"]] = (document["label"], key)
        self.labels.append({"text_hash": key} | {name: document[name] for name in ("label", "confidence", "model")})

    def _record(self, topic: str, fields: dict[str, Any]) -> None:
        if topic == BUCKETS.name:
            minute = (fields["watch_id"], fields["start"])
            if minute in self.minutes:
                self.doubled_minutes.append(minute)
            self.minutes[minute] = (fields["mentions"], fields["weights"])
        elif topic == SIGNALS.name:
            self.signals[fields["signal_id"]] += 1
            if fields["kind"] == SignalKind.ONSET:
                onset = (fields["watch_id"], fields["series"], fields["level"])
                self.onsets.setdefault(onset, []).append(datetime.fromisoformat(fields["onset"]))
        elif topic == NOTIFICATIONS.name:
            self.notifications[fields["notification_id"]] += 1
        elif topic == DELIVERIES.name and "error" not in fields:
            self.delivered.setdefault(fields["channel"], Counter())[fields["notification_id"]] += 1


def differences(found: Outcome, reference: Outcome) -> Iterator[Violation]:
    """Everything in which a run with faults differs from the one without."""
    yield from own_faults(found)
    yield from _documents(found, reference)
    yield from _minutes(found, reference)
    yield from _onsets(found, reference)


def own_faults(found: Outcome) -> Iterator[Violation]:
    """What is wrong whatever was to come out."""
    for mention in found.doubled_documents[:5]:
        yield Violation("doubled", f"document {mention} stands in two indices")
    for minute in found.doubled_minutes[:5]:
        yield Violation("doubled", f"the minute {minute} was closed twice")
    for name, counts in (("signal", found.signals), ("notification", found.notifications)):
        for key, count in counts.items():
            if count > 1:
                yield Violation("doubled", f"{name} {key} was written {count} times")
    for channel, counts in found.delivered.items():
        for key in found.notifications.keys() - counts.keys():
            yield Violation("lost", f"{key} never went out on {channel}")
        for key in counts.keys() - found.notifications.keys():
            yield Violation("wrong", f"{channel} sent {key}, which nobody wrote")
    if found.late:
        yield Violation("lost", f"{found.late} mentions were late")
    if found.dead:
        yield Violation("lost", f"{found.dead} dead letters")


def _documents(found: Outcome, reference: Outcome) -> Iterator[Violation]:
    lost, extra = reference.documents.keys() - found.documents.keys(), found.documents.keys() - reference.documents.keys()
    if lost:
        yield Violation("lost", f"{len(lost)} documents are missing, e.g. {min(lost)}")
    if extra:
        yield Violation("wrong", f"{len(extra)} documents too many, e.g. {min(extra)}")
    other = [
        key for key in found.documents.keys() & reference.documents.keys() if found.documents[key] != reference.documents[key]
    ]
    if other:
        key = min(other)
        yield Violation(
            "wrong", f"{len(other)} documents differ: {key} is {found.documents[key]}, was {reference.documents[key]}"
        )


def _minutes(found: Outcome, reference: Outcome) -> Iterator[Violation]:
    for minute in sorted(reference.minutes.keys() | found.minutes.keys()):
        mentions, weights = found.minutes.get(minute, (0, {}))
        expected, expected_weights = reference.minutes.get(minute, (0, {}))
        if mentions != expected:
            kind = "lost" if mentions < expected else "doubled"
            yield Violation(kind, f"minute {minute}: {mentions} mentions instead of {expected}")
        elif weights != expected_weights:
            yield Violation("wrong", f"minute {minute}: weights {weights} instead of {expected_weights}")


def _onsets(found: Outcome, reference: Outcome) -> Iterator[Violation]:
    for onset in sorted(reference.onsets.keys() | found.onsets.keys()):
        times, expected = sorted(found.onsets.get(onset, [])), sorted(reference.onsets.get(onset, []))
        same = len(times) == len(expected) and all(abs(a - b) <= SAME_ONSET for a, b in zip(times, expected, strict=True))
        if not same:
            shown, wanted = ([f"{time:%H:%M}" for time in some] for some in (times, expected))
            yield Violation("lost" if len(times) < len(expected) else "wrong", f"onsets of {onset}: {shown} instead of {wanted}")
