"""A report's words in one language. Numbers, shares and clock times are written as in the messages that people got."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pipeline.report import english, turkish
from processors.alerting.messages.catalogue import CATALOGUES, LOCAL, Catalogue
from processors.alerting.messages.rendering import RARE_WEEKS
from processors.alerting.on_call import Language

_MINUTES_FROM_SECS: Final = 120
_MIB: Final = 1024**2
_GIB: Final = 1024**3
_DAYS_A_WEEK: Final = 7
_TIMES_FROM: Final = 1.0  # fewer expected mentions than this make a multiple meaningless

REPORT_TEXTS: Final[Mapping[Language, Mapping[str, str]]] = {"tr": turkish.TEXTS, "en": english.TEXTS}


@dataclass(frozen=True, slots=True)
class Wording(Catalogue):
    """The messages' catalogue with the report's texts added."""

    def day(self, at: datetime) -> str:
        """ "4 Mart 2026 Çarşamba"."""
        local = at.astimezone(LOCAL)
        return self.text(
            "day", day=local.day, month=self._name("months", local.month - 1), year=local.year,
            weekday=self._name("weekdays", local.weekday()),
        )  # fmt: skip

    def short_day(self, at: datetime) -> str:
        """ "4 Mart"."""
        local = at.astimezone(LOCAL)
        return self.text("day.short", day=local.day, month=self._name("months", local.month - 1))

    def _name(self, key: str, index: int) -> str:
        return self.texts[key].split()[index]

    def until(self, start: datetime, end: datetime) -> str:
        """The end of a period whose start was said: with its date if that is another one."""
        is_same_day = start.astimezone(LOCAL).date() == end.astimezone(LOCAL).date()
        return self.clock(end) if is_same_day else self.moment(end)

    def exact(self, at: datetime) -> str:
        """Time of day with seconds."""
        return at.astimezone(LOCAL).strftime(self.texts["clock.seconds"])

    def zone(self) -> str:
        """The name of the local time."""
        return self.texts["format.zone"]

    def lapse(self, secs: float) -> str:
        """Seconds while they tell more than minutes."""
        if secs < _MINUTES_FROM_SECS:
            return self.text("seconds", seconds=self.number(max(0.0, secs)))
        return self.duration(timedelta(seconds=secs))

    def chance(self, once_in_weeks: float) -> str:
        """How often chance alone gives this; the steps are those of the messages."""
        if once_in_weeks > RARE_WEEKS:
            return self.text("chance.rare", weeks=self.number(RARE_WEEKS))
        if once_in_weeks >= 1:
            return self.text("chance.weeks", weeks=self.number(once_in_weeks))
        days = round(once_in_weeks * _DAYS_A_WEEK)
        return self.text("chance.days", days=days) if days > 1 else self.text("chance.often")

    def times(self, counted: float, expected: float) -> str:
        """How many times the usual."""
        return self.text("times", times=self.number(counted / expected)) if expected >= _TIMES_FROM else self.texts["none"]

    def size(self, octets: int | None) -> str:
        """Memory or disk."""
        if octets is None:
            return self.texts["none"]
        unit, key = (_GIB, "bytes.gib") if octets >= _GIB else (_MIB, "bytes.mib")
        return self.text(key, number=self.number(octets / unit))

    def named(self, kind: str, value: str) -> str:
        """The word for a value of a closed list such as label or author; a value of a newer version as it stands."""
        return self.texts.get(f"{kind}.{value}", value)


WORDINGS: Final[Mapping[Language, Wording]] = {
    language: Wording({**CATALOGUES[language].texts, **texts}) for language, texts in REPORT_TEXTS.items()
}
