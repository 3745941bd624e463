"""A report says what the records say, in either language, shows nobody's deleted words, and fetches and runs nothing."""

import re
import string
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from rich.cells import cell_len

from pipeline.report import chart
from pipeline.report.chart import Event, Shape
from pipeline.report.extras import DemoExtras, QuietSurge
from pipeline.report.facts import Logs, assemble
from pipeline.report.html import render
from pipeline.report.phone import phone, phone_for
from pipeline.report.wording import REPORT_TEXTS, WORDINGS
from processors.alerting.lifecycle import WatchAlerts, step
from processors.alerting.on_call import Language
from schemas.alerts import AlertStatus
from schemas.signals import FirstArticle, Series, SignalKind, SignalLevel, SilentSource
from tests.unit import alerting_samples as samples
from tests.unit import invented_report as invented
from tests.unit.invented_report import ALERT, CITY, DAY, MADE, ONSET, PAGED, TEXTS, Kept, alert, evidence, extras, facts, logs

VOID = {"meta", "br", "path", "circle", "rect", "line"}
HOSTILE = "</title><script>alert('x')</script>\"><img src=x onerror=alert(1)> ' {{ 7*7 }} \u202e"
LANGUAGES: tuple[Language, ...] = ("tr", "en")


class Parsed(HTMLParser):
    """Elements with their attributes, and the text that a reader sees. Raises `AssertionError` where tags do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert tag not in VOID
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def pages() -> Iterator[tuple[str, str]]:
    open_alert = alert(
        status=AlertStatus.OPEN,
        history=alert().history[:3],
        evidence=evidence(learning=True, places={}, clusters=()),
        on_call=None,
    )
    for language in LANGUAGES:
        yield f"{language}-demo", render(facts(alert(), invented.prize_notice(), is_replay=True), extras(language), language)
        yield f"{language}-live", render(facts(alert()), None, language)
        yield f"{language}-open-drill", render(facts(open_alert.model_copy(update={"is_drill": True})), None, language)
        yield f"{language}-calm", render(facts(), DemoExtras(), language)
        yield f"{language}-nothing", render(assemble(Logs(), made_at=MADE), None, language)


PAGES = dict(pages())


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return PAGES[request.param]


# -- the file -----------------------------------------------------------------------------------------------------------


def test_the_page_is_whole(page: str) -> None:
    """Tags match, ids are single, references lead somewhere, headings leave out no level, and there is one h1."""
    parsed = Parsed(page)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [attributes["aria-labelledby"] for _, attributes in parsed.elements if "aria-labelledby" in attributes]
    assert set(named) <= set(ids)
    levels = [int(tag[1]) for tag, _ in parsed.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.startswith("<!doctype html>")


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    """No address, no resource, no script, and a policy that would forbid all of them."""
    assert not re.search(r"https?:|//[a-z]|@import|url\(|\ssrc=|srcset|javascript:", page, re.IGNORECASE)
    tags = {tag for tag, _ in Parsed(page).elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "video", "audio", "use", "image"}
    assert not [name for _, attributes in Parsed(page).elements for name in attributes if name.startswith("on")]
    assert "default-src 'none'" in page


def test_no_verdict(page: str) -> None:
    """The machine reports a rise; it never calls it by the word that is the reader's to say."""
    assert not re.search(r"kriz|crisis|crises", page, re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_texts_are_shown_as_text(language: Language) -> None:
    """Whatever a post, a place, a channel or an error says is read by people and by nothing else."""
    bad = alert(title=HOSTILE, on_call=HOSTILE, evidence=evidence(not_heard=(HOSTILE,), first_posts=evidence().first_posts))
    looks = evidence(
        mentions=999,
        places={HOSTILE: 3},
        platforms={HOSTILE: 4},
        sources={HOSTILE: 5},
        author_classes={HOSTILE: 1},
        models=(HOSTILE,),
    )
    told = logs(bad)
    told = replace(
        told,
        signals=[signal.model_copy(update={"evidence": looks}) for signal in told.signals],
        deliveries=[delivery.model_copy(update={"error": HOSTILE}) for delivery in told.deliveries],
        watches=[watch.model_copy(update={"title": HOSTILE}) for watch in told.watches],
    )
    surge = QuietSurge(title=HOSTILE, start=DAY, end=DAY + timedelta(hours=1), reason=HOSTILE, reached=None)
    more = replace(extras(language), quiet=(surge,))
    texts = Kept(dict.fromkeys(("p1", "p2", "s1"), HOSTILE))
    parsed = Parsed(render(assemble(told, made_at=MADE, texts=texts), more, language))
    assert not {tag for tag, _ in parsed.elements} & {"script", "img"}
    assert parsed.text.count("<script>alert('x')</script>") > 15
    assert "{{ 7*7 }}" in parsed.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_equal_facts_give_equal_pages(language: Language) -> None:
    """Also when deliveries come in another order: channels work on their own."""
    told = logs(alert(), invented.prize_notice())
    shuffled = replace(told, deliveries=list(reversed(told.deliveries)), buckets=list(reversed(told.buckets)))
    one, other = (assemble(found, made_at=MADE, texts=Kept(TEXTS)) for found in (told, shuffled))
    assert render(one, extras(language), language) == render(other, extras(language), language)


# -- the words ----------------------------------------------------------------------------------------------------------


def test_the_languages_have_equal_keys_and_placeholders() -> None:
    def placeholders(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    turkish, english = REPORT_TEXTS["tr"], REPORT_TEXTS["en"]
    assert turkish.keys() == english.keys()
    assert {key: placeholders(turkish[key]) for key in turkish} == {key: placeholders(english[key]) for key in english}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_level_and_kind_has_words(language: Language) -> None:
    for level in SignalLevel:
        assert WORDINGS[language].text(f"alert.level.{level}")
        assert all(WORDINGS[language].text(f"told.{level}.{kind}") for kind in SignalKind)


@pytest.mark.parametrize(
    ("weeks", "said"),
    [(0.01, "alone may"), (0.5, "4 days"), (31.4, "31 weeks"), (999.0, "999 weeks"), (1e9, "less than once in 1,000 weeks")],
)
def test_chance_in_words(weeks: float, said: str) -> None:
    """The same steps as in the messages, up to the thousand weeks that the evidence can tell apart."""
    assert said in WORDINGS["en"].chance(weeks)


# -- what it says -------------------------------------------------------------------------------------------------------


def test_the_headline_is_about_the_page() -> None:
    """Although a notice of another watch came earlier."""
    text = Parsed(PAGES["en-demo"]).text
    assert "An unusual rise, unverified: 309 mentions in 60 minutes; usual: 15." in text
    assert "Wednesday 4 March 2026, 21:16 – 23:34 (2 h 18 min). Over." in text
    assert "Other rises in this period: 1." in text


def test_calm_says_so_and_names_what_was_heard() -> None:
    text = Parsed(PAGES["en-calm"]).text
    assert "No unusual rise was seen." in text
    assert "Nobody was told." in text
    assert "There were no mentions to count." in Parsed(PAGES["en-nothing"]).text


def test_who_was_told_when() -> None:
    """Every channel of every message has a row: taken, given up, or still being tried."""
    told = logs(alert())
    refused = [
        delivery.model_copy(update={"error": "401 token"}) if delivery.channel == "telegram" else delivery
        for delivery in told.deliveries
    ]
    rows = assemble(replace(told, deliveries=refused), made_at=MADE).alerts[0].told
    assert len(rows) == 8
    assert {row.error for row in rows if row.channel == "telegram"} == {"401 token"}
    assert all(row.sent_at is None for row in rows if row.channel == "telegram")
    waiting = [row for row in rows if row.sent_at is None and row.error is None]
    assert [(row.channel, row.kind) for row in waiting] == [("e-posta", SignalKind.GROWTH)]
    page = next(row for row in rows if row.event_time == PAGED and row.channel == "e-posta")
    assert page.seconds == pytest.approx(4 + 2.6)


def test_a_yes_after_a_no_counts() -> None:
    """Delivery is at least once, so a channel can have answered twice."""
    told = logs(alert())
    gave_up = told.deliveries[0].model_copy(update={"error": "timeout", "attempts": 9})
    rows = assemble(replace(told, deliveries=[gave_up, *told.deliveries, gave_up]), made_at=MADE).alerts[0].told
    assert rows[0].error is None or rows[1].error is None
    assert "timeout" not in {row.error for row in rows}


def test_deliveries_outlive_their_messages() -> None:
    """Messages expire after 7 days, deliveries after 90."""
    rows = assemble(replace(logs(alert()), notifications=[]), made_at=MADE).alerts[0].told
    assert len(rows) == 7


def test_a_replay_claims_no_seconds_between_two_clocks() -> None:
    """Only what the demonstration measured by one clock is said."""
    assert "1.4 s after the rise was found" in Parsed(PAGES["en-demo"]).text
    bare = Parsed(render(facts(alert(), is_replay=True), None, "en")).text
    assert " s after the rise" not in bare
    assert "found at 21:18" in bare


def test_the_busiest_hour_counts_what_is_comparable() -> None:
    found = facts(alert()).alerts[0].busiest
    assert found is not None
    assert found.start < ONSET + timedelta(minutes=20)
    assert found.mentions > found.counted > 10 * found.expected


def test_figures_survive_expired_signals() -> None:
    """An alert is kept longer than the signals and messages that it came from."""
    found = assemble(Logs(alerts=[alert()]), made_at=MADE).alerts[0]
    assert found.first_told == alert().evidence
    assert found.busiest is None
    assert (
        Parsed(render(assemble(Logs(alerts=[alert()]), made_at=MADE), None, "en")).text.count("An unusual rise, unverified.") >= 1
    )


def test_since_leaves_out_what_was_over() -> None:
    found = assemble(logs(alert(), invented.prize_notice()), made_at=MADE, since=DAY + timedelta(hours=12))
    assert [known.alert.alert_id for known in found.alerts] == [ALERT]
    assert min(minute.start for watch in found.watches for minute in watch.minutes) >= DAY + timedelta(hours=12)


# -- deleted posts ------------------------------------------------------------------------------------------------------


def test_a_deleted_post_is_not_quoted() -> None:
    """Its words still stand in `signals` and `notifications`; the report never takes them from there."""
    deleted = next(post for post in evidence().first_posts if post.mention_id == "p4")
    assert any(deleted in signal.evidence.first_posts for signal in logs(alert()).signals)
    assert deleted.excerpt not in PAGES["tr-live"]
    assert TEXTS["p1"] in Parsed(PAGES["tr-live"]).text


def test_without_the_index_an_ended_alert_quotes_nothing() -> None:
    """Nobody tells the log of deletions after the end, so nobody can say whether a post is still there."""
    found = assemble(logs(alert()), made_at=MADE).alerts[0]
    assert [post.text for post in found.posts] == [None] * 5
    assert [copies.text for copies in found.copies] == [None] * 2


def test_an_open_alert_quotes_what_it_holds() -> None:
    """The alert's own record honours deletions while it is open."""
    found = assemble(logs(alert(status=AlertStatus.OPEN, evidence=evidence())), made_at=MADE).alerts[0]
    assert found.posts[0].text == TEXTS["p1"]


# -- the picture --------------------------------------------------------------------------------------------------------


def test_the_steps_hold_every_mention() -> None:
    """Whatever the step, no mention of the window is lost or counted twice."""
    minutes = invented.minutes(CITY)
    for most_steps in (300, 110, 24):
        counted = chart.counts(minutes, Series.CONCERN, DAY, DAY + timedelta(days=1), most_steps=most_steps)
        assert sum(counted.posted) == sum(minute.mentions for minute in minutes)
        assert sum(counted.expected) == pytest.approx(0.85 * sum(invented.HOURLY), rel=0.02)
        assert len(counted.posted) <= most_steps


@pytest.mark.parametrize("canvas", [chart.WIDE, chart.NARROW])
def test_labels_do_not_touch(canvas: chart.Canvas) -> None:
    """Events within minutes of each other each have a row of their own, inside the drawing."""
    counted = chart.counts(invented.minutes(CITY), Series.ALL, DAY, DAY + timedelta(days=1), most_steps=canvas.most_steps)
    hours = (8.1, 8.15, 8.2, 9.0, 21.3, 21.31, 23.6, 23.9)
    events = [Event(DAY + timedelta(hours=hour), Shape.PAGE, f"ÇAĞRI {hour}") for hour in hours]
    drawn = chart.draw(counted, canvas, events)
    boxes = []
    for mark in drawn.marks:
        width = 6.5 * len(mark.word)
        left = mark.word_x if mark.anchor == "start" else mark.word_x - width
        assert left >= 0
        assert left + width <= drawn.width
        boxes.append((mark.y, left, left + width))
    assert not [
        (one, other)
        for i, one in enumerate(boxes)
        for other in boxes[:i]
        if one[0] == other[0] and one[1] < other[2] and other[1] < one[2]
    ]


def test_events_outside_the_window_are_left_out() -> None:
    counted = chart.counts((), Series.ALL, DAY, DAY + timedelta(hours=6), most_steps=100)
    assert chart.draw(counted, chart.WIDE, [Event(DAY - timedelta(hours=1), Shape.END)]).marks == ()


# -- the phone ----------------------------------------------------------------------------------------------------------


def test_a_phone_is_as_wide_as_it_says() -> None:
    message = invented.notifications(alert())[1]
    shown = phone(message)
    assert {cell_len(line) for line in shown.splitlines()} == {44}
    assert "21.18" in shown.splitlines()[1]
    assert "Nabız" in shown.splitlines()[1]
    assert "olağan dışı artış" in shown
    assert "mahallesinde" in shown


def test_a_phone_on_an_old_terminal() -> None:
    """ASCII where the stream cannot write UTF-8, of the same width and still readable."""

    class Old:
        encoding = "iso-8859-9"

    shown = phone_for(Old(), invented.notifications(alert())[1])  # type: ignore[arg-type]
    assert shown.isascii()
    assert {len(line) for line in shown.splitlines()} == {44}
    assert "! CAGRI: olagan disi artis" in shown
    assert "?" not in shown.replace("gelecek?", "")


def test_a_phone_does_not_obey_posts() -> None:
    """Escape sequences and direction marks of a quoted post never reach the terminal; long words and wide letters fit."""
    message = invented.notifications(alert())[1].model_copy(
        update={"body": "a\x1b[2J\x9b31m\u202eb\r\x07" + "ş" * 90 + " 火災" * 20 + "\n\n👩\u200d🚒 son\x00"}
    )
    shown = phone(message)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert {cell_len(line) for line in shown.splitlines()} == {44}
    assert shown.count("ş") == 90 + message.subject.count("ş")


def test_a_phone_can_be_too_narrow() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        phone(invented.notifications(alert())[0], columns=10)


def test_every_extra_is_shown() -> None:
    """A part that the demonstration hands over must not be forgotten by the template."""
    whole = render(facts(alert()), extras("en"), "en")
    for part in fields(DemoExtras):
        default: object = {"seconds_to_told": {}}.get(part.name, () if part.name in ("quiet", "footprint") else None)
        assert render(facts(alert()), replace(extras("en"), **{part.name: default}), "en") != whole, part.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_stands_alone_is_listed_and_is_no_rise(language: Language) -> None:
    """Its text only where somebody knows that the post is still there."""
    silence = SilentSource(source="rss:<b>haber", last_heard=ONSET, silent_hours=11, usual_hours=6.2, once_in=14204)
    posts = samples.POSTS[:1]
    alone = [
        samples.signal(SignalKind.FIRST_ARTICLE, evidence=samples.evidence(article=FirstArticle(), first_posts=posts)),
        samples.signal(SignalKind.SOURCE_SILENT, evidence=samples.evidence(silence=silence, first_posts=())),
    ]
    told = [step(WatchAlerts(), each).changed for each in alone]
    found = assemble(Logs(alerts=[each.alert for each in told if each is not None]), made_at=ONSET)
    assert found.alerts == ()
    assert [notice.kind for notice in found.notices] == [SignalKind.FIRST_ARTICLE, SignalKind.SOURCE_SILENT]
    page = render(found, None, language)
    assert WORDINGS[language].text("told.notice.source_silent") in page
    assert "rss:&lt;b&gt;haber" in page
    assert posts[0].excerpt not in page
