"""One rise from its first notice to its end: what to report, and when.

A report may be made inside an open bucket; it is then provisional, and confirmed when the bucket closes. Nothing is
taken back: counts only grow, and a deletion does not cancel an alarm.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from processors.spikes.evidence import Evidence

NOTICE_SCORE: Final = 0.0  # chance alone gives this once a week


class Level(StrEnum):
    """How much a rise asks of the person on call."""

    QUIET = "quiet"
    NOTICE = "notice"
    PAGE = "page"


class TransitionKind(StrEnum):
    """What changed."""

    ONSET = "onset"  # a level was reached
    GROWTH = "growth"  # the weight doubled since the last report
    CONFIRMED = "confirmed"  # the bucket of a provisional report has closed
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to report."""

    budget_weeks: float = 12.0
    """A false page once in so many weeks is accepted; infinity never pages."""
    min_authors: int = 5
    """Distinct authors in 60 minutes that a page needs."""
    min_mentions: int = 8
    """Mentions in 60 minutes that a page needs."""
    quiet_minutes: int = 60
    """A rise is over after so many minutes without evidence."""
    refractory_minutes: int = 360
    """For so long after a page, another one needs the weight to have grown by `growth_factor` since."""
    growth_factor: float = 2.0

    @property
    def page_score(self) -> float:
        """Log weeks of evidence that a page needs."""
        return max(NOTICE_SCORE, math.log(self.budget_weeks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One report."""

    kind: TransitionKind
    level: Level
    """Of the rise; at its end, the level it had."""
    onset_bucket: int
    """The bucket in which the rise was first noticed: with the level's name, its identity."""
    bucket: int
    """The bucket that the report is about."""
    provisional: bool
    evidence: Evidence


@dataclass(slots=True)
class _Now:
    """What a step is asked about."""

    bucket: int
    evidence: Evidence
    provisional: bool
    limit_60m: float

    @property
    def unusual(self) -> bool:
        return self.evidence.score >= NOTICE_SCORE or self.evidence.observed_60m >= self.limit_60m


class Episode:
    """State of one series' rise."""

    __slots__ = (
        "_last_unusual",
        "_paged_bucket",
        "_paged_weight",
        "_provisional",
        "_reported_weight",
        "level",
        "onset_bucket",
    )

    def __init__(self) -> None:
        self.level = Level.QUIET
        self.onset_bucket: int | None = None
        self._last_unusual: int | None = None
        self._reported_weight = 0.0  # of the last hour, damped, so that one loud author does not make a rise grow
        self._paged_bucket: int | None = None  # outlives the episode: the refractory time goes on
        self._paged_weight = 0.0
        self._provisional: dict[int, Level] = {}  # buckets with reports that await their close

    @property
    def active(self) -> bool:
        """Whether a rise is going on."""
        return self.level is not Level.QUIET

    def step(
        self, bucket: int, evidence: Evidence, *, policy: Policy, mentions_60m: int, authors_60m: int, closed: bool,
        limit_60m: float = math.inf,
    ) -> list[Transition]:  # fmt: skip
        """Judge a bucket: as often as wanted while it is open, once when it closes.

        At most one report each time, besides what a close confirms or ends. `limit_60m`: a weight of the last hour that is
        worth a notice whatever its score, as `expectations.limit_60m` has it.
        """
        now = _Now(
            bucket, evidence, provisional=not closed, limit_60m=limit_60m if mentions_60m >= policy.min_mentions else math.inf
        )
        found: list[Transition] = []
        if closed:
            found += self._confirm(now)
            found += self._end(now, policy)
        if now.unusual:
            self._last_unusual = max(bucket, self._last_unusual or bucket)
            pages = mentions_60m >= policy.min_mentions and authors_60m >= policy.min_authors
            found += self._report(now, policy, pages=pages)
        return found

    def stop(self, bucket: int, evidence: Evidence) -> list[Transition]:
        """End the rise now, because nobody is to be told of it any more."""
        if not self.active:
            return []
        ended = self._transition(TransitionKind.END, _Now(bucket, evidence, provisional=False, limit_60m=math.inf))
        self.level, self.onset_bucket = Level.QUIET, None
        self._provisional.clear()
        return [ended]

    def _confirm(self, now: _Now) -> Iterator[Transition]:
        for bucket in sorted(self._provisional):
            if bucket <= now.bucket:
                yield self._transition(TransitionKind.CONFIRMED, now, level=self._provisional.pop(bucket), bucket=bucket)

    def _end(self, now: _Now, policy: Policy) -> Iterator[Transition]:
        if not self.active or self._last_unusual is None:
            return
        last_quiet = now.bucket - 1 if now.unusual else now.bucket
        if last_quiet - self._last_unusual >= policy.quiet_minutes:
            yield self._transition(TransitionKind.END, now)
            self.level, self.onset_bucket = Level.QUIET, None

    def _report(self, now: _Now, policy: Policy, *, pages: bool) -> list[Transition]:
        pages = pages and now.evidence.score >= policy.page_score
        if pages and self.level is not Level.PAGE and self._may_page(now, policy):
            return [self._reach(Level.PAGE, now)]
        if not self.active:
            return [self._reach(Level.NOTICE, now)]
        grown = now.evidence.observed_60m >= policy.growth_factor * self._reported_weight
        if grown and (pages or self.level is Level.NOTICE):
            return [self._say(TransitionKind.GROWTH, now)]
        return []

    def _may_page(self, now: _Now, policy: Policy) -> bool:
        if self._paged_bucket is None or now.bucket - self._paged_bucket > policy.refractory_minutes:
            return True
        return now.evidence.observed_60m >= policy.growth_factor * self._paged_weight

    def _reach(self, level: Level, now: _Now) -> Transition:
        self.level = level
        if self.onset_bucket is None:
            self.onset_bucket = now.bucket
        return self._say(TransitionKind.ONSET, now)

    def _say(self, kind: TransitionKind, now: _Now) -> Transition:
        self._reported_weight = now.evidence.observed_60m
        if self.level is Level.PAGE:
            self._paged_bucket, self._paged_weight = now.bucket, now.evidence.observed_60m
        if now.provisional:
            self._provisional[now.bucket] = self.level
        return self._transition(kind, now)

    def _transition(
        self, kind: TransitionKind, now: _Now, *, level: Level | None = None, bucket: int | None = None
    ) -> Transition:
        assert self.onset_bucket is not None
        return Transition(
            kind=kind, level=level or self.level, onset_bucket=self.onset_bucket,
            bucket=now.bucket if bucket is None else bucket, provisional=now.provisional, evidence=now.evidence,
        )  # fmt: skip

    def dump(self) -> dict[str, Any]:
        """As JSON; floats survive by their shortest representation."""
        return {
            "level": str(self.level),
            "onset_bucket": self.onset_bucket,
            "last_unusual": self._last_unusual,
            "reported_weight": self._reported_weight,
            "paged_bucket": self._paged_bucket,
            "paged_weight": self._paged_weight,
            "provisional": [[bucket, str(level)] for bucket, level in sorted(self._provisional.items())],
        }

    @classmethod
    def restore(cls, stored: dict[str, Any]) -> Self:
        """The inverse of `dump`."""
        episode = cls()
        episode.level, episode.onset_bucket = Level(stored["level"]), stored["onset_bucket"]
        episode._last_unusual, episode._reported_weight = stored["last_unusual"], stored["reported_weight"]
        episode._paged_bucket, episode._paged_weight = stored["paged_bucket"], stored["paged_weight"]
        episode._provisional = {bucket: Level(level) for bucket, level in stored["provisional"]}
        return episode
