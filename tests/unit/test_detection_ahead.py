"""Judging a whole minute ahead of its close gives what its close gives."""

import random

from processors.detection.buckets import Bucket, Counted, Entry
from processors.detection.damping import WINDOW_BUCKETS, Damping, together
from schemas.signals import Series


def minute(rng: random.Random, *, number: int) -> Bucket:
    """A few mentions of few texts, so that copies are frequent."""
    bucket = Bucket()
    for index in range(rng.randrange(4)):
        author = rng.choice([None, f"a{rng.randrange(6)}"])
        bucket.entries[f"{number}-{index}"] = Entry(author, f"t{rng.randrange(5)}", concern=True)
    return bucket


def test_three_minutes_ahead_weigh_what_they_weigh_when_closed() -> None:
    """Also when minutes that hold copies of the same text leave the window in between."""
    rng = random.Random(11)
    buckets = {number: minute(rng, number=number) for number in range(400)}
    damping, closed = Damping(Series.ALL), {}
    ahead: dict[int, list[Counted]] = {}
    for number, bucket in buckets.items():
        between = Counted.nothing()
        for later in range(number, min(number + 3, 400)):
            left = {}
            for old, counted in closed.items():
                if number - WINDOW_BUCKETS < old <= later - WINDOW_BUCKETS:
                    for text, copies in counted.copies.items():
                        left[text] = left.get(text, 0) + copies
            counted = damping.weigh(later, buckets[later], between, left)
            ahead.setdefault(later, []).append(counted)
            between = together(between, counted)
        closed[number] = damping.weigh(number, bucket)
        damping.remember(number, closed[number])
        leaving = number + 1 - WINDOW_BUCKETS
        if leaving in closed:
            damping.forget(leaving, closed[leaving])
    assert all(abs(counted.weight - closed[number].weight) < 1e-12 for number in ahead for counted in ahead[number])
