"""Who is told: the on-call lists of the configuration, and the choice among them for one alert."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.signals import SignalLevel

Language = Literal["tr", "en"]
LARGEST_BUDGET_WEEKS: Final = 100_000.0
"""Two thousand years; infinity is no number in JSON, and would make versions of watches that nobody can read again."""


class OnCallList(BaseModel):
    """The people behind one or more channels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", description="what a watch's `on_call` refers to")
    language: Language | None = Field(default=None, description="tr or en; if missing, the deployment's language")
    channels: tuple[str, ...] = Field(min_length=1, description="names of the channels that each message goes to")
    budget_weeks: float = Field(
        default=12.0,
        gt=0,
        le=LARGEST_BUDGET_WEEKS,
        description="one false call in so many weeks, divided among the watches that page this list; "
        "a larger number wakes people less often and later",
    )


class Detour(StrEnum):
    """Why a message goes to another list than the watch names."""

    UNKNOWN_LIST = "unknown_list"
    NO_LIST = "no_list"


@dataclass(frozen=True, slots=True)
class Route:
    """The lists that are told, and why it is these if the watch names another one or none."""

    lists: tuple[OnCallList, ...]
    detour: Detour | None = None


class OnCallBook:
    """All on-call lists of the deployment."""

    def __init__(self, lists: Iterable[OnCallList]) -> None:
        self._lists = {found.name: found for found in lists}

    def route(self, name: str | None, level: SignalLevel) -> Route:
        """A list that the settings do not know is every list: a mistake in the settings must not lose a message.

        A watch without a list tells nobody of a notice, but never loses a page.
        """
        everyone = tuple(self._lists[known] for known in sorted(self._lists))
        if name is None:
            return Route(everyone, Detour.NO_LIST) if level is SignalLevel.PAGE else Route(())
        found = self._lists.get(name)
        return Route((found,)) if found else Route(everyone, Detour.UNKNOWN_LIST)
