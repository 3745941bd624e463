"""When a mention counts: no wrong clock, slow feed or old article bends time."""

from datetime import UTC, datetime, timedelta

import pytest

from processors.mention_time import event_time

SEEN = datetime(2025, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age_secs", "is_trusted"),
    [(0, True), (1, True), (600, True), (600.001, False), (-0.001, False), (-3600, False), (86_400 * 365 * 50, False)],
)
def test_a_stamp_is_trusted_for_ten_minutes(age_secs: float, is_trusted: bool) -> None:
    """Older, or from the future, the time of seeing counts."""
    stamp = SEEN - timedelta(seconds=age_secs)
    assert event_time(stamp, SEEN) == (stamp if is_trusted else SEEN)


def test_without_a_stamp_the_time_of_seeing_counts() -> None:
    """Many feeds have none."""
    assert event_time(None, SEEN) == SEEN
