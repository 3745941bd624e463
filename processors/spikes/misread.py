"""Posts that are positive and were not read as such: a prize must not page because the model errs.

The series that pages leaves out what the model calls positive. Of truly positive posts it misses a share, so that ten times
as much praise is several times as much of what it does not call positive. Each post that is called positive stands for so
many that were missed; they are taken off what comes in the same hour.
"""

from typing import Final

from processors.spikes.members import HOUR_DECAY

MISSED_PER_FOUND: Final = 0.5
"""Of the bundled model: 0.67 of the positive development posts are called positive (processors/sentiment/model/README.md)."""
FORGOTTEN: Final = 1e-9  # posts: so that after a long silence nothing at all is owed


def without_misread(concern: float, positive: float, owed: float) -> tuple[float, float]:
    """The weight of a minute without the posts that are likely misread, and what is owed to the minutes after it.

    `owed`: likely misread posts of the hour before that have not been taken off yet, as the last call gave it.
    """
    owed = owed * HOUR_DECAY + MISSED_PER_FOUND * positive
    if owed < FORGOTTEN:
        owed = 0.0
    taken = min(concern, owed)
    return concern - taken, owed - taken
