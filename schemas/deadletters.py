"""Topic `dead-letters`: what could not be used, and why. Key: topic:partition:offset or source:position."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from schemas.reasons import DeadLetterReason
from schemas.records import Record, Union


class DeadLetter(Record):
    """A record or an input that was put aside.

    `payload_base64` holds bytes of our own topics, which are masked; `sealed` holds foreign input, which may name a person and
    is readable only through the key of `sealed_day`.
    """

    type: Literal["dead-letter"] = "dead-letter"
    letter_id: str
    role: str
    reason: DeadLetterReason
    problem: str
    at: AwareDatetime
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    key_base64: str | None = None
    payload_base64: str | None = None
    source: str | None = None
    position: int | None = None
    sealed: str | None = None
    sealed_day: date | None = None


class RetryOutcome(StrEnum):
    """How a dead letter left the list."""

    SENT = "sent"  # it is on its way again; if it fails again there will be a new letter
    REFUSED = "refused"  # it is understood now, and is legal input that is not taken


class Retried(Record):
    """A dead letter was retried: it is not listed and not retried again. Same key as the letter."""

    type: Literal["dead-letter.retried"] = "dead-letter.retried"
    letter_id: str
    at: AwareDatetime
    outcome: RetryOutcome


DeadLetterRecord = DeadLetter | Retried
DEAD_LETTERS: Union[DeadLetterRecord] = Union(DeadLetter, Retried)
