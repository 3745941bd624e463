"""Documents and templates of the search index.

Plain indices by month, deterministic ids, external versions: a replay writes the same documents again. Nothing here
needs ingest pipelines, scripts, ILM or data streams.
"""

from typing import Any, Final

from pydantic import AwareDatetime

from schemas.authors import AuthorClass, ReachBand
from schemas.labels import Label
from schemas.records import Record

MENTIONS_ALIAS: Final = "mentions"
TOMBSTONES_INDEX: Final = "tombstones"


class MentionDocument(Record):
    """A mention as Kibana and other readers see it. `_id` is the mention_id."""

    mention_id: str
    source: str
    platform: str
    instance: str
    event_time: AwareDatetime
    published_at: AwareDatetime | None
    observed_at: AwareDatetime
    text: str
    language: str
    label: Label
    confidence: float
    model: str
    signature: str
    watches: tuple[str, ...]
    author_day_keys: tuple[str, ...]
    author_class: AuthorClass
    reach: ReachBand | None
    place: str | None
    sealed: str | None
    sealed_day: str | None
    is_backfill: bool
    is_drill: bool
    help_call: bool = False


class Tombstone(Record):
    """A deleted post: whatever arrives later for this id with a lower revision is not indexed again."""

    mention_id: str
    observed_at: AwareDatetime
    revision: int


ANALYSIS: Final[dict[str, Any]] = {
    "filter": {
        "nabiz_lowercase": {"type": "lowercase", "language": "turkish"},
        "nabiz_stem": {"type": "stemmer", "language": "turkish"},
    },
    "analyzer": {
        # The same chain as processors.text.tokens: watches and searches must agree.
        "nabiz_text": {"type": "custom", "tokenizer": "standard", "filter": ["apostrophe", "nabiz_lowercase", "asciifolding"]},
        "nabiz_turkish": {
            "type": "custom", "tokenizer": "standard", "filter": ["apostrophe", "nabiz_lowercase", "nabiz_stem", "asciifolding"],
        },
    },
}  # fmt: skip

_KEYWORD: Final = {"type": "keyword"}
_DATE: Final = {"type": "date"}

MENTION_MAPPINGS: Final[dict[str, Any]] = {
    "dynamic": False,
    "properties": {
        "mention_id": _KEYWORD,
        "source": _KEYWORD,
        "platform": _KEYWORD,
        "instance": _KEYWORD,
        "event_time": _DATE,
        "published_at": _DATE,
        "observed_at": _DATE,
        "text": {
            "type": "text", "analyzer": "nabiz_text",
            "fields": {"turkish": {"type": "text", "analyzer": "nabiz_turkish"}},
        },
        "language": _KEYWORD,
        "label": _KEYWORD,
        "confidence": {"type": "float"},
        "model": _KEYWORD,
        "signature": _KEYWORD,
        "watches": _KEYWORD,
        "author_day_keys": _KEYWORD,
        "author_class": _KEYWORD,
        "reach": _KEYWORD,
        "place": _KEYWORD,
        # kept for `nabiz reveal`, never searched
        "sealed": {"type": "keyword", "index": False, "doc_values": False},
        "sealed_day": _DATE,
        "is_backfill": {"type": "boolean"},
        "is_drill": {"type": "boolean"},
        "help_call": {"type": "boolean"},
    },
}  # fmt: skip

TOMBSTONE_MAPPINGS: Final[dict[str, Any]] = {
    "dynamic": False,
    "properties": {"mention_id": _KEYWORD, "observed_at": _DATE, "revision": {"type": "long"}},
}


def mentions_template(prefix: str, *, replicas: int) -> dict[str, Any]:
    """Index template for the monthly indices of a deployment."""
    return {
        "index_patterns": [f"{prefix}{MENTIONS_ALIAS}-*"],
        "template": {
            "settings": {
                "number_of_shards": 1,
                "number_of_replicas": replicas,
                # how long a deletion's version is remembered: longer than any worker may stand still in a bulk
                "index.gc_deletes": "10m",
                "analysis": ANALYSIS,
            },
            "mappings": MENTION_MAPPINGS,
            "aliases": {f"{prefix}{MENTIONS_ALIAS}": {}},
        },
    }


def month_index(prefix: str, published_at: AwareDatetime | None, observed_at: AwareDatetime) -> str:
    """The index of a post: the month in which it appeared.

    All versions of a post must come to one index, so the month is that of `published_at`, which never changes, as
    long as it is plausible (at most 31 days before it was seen), otherwise that of the observation.
    """
    age_days = (observed_at - published_at).total_seconds() / 86_400 if published_at else -1.0
    seen = published_at if published_at is not None and 0 <= age_days <= 31 else observed_at
    return f"{prefix}{MENTIONS_ALIAS}-{seen:%Y.%m}"
