"""Who wrote a post: the sealed fields of a document, opened with the private key of their day."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.day_keys import DayKeys
from connectors.elasticsearch import ElasticsearchSettings, translated
from processors.privacy.sealing import CannotUnseal, SealedFields, unseal, unseal_bytes
from schemas.documents import MENTIONS_ALIAS


class CannotReveal(Exception):
    """There is nothing to open, or it cannot be opened; the message says why."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is sealed in a document, and to which day's key."""

    text: str
    day: date


def find_sealed(elasticsearch: ElasticsearchSettings, mention_id: str) -> Sealed:
    """The sealed fields of an indexed mention. Raises `CannotReveal`, ElasticsearchUnreachable, ElasticsearchRefused."""
    with elasticsearch.sync_client() as client, translated():
        # A search sees what was indexed a second ago only after a refresh; whoever was told the id has waited as long.
        answer = client.search(
            index=f"{elasticsearch.prefix}{MENTIONS_ALIAS}-*", query={"ids": {"values": [mention_id]}}, version=True,
            source_includes=["sealed", "sealed_day"], allow_no_indices=True, ignore_unavailable=True,
        )  # fmt: skip
    found = sorted(answer["hits"]["hits"], key=lambda hit: int(hit["_version"]))
    if not found:
        raise CannotReveal(
            f"there is no post {mention_id} in the index: it was deleted, no watch took it, or it belongs to a replay "
            "(name it with --namespace)"
        )
    return _sealed(mention_id, found[-1]["_source"])


def _sealed(mention_id: str, document: dict[str, Any]) -> Sealed:
    sealed, day = document.get("sealed"), document.get("sealed_day")
    if sealed is None or day is None:
        raise CannotReveal(f"the post {mention_id} carries nothing sealed: its source named neither author nor link")
    return Sealed(sealed, date.fromisoformat(day))


def open_sealed(keys: DayKeys, sealed: Sealed) -> SealedFields:
    """Raises KeyDestroyed, `CannotReveal`."""
    try:
        return unseal(keys.private(sealed.day), sealed.text)
    except CannotUnseal as error:
        raise _not_ours(sealed.day) from error


def open_original(keys: DayKeys, sealed: Sealed) -> bytes:
    """An input as it came from outside. Raises KeyDestroyed, `CannotReveal`."""
    try:
        return unseal_bytes(keys.private(sealed.day), sealed.text)
    except CannotUnseal as error:
        raise _not_ours(sealed.day) from error


def _not_ours(day: date) -> CannotReveal:
    return CannotReveal(
        f"the key of {day} that is here does not open it: the key it was sealed to was destroyed on the same day, "
        "or belongs to another installation (name its folder with --data)"
    )
