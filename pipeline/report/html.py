"""The report as one HTML file: no script, nothing fetched, every foreign text escaped by the template engine.

The template gets one `Page`; everything it shows is in there. Equal input gives equal bytes.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from pipeline.report import chart
from pipeline.report.chart import Chart, Counts, Event, Shape, Stretch
from pipeline.report.extras import DemoExtras
from pipeline.report.facts import AlertFacts, ReportFacts, Told, WatchFacts
from pipeline.report.wording import WORDINGS, Wording
from processors.alerting.messages.catalogue import LOCAL
from processors.alerting.on_call import Language
from schemas.labels import Label
from schemas.signals import BucketClosed, Series, SignalKind, SignalLevel
from schemas.watches import WatchLevel

CHARTS: Final = 4  # of watches; those with alerts are always drawn
PLACES: Final = 8
AROUND: Final = timedelta(hours=1)
SHORTEST_LINE: Final = timedelta(hours=6)
SHORTEST_ZOOM: Final = timedelta(hours=2)
QUIET_SPAN: Final = timedelta(hours=24)
MOST_HOURS: Final = 48  # rows of the table of counts

_WORDS_AND_GAPS: Final = re.compile(r"\s+|\S+")


# -- what the template gets ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HourRow:
    """A row of the table that says in numbers what a chart shows."""

    start: datetime
    posted: float
    counted: float
    usual: float


@dataclass(frozen=True, slots=True)
class Line:
    """The counts of one watch as a picture in two sizes, in a sentence and as a table."""

    title: str
    series: Series
    wide: Chart
    narrow: Chart
    summary: str
    hours: tuple[HourRow, ...]
    surges: bool
    """Whether numbered periods are drawn."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole."""

    name: str
    count: int
    percent: float
    kind: str = ""
    """A value of a closed list, for its colour."""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """A message on a channel, with the seconds that may be said."""

    told: Told
    seconds: float | None


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert with everything counted out."""

    anchor: str
    facts: AlertFacts
    line: Line | None
    tone: tuple[Share, ...]
    authors: tuple[Share, ...]
    platforms: tuple[Share, ...]
    sources: tuple[Share, ...]
    places: tuple[Share, ...]
    told: tuple[ToldRow, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """What happened, in one sentence, and the questions of somebody who was woken."""

    level: str
    """page, notice or none"""
    sentence: str
    points: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text, marked where the other version differs."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The template's whole context, besides the functions of `_environment`."""

    language: Language
    w: Wording
    facts: ReportFacts
    extras: DemoExtras
    headline: Headline
    lines: tuple[Line, ...]
    others: tuple[WatchFacts, ...]
    """Watches that are not drawn."""
    alerts: tuple[AlertView, ...]
    received: tuple[Piece, ...]
    stored: tuple[Piece, ...]


def render(facts: ReportFacts, extras: DemoExtras | None, language: Language) -> str:
    """The whole file. Pure."""
    return _template().render(_context(_page(facts, extras or DemoExtras(), language))).lstrip()


def _context(page: Page) -> dict[str, object]:
    return {"page": page, "w": page.w, "t": page.w.text, "facts": page.facts, "extras": page.extras}


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2")


# -- the page -----------------------------------------------------------------------------------------------------------


def _page(facts: ReportFacts, extras: DemoExtras, language: Language) -> Page:
    w = WORDINGS[language]
    drawn = _drawn(facts)
    window = _window(facts, extras)
    ordered = sorted(facts.alerts, key=lambda alert: not alert.pages)  # those who were woken come for these
    alerts = tuple(_alert_view(f"alert-{number}", alert, facts, extras, w) for number, alert in enumerate(ordered, 1))
    received, stored = _compared(extras.stored.received, extras.stored.stored) if extras.stored else ((), ())
    return Page(
        language=language, w=w, facts=facts, extras=extras, headline=_headline(facts, extras, w),
        lines=tuple(_overview(watch, facts, extras, window, w) for watch in drawn) if window else (),
        others=tuple(watch for watch in facts.watches if watch not in drawn), alerts=alerts, received=received, stored=stored,
    )  # fmt: skip


def _drawn(facts: ReportFacts) -> tuple[WatchFacts, ...]:
    """Watches with alerts, then as many others as there is room for."""
    alerted = {alert.alert.watch_id for alert in facts.alerts}
    chosen = {watch.watch_id for watch in facts.watches if watch.watch_id in alerted and watch.minutes}
    for watch in facts.watches:
        if len(chosen) < CHARTS and watch.minutes:
            chosen.add(watch.watch_id)
    return tuple(watch for watch in facts.watches if watch.watch_id in chosen)


def _window(facts: ReportFacts, extras: DemoExtras) -> tuple[datetime, datetime] | None:
    """From an hour before the first thing to show to an hour after the last; a calm report shows its last day."""
    if facts.span is None:
        return None
    first, last = facts.span
    points = [at for alert in facts.alerts for at in (alert.alert.onset, alert.last_at)]
    points += [at for surge in extras.quiet for at in (surge.start, surge.end)]
    if points:
        first = min(max(first, min(points) - AROUND), *points)
        last = max(min(last, max(points) + AROUND), *points)
    else:
        first = max(first, last - QUIET_SPAN)
    return min(first, last - SHORTEST_LINE).astimezone(LOCAL), last.astimezone(LOCAL)


