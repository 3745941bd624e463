"""The statistic, the damping and the reports over a plain list, for tests and notebooks.

In order of time and without late mentions; the detection fold has its own way to hold several minutes open.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from processors.spikes.damping import WINDOW_MINUTES, Damping, weigh
from processors.spikes.episode import Episode, Policy, Transition
from processors.spikes.surge import TURKIYE_UTC_OFFSET_MINUTES, Surge

BUCKET_SECS: Final = 60


class Mention(NamedTuple):
    """What the series needs to know of a post."""

    time_secs: float
    """Since the Unix epoch."""
    author_key: str | None
    signature: str


class Series:
    """One watch: give it mentions in order of time, and it returns what there is to report after each."""

    def __init__(
        self,
        first_bucket: int,
        policy: Policy | None = None,
        *,
        utc_offset_minutes: int = TURKIYE_UTC_OFFSET_MINUTES,
    ) -> None:
        self.surge = Surge(first_bucket, utc_offset_minutes=utc_offset_minutes)
        self.episode = Episode()
        self.damping = Damping()
        self.policy = policy or Policy()
        self._mentions: deque[int] = deque()  # buckets of the last hour's mentions
        self._weight = 0.0  # of the open bucket

    def take(self, mention: Mention) -> list[Transition]:
        """Count a mention, after closing the minutes before it."""
        bucket = int(mention.time_secs) // BUCKET_SECS
        found = self.close(bucket)
        self._mentions.append(bucket)
        self._weight += weigh(self.damping, bucket, mention.author_key, mention.signature)
        return found + self._step(closed=False)

    def close(self, before_bucket: int) -> list[Transition]:
        """Close all minutes before the bucket. Raises ValueError if it was closed already."""
        if before_bucket < self.surge.next_bucket:
            raise ValueError(f"bucket {before_bucket} is closed")
        found: list[Transition] = []
        while self.surge.next_bucket < before_bucket:
            found += self._step(closed=True)
            self._forget(self.surge.next_bucket - WINDOW_MINUTES + 1)
        return found

    def _step(self, *, closed: bool) -> list[Transition]:
        bucket = self.surge.next_bucket
        if closed:
            evidence, self._weight = self.surge.tick(bucket, self._weight), 0.0
        else:
            evidence = self.surge.peek(bucket, self._weight)
        return self.episode.step(
            bucket, evidence, policy=self.policy, mentions_60m=len(self._mentions), authors_60m=self.damping.authors,
            closed=closed,
        )  # fmt: skip

    def _forget(self, before_bucket: int) -> None:
        self.damping.forget(before_bucket)
        while self._mentions and self._mentions[0] < before_bucket:
            self._mentions.popleft()


def run_mentions(mentions: Iterable[Mention], policy: Policy | None = None) -> list[Transition]:
    """Reports over mentions in order of time, inside open minutes as soon as the evidence suffices."""
    series: Series | None = None
    found: list[Transition] = []
    for mention in mentions:
        series = series or Series(int(mention.time_secs) // BUCKET_SECS, policy)
        found += series.take(mention)
    if series:
        found += series.close(series.surge.next_bucket + 1)
    return found


def run_counts(first_bucket: int, counts: Sequence[int], policy: Policy | None = None) -> list[Transition]:
    """Reports over counts a minute, each mention by an author of its own with a text of its own, at closed minutes."""
    surge, episode, policy = Surge(first_bucket), Episode(), policy or Policy()
    found: list[Transition] = []
    for minute, count in enumerate(counts):
        last_hour = sum(counts[max(0, minute - WINDOW_MINUTES + 1) : minute + 1])
        evidence = surge.tick(first_bucket + minute, float(count))
        found += episode.step(
            first_bucket + minute, evidence, policy=policy, mentions_60m=last_hour, authors_60m=last_hour, closed=True
        )
    return found
