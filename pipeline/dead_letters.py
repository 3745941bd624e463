"""Records that could not be used: how a role puts one aside, and when it must stop instead."""

import base64
from datetime import datetime
from typing import Any, Final

from schemas.deadletters import DeadLetter
from schemas.reasons import DeadLetterReason

WINDOW: Final = 200


class TooManyDeadLetters(Exception):
    """Most records fail: the fault is ours, not the input's. The role stops, and the engineer is told."""


class DeadLetterLimit:
    """Counts in windows of `WINDOW` records; more than half of one bad means that we are the fault."""

    def __init__(self, role: str) -> None:
        self._role, self._records, self._bad = role, 0, 0

    def seen(self, *, bad: bool) -> None:
        """Raises `TooManyDeadLetters`."""
        self._records += 1
        self._bad += bad
        if self._bad > WINDOW // 2:
            raise TooManyDeadLetters(
                f"{self._role}: {self._bad} of the last {self._records} records could not be used; "
                "look at 'nabiz dead-letters list': a producer of another version may be writing here"
            )
        if self._records == WINDOW:
            self._records = self._bad = 0


def letter_of_message(message: Any, role: str, reason: DeadLetterReason, problem: str, at: datetime) -> bytes:
    """A dead letter for a record of one of our topics (masked already)."""
    letter = DeadLetter(
        letter_id=f"{message.topic}:{message.partition}:{message.offset}",
        role=role, reason=reason, problem=problem, at=at,
        topic=message.topic, partition=message.partition, offset=message.offset,
        key_base64=_base64(message.key), payload_base64=_base64(message.value),
    )  # fmt: skip
    return letter.encode()


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
