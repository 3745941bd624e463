"""Topic `mentions`: what a connector admitted, after the privacy gate. Key: mention_id; progress: any."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from schemas.authors import AuthorClass, ReachBand
from schemas.records import Record, Union


class Mention(Record):
    """One public post that mentions the institution, masked; who wrote it is readable only through `sealed`."""

    type: Literal["mention"] = "mention"
    mention_id: str = Field(description="platform:instance:base32(HMAC of the native id)")
    source: str = Field(description="the connector that delivered it")
    source_position: int | None = Field(
        default=None, description="rising position within the source, where it has one: what is sent again is recognised by it"
    )
    platform: str
    instance: str
    published_at: AwareDatetime | None = Field(default=None, description="what the platform stamped, unverified")
    observed_at: AwareDatetime = Field(description="when the connector saw it, by the connector's clock")
    event_time: AwareDatetime = Field(description="the time that counts; see processors.mention_time")
    text: str = Field(description="masked text")
    language_hint: str | None = None
    author_key: str | None = Field(default=None, description="HMAC of the author; None when the source names none")
    author_class: AuthorClass = AuthorClass.UNKNOWN
    reach: ReachBand | None = None
    place: str | None = None
    sealed: str | None = Field(default=None, description="handle, native id and link, encrypted to the key of `sealed_day`")
    sealed_day: date | None = None
    revision: int = Field(description="external version in the index: milliseconds of the observation")
    is_backfill: bool = False
    is_drill: bool = False


class Deletion(Record):
    """The platform says that a post is gone; it may arrive before the post."""

    type: Literal["delete"] = "delete"
    mention_id: str
    source: str
    observed_at: AwareDatetime
    revision: int


class SourceProgress(Record):
    """ "Everything up to `clock` has been delivered", by the source's own clock; to each partition of `mentions`."""

    type: Literal["source.progress"] = "source.progress"
    source: str
    clock: AwareDatetime
    finished: bool = Field(default=False, description="the source will deliver nothing more: the watermark waits no longer")
    listening_since: AwareDatetime | None = Field(
        default=None,
        description="up to `clock` nothing was missed from here on, by the source's own clock; left out when it is not known. "
        "What was not listened to is no silence",
    )


MentionRecord = Mention | Deletion | SourceProgress
MENTIONS: Union[MentionRecord] = Union(Mention, Deletion, SourceProgress)
