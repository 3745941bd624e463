"""The life of one watch's alert: opened by an onset, raised by a page, over when every series of it has ended.

    no alert --ONSET/GROWTH--> open --ONSET/GROWTH/CONFIRMED/EVIDENCE/END of one series--> open --END of the last--> ended

FIRST_ARTICLE and SOURCE_SILENT stand alone: each is an alert of its own that is over as soon as it was told, and leaves
the rise that goes on as it is.

A pure transition: (state, signal) → (state, what changed, what people are told). A signal that was seen before changes
nothing.
"""

from dataclasses import dataclass
from datetime import UTC
from typing import Final

from pydantic import AwareDatetime

from schemas.alerts import Alert, AlertStatus, AlertStep
from schemas.records import Record
from schemas.signals import STANDS_ALONE, Cluster, Evidence, Series, Signal, SignalKind, SignalLevel

SEEN_SIGNALS: Final = 128  # detect writes in order: what comes again is recent
PAST_ALERTS: Final = 8
HISTORY_STEPS: Final = 100

_RANK: Final = {SignalLevel.NOTICE: 0, SignalLevel.PAGE: 1}
_TOLD_IN_HISTORY: Final = frozenset(SignalKind) - {SignalKind.EVIDENCE}


class Rise(Record):
    """One series of the watch that is above the usual now."""

    level: SignalLevel
    onset: AwareDatetime


class OpenAlert(Record):
    """An alert that has not ended, with what is needed to go on with it."""

    alert: Alert
    rises: dict[Series, Rise]
    lead: Series  # the series whose figures the alert shows; the other one adds only to the history
    peak_60m: float


class WatchAlerts(Record):
    """What is remembered of one watch."""

    current: OpenAlert | None = None
    seen: tuple[str, ...] = ()
    past: tuple[str, ...] = ()  # the last alerts' ids, so that none is given twice


@dataclass(frozen=True, slots=True)
class News:
    """What people are told."""

    kind: SignalKind
    level: SignalLevel
    is_upgrade: bool = False  # a notice that became a page


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one signal."""

    state: WatchAlerts
    changed: OpenAlert | None = None  # as it stands now; its alert may have ended
    news: News | None = None


def step(state: WatchAlerts, signal: Signal) -> Step:
    """Apply the next signal of the watch."""
    if signal.signal_id in state.seen:
        return Step(state)
    state = state.model_copy(update={"seen": (*state.seen, signal.signal_id)[-SEEN_SIGNALS:]})
    if signal.kind in STANDS_ALONE:
        return _stand_alone(state, signal)
    if signal.kind in (SignalKind.ONSET, SignalKind.GROWTH):
        return _rise(state, signal)  # growth of an unknown rise: its start expired unread, and is told now
    if state.current is None:
        return Step(state)
    if signal.kind is SignalKind.END:
        return _end(state, state.current, signal)
    changed = _told(state.current, signal)
    return Step(state.model_copy(update={"current": changed}), changed)


def _stand_alone(state: WatchAlerts, signal: Signal) -> Step:
    """An alert that is over: nothing follows it, and so no excerpt stays in it. Its id is the signal's, which has its number."""
    step = AlertStep(kind=signal.kind, level=signal.level, event_time=signal.event_time, observed_at=signal.observed_at)
    alert = Alert(
        alert_id=signal.signal_id + ("/drill" if signal.is_drill else ""), watch_id=signal.watch_id, title=signal.title,
        on_call=signal.on_call, status=AlertStatus.ENDED, level=signal.level, onset=signal.onset, history=(step,),
        evidence=without_excerpts(signal.evidence), is_drill=signal.is_drill,
    )  # fmt: skip
    told = OpenAlert(alert=alert, rises={}, lead=signal.series, peak_60m=0.0)
    return Step(state, told, News(signal.kind, signal.level))


def _rise(state: WatchAlerts, signal: Signal) -> Step:
    current = state.current or _opened(state, signal)
    rises = _still_rising(current, signal)
    before = max((rise.level for rise in rises.values()), key=_RANK.__getitem__, default=None)
    is_higher = before is None or _RANK[signal.level] > _RANK[before]
    lead = signal.series if is_higher or current.lead not in rises else current.lead
    rises[signal.series] = _higher(rises.get(signal.series), Rise(level=signal.level, onset=signal.onset))
    changed = _told(current.model_copy(update={"rises": rises, "lead": lead}), signal)
    news = None
    if is_higher:
        news = News(SignalKind.ONSET, signal.level, is_upgrade=before is not None)
    elif signal.kind is SignalKind.GROWTH and signal.series is lead:
        news = News(SignalKind.GROWTH, rises[lead].level)
    return Step(state.model_copy(update={"current": changed}), changed, news)


