"""The fold over `signals`. Implements the Fold protocol of pipeline.fold without knowing it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from processors.alerting.lifecycle import News, OpenAlert, WatchAlerts, step
from processors.alerting.messages import Occasion, render
from processors.alerting.on_call import Language, OnCallBook, OnCallList, Route
from schemas.alerts import Notification
from schemas.outputs import Output
from schemas.records import Union, decode
from schemas.signals import Signal
from schemas.topics import ALERTS, NOTIFICATIONS

SIGNAL_RECORDS: Final = Union(Signal)
_DRILL_MARK: Final = "@drill"


class AlertFold:
    """The alerts of all watches. A drill's alerts are kept apart, so that it never ends or raises a real one."""

    def __init__(self, on_call: Iterable[OnCallList], *, is_replay: bool = False, language: Language = "tr") -> None:
        self._book = OnCallBook(on_call)
        self._is_replay, self._language = is_replay, language
        self._watches: dict[str, WatchAlerts] = {}
        self._outputs: list[Output] = []
        self._changed: set[str] = set()

    def load(self, records: Mapping[str, bytes]) -> None:
        """Take over the stored records."""
        self._watches = {key: decode(WatchAlerts, value) for key, value in records.items()}

    def apply(self, value: bytes | None) -> None:
        """Apply the next record. Raises `NotARecord` or `UnknownKind`."""
        signal = SIGNAL_RECORDS.decode(value).record
        key = signal.watch_id + (_DRILL_MARK if signal.is_drill else "")
        before = self._watches.get(key, WatchAlerts())
        after = step(before, signal)
        if after.state is before:
            return
        self._watches[key] = after.state
        self._changed.add(key)
        if after.changed is not None:
            alert = after.changed.alert
            self._outputs.append(Output(ALERTS, alert.alert_id, alert.encode()))
            if after.news is not None:
                self._outputs += self._notifications(signal, after.changed, after.news)

    @property
    def urgent(self) -> bool:
        """A message to somebody waits. An alert's new state alone can wait."""
        return any(output.topic is NOTIFICATIONS for output in self._outputs)

    def outputs(self) -> Iterable[Output]:
        """Alerts and notifications since the last call."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def changes(self) -> Iterable[tuple[str, bytes | None]]:
        """State records since the last call."""
        changed, self._changed = self._changed, set()
        return [(key, self._watches[key].encode()) for key in sorted(changed)]

    def _notifications(self, signal: Signal, current: OpenAlert, news: News) -> Iterator[Output]:
        route = self._book.route(current.alert.on_call, news.level)
        for told in route.lists:
            record = self._notification(signal, current, news, route, told)
            yield Output(NOTIFICATIONS, current.alert.alert_id, record.encode())

    def _notification(
        self, signal: Signal, current: OpenAlert, news: News, route: Route, told: OnCallList
    ) -> Notification:  # fmt: skip
        language = told.language or self._language
        message = render(
            language,
            Occasion(
                kind=news.kind, level=news.level, is_upgrade=news.is_upgrade, provisional=signal.provisional,
                alert=current.alert, evidence=signal.evidence, event_time=signal.event_time, peak_60m=current.peak_60m,
                detour=route.detour, is_replay=self._is_replay,
            ),
        )  # fmt: skip
        return Notification(
            notification_id=self._notification_id(signal, told), alert_id=current.alert.alert_id, watch_id=signal.watch_id,
            kind=news.kind, level=news.level, event_time=signal.event_time, observed_at=signal.observed_at,
            channels=told.channels, language=language, subject=message.subject, body=message.body, evidence=signal.evidence,
            is_drill=signal.is_drill, is_replay=self._is_replay,
        )  # fmt: skip

    def _notification_id(self, signal: Signal, told: OnCallList) -> str:
        """Receivers drop what they know by it: a drill or a replay must never stand in for the real message."""
        marks = ("/drill" if signal.is_drill else "") + ("/replay" if self._is_replay else "")
        return f"{signal.signal_id}/{told.name}{marks}"
