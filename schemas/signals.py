"""Topic `signals`: what `detect` says about a watch, with the evidence. Topic `buckets`: each closed bucket."""

from enum import StrEnum
from typing import Final, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

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
    FIRST_ARTICLE = "first_article"  # the press or an official source begins to speak ill, or calls for help
    SOURCE_SILENT = "source_silent"  # a source that usually speaks does not


STANDS_ALONE: Final = frozenset({SignalKind.FIRST_ARTICLE, SignalKind.SOURCE_SILENT})
"""Kinds that are about no rise: one notice each, which nothing follows. Never a page, and outside the budget of false calls."""


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


class FirstArticle(Record):
    """What is told of a story with which the press or an official source begins; the post is the evidence's first one."""

    help_call: bool = Field(default=False, description="the text calls for help, by its words; a human must look")
    left_out: int = Field(
        default=0, ge=0, description="stories since the last notice of this kind that were not told, so as not to flood"
    )


class SilentSource(Record):
    """A source that usually speaks, and how long it has not."""

    source: str
    last_heard: AwareDatetime = Field(description="start of the hour in which it last spoke of the watch")
    silent_hours: int = Field(description="whole hours since, all of them listened to")
    usual_hours: float = Field(description="in so many of these hours it would usually have spoken")
    once_in: float = Field(description="of its usual silences, chance alone makes one in so many as long as this")


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
    article: FirstArticle | None = Field(default=None, description="of a signal first_article")
    silence: SilentSource | None = Field(default=None, description="of a signal source_silent")


class Signal(Record):
    """Onset, growth or end of an unusual rise, or what stands alone. Identified by what it is about, never by an offset."""

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

    @model_validator(mode="after")
    def _says_what_stands_alone(self) -> Self:
        for kind, told in ((SignalKind.FIRST_ARTICLE, "article"), (SignalKind.SOURCE_SILENT, "silence")):
            if self.kind is kind and getattr(self.evidence, told) is None:
                raise ValueError(f"a signal of the kind {kind} needs evidence.{told}")
        return self


class BucketClosed(Record):
    """A minute of event time is over for a watch that had mentions in it. Carries no text."""

    type: Literal["bucket"] = "bucket"
    watch_id: str
    start: AwareDatetime
    mentions: int = Field(description="distinct mentions")
    weights: dict[Series, float] = Field(description="after damping")
    expected: dict[Series, float] = Field(description="usual for this minute")
    scores: dict[Series, float] = Field(description="log weeks")
