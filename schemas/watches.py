"""Topic `watches`: what the institution listens for, and why it may. Key: watch_id; a later version replaces the earlier."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from schemas.records import Record

DEFAULT_BUDGET_WEEKS: Final = 12.0
PAGE_AUTHORS: Final = 5
PAGE_MENTIONS: Final = 8
ACCOUNTABILITY: Final = ("purpose", "legal_basis", "owner", "expires")

WatchId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
Stated = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class WatchLevel(StrEnum):
    """The most that a watch may do."""

    PAGE = "page"  # wake the person on call
    NOTICE = "notice"  # tell the on-call list, wake nobody
    COUNT = "count"  # count and index only


class Watch(Record):
    """One version of a watch. Without purpose, legal basis, owner and expiry there is no right to listen: refused."""

    watch_id: WatchId
    version: int = Field(ge=1)
    title: Stated
    query: Stated = Field(description="Lucene syntax; see processors.watches.query")
    exclusions: tuple[str, ...] = Field(default=(), description="queries: what one of them matches is not taken")
    places: tuple[str, ...] = ()
    own_accounts: tuple[str, ...] = Field(default=(), description="handles of the institution, whose posts are its own")
    level: WatchLevel
    on_call: str | None = Field(default=None, description="the on-call list; needed for page and notice")
    plan: str | None = Field(default=None, description="the crisis plan")
    purpose: Stated
    legal_basis: Stated
    owner: Stated = Field(description="who answers for the watch: a unit, not a person")
    expires: date = Field(description="last day on which the watch listens")
    enabled: bool = True
    budget_weeks: float = Field(
        default=DEFAULT_BUDGET_WEEKS, gt=0, allow_inf_nan=False,
        description="weeks per false call allowed to this watch: the on-call list's budget times the number of its paging "
        "watches, filled when the watch is applied",
    )  # fmt: skip
    page_authors: int = Field(default=PAGE_AUTHORS, ge=1, description="distinct authors in 60 minutes that a page needs")
    page_mentions: int = Field(default=PAGE_MENTIONS, ge=1, description="mentions in 60 minutes that a page needs")
    updated_at: AwareDatetime

    @property
    def chooses(self) -> tuple[object, ...]:
        """What decides which posts it takes: equal for two versions that take the same."""
        return self.query, self.exclusions, self.places, self.own_accounts

    @model_validator(mode="before")
    @classmethod
    def _is_accountable(cls, fields: object) -> object:
        if isinstance(fields, Mapping):
            missing = [name for name in ACCOUNTABILITY if is_blank(fields.get(name))]
            if missing:
                raise ValueError(
                    f"{' and '.join(missing)} missing: a watch must say why, on what ground, for whom and until when"
                )
        return fields

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Self:
        if self.level is not WatchLevel.COUNT and is_blank(self.on_call):
            raise ValueError(f"on_call missing: a watch of level {self.level} must name the on-call list that is told")
        return self


def is_blank(value: object) -> bool:
    """Nothing was stated."""
    return value is None or (isinstance(value, str) and not value.strip())
