"""The dead letters of a namespace: what is there, what is in one, and another try.

Retried once is retried: a marker in the same topic takes the letter off the list. What fails again comes back as a new
letter. A letter that was sent again just before a crash may be sent twice; ids make that harmless.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from kafka.errors import KafkaError

from connectors.day_keys import DayKeys, KeyDestroyed
from connectors.file_replay import parse_line
from connectors.kafka import KafkaSettings
from connectors.posts import Post, Refused, Removal, Unusable
from connectors.privacy_gate import PrivacyGate
from connectors.runner import DeliveryFailed
from pipeline.reveal import CannotReveal, Sealed, open_original
from schemas.deadletters import DEAD_LETTERS as DEAD_LETTER_RECORDS
from schemas.deadletters import DeadLetter, Retried, RetryOutcome
from schemas.mentions import Deletion, Mention
from schemas.reasons import DeadLetterReason
from schemas.records import NotARecord, UnknownKind
from schemas.topics import DEAD_LETTERS, ENRICHED, HITS, MENTIONS, Topic

ACKNOWLEDGE_SECS: Final = 60.0
#: Topics to which a record can be sent once more. Their readers go by offsets; the others are written in transactions
#: with sequence numbers, where a foreign record would stop the reader.
RETRYABLE: Final = (MENTIONS, ENRICHED, HITS)
FILES: Final = "file:"  # the sources whose originals are lines of a file


class UnknownLetter(Exception):
    """No dead letter has this id; the message says where to look."""


class Verdict(StrEnum):
    """What a try came to."""

    SENT = "sent"
    REFUSED = "refused"
    STILL_UNUSABLE = "still_unusable"
    KEY_DESTROYED = "key_destroyed"
    NOT_POSSIBLE = "not_possible"


_MARKED: Final = {Verdict.SENT: RetryOutcome.SENT, Verdict.REFUSED: RetryOutcome.REFUSED}


@dataclass(frozen=True, slots=True)
class Tried:
    """A letter, what its try came to, and why."""

    letter: DeadLetter
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Again:
    """A record on its way back. Without a partition the key decides on it."""

    topic: Topic
    key: bytes | None
    value: bytes
    partition: int | None = None


def letters(kafka: KafkaSettings) -> dict[str, DeadLetter]:
    """All that were not retried, by id, in order of arrival. Raises KafkaUnreachable."""
    found: dict[str, DeadLetter] = {}
    retried: set[str] = set()
    with kafka.reader([DEAD_LETTERS]) as reader:
        for message in reader.rest():
            try:
                record = DEAD_LETTER_RECORDS.decode(message.value).record
            except (NotARecord, UnknownKind):
                continue  # of a newer version, which shows it
            if isinstance(record, Retried):
                retried.add(record.letter_id)
            else:
                found[record.letter_id] = record
    return {letter_id: letter for letter_id, letter in found.items() if letter_id not in retried}


def pick(available: dict[str, DeadLetter], ids: Iterable[str]) -> list[DeadLetter]:
    """The named letters, each once. Raises `UnknownLetter`."""
    wanted = list(dict.fromkeys(ids))
    unknown = [letter_id for letter_id in wanted if letter_id not in available]
    if unknown:
        raise UnknownLetter(
            f"no dead letter has the id {', '.join(unknown)}: it was retried already, is older than 7 days, "
            "or belongs to a replay (name it with --namespace); see 'nabiz dead-letters list'"
        )
    return [available[letter_id] for letter_id in wanted]


def content(letter: DeadLetter, keys: DayKeys) -> bytes:
    """The masked bytes of our own record, or the sealed original, opened. Raises KeyDestroyed, CannotReveal."""
    if letter.payload_base64 is not None:
        return base64.b64decode(letter.payload_base64)
    if letter.sealed is not None and letter.sealed_day is not None:
        return open_original(keys, Sealed(letter.sealed, letter.sealed_day))
    return b""


class Retry:
    """Tries letters again. `encoding` is for lines that were not UTF-8."""

    def __init__(
        self, kafka: KafkaSettings, gate: PrivacyGate, keys: DayKeys, clock: Callable[[], datetime], *, encoding: str = "utf-8"
    ) -> None:
        self._kafka, self._gate, self._keys, self._clock, self._encoding = kafka, gate, keys, clock, encoding

    def run(self, chosen: Sequence[DeadLetter]) -> list[Tried]:
        """Send again what can be used now; returns when Kafka holds it. Raises KafkaUnreachable, DeliveryFailed.

        The records first, then the markers: a crash in between repeats a record and loses none.
        """
        tried = [self._try(letter) for letter in chosen]
        producer = self._kafka.producer()
        try:
            self._send(producer, [again for _, again in tried if again is not None])
            self._send(producer, [self._marker(found) for found, _ in tried if found.verdict in _MARKED])
        finally:
            producer.close(timeout=5)
        return [found for found, _ in tried]

    def _try(self, letter: DeadLetter) -> tuple[Tried, _Again | None]:
        if letter.topic is not None:
            return self._own_record(letter)
        if letter.source is None or not letter.source.startswith(FILES) or letter.sealed is None:
            return Tried(letter, Verdict.NOT_POSSIBLE, "only lines of files and records of our topics can be tried again"), None
        try:
            original = content(letter, self._keys)
        except KeyDestroyed as error:
            return Tried(letter, Verdict.KEY_DESTROYED, str(error)), None
        except CannotReveal as error:
            return Tried(letter, Verdict.NOT_POSSIBLE, str(error)), None
        return self._original(letter, letter.source, original)

    def _own_record(self, letter: DeadLetter) -> tuple[Tried, _Again | None]:
        topic = next((topic for topic in RETRYABLE if self._kafka.topic(topic) == letter.topic), None)
        if topic is None or letter.payload_base64 is None:
            names = ", ".join(topic.name for topic in RETRYABLE)
            return Tried(letter, Verdict.NOT_POSSIBLE, f"{letter.topic} takes no single record: only {names} do"), None
        key = None if letter.key_base64 is None else base64.b64decode(letter.key_base64)
        # To its own partition: a broadcast has one record in each, whatever its key.
        return Tried(letter, Verdict.SENT), _Again(topic, key, base64.b64decode(letter.payload_base64), letter.partition)

    def _original(self, letter: DeadLetter, source: str, original: bytes) -> tuple[Tried, _Again | None]:
        encoding = self._encoding if letter.reason is DeadLetterReason.NOT_UTF8 else "utf-8"
        clock, found = parse_line(original, now=self._clock(), encoding=encoding)
        match found:
            case Unusable(problem=problem):
                return Tried(letter, Verdict.STILL_UNUSABLE, problem), None
            case Refused(reason=reason):
                return Tried(letter, Verdict.REFUSED, reason), None
            case Post() | Removal():
                assert clock is not None, "a post has a time"
                record = self._pass_gate(found, source, clock)
                return Tried(letter, Verdict.SENT), _Again(MENTIONS, record.mention_id.encode(), record.encode())

    def _pass_gate(self, found: Post | Removal, source: str, clock: datetime) -> Mention | Deletion:
        """Seen at the line's own time, as the replay of the file would have had it: now would bend time.

        Without a position: the source has gone on, and a lower one would be taken for a repeat.
        """
        if isinstance(found, Removal):
            return self._gate.deletion(found, source=source, observed_at=clock)
        return self._gate.mention(found, source=source, position=None, observed_at=clock)

    def _marker(self, found: Tried) -> _Again:
        marker = Retried(letter_id=found.letter.letter_id, at=self._clock(), outcome=_MARKED[found.verdict])
        return _Again(DEAD_LETTERS, marker.letter_id.encode(), marker.encode())

    def _send(self, producer: Any, records: Sequence[_Again]) -> None:
        try:
            sent = [
                producer.send(self._kafka.topic(record.topic), key=record.key, value=record.value, partition=record.partition)
                for record in records
            ]
            producer.flush(timeout=ACKNOWLEDGE_SECS)
            for future in sent:
                future.get(timeout=ACKNOWLEDGE_SECS)
        except KafkaError as error:
            raise DeliveryFailed(
                f"Kafka at {self._kafka.bootstrap} did not take the records ({error}): retry again, which does no harm"
            ) from error
