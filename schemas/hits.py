"""Topic `hits`: everything that `detect` may know, a tagged union. Key: watch_id; broadcasts go to each partition."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from schemas.authors import AuthorClass, ReachBand
from schemas.records import Record, Union
from schemas.sentiments import Sentiment
from schemas.signals import Series
from schemas.watches import Watch

EXCERPT_CHARACTERS = 280
LARGEST_FACTOR = 20.0
LONGEST_EXPECTATION = timedelta(days=31)
LONGEST_REASON = 1_000
"""Characters. Detect keeps reasons in the state of the watch, which is one record of Kafka."""


class Hit(Record):
    """One mention matched one watch."""

    type: Literal["hit"] = "hit"
    watch_id: str
    mention_id: str
    event_time: AwareDatetime
    observed_at: AwareDatetime
    source: str
    source_position: int | None = Field(default=None, description="see Mention.source_position")
    origin_partition: int = Field(description="partition of `mentions` it came through")
    origin_offset: int = Field(description="offset there: a hit that is sent again is recognised by it")
    platform: str
    author_key: str | None = None
    author_class: AuthorClass
    reach: ReachBand | None = None
    place: str | None = None
    signature: str
    sentiment: Sentiment
    excerpt: str = Field(max_length=EXCERPT_CHARACTERS, description="masked")
    help_call: bool = Field(default=False, description="the text calls for help, by its words; a human must look")
    is_backfill: bool = False
    is_drill: bool = False


class Retract(Record):
    """A post is gone: take it out of the evidence. Broadcast, since the deletion carries no text to match."""

    type: Literal["retract"] = "retract"
    mention_id: str


class Progress(Record):
    """How far each partition of `mentions` has come, per source; after the hits that it covers. Broadcast."""

    type: Literal["progress"] = "progress"
    source: str
    clocks: dict[int, AwareDatetime] = Field(description="by partition of `mentions`")
    finished: frozenset[int] = Field(default=frozenset(), description="partitions in which the source has ended")
    since: AwareDatetime | None = Field(default=None, description="the earliest of the clocks that this report stands for")
    listening_since: AwareDatetime | None = Field(default=None, description="see SourceProgress.listening_since")


class WatchChanged(Record):
    """A new version of a watch; stands before the first hit of that version."""

    type: Literal["watch.changed"] = "watch.changed"
    watch: Watch


class Expectation(Record):
    """More than usual is expected for a while, because something was announced. It raises what is usual; it never mutes.

    A later record of the same id replaces the earlier one.
    """

    type: Literal["expectation"] = "expectation"
    expectation_id: str = Field(min_length=1, max_length=64)
    watch_id: str
    start: AwareDatetime
    end: AwareDatetime
    factor: float = Field(ge=1, le=LARGEST_FACTOR, description="times the usual; 1 takes the expectation back")
    reason: str = Field(min_length=1, description="what was announced; whoever is called reads it")
    who: str = Field(description="who expects it")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if not timedelta(0) < self.end - self.start <= LONGEST_EXPECTATION:
            raise ValueError(f"an expectation ends after it begins, and within {LONGEST_EXPECTATION.days} days")
        return self


class Verdict(Record):
    """What a person says about the rise of a watch that is going on."""

    type: Literal["verdict"] = "verdict"
    watch_id: str
    crisis: bool = Field(description="true: it is not to be learnt as usual; false: the same again is less unusual")
    who: str
    at: AwareDatetime


class History(Record):
    """What is usual for a watch, learnt from posts of the past: it takes the place of what the detector has learnt so far."""

    type: Literal["history"] = "history"
    watch_id: str
    watch_version: int = Field(description="of the query with which the posts were chosen")
    start: AwareDatetime = Field(description="of the first minute that was heard")
    end: AwareDatetime = Field(description="of the first minute that was not")
    mentions: int = Field(ge=0)
    model: str = Field(description="of the sentiment model that judged them")
    states: dict[Series, str] = Field(description="of each series, as processors.spikes packs it, in base64")
    who: str


HitRecord = Hit | Retract | Progress | WatchChanged | Expectation | Verdict | History
HITS: Union[HitRecord] = Union(Hit, Retract, Progress, WatchChanged, Expectation, Verdict, History)
