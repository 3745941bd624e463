"""What only a demonstration knows and a report of it also shows. Made by the demo, in the language of the report.

Texts here are shown as they are; the texts of `ReceivedAndStored.received` are invented, or they must not be here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.signals import SignalLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietSurge:
    """A rise that was there and woke nobody."""

    title: str
    start: datetime
    end: datetime
    reason: str
    """One sentence."""
    reached: SignalLevel | None
    """The most that it led to; None: nobody was told anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """A field besides the text."""

    name: str
    received: str
    stored: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedAndStored:
    """One invented post before and after the privacy gate."""

    received: str
    stored: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedPost:
    """A post that its author took down while the alert was open."""

    posted_at: datetime
    deleted_at: datetime
    was_in_evidence: bool
    """Whether the alert had shown it."""
    is_in_evidence: bool
    is_in_index: bool
    gone_after_secs: float | None = None
    """From the deletion's arrival until neither index nor evidence had the post; None: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOutage:
    """The search server was stopped on purpose. All three by the same clock."""

    away_from: datetime
    back_at: datetime
    paged_at: datetime
    indexed_afterwards: int | None = None
    """Mentions that were written when it was back."""
    missing: int | None = None
    """Mentions that the index lacks in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What one part of the system took. None: not measured."""

    name: str
    memory_bytes: int | None
    disk_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoExtras:
    """Each part is shown if it is there."""

    quiet: tuple[QuietSurge, ...] = ()
    stored: ReceivedAndStored | None = None
    deleted: DeletedPost | None = None
    outage: SearchOutage | None = None
    footprint: tuple[Footprint, ...] = ()
    seconds_to_told: Mapping[str, float] = field(default_factory=dict)
    """By notification_id: measured by one clock, from the deciding record's entry into Kafka to the channel's yes."""
