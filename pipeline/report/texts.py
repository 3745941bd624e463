"""Where a report gets the words of posts from: the index, which knows what was deleted."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from connectors.elasticsearch import ElasticsearchSettings, translated
from schemas.documents import MENTIONS_ALIAS
from schemas.hits import EXCERPT_CHARACTERS


class PostTexts(Protocol):
    """Masked excerpts of posts that are still there. What is missing in an answer was deleted, or is not known yet."""

    def of_posts(self, mention_ids: Collection[str], /) -> Mapping[str, str]:
        """By mention_id."""
        ...

    def of_copies(self, signatures: Collection[str], /) -> Mapping[str, str]:
        """By signature: the text of one of the copies that are left."""
        ...


class IndexTexts:
    """From the search index of one namespace. Asks once per call, blocks, keeps no connection.

    Raises `ElasticsearchUnreachable` or `ElasticsearchRefused`: the caller decides whether a report without quotes
    is better than none.
    """

    def __init__(self, settings: ElasticsearchSettings) -> None:
        self._settings = settings

    def of_posts(self, mention_ids: Collection[str], /) -> Mapping[str, str]:
        """See `PostTexts`."""
        return self._texts("mention_id", mention_ids)

    def of_copies(self, signatures: Collection[str], /) -> Mapping[str, str]:
        """See `PostTexts`."""
        return self._texts("signature", signatures)

    def _texts(self, field: str, values: Collection[str]) -> Mapping[str, str]:
        if not values:
            return {}
        with self._settings.sync_client() as client, translated():
            answer = client.search(
                index=f"{self._settings.prefix}{MENTIONS_ALIAS}-*",
                allow_no_indices=True,
                query={"terms": {field: list(values)}},
                collapse={"field": field},  # one document per value, the earliest
                sort=[{"event_time": "asc"}, {"mention_id": "asc"}],
                source_includes=[field, "text"],
                size=len(values),
            )
        return dict(_pair(hit["_source"], field) for hit in answer["hits"]["hits"])


def _pair(document: Mapping[str, Any], field: str) -> tuple[str, str]:
    return document[field], shortened(document["text"])


def shortened(text: str) -> str:
    """At most as long as an excerpt in the log."""
    return text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1].rstrip() + "…"
