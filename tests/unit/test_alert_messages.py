"""What people read at night: the whole text in both languages, equal catalogues, no verdict, nothing foreign obeyed."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from processors.alerting.messages import Message, Occasion, render
from processors.alerting.messages.catalogue import CATALOGUES
from processors.alerting.messages.rendering import plain
from processors.alerting.on_call import Detour, Language
from schemas.alerts import Alert, AlertStatus
from schemas.authors import AuthorClass
from schemas.signals import FirstArticle, FirstPost, SignalKind, SignalLevel, SilentSource
from tests.unit.alerting_samples import ONSET, POSTS, TITLE, WATCH, evidence

GOLDEN = Path(__file__).parent / "golden" / "alert_messages"
LANGUAGES: tuple[Language, ...] = get_args(Language)
TOLD = (SignalKind.ONSET, SignalKind.GROWTH, SignalKind.END)


def occasion(**changes: Any) -> Occasion:
    alert = Alert(
        alert_id=f"{WATCH}/2025-07-02T23:14Z", watch_id=WATCH, title=changes.pop("title", TITLE), on_call="nöbet",
        status=AlertStatus.OPEN, level=SignalLevel.PAGE, onset=ONSET, history=(), evidence=evidence(),
        is_drill=changes.pop("is_drill", False),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "kind": SignalKind.ONSET, "level": SignalLevel.PAGE, "alert": alert, "evidence": evidence(),
        "event_time": ONSET + timedelta(minutes=17), "peak_60m": 184.0,
    }  # fmt: skip
    return Occasion(**{**fields, **changes})


def article(author_class: AuthorClass) -> FirstPost:
    return POSTS[0].model_copy(update={"author_class": author_class})


GOLDEN_OCCASIONS = {
    "page": occasion(),
    "page_upgrade_provisional_learning": occasion(
        is_upgrade=True, provisional=True, evidence=evidence(learning=True, not_heard=())
    ),
    "page_growth": occasion(kind=SignalKind.GROWTH, event_time=ONSET + timedelta(hours=26)),
    "page_end": occasion(
        kind=SignalKind.END,
        event_time=ONSET + timedelta(hours=4, minutes=6),
        evidence=evidence(observed_60m=7.1, expected_60m=5.3),
    ),
    "notice": occasion(
        level=SignalLevel.NOTICE,
        evidence=evidence(
            observed_60m=6.4, expected_60m=0.42, once_in_weeks=0.6, places={}, first_posts=POSTS[:1], author_classes={}
        ),
    ),
    "notice_end": occasion(level=SignalLevel.NOTICE, kind=SignalKind.END, event_time=ONSET + timedelta(minutes=75)),
    "drill_of_unknown_list": occasion(is_drill=True, detour=Detour.UNKNOWN_LIST),
    "first_article": occasion(
        kind=SignalKind.FIRST_ARTICLE,
        level=SignalLevel.NOTICE,
        evidence=evidence(first_posts=(article(AuthorClass.PRESS),), article=FirstArticle(left_out=2)),
    ),
    "call_for_help_of_official": occasion(
        kind=SignalKind.FIRST_ARTICLE,
        level=SignalLevel.NOTICE,
        evidence=evidence(first_posts=(article(AuthorClass.OFFICIAL),), article=FirstArticle(help_call=True)),
    ),
    "source_silent": occasion(
        kind=SignalKind.SOURCE_SILENT,
        level=SignalLevel.NOTICE,
        evidence=evidence(
            silence=SilentSource(source="rss:cinarli-haber", last_heard=ONSET, silent_hours=11, usual_hours=6.2, once_in=14204)
        ),
    ),
    "replay_growth_notice": occasion(is_replay=True, kind=SignalKind.GROWTH, level=SignalLevel.NOTICE),
}


def every_message() -> Iterator[tuple[Language, Message]]:
    """Every combination that the catalogue has a text for."""
    choices = product(TOLD, SignalLevel, (False, True), (False, True), (False, True), (None, *Detour), (False, True))
    for kind, level, is_upgrade, is_drill, is_replay, detour, rich in choices:
        found = evidence(learning=True) if rich else evidence(
            places={}, sources={}, labels={}, first_posts=(), not_heard=(), mentions=0, copies=0, authors=0, expected_60m=0.0,
            once_in_weeks=0.01,
        )  # fmt: skip
        for language in LANGUAGES:
            yield language, render(
                language,
                occasion(
                    kind=kind, level=level, is_upgrade=is_upgrade and kind is SignalKind.ONSET, is_drill=is_drill,
                    is_replay=is_replay, detour=detour, evidence=found, provisional=rich,
                ),
            )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN_OCCASIONS)
def test_the_whole_text(name: str, language: Language) -> None:
    """As the golden file has it. Read it aloud before you change it: somebody reads it half asleep."""
    message = render(language, GOLDEN_OCCASIONS[name])
    assert f"{message.subject}\n\n{message.body}\n" == (GOLDEN / f"{name}.{language}.txt").read_text(encoding="utf-8")


def test_no_golden_text_is_left_over() -> None:
    """A file that no test reads proves nothing."""
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{lang}.txt" for name in GOLDEN_OCCASIONS for lang in LANGUAGES}


def test_languages_have_equal_keys_and_placeholders() -> None:
    """No message can fail in one language only."""
    turkish, english = (
        {key: {field for _, field, _, _ in Formatter().parse(text) if field} for key, text in catalogue.texts.items()}
        for catalogue in CATALOGUES.values()
    )
    assert turkish == english


def test_the_machine_gives_no_verdict() -> None:
    """It reports an unusual rise, unverified; whether that is a crisis only people can say."""
    unusual = {"tr": ("artış", "doğrulanmamış"), "en": ("rise", "unverified")}
    verdict = re.compile(r"kriz|crisis|crises|acil|emergency|skandal|scandal|linç|provokasyon", re.IGNORECASE)
    for language, message in every_message():
        assert not verdict.search(message.subject + message.body)
        assert all(word in message.subject for word in unusual[language])
    for catalogue in CATALOGUES.values():
        assert not any(verdict.search(text) for text in catalogue.texts.values())


def test_a_name_of_a_source_does_not_crowd_out_the_title() -> None:
    """It is foreign text too."""
    silence = SilentSource(source="rss:" + "x\u202e" * 99, last_heard=ONSET, silent_hours=5, usual_hours=4.5, once_in=1e9)
    message = render("tr", occasion(kind=SignalKind.SOURCE_SILENT, level=SignalLevel.NOTICE, evidence=evidence(silence=silence)))
    assert len(message.subject) <= 120
    assert "Çınarlı" in message.subject
    assert "\u202e" not in message.subject + message.body


def test_subjects_fit() -> None:
    """A long title is shortened; the marks, the level and "unverified" never are."""
    for _, message in every_message():
        assert len(message.subject) <= 120
    long = render("tr", occasion(title="Su " * 100, is_drill=True, is_replay=True, is_upgrade=True))
    assert len(long.subject) <= 120
    assert "doğrulanmamış" in long.subject


@pytest.mark.parametrize(("language", "drill", "replay"), [("tr", "TATBİKAT", "TEKRAR OYNATMA"), ("en", "DRILL", "REPLAY")])
def test_drills_and_replays_cannot_be_missed(language: Language, drill: str, replay: str) -> None:
    """First in the subject, first and last in the body."""
    for marks in ({"is_drill": True}, {"is_replay": True}, {"is_drill": True, "is_replay": True}):
        message = render(language, occasion(**marks))
        words = [word for word, mark in ((drill, "is_drill"), (replay, "is_replay")) if mark in marks]
        assert message.subject.startswith(" ".join(f"*** {word} ***" for word in words))
        lines = message.body.splitlines()
        assert [line[: 4 + len(word)] for line, word in zip(lines, words, strict=False)] == [f"*** {word}" for word in words]
        assert lines[-len(words) :] == lines[: len(words)]
    real = render(language, occasion())
    assert drill not in real.subject + real.body
    assert replay not in real.subject + real.body


def test_severity_is_word_and_shape() -> None:
    """Not colour: it is read aloud, printed, and seen by the colour-blind."""
    starts = {(kind, level): render("tr", occasion(kind=kind, level=level)).subject[:3] for kind in TOLD for level in SignalLevel}
    assert starts[SignalKind.ONSET, SignalLevel.PAGE] == "▲ Ç"
    assert starts[SignalKind.ONSET, SignalLevel.NOTICE] == "● B"
    assert starts[SignalKind.END, SignalLevel.PAGE] == "■ S"


def test_foreign_text_is_shown_and_not_obeyed() -> None:
    """No escape sequence, no line break and no direction mark of a post gets through; an emoji of parts stays whole."""
    assert plain("a\x1b[31mb\u202ec\r\nd\u2028e\u200bf 👩\u200d🚒", 99) == "a [31mbc d ef 👩\u200d🚒"
    for _, message in every_message():
        assert all(character.isprintable() or character == "\n" for character in message.subject + message.body)


@pytest.mark.parametrize(
    ("text", "shown"), [("kısa", "kısa"), ("bir iki üç dört", "bir iki…"), ("boşluksuzuzunbirkelime", "boşluksuzu…")]
)
def test_excerpts_are_cut_at_words(text: str, shown: str) -> None:
    """And say that they were cut."""
    assert plain(text, 11) == shown


def test_at_most_three_posts() -> None:
    """The first ones; the rest is in the index."""
    assert sum(line[:2] in ("1.", "2.", "3.", "4.") for line in render("tr", occasion()).body.splitlines()) == 3


@pytest.mark.parametrize(
    ("value", "turkish", "english"),
    [(0, "0", "0"), (0.04, "<0,1", "<0.1"), (0.42, "0,4", "0.4"), (6.0, "6", "6"), (9.96, "10", "10"), (84.3, "84", "84"),
     (1250, "1.250", "1,250"), (1234567.8, "1.234.568", "1,234,568")],
)  # fmt: skip
def test_numbers(value: float, turkish: str, english: str) -> None:
    """As each language writes them."""
    assert (CATALOGUES["tr"].number(value), CATALOGUES["en"].number(value)) == (turkish, english)


@pytest.mark.parametrize(
    ("weeks", "sure"),
    [
        (1e9, "1.000 haftada birden seyrek"),
        (52.4, "52 haftada bir"),
        (1.04, "bunu haftada bir"),
        (0.6, "4 günde bir"),
        (0.1, "her gün"),
    ],
)
def test_how_sure(weeks: float, sure: str) -> None:
    """In words that need no statistics."""
    assert sure in render("tr", occasion(evidence=evidence(once_in_weeks=weeks))).body


def test_local_time_is_turkiyes() -> None:
    """Always UTC+3, whatever the machine's time zone files say."""
    catalogue = CATALOGUES["tr"]
    assert catalogue.moment(datetime(2025, 1, 31, 21, 30, tzinfo=UTC)) == "01.02.2025 00.30"
    assert catalogue.duration(timedelta(minutes=246)) == "4 sa 6 dk"
    assert catalogue.duration(timedelta(minutes=6)) == "6 dk"
