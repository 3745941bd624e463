"""Everything that a report says, joined from the topics of one namespace. Pure but for `gather`, which reads.

No text of a post is taken from `signals` or `notifications`: those keep what they said also when the post is deleted
later. Texts come from the alert while it is open, since it honours deletions, or from a `PostTexts`, which knows what is
still there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from connectors.kafka import KafkaSettings
from pipeline.report.texts import PostTexts
from schemas.alerts import Alert, AlertStatus, Delivery, Notification
from schemas.authors import AuthorClass
from schemas.records import NotARecord, Record, decode
from schemas.signals import STANDS_ALONE, BucketClosed, Evidence, Series, Signal, SignalKind, SignalLevel, SilentSource
from schemas.topics import ALERTS, BUCKETS, DELIVERIES, NOTIFICATIONS, SIGNALS, WATCHES, Topic
from schemas.watches import Watch, WatchLevel

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
READ: Final = (BUCKETS, SIGNALS, ALERTS, NOTIFICATIONS, DELIVERIES, WATCHES)

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
R = TypeVar("R", bound=Record)


# -- what a report needs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BusiestHour:
    """The 60 minutes of an alert with the largest counted sum."""

    end: datetime
    mentions: int
    """Distinct mentions, as they are."""
    counted: float
    """After damping, in the alert's series: comparable with `expected`."""
    expected: float
    """Usual in these 60 minutes."""

    @property
    def start(self) -> datetime:
        """Its first minute."""
        return self.end - HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPost:
    """One of the first posts of a rise."""

    mention_id: str
    event_time: datetime
    platform: str
    author_class: AuthorClass
    label: str
    text: str | None
    """Masked excerpt. None: deleted, or nobody can say whether it still is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCopies:
    """Posts with the same text."""

    count: int
    first: datetime
    text: str | None
    """As in `ShownPost`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message on one channel."""

    notification_id: str
    channel: str
    kind: SignalKind
    level: SignalLevel
    event_time: datetime
    observed_at: datetime
    sent_at: datetime | None
    """When the channel took it. None: it is still being tried, or `error` says why it was given up."""
    attempts: int
    error: str | None

    @property
    def seconds(self) -> float | None:
        """From the event that made the message due to the channel's yes. Means nothing in a replay: two clocks."""
        return None if self.sent_at is None else (self.sent_at - self.event_time).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """One alert, from its onset on."""

    alert: Alert
    """Its last state: title, level, status, onset, history, what was not listened to."""
    series: Series
    """The count that gave its level."""
    first_told: Evidence
    """The figures when people were first told of the alert's highest level."""
    told_at: datetime
    """Event time of `first_told`."""
    largest: Evidence
    """The figures with the most mentions among everything that was said of the alert: what the rise looked like."""
    largest_at: datetime
    """Event time of `largest`."""
    busiest: BusiestHour | None
    """None when no closed minute of the alert is known (expired)."""
    posts: tuple[ShownPost, ...]
    """The earliest posts, without those that were deleted while the alert was open."""
    copies: tuple[ShownCopies, ...]
    """Of `largest`, most copies first."""
    told: tuple[Told, ...]
    """In the order of the messages; a channel that has not taken one yet is listed, too."""

    @property
    def ended_at(self) -> datetime | None:
        """Event time of the end; None while it is open."""
        return self.alert.history[-1].event_time if self.alert.status is AlertStatus.ENDED else None

    @property
    def last_at(self) -> datetime:
        """The last event time that the alert knows of."""
        return max([self.alert.onset, *(step.event_time for step in self.alert.history)])

    @property
    def pages(self) -> bool:
        """Whether somebody was, or should have been, woken."""
        return self.alert.level is SignalLevel.PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """What was told beside the rises: a first article, or a silent source."""

    alert: Alert
    post: ShownPost | None
    """The article; its text as in `ShownPost`."""
    silence: SilentSource | None

    @property
    def kind(self) -> SignalKind:
        """Which of them."""
        return self.alert.history[0].kind

    @property
    def at(self) -> datetime:
        """Event time."""
        return self.alert.history[0].event_time

    @property
    def calls_for_help(self) -> bool:
        """By the article's words."""
        article = self.alert.evidence.article
        return article is not None and article.help_call


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchFacts:
    """What was counted for one watch."""

    watch_id: str
    title: str
    level: WatchLevel | None
    """None when the watch's settings are not in the log."""
    minutes: tuple[BucketClosed, ...]
    """Closed minutes that had mentions, in order."""

    @property
    def mentions(self) -> int:
        """Distinct mentions in all of them."""
        return sum(minute.mentions for minute in self.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """A whole report. Equal facts give equal pages."""

    made_at: datetime
    is_replay: bool
    """Old or invented records: nobody may take it for real, and sent times are of another clock than event times."""
    watches: tuple[WatchFacts, ...]
    """Those that can page first, then by id."""
    alerts: tuple[AlertFacts, ...]
    """Rises, by onset."""
    notices: tuple[NoticeFacts, ...] = ()
    """What stands alone, by event time."""
    unreadable: int
    """Records that are of no kind this version knows: the report lacks them and says so."""

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First to last counted minute."""
        starts = [watch.minutes[index].start for watch in self.watches if watch.minutes for index in (0, -1)]
        return (min(starts), max(starts) + MINUTE) if starts else None


# -- reading ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """The records of one namespace, decoded, in the order of their topics."""

    buckets: Sequence[BucketClosed] = ()
    signals: Sequence[Signal] = ()
    alerts: Sequence[Alert] = ()
    """The last state of each."""
    notifications: Sequence[Notification] = ()
    deliveries: Sequence[Delivery] = ()
    watches: Sequence[Watch] = ()
    """The last version of each."""
    unreadable: int = 0


def gather(
    kafka: KafkaSettings,
    *,
    made_at: datetime,
    is_replay: bool = False,
    since: datetime | None = None,
    texts: PostTexts | None = None,
) -> ReportFacts:
    """Read the namespace of `kafka` to its present end. Without `texts`, only open alerts quote posts.

    `since` leaves out what was over before. Blocks while it reads. Raises `KafkaUnreachable`, and what `texts` raises.
    """
    with kafka.reader(READ) as reader:
        records = reader.rest()
    return assemble(_decoded(kafka, records), made_at=made_at, is_replay=is_replay, since=since, texts=texts)


def _decoded(kafka: KafkaSettings, records: Iterable[Any]) -> Logs:
    pile = _Pile(kafka, records)
    return Logs(
        buckets=pile.all(BUCKETS, BucketClosed),
        signals=pile.all(SIGNALS, Signal),
        alerts=pile.latest(ALERTS, Alert),
        notifications=pile.all(NOTIFICATIONS, Notification),
        deliveries=pile.all(DELIVERIES, Delivery),
        watches=pile.latest(WATCHES, Watch),
        unreadable=pile.unreadable,
    )


class _Pile:
    """What was read, by topic."""

    def __init__(self, kafka: KafkaSettings, records: Iterable[Any]) -> None:
        self._kafka, self.unreadable = kafka, 0
        self._by_topic: dict[str, list[Any]] = {}
        for record in records:
            self._by_topic.setdefault(record.topic, []).append(record)

    def all(self, topic: Topic, model: type[R]) -> list[R]:
        """Every record; what cannot be read is counted."""
        found = (self._decode(model, record.value) for record in self._by_topic.get(self._kafka.topic(topic), ()))
        return [record for record in found if record is not None]

    def latest(self, topic: Topic, model: type[R]) -> list[R]:
        """The last record of each key, as compaction would leave it: a record without value removes."""
        last = {record.key: record.value for record in self._by_topic.get(self._kafka.topic(topic), ())}
        found = (self._decode(model, value) for value in last.values() if value is not None)
        return [record for record in found if record is not None]

    def _decode(self, model: type[R], value: bytes | None) -> R | None:
        try:
            return decode(model, value)
        except NotARecord:
            self.unreadable += 1
            return None


# -- joining ------------------------------------------------------------------------------------------------------------


def assemble(
    logs: Logs, *, made_at: datetime, is_replay: bool = False, since: datetime | None = None, texts: PostTexts | None = None
) -> ReportFacts:
    """The facts from decoded records. See `gather`."""
    first = since or _LONG_AGO
    watches = _watches(logs, first)
    minutes = {watch.watch_id: watch.minutes for watch in watches}
    reached = sorted((alert for alert in logs.alerts if _reaches(alert, first)), key=lambda alert: (alert.onset, alert.alert_id))
    alerts = [alert for alert in reached if alert.is_rise]
    return ReportFacts(
        made_at=made_at,
        is_replay=is_replay,
        watches=watches,
        alerts=tuple(_alert(alert, logs, minutes.get(alert.watch_id, ()), texts) for alert in alerts),
        notices=tuple(_notice(alert, texts) for alert in reached if not alert.is_rise),
        unreadable=logs.unreadable,
    )


def _notice(alert: Alert, texts: PostTexts | None) -> NoticeFacts:
    return NoticeFacts(alert=alert, post=next(iter(_posts(alert, texts)), None), silence=alert.evidence.silence)


def _reaches(alert: Alert, since: datetime) -> bool:
    return alert.status is AlertStatus.OPEN or any(step.event_time >= since for step in alert.history)


def _watches(logs: Logs, since: datetime) -> tuple[WatchFacts, ...]:
    settings = {watch.watch_id: watch for watch in logs.watches}
    titles = {signal.watch_id: signal.title for signal in logs.signals}
    titles |= {alert.watch_id: alert.title for alert in logs.alerts}
    titles |= {watch_id: watch.title for watch_id, watch in settings.items()}
    minutes: dict[str, dict[datetime, BucketClosed]] = {watch_id: {} for watch_id in titles}
    for bucket in logs.buckets:
        if bucket.start >= since:
            minutes.setdefault(bucket.watch_id, {})[bucket.start] = bucket
    found = [
        WatchFacts(
            watch_id=watch_id,
            title=titles.get(watch_id, watch_id),
            level=settings[watch_id].level if watch_id in settings else None,
            minutes=tuple(by_start[start] for start in sorted(by_start)),
        )
        for watch_id, by_start in minutes.items()
    ]
    return tuple(sorted(found, key=lambda watch: (watch.level is not WatchLevel.PAGE, watch.watch_id)))


def _alert(alert: Alert, logs: Logs, minutes: Sequence[BucketClosed], texts: PostTexts | None) -> AlertFacts:
    said = [signal for signal in logs.signals if _is_about(signal, alert)]
    sent = [message for message in logs.notifications if message.alert_id == alert.alert_id]
    first_told, told_at = _first_told(alert, said, sent)
    largest, largest_at = max(
        [(first_told, told_at), *((signal.evidence, signal.event_time) for signal in said)], key=lambda pair: pair[0].mentions
    )
    series = next((signal.series for signal in said if signal.level is alert.level), _usual_series(alert))
    return AlertFacts(
        alert=alert,
        series=series,
        first_told=first_told,
        told_at=told_at,
        largest=largest,
        largest_at=largest_at,
        busiest=_busiest(minutes, series, alert),
        posts=_posts(alert, texts),
        copies=_copies(largest, texts),
        told=_told(sent, [delivery for delivery in logs.deliveries if delivery.alert_id == alert.alert_id]),
    )


def _is_about(signal: Signal, alert: Alert) -> bool:
    """By time: a signal does not name the alert that it belongs to."""
    if signal.kind in STANDS_ALONE or signal.watch_id != alert.watch_id or signal.is_drill != alert.is_drill or not alert.history:
        return False
    is_over = alert.status is AlertStatus.ENDED and signal.event_time > alert.history[-1].event_time
    return signal.event_time >= alert.history[0].event_time and not is_over


def _usual_series(alert: Alert) -> Series:
    return Series.CONCERN if alert.level is SignalLevel.PAGE else Series.ALL


def _first_told(alert: Alert, said: Sequence[Signal], sent: Sequence[Notification]) -> tuple[Evidence, datetime]:
    """From the first message of the alert's level; from the signals where messages have expired or nobody was told."""
    records: list[Notification | Signal] = [*sent, *said]
    for record in records:
        if record.level is alert.level:
            return record.evidence, record.event_time
    return alert.evidence, alert.onset


def _busiest(minutes: Sequence[BucketClosed], series: Series, alert: Alert) -> BusiestHour | None:
    """A window that ends at a counted minute of the alert; the minutes before its onset count with it."""
    last = max([alert.onset, *(step.event_time for step in alert.history)])
    best: BusiestHour | None = None
    first = 0
    for index, minute in enumerate(minutes):
        end = minute.start + MINUTE
        while minutes[first].start < end - HOUR:
            first += 1
        is_inside = minute.start >= alert.onset and (alert.status is AlertStatus.OPEN or minute.start <= last)
        if is_inside:
            found = _hour(minutes[first : index + 1], series, end)
            best = found if best is None or found.counted > best.counted else best
    return best


def _hour(minutes: Sequence[BucketClosed], series: Series, end: datetime) -> BusiestHour:
    """Empty minutes are not in the log: their usual count is taken from the others."""
    expected = sum(minute.expected.get(series, 0.0) for minute in minutes) / len(minutes)
    return BusiestHour(
        end=end,
        mentions=sum(minute.mentions for minute in minutes),
        counted=sum(minute.weights.get(series, 0.0) for minute in minutes),
        expected=expected * (HOUR / MINUTE),
    )


def _posts(alert: Alert, texts: PostTexts | None) -> tuple[ShownPost, ...]:
    posts = alert.evidence.first_posts
    known = texts.of_posts([post.mention_id for post in posts]) if texts and posts else _own_texts(alert)
    return tuple(
        ShownPost(
            mention_id=post.mention_id, event_time=post.event_time, platform=post.platform, author_class=post.author_class,
            label=post.label, text=known.get(post.mention_id) or None,
        )
        for post in posts
    )  # fmt: skip


def _own_texts(alert: Alert) -> Mapping[str, str]:
    if alert.status is AlertStatus.ENDED:
        return {}
    return {post.mention_id: post.excerpt for post in alert.evidence.first_posts}


def _copies(evidence: Evidence, texts: PostTexts | None) -> tuple[ShownCopies, ...]:
    signatures = [cluster.signature for cluster in evidence.clusters]
    known = texts.of_copies(signatures) if texts and signatures else {}
    return tuple(
        ShownCopies(count=cluster.count, first=cluster.first, text=known.get(cluster.signature))
        for cluster in sorted(evidence.clusters, key=lambda cluster: (-cluster.count, cluster.first, cluster.signature))
    )


def _told(sent: Iterable[Notification], deliveries: Collection[Delivery]) -> tuple[Told, ...]:
    """Each message on each of its channels; deliveries whose message has expired stand by themselves."""
    outcomes = _outcomes(deliveries)
    rows = [
        _row(message, channel, outcomes.pop((message.notification_id, channel), None))
        for message in sent
        for channel in message.channels
    ]
    rows += [_row(outcome, outcome.channel, outcome) for outcome in outcomes.values()]
    return tuple(sorted(rows, key=lambda row: (row.event_time, row.channel, row.notification_id)))


def _outcomes(deliveries: Iterable[Delivery]) -> dict[tuple[str, str], Delivery]:
    """Delivery is at least once: the first yes counts, or the last no."""
    outcomes: dict[tuple[str, str], Delivery] = {}
    for delivery in deliveries:
        key = (delivery.notification_id, delivery.channel)
        if key not in outcomes or outcomes[key].error is not None:
            outcomes[key] = delivery
    return outcomes


def _row(message: Notification | Delivery, channel: str, outcome: Delivery | None) -> Told:
    return Told(
        notification_id=message.notification_id, channel=channel, kind=message.kind, level=message.level,
        event_time=message.event_time, observed_at=message.observed_at,
        sent_at=outcome.sent_at if outcome and outcome.error is None else None,
        attempts=outcome.attempts if outcome else 0, error=outcome.error if outcome else None,
    )  # fmt: skip
