"""A language's texts, with its way to write numbers, shares, times and durations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from processors.alerting.messages import english, turkish
from processors.alerting.on_call import Language

# Türkiye keeps UTC+3 all year since 2016. Fixed, since the time zone files of a machine must not change a message.
LOCAL: Final = timezone(timedelta(hours=3))
_DECIMAL_BELOW: Final = 10


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Texts by key. A key or placeholder that is missing is a bug and raises KeyError."""

    texts: Mapping[str, str]

    def text(self, key: str, **values: object) -> str:
        """One text with its placeholders filled in."""
        return self.texts[key].format(**values)

    def number(self, value: float) -> str:
        """Whole from 10 on, with one decimal below: "1.250", "6,4", "7"."""
        rounded = round(value, 1) if value < _DECIMAL_BELOW else round(value)
        if rounded == 0 and value > 0:
            return "<" + self.number(0.1)
        whole = f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"
        marks = {",": self.texts["format.thousands"], ".": self.texts["format.decimal"]}
        return "".join(marks.get(character, character) for character in whole)

    def share(self, part: float, total: float) -> str:
        """Percent of a total; nothing of nothing is 0 %."""
        return self.text("format.percent", number=round(100 * part / total) if total else 0)

    def moment(self, at: datetime) -> str:
        """Date and time in Türkiye."""
        return at.astimezone(LOCAL).strftime(self.texts["format.moment"])

    def clock(self, at: datetime) -> str:
        """Time of day in Türkiye."""
        return at.astimezone(LOCAL).strftime(self.texts["format.clock"])

    def is_same_day(self, one: datetime, other: datetime) -> bool:
        """In Türkiye."""
        return one.astimezone(LOCAL).date() == other.astimezone(LOCAL).date()

    def duration(self, length: timedelta) -> str:
        """Hours and minutes."""
        hours, minutes = divmod(max(0, round(length.total_seconds() / 60)), 60)
        return self.text("format.hours", hours=hours, minutes=minutes) if hours else self.text("format.minutes", minutes=minutes)


CATALOGUES: Final[Mapping[Language, Catalogue]] = {"tr": Catalogue(turkish.TEXTS), "en": Catalogue(english.TEXTS)}
