"""What a role writes to its log while something is away."""

import logging

from pipeline.worker import REPEAT_SECS, Repeats


def record(name: str, message: str, at: float, *arguments: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, message, arguments, None)
    made.created = at
    return made


def test_a_complaint_of_a_library_is_told_once_in_a_while() -> None:
    """Whatever its arguments; afterwards with the number of those that were left out."""
    repeats = Repeats()
    told = [repeats.filter(record("aiokafka", "no node %s", 1000.0 + n / 100, n)) for n in range(500)]
    assert told == [True] + [False] * 499
    later = record("aiokafka", "no node %s", 1000.0 + REPEAT_SECS + 1, 7)
    assert repeats.filter(later)
    assert later.getMessage() == "no node 7 (and 499 times since it was last told)"


def test_another_complaint_and_our_own_lines_are_told_at_once() -> None:
    """They are few, and each says something else."""
    repeats = Repeats()
    assert repeats.filter(record("aiokafka", "no node", 1000.0))
    assert repeats.filter(record("aiokafka", "no leader", 1000.0))
    assert repeats.filter(record("aiokafka.client", "no node", 1000.0))
    assert all(repeats.filter(record("pipeline.fold", "loaded", 1000.0)) for _ in range(3))