def _headline(facts: ReportFacts, extras: DemoExtras, w: Wording) -> Headline:
    if not facts.alerts:
        return _calm(facts, w)
    lead = max(facts.alerts, key=_weight)
    points = [
        (w.text("head.what"), w.text("head.what.text", title=lead.alert.title)),
        (w.text("head.since"), _since(lead, w)),
        (w.text("head.sure"), w.chance(lead.first_told.once_in_weeks)),
        (w.text("head.told"), _who_was_told(lead, facts, extras, w)),
        (w.text("head.todo"), w.text("head.todo.ended" if lead.ended_at else "head.todo.text")),
    ]
    return Headline(str(lead.alert.level), _sentence(lead, w), tuple(points))


def _weight(alert: AlertFacts) -> tuple[bool, bool, bool, int]:
    """What the headline is about: a page before a notice, one that goes on before one that is over, the largest."""
    return (not alert.alert.is_drill, alert.pages, alert.ended_at is None, alert.largest.mentions)


def _calm(facts: ReportFacts, w: Wording) -> Headline:
    mentions = sum(watch.mentions for watch in facts.watches)
    heard = w.text("head.heard.text", watches=w.number(len(facts.watches)), mentions=w.number(mentions))
    points = (
        (w.text("head.heard"), heard if mentions else f"{heard} {w.text('head.calm.empty')}"),
        (w.text("head.told"), w.text("head.told.nobody")),
    )
    return Headline("none", w.text("head.calm"), points)


def _sentence(lead: AlertFacts, w: Wording) -> str:
    if lead.busiest is None:
        return w.text("head.rise.bare")
    return w.text("head.rise", counted=w.number(lead.busiest.counted), expected=w.number(lead.busiest.expected))


def _since(lead: AlertFacts, w: Wording) -> str:
    began = {"day": w.day(lead.alert.onset), "onset": w.clock(lead.alert.onset)}
    if lead.ended_at is None:
        return w.text("head.since.open", **began, last=w.until(lead.alert.onset, lead.last_at))
    end, duration = w.until(lead.alert.onset, lead.ended_at), w.duration(lead.ended_at - lead.alert.onset)
    return w.text("head.since.ended", **began, end=end, duration=duration)


def _who_was_told(lead: AlertFacts, facts: ReportFacts, extras: DemoExtras, w: Wording) -> str:
    first = [row for row in lead.told if row.kind is SignalKind.ONSET and row.level is lead.alert.level]
    if not first:
        return w.text("head.told.nobody")
    listed = lead.alert.on_call or w.text("head.list.none")
    taken = [row for row in first if row.sent_at is not None]
    if not taken:
        return w.text("head.told.pending", list=listed)
    channels = ", ".join(sorted({row.channel for row in taken}))
    seconds = [found for row in taken if (found := _seconds(row, facts, extras)) is not None]
    if not seconds:
        return w.text("head.told.at", list=listed, channels=channels, clock=w.clock(taken[0].event_time))
    return w.text("head.told.after", list=listed, channels=channels, seconds=w.lapse(min(seconds)))


def _seconds(told: Told, facts: ReportFacts, extras: DemoExtras) -> float | None:
    """A replay's two clocks cannot be subtracted: there only what was measured by one clock is said."""
    if told.sent_at is None:
        return None
    measured = extras.seconds_to_told.get(told.notification_id)
    return measured if measured is not None or facts.is_replay else told.seconds


# -- time lines ---------------------------------------------------------------------------------------------------------


def _overview(
    watch: WatchFacts, facts: ReportFacts, extras: DemoExtras, window: tuple[datetime, datetime], w: Wording
) -> Line:  # fmt: skip
    alerts = [alert for alert in facts.alerts if alert.alert.watch_id == watch.watch_id]
    events = [event for alert in alerts for event in _events(alert, w, quiet=True)]
    stretches = [Stretch(surge.start, surge.end, number) for number, surge in enumerate(extras.quiet, 1)]
    return _line(watch.title, watch.minutes, _series(watch, alerts), window, events, stretches, w)


def _series(watch: WatchFacts, alerts: Sequence[AlertFacts]) -> Series:
    """The count that can call for the most: a watch that only gives notices judges all mentions."""
    if watch.level is not None:
        return Series.CONCERN if watch.level is WatchLevel.PAGE else Series.ALL
    return next((alert.series for alert in alerts if alert.pages), Series.ALL if alerts else Series.CONCERN)


