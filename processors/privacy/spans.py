"""A place in a text that has to go, and what stands there afterwards."""

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
class Span:
    """`detail` is the part that may stay: the host of a link."""

    start: int
    end: int
    kind: MaskedKind
    detail: str = ""

    @property
    def replacement(self) -> str:
        """ "[telefon]", or "[bağlantı: ornek.bel.tr]"."""
        return f"[{self.kind}: {self.detail}]" if self.detail else f"[{self.kind}]"