def _still_rising(current: OpenAlert, signal: Signal) -> dict[Series, Rise]:
    """The rises that go on. A series that begins anew has ended before, even if nobody said so: it must be told again."""
    rises = dict(current.rises)
    known = rises.get(signal.series)
    is_anew = signal.kind is SignalKind.ONSET and known is not None and known.level is signal.level
    if is_anew and known is not None and known.onset != signal.onset:
        del rises[signal.series]
    return rises


def _higher(known: Rise | None, new: Rise) -> Rise:
    if known is None:
        return new
    return known.model_copy(update={"level": max(known.level, new.level, key=_RANK.__getitem__)})


def _opened(state: WatchAlerts, signal: Signal) -> OpenAlert:
    alert = Alert(
        alert_id=_free_id(state, signal), watch_id=signal.watch_id, title=signal.title, on_call=signal.on_call,
        status=AlertStatus.OPEN, level=signal.level, onset=signal.onset, history=(), evidence=signal.evidence,
        is_drill=signal.is_drill,
    )  # fmt: skip
    return OpenAlert(alert=alert, rises={}, lead=signal.series, peak_60m=0.0)


def _free_id(state: WatchAlerts, signal: Signal) -> str:
    """Two alerts can share an onset when the second series is late to see what the first one has ended."""
    base = f"{signal.watch_id}/{signal.onset.astimezone(UTC):%Y-%m-%dT%H:%MZ}" + ("/drill" if signal.is_drill else "")
    candidates = (base, *(f"{base}/{number}" for number in range(2, PAST_ALERTS + 2)))
    return next(candidate for candidate in candidates if candidate not in state.past)


def _end(state: WatchAlerts, current: OpenAlert, signal: Signal) -> Step:
    rises = {series: rise for series, rise in current.rises.items() if series is not signal.series}
    changed = _told(current.model_copy(update={"rises": rises}), signal)
    if rises:
        lead = current.lead if current.lead in rises else min(rises)
        changed = changed.model_copy(update={"lead": lead})
        return Step(state.model_copy(update={"current": changed}), changed)
    alert = changed.alert
    # No signal tells of deletions any more, so no excerpt may stay; the ids lead to the index, which honours them.
    ended = alert.model_copy(update={"status": AlertStatus.ENDED, "evidence": without_excerpts(alert.evidence)})
    changed = changed.model_copy(update={"alert": ended})
    past = (*state.past, alert.alert_id)[-PAST_ALERTS:]
    return Step(state.model_copy(update={"current": None, "past": past}), changed, News(SignalKind.END, alert.level))


def _told(current: OpenAlert, signal: Signal) -> OpenAlert:
    """The alert after the signal's evidence, level and step in the history."""
    alert = current.alert
    history = alert.history
    if signal.kind in _TOLD_IN_HISTORY:
        entry = AlertStep(
            kind=signal.kind, level=signal.level, event_time=signal.event_time, observed_at=signal.observed_at
        )  # fmt: skip
        history = (*history[:1], *(*history[1:], entry)[-(HISTORY_STEPS - 1) :])
    is_lead = signal.series is current.lead
    peak = max(current.peak_60m, signal.evidence.observed_60m) if is_lead else current.peak_60m
    updated = alert.model_copy(
        update={
            "level": max(alert.level, signal.level, key=_RANK.__getitem__),
            "title": signal.title,
            "on_call": signal.on_call,
            "history": history,
            "evidence": _kept(signal.evidence if is_lead else alert.evidence, posts_of=signal.evidence),
        }
    )
    return current.model_copy(update={"alert": updated, "peak_60m": peak})


def _kept(figures: Evidence, *, posts_of: Evidence) -> Evidence:
    """Evidence as an alert keeps it: the newest posts, so that a deleted one is gone, whichever series said so.

    A cluster's excerpt is not kept: detect forgets its post after an hour and then tells of no deletion.
    """
    clusters = tuple(_without_excerpt(cluster) for cluster in figures.clusters)
    return figures.model_copy(update={"first_posts": posts_of.first_posts, "clusters": clusters})


def without_excerpts(evidence: Evidence) -> Evidence:
    """Figures and ids."""
    posts = tuple(post.model_copy(update={"excerpt": ""}) for post in evidence.first_posts)
    clusters = tuple(_without_excerpt(cluster) for cluster in evidence.clusters)
    return evidence.model_copy(update={"first_posts": posts, "clusters": clusters})


def _without_excerpt(cluster: Cluster) -> Cluster:
    return cluster.model_copy(update={"excerpt": ""})