def _zoom(alert: AlertFacts, facts: ReportFacts, w: Wording) -> Line | None:
    minutes = next((watch.minutes for watch in facts.watches if watch.watch_id == alert.alert.watch_id), ())
    if not minutes:
        return None
    first = (alert.alert.onset - AROUND).astimezone(LOCAL)
    last = max(alert.last_at + AROUND / 2, first + SHORTEST_ZOOM).astimezone(LOCAL)
    return _line(alert.alert.title, minutes, alert.series, (first, last), _events(alert, w), (), w)


def _events(alert: AlertFacts, w: Wording, *, quiet: bool = False) -> list[Event]:
    """Onset, first notice, first page, end. `quiet`: only where somebody was told has words, the legend has the others."""
    found = [(alert.alert.onset, Shape.ONSET)]
    for level, shape in ((SignalLevel.NOTICE, Shape.NOTICE), (SignalLevel.PAGE, Shape.PAGE)):
        steps = (step for step in alert.alert.history if step.level is level and step.kind is SignalKind.ONSET)
        found += [(step.event_time, shape) for step in list(steps)[:1]]
    if alert.ended_at is not None:
        found.append((alert.ended_at, Shape.END))
    worded = (Shape.PAGE, Shape.NOTICE) if quiet else tuple(Shape)
    return [Event(at, shape, w.text(f"line.{shape}", clock=w.clock(at)) if shape in worded else "") for at, shape in found]


def _line(
    title: str, minutes: Sequence[BucketClosed], series: Series, window: tuple[datetime, datetime], events: Sequence[Event],
    stretches: Sequence[Stretch], w: Wording,
) -> Line:  # fmt: skip
    sizes = [
        (canvas, chart.counts(minutes, series, *window, most_steps=canvas.most_steps)) for canvas in (chart.WIDE, chart.NARROW)
    ]
    wide, narrow = (chart.draw(counted, canvas, events, stretches) for canvas, counted in sizes)
    counted = sizes[0][1]
    return Line(
        title, series, wide, narrow, _in_words(title, counted, events, w), _hours(minutes, series, window), bool(stretches)
    )


def _in_words(title: str, counted: Counts, events: Sequence[Event], w: Wording) -> str:
    peak = max(range(len(counted.posted)), key=counted.posted.__getitem__)
    said = "; ".join(event.word for event in events if event.word)
    return w.text(
        "line.summary", title=title, first=w.moment(counted.start), last=w.moment(counted.end),
        mentions=w.number(sum(counted.posted)), peak=w.number(counted.posted[peak]), clock=w.clock(counted.time(peak)),
        events=f"{said}." if said else w.text("line.summary.none"),
    )  # fmt: skip


def _hours(minutes: Sequence[BucketClosed], series: Series, window: tuple[datetime, datetime]) -> tuple[HourRow, ...]:
    first, last = window
    hourly = chart.counts(minutes, series, first.replace(minute=0), last, most_steps=MOST_HOURS)
    if hourly.step < timedelta(hours=1):
        hourly = chart.counts(
            minutes, series, first.replace(minute=0), last, most_steps=int((last - first) / timedelta(hours=1)) + 2
        )
    rows = zip(hourly.posted, hourly.counted, hourly.expected, strict=True)
    return tuple(HourRow(hourly.time(index), *row) for index, row in enumerate(rows))


# -- alerts -------------------------------------------------------------------------------------------------------------


def _alert_view(anchor: str, alert: AlertFacts, facts: ReportFacts, extras: DemoExtras, w: Wording) -> AlertView:
    looks = alert.largest
    return AlertView(
        anchor=anchor,
        facts=alert,
        line=_zoom(alert, facts, w),
        tone=_shares({label: looks.labels.get(label, 0) for label in Label}, "label", w, by_size=False),
        authors=_shares(looks.author_classes, "author", w),
        platforms=_shares(looks.platforms, "platform", w),
        sources=_shares(looks.sources, "source", w),
        places=_shares(looks.places, "place", w, whole=looks.mentions)[:PLACES],
        told=tuple(ToldRow(row, _seconds(row, facts, extras)) for row in alert.told),
    )


def _shares(
    counted: Mapping[str, int], kind: str, w: Wording, *, by_size: bool = True, whole: int | None = None
) -> tuple[Share, ...]:
    total = whole or sum(counted.values())
    shares = [
        Share(w.named(kind, name), count, 100 * min(count, total) / total if total else 0.0, name)
        for name, count in counted.items()
    ]
    return tuple(sorted(shares, key=lambda share: (-share.count, share.name))) if by_size else tuple(shares)


# -- as received, as stored ---------------------------------------------------------------------------------------------


def _compared(received: str, stored: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts in pieces, word by word."""
    before, after = _WORDS_AND_GAPS.findall(received), _WORDS_AND_GAPS.findall(stored)
    steps = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes()
    return (
        _pieces((before[i:j], tag) for tag, i, j, _, _ in steps),
        _pieces((after[i:j], tag) for tag, _, _, i, j in steps),
    )


def _pieces(runs: Iterable[tuple[Sequence[str], str]]) -> tuple[Piece, ...]:
    return tuple(Piece("".join(words), changed=tag != "equal") for words, tag in runs if words)
