"""The detection power of a watch as the command line tells it: in words, Turkish and English, and as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self

from processors.alerting.messages.catalogue import CATALOGUES
from processors.alerting.on_call import Language
from processors.detection.watch import page_policy
from processors.spikes.power import LISTENED_WEEKS, WITHIN_MINUTES, Power, power
from schemas.watches import Watch

_WEEKS: Final = f"{LISTENED_WEEKS[0]}–{LISTENED_WEEKS[1]}"
SOMETIMES: Final = 0.5
"""Of the rises: what is found within an hour at least so often is told with its share, what is found less often is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionPower:
    """What was found for a watch."""

    per_hour: float | None
    """Mean weight of the series that pages; None where too little was heard to tell."""
    budget_weeks: float
    rises: tuple[Power, ...]
    """The largest first; empty where nothing can be told."""

    @classmethod
    def of(cls, watch: Watch, per_hour: float | None) -> Self:
        """By the budget of the watch, and the floor that `detect` asks of a page."""
        rises = () if per_hour is None else power(per_hour, page_policy(watch))
        return cls(per_hour=per_hour, budget_weeks=watch.budget_weeks, rises=rises)

    def value(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "an_hour": None if self.per_hour is None else round(self.per_hour, 2),
            "budget_weeks": self.budget_weeks,
            "rises": [
                {
                    "times": rise.times,
                    f"found_in_{WITHIN_MINUTES}_minutes": round(rise.found, 3),
                    "median_minutes": None if rise.median_minutes is None else round(rise.median_minutes, 1),
                    "reliable": rise.reliable,
                }
                for rise in self.rises
            ],
        }

    def words(self, language: Language) -> str:
        """One sentence."""
        texts, number = _TEXTS[language], CATALOGUES[language].number
        if self.per_hour is None:
            return texts["unknown"]
        values = {"rate": number(self.per_hour), "weeks": number(self.budget_weeks), "listened": _WEEKS}
        if not self.rises:
            return texts["not_measured"].format(**values)
        return texts["head"].format(**values) + _rises(self.rises, texts, language)


def _rises(rises: Sequence[Power], texts: Mapping[str, str], language: Language) -> str:
    told = [_rise(rise, texts, language, first=number == 0) for number, rise in enumerate(rises) if _is_told(rise)]
    missed = [_name(rise, texts) for rise in rises if not _is_told(rise)]
    if not told:
        return texts["none"]
    if missed:
        told.append(texts["missed"].format(times=texts["and"].join(missed)))
    return texts["join"].join(told)


def _is_told(rise: Power) -> bool:
    return rise.found >= SOMETIMES and rise.median_minutes is not None


def _rise(rise: Power, texts: Mapping[str, str], language: Language, *, first: bool) -> str:
    assert rise.median_minutes is not None
    key = f"{'first' if first else 'next'}.{'sure' if rise.reliable else 'share'}"
    share = CATALOGUES[language].share(rise.found, 1.0)
    return texts[key].format(times=_name(rise, texts), minutes=max(1, round(rise.median_minutes)), share=share)


def _name(rise: Power, texts: Mapping[str, str]) -> str:
    return texts[f"times.{rise.times:g}"]


_TEXTS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        "en": MappingProxyType(
            {
                "head": "{rate} mentions an hour, 1 false call in {weeks} weeks, after {listened} weeks of listening: ",
                "first.sure": "a {times} rise is found in about {minutes} minutes",
                "next.sure": "a {times} one in about {minutes} minutes",
                "first.share": "a {times} rise is found in about {minutes} minutes, but within an hour only {share} of the time",
                "next.share": "a {times} one in about {minutes} minutes, but within an hour only {share} of the time",
                "missed": "a {times} one not reliably",
                "none": "no rise up to the tenfold is found reliably within an hour",
                "times.10": "tenfold",
                "times.5": "fivefold",
                "times.3": "threefold",
                "and": " or ",
                "join": ", ",
                "unknown": "how soon a rise is found cannot be told from so few posts: at least a day of them, with some that match",
                "not_measured": "{rate} mentions an hour, 1 false call in {weeks} weeks: how soon a rise is found was not measured "
                "for so rare a false call",
            }
        ),
        "tr": MappingProxyType(
            {
                "head": "Saatte {rate} paylaşım, {weeks} haftada 1 yanlış çağrı, {listened} hafta dinledikten sonra: ",
                "first.sure": "{times} katına çıkan paylaşım yaklaşık {minutes} dakikada bulunur",
                "next.sure": "{times} katına çıkan yaklaşık {minutes} dakikada",
                "first.share": "{times} katına çıkan paylaşım yaklaşık {minutes} dakikada bulunur, ama bir saat içinde yalnızca {share} olasılıkla",
                "next.share": "{times} katına çıkan yaklaşık {minutes} dakikada, ama bir saat içinde yalnızca {share} olasılıkla",
                "missed": "{times} katına çıkan güvenilir biçimde bulunmaz",
                "none": "on katına kadar hiçbir artış bir saat içinde güvenilir biçimde bulunmaz",
                "times.10": "on",
                "times.5": "beş",
                "times.3": "üç",
                "and": " ya da ",
                "join": ", ",
                "unknown": "Bir artışın ne kadar sürede bulunacağı bu kadar az paylaşımdan söylenemez: en az bir günlük kayıt ve içinde "
                "eşleşen paylaşım gerekir",
                "not_measured": "Saatte {rate} paylaşım, {weeks} haftada 1 yanlış çağrı: bu kadar seyrek yanlış çağrı için bir artışın "
                "ne kadar sürede bulunacağı ölçülmedi",
            }
        ),
    }
)
