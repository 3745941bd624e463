"""Masks identifiers of private persons in a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class MaskedKind(StrEnum):
    """What was masked; the value is the word that stands in the text instead."""

    NATIONAL_ID = "tckn"
    PHONE = "telefon"
    IBAN = "iban"
    EMAIL = "e-posta"
    PLATE = "plaka"
    PERSON = "kişi"
    CARD = "kart"
    LINK = "bağlantı"


@dataclass(frozen=True, slots=True)
class Masked:
    """The text that may be stored, and how often each kind was replaced in it."""

    text: str
    kinds: Mapping[MaskedKind, int]


def mask(text: str, public_handles: frozenset[str]) -> Masked:
    """Replace identifiers. `public_handles` are the handles that may stay, without "@", in any case (see `PublicAccounts.handles`)."""
    raise NotImplementedError
