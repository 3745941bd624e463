"""Masks identifiers of private persons in a text.

What is found is replaced by its kind: [tckn] [telefon] [iban] [e-posta] [plaka] [kişi] [kart], and links by their host,
[bağlantı: ornek.bel.tr], or by [bağlantı] where the host leads to persons. Stays: 444 lines, emergency numbers, handles
on the public list. Names in prose stay too: no rule can tell them from words.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from processors.privacy import addresses, links, numbers
from processors.privacy.numbers import Finder
from processors.privacy.spans import MaskedKind, Span
from processors.text.characters import visible

__all__ = ["Masked", "MaskedKind", "mask"]

# What was found is out of sight for the finders that follow: a character that is no part of any identifier.
_TAKEN = "\ue000"


@dataclass(frozen=True, slots=True)
class Masked:
    """The text that may be stored, and how often each kind was replaced in it."""

    text: str
    kinds: Mapping[MaskedKind, int]


def mask(text: str, public_handles: frozenset[str]) -> Masked:
    """Replace identifiers. `public_handles` are the handles that may stay (see `PublicAccounts.handles`).

    The text comes back in NFC, without invisible characters and with plain digits. Masking twice changes nothing more.
    """
    shown = visible(text)
    rest = shown.translate(_LOOKALIKE_DIGITS)
    spans: list[Span] = []
    for find in _finders(public_handles):
        found = list(find(rest))
        rest = _replace(rest, [(span, _TAKEN * (span.end - span.start)) for span in found])
        spans.extend(found)
    spans.sort(key=lambda span: span.start)
    masked = _replace(shown, [(span, span.replacement) for span in spans])
    return Masked(masked, Counter(span.kind for span in spans))


@lru_cache(maxsize=64)
def _finders(public_handles: frozenset[str]) -> tuple[Finder, ...]:
    """In order: what may contain another comes before it."""
    known = frozenset(handle.strip().lstrip("@").lower() for handle in public_handles)
    return (
        links.find_with_scheme,
        links.find_bare,
        addresses.find_spelled,
        lambda text: addresses.find(text, known),
        numbers.find_ibans,
        numbers.find_ibans_without_country,
        numbers.find_cards,
        numbers.find_national_ids,
        *numbers.prefixed_phone_finders(),
        numbers.find_spaced_national_ids,
        *numbers.other_phone_finders(),
        numbers.find_plates,
    )


def _replace(text: str, replacements: list[tuple[Span, str]]) -> str:
    parts: list[str] = []
    at = 0
    for span, replacement in replacements:
        parts += (text[at : span.start], replacement)
        at = span.end
    return "".join((*parts, text[at:]))


def _lookalike_digits() -> dict[int, str]:
    """Superscript, subscript and circled digits: told as digits here, left in the text ("m²")."""
    codes = (*range(0xB2, 0xBA), *range(0x2070, 0x208A), *range(0x2460, 0x2794))
    values = ((code, unicodedata.digit(chr(code), None)) for code in codes)
    return {code: str(value) for code, value in values if value is not None}


_LOOKALIKE_DIGITS = _lookalike_digits()
