"""A bad record is put aside; many bad records are our own fault."""

import base64
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from pipeline.dead_letters import WINDOW, DeadLetterLimit, TooManyDeadLetters, letter_of_message
from schemas.deadletters import DeadLetter
from schemas.reasons import DeadLetterReason
from schemas.records import decode

NOW = datetime(2025, 11, 24, 9, tzinfo=UTC)


def test_half_of_a_window_may_be_bad_for_ever() -> None:
    """Each window counts on its own."""
    limit = DeadLetterLimit("enrich")
    for number in range(20 * WINDOW):
        limit.seen(bad=number % 2 == 0)


def test_one_more_than_half_stops_the_role() -> None:
    """With a message that says where to look."""
    limit = DeadLetterLimit("enrich")
    for _ in range(WINDOW // 2):
        limit.seen(bad=True)
    with pytest.raises(
        TooManyDeadLetters, match=r"^enrich: 101 of the last 101 records could not be used; look at 'nabiz dead-letters list'"
    ):
        limit.seen(bad=True)


def test_few_records_are_never_too_many() -> None:
    """A role that has seen a hundred bad ones and nothing else has not seen enough to stop."""
    limit = DeadLetterLimit("enrich")
    for _ in range(100):
        limit.seen(bad=True)
    for _ in range(100):
        limit.seen(bad=False)
    limit.seen(bad=True)


def test_a_letter_names_the_place_and_keeps_the_bytes() -> None:
    """Also of a record without key or value."""
    message = SimpleNamespace(topic="hits", partition=3, offset=17, key=b"su", value=b"\xff")
    letter = decode(DeadLetter, letter_of_message(message, "detect", DeadLetterReason.NOT_A_RECORD, "not JSON", NOW))
    assert (letter.letter_id, letter.topic, letter.partition, letter.offset) == ("hits:3:17", "hits", 3, 17)
    assert base64.b64decode(letter.payload_base64 or "") == b"\xff"
    empty = SimpleNamespace(topic="hits", partition=3, offset=18, key=None, value=None)
    letter = decode(DeadLetter, letter_of_message(empty, "detect", DeadLetterReason.NOT_A_RECORD, "empty", NOW))
    assert (letter.key_base64, letter.payload_base64) == (None, None)
