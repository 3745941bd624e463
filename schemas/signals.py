"""Topic `signals`: what `detect` says about a watch, with the evidence. Topic `buckets`: each closed bucket."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from schemas.authors import AuthorClass
from schemas.records import Record


class Series(StrEnum):
    """The two counts of a watch."""

    ALL = "all"
    CONCERN = "concern"  # all but the confidently positive and the institution's own posts


class SignalKind(StrEnum):
    """What changed."""

    ONSET = "onset"
    GROWTH = "growth"
    CONFIRMED = "confirmed"
    EVIDENCE = "evidence"  # a post of the evidence was deleted
    END = "end"


class SignalLevel(StrEnum):
    """How much it asks of the person on call."""

    NOTICE = "notice"
    PAGE = "page"


class FirstPost(Record):
    """One of the earliest posts of a surge."""

    mention_id: str
    event_time: AwareDatetime
    platform: str
    author_class: AuthorClass
    label: str
    excerpt: str


class Cluster(Record):
    """Posts with the same text signature."""

    signature: str
    count: int
    first: AwareDatetime
    excerpt: str


class Evidence(Record):
    """Why the machine spoke: the last 60 minutes of event time, and the first posts of the rise."""

    observed_60m: float = Field(description="mentions in the last 60 minutes")
    expected_60m: float = Field(
        description="mentions that are usual in 60 minutes at this hour, by what was known before the rise"
    )
    once_in_weeks: float = Field(description="chance alone gives this once in so many weeks")
    mentions: int
    authors: int
    copies: int = Field(description="mentions whose text signature came before")
    labels: dict[str, int]
    sources: dict[str, int]
    platforms: dict[str, int]
    places: dict[str, int]
    author_classes: dict[str, int]
    first_posts: tuple[FirstPost, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    models: tuple[str, ...] = ()
    not_heard: tuple[str, ...] = Field(default=(), description="what was not listened to, as far as the log tells")
    announced: tuple[str, ...] = Field(default=(), description="why more than usual was expected in this hour")
    learning: bool = Field(default=False, description="the watch has less than a week of history")


class Signal(Record):
    """Onset, growth or end of an unusual rise. Identified by what it is about, never by an offset."""

    type: Literal["signal"] = "signal"
    signal_id: str = Field(description="watch/series/onset bucket/level/sequence")
    watch_id: str
    watch_version: int
    title: str
    on_call: str | None = None  # left out when there is none, as every missing value
    kind: SignalKind
    level: SignalLevel
    series: Series
    onset: AwareDatetime = Field(description="start of the bucket in which the surge began")
    event_time: AwareDatetime = Field(description="event time at which the evidence sufficed")
    observed_at: AwareDatetime = Field(description="when a live system would have known, by the source's clock")
    provisional: bool
    evidence: Evidence
    is_drill: bool = False


class BucketClosed(Record):
    """A minute of event time is over for a watch that had mentions in it. Carries no text."""

    type: Literal["bucket"] = "bucket"
    watch_id: str
    start: AwareDatetime
    mentions: int = Field(description="distinct mentions")
    weights: dict[Series, float] = Field(description="after damping")
    expected: dict[Series, float] = Field(description="usual for this minute")
    scores: dict[Series, float] = Field(description="log weeks")
