"""Topic `enriched`: mentions that a watch matched, ready to be indexed. Key: mention_id."""

from typing import Literal

from pydantic import AwareDatetime, Field

from schemas.mentions import Mention
from schemas.records import Record, Union
from schemas.sentiments import Sentiment


class EnrichedMention(Record):
    """A mention with what `enrich` found out. Carries no author_key: the index must not link two days of a citizen."""

    type: Literal["mention"] = "mention"
    mention: Mention = Field(description="without author_key")
    language: str
    sentiment: Sentiment
    signature: str = Field(description="signature of the text: copies share it")
    watches: tuple[str, ...]
    author_day_keys: tuple[str, ...] = Field(default=(), description="one key per watch, good for one day only")
    help_call: bool = Field(default=False, description="the text calls for help, by its words; a human must look")


class EnrichedDeletion(Record):
    """A deletion on its way to the index."""

    type: Literal["delete"] = "delete"
    mention_id: str
    observed_at: AwareDatetime
    revision: int


EnrichedRecord = EnrichedMention | EnrichedDeletion
ENRICHED: Union[EnrichedRecord] = Union(EnrichedMention, EnrichedDeletion)
