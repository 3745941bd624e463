"""Topic `hits`: everything that `detect` may know, a tagged union. Key: watch_id; broadcasts go to each partition."""

from typing import Literal

from pydantic import AwareDatetime, Field

from schemas.authors import AuthorClass, ReachBand
from schemas.records import Record, Union
from schemas.sentiments import Sentiment
from schemas.watches import Watch

EXCERPT_CHARACTERS = 280


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


class WatchChanged(Record):
    """A new version of a watch; stands before the first hit of that version."""

    type: Literal["watch.changed"] = "watch.changed"
    watch: Watch


HitRecord = Hit | Retract | Progress | WatchChanged
HITS: Union[HitRecord] = Union(Hit, Retract, Progress, WatchChanged)
