"""Invented texts on which a converted model is compared with its original; what they say does not matter, their variety does."""

from itertools import product
from typing import Final

_PLACES: Final = ("Merkez", "Yeşilova Mahallesi", "şehir hastanesi", "otogar")
_THINGS: Final = ("su", "otobüs seferi", "yol çalışması", "park")
_SAYINGS: Final = (
    "{place} {thing} yok",
    "{thing} konusunda {place} için bilgi alabilir miyim @belediye",
    "Teşekkürler, {place} tarafında {thing} düzelmiş 👍 ama akşamları hâlâ sorun var, umarım kalıcı olur",
    "{thing} yine aksadı. Dün de aynıydı, önceki gün de; {place} olarak dilekçe verdik https://ornek.example/dilekce",
    "fena değil {place}, {thing} idare eder",
    "BUGÜN {place} {thing} İÇİN TOPLANTI VAR!!!",
)
_SINGLE: Final = (
    "su",
    "park",
    "evet",
    "rezalet",
    "harika",
    "😡",
    "?",
    "Iğdır'da ışık yok",
    "İyi ki varsınız",
    "ok, thanks",
    "漢字",
)

SAMPLES: Final = (
    *_SINGLE,
    *(saying.format(place=place, thing=thing) for place, thing, saying in product(_PLACES, _THINGS, _SAYINGS)),
    " ".join(_SAYINGS).format(place="Merkez", thing="su") * 8,
)
"""Short and long ones, many of equal length, one that is longer than any model's limit."""
