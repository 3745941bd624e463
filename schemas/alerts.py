"""Topics `alerts` (state of each alert), `notifications` (what to tell whom) and `deliveries` (who was told when)."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from schemas.records import Record
from schemas.signals import STANDS_ALONE, Evidence, SignalKind, SignalLevel


class AlertStatus(StrEnum):
    """An alert is open from its onset until the surge is over."""

    OPEN = "open"
    ENDED = "ended"


class AlertStep(Record):
    """One entry of an alert's history."""

    kind: SignalKind
    level: SignalLevel
    event_time: AwareDatetime
    observed_at: AwareDatetime


class Alert(Record):
    """One unusual rise of one watch, from onset to end; or one notice of what stands alone, which is over at once."""

    type: Literal["alert"] = "alert"
    alert_id: str
    watch_id: str
    title: str
    on_call: str | None = None
    status: AlertStatus
    level: SignalLevel
    onset: AwareDatetime
    history: tuple[AlertStep, ...]
    evidence: Evidence
    is_drill: bool = False

    @property
    def is_rise(self) -> bool:
        """False for what stands alone: a first article, a silent source."""
        return not any(step.kind in STANDS_ALONE for step in self.history)


class Notification(Record):
    """A message to the people of an on-call list; each of its channels delivers it on its own."""

    type: Literal["notification"] = "notification"
    notification_id: str
    alert_id: str
    watch_id: str
    kind: SignalKind
    level: SignalLevel
    event_time: AwareDatetime
    observed_at: AwareDatetime
    channels: tuple[str, ...]
    language: str
    subject: str
    body: str
    evidence: Evidence
    is_drill: bool = False
    is_replay: bool = False


class Delivery(Record):
    """A channel took a notification (`error` is None) or gave up on it."""

    type: Literal["delivery"] = "delivery"
    notification_id: str
    alert_id: str
    watch_id: str
    channel: str
    kind: SignalKind
    level: SignalLevel
    event_time: AwareDatetime
    observed_at: AwareDatetime
    sent_at: AwareDatetime
    attempts: int
    error: str | None = None
