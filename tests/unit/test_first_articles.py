"""The press or an official source begins to speak ill, or calls for help: one notice a story, whatever its copies look like."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.detection.articles import FORGOTTEN_AFTER, NOTICES_A_WINDOW, STORIES, Articles
from processors.detection.fold import DetectFold
from processors.text.signature import signature
from schemas.authors import AuthorClass
from schemas.hits import Hit, Retract, WatchChanged
from schemas.labels import Label
from schemas.signals import Signal, SignalKind, SignalLevel
from schemas.watches import WatchLevel
from tests.unit.detection_log import Log, apply, bytes_of, progress, saved, signals, tone, watch

STATES = Path(__file__).parent / "states"
STORY = (
    "Çınarlı'da sabah saatlerinde ana isale hattının patlaması sonucu yaklaşık 40 bin konut susuz kaldı. Ekiplerin onarım "
    "çalışmalarının akşam saatlerine kadar sürmesi bekleniyor. Mahalle sakinleri kesintinin haber verilmediğini söyledi."
)
OUTLETS = (
    STORY,
    STORY.upper().replace("İ", "İ"),
    "ÇINARLI (AA) - " + STORY,
    "ÇINARLI (DHA) - " + STORY,
    "SON DAKİKA | " + STORY,
    "Son dakika haberi: vatandaşlardan tepki geldi. " + STORY,
    STORY + " Konuyla ilgili açıklama yapılması bekleniyor.",
    STORY.replace("yaklaşık ", ""),
    STORY + " https://haber.example/1",
    STORY[:-35],
)
OTHERS = (
    "Metro hattındaki arıza nedeniyle seferler iki saat yapılamadı, yolcular duyuru yapılmamasına tepki gösterdi.",
    "Belediye otobüsü durakta bekleyenlere çarptı, dört kişi yaralandı, sürücü gözaltına alındı.",
    "Şehir hastanesinde yemekten zehirlenme şüphesiyle 27 personel tedavi altına alındı.",
    "Sağanak yağışın ardından çok sayıda ev ve iş yerini su bastı, mazgalların temizlenmediği söyleniyor.",
    "Toplu ulaşıma yapılan zam kararının ardından dernekler belediye önünde basın açıklaması yaptı.",
    "İhalede usulsüzlük iddiasıyla eski müdür hakkında suç duyurusunda bulunuldu.",
)


def article(log: Log, minute: float, text: str = STORY, **changes: Any) -> Hit:
    fields: dict[str, Any] = {
        "author_class": AuthorClass.PRESS, "sentiment": tone(Label.NEGATIVE), "signature": signature(text), "excerpt": text[:280],
    }  # fmt: skip
    return log.hit(minute, **{**fields, **changes})


def announced(**changes: Any) -> DetectFold:
    fold = DetectFold()
    apply(fold, WatchChanged(watch=watch(**changes)), progress(0))
    return fold


def told(fold: DetectFold, *records: Any) -> list[Signal]:
    return [found for found in signals(apply(fold, *records)) if found.kind is SignalKind.FIRST_ARTICLE]


def test_a_negative_article_gives_a_notice_that_shows_it_and_never_a_page() -> None:
    """At once, whatever is usual."""
    first = article(Log(), 1)
    [notice] = told(announced(), first)
    assert (notice.level, notice.provisional, notice.event_time) == (SignalLevel.NOTICE, False, first.event_time)
    assert [post.mention_id for post in notice.evidence.first_posts] == [first.mention_id]
    assert notice.evidence.article is not None
    assert not notice.evidence.article.help_call


def test_one_story_of_ten_outlets_is_told_once() -> None:
    """However its agency's copies were edited."""
    log, fold = Log(), announced()
    assert len(told(fold, *(article(log, number, text) for number, text in enumerate(OUTLETS)))) == 1


@given(st.permutations(range(len(OUTLETS))))
@settings(max_examples=25, deadline=None)
def test_in_any_order_only_a_rewritten_copy_is_told_once_more(order: list[int]) -> None:
    """Which one comes first is chance, and one of the ten is as far from some others as a story of its own."""
    log = Log()
    copies = [article(log, number, text, partition=number) for number, text in enumerate(OUTLETS)]
    assert len(told(announced(), *(copies[number] for number in order))) <= 2
    assert told(announced(), copies[order[0]], *(copies[order[0]].model_copy(update={"origin_offset": n}) for n in (7, 8)))


@pytest.mark.parametrize("label", [Label.POSITIVE, Label.NEUTRAL, Label.UNSURE])
def test_what_is_not_negative_is_not_told(label: Label) -> None:
    """The press reports all day."""
    assert told(announced(), article(Log(), 1, sentiment=tone(label))) == []


@pytest.mark.parametrize("speaker", sorted(set(AuthorClass) - {AuthorClass.PRESS, AuthorClass.OFFICIAL}))
def test_who_is_listed_neither_as_press_nor_as_official_is_not_told(speaker: AuthorClass) -> None:
    """Nor is the institution itself."""
    assert told(announced(), article(Log(), 1, author_class=speaker, help_call=True)) == []


def test_a_call_for_help_by_an_official_source_is_told_whatever_its_tone() -> None:
    """And says that it is one."""
    call = article(Log(), 1, author_class=AuthorClass.OFFICIAL, sentiment=tone(Label.UNSURE), help_call=True)
    [notice] = told(announced(), call)
    assert notice.evidence.article is not None
    assert notice.evidence.article.help_call


def test_similar_headlines_of_two_places_are_two_stories() -> None:
    """Unless the text is the very same."""
    log, fold = Log(), announced()
    there = [
        article(log, number, f"{place}'da su kesintisi tepki çekti", place=place, signature=f"{0xF0F0 + number:016x}")
        for number, place in enumerate(("Karşıyaka", "Çaylı"))
    ]
    assert len(told(fold, *there)) == 2


def test_a_story_is_told_again_when_it_was_long_not_heard_of() -> None:
    """Each copy keeps it alive."""
    log, fold = Log(), announced()
    late = FORGOTTEN_AFTER - 10
    assert len(told(fold, article(log, 0), article(log, late), article(log, 2 * late))) == 1
    assert len(told(fold, article(log, 2 * late + FORGOTTEN_AFTER + 1))) == 1


def test_too_many_stories_are_left_out_and_counted_in_the_next_notice() -> None:
    """Calls for help have a share of their own."""
    log, fold = Log(), announced()
    many = [article(log, number, text) for number, text in enumerate(OTHERS)]
    assert len(told(fold, *many)) == NOTICES_A_WINDOW
    [call] = told(fold, article(log, 10, "Mahsur kalan var, yardım edin", help_call=True))
    assert call.evidence.article is not None
    assert call.evidence.article.left_out == len(OTHERS) - NOTICES_A_WINDOW
    [later] = told(fold, article(log, 90))
    assert later.evidence.article is not None
    assert later.evidence.article.left_out == 0
    assert told(fold, *(article(log, 95, text) for text in OTHERS)) == []


def test_a_late_article_is_told_and_one_that_is_too_old_is_not() -> None:
    """It may have been told before; also late ones are copies."""
    log, fold = Log(), announced()
    assert len(told(fold, article(log, 600), progress(700), article(log, 100), article(log, 50, OTHERS[0]))) == 2
    assert told(fold, article(log, 600 + FORGOTTEN_AFTER, OTHERS[1]), article(log, 10, OTHERS[2]))[1:] == []


def test_a_deleted_article_is_not_shown_and_its_copy_is() -> None:
    """The deletion came first."""
    log, fold = Log(), announced()
    first, copy = article(log, 1), article(log, 2)
    [notice] = told(fold, Retract(mention_id=first.mention_id), first, copy)
    assert [post.mention_id for post in notice.evidence.first_posts] == [copy.mention_id]


@pytest.mark.parametrize("changes", [{"level": WatchLevel.COUNT}, {"enabled": False}])
def test_a_watch_that_tells_nobody_of_anything_tells_nothing_of_articles(changes: dict[str, Any]) -> None:
    """It only counts."""
    assert told(announced(**changes), article(Log(), 1)) == []


@pytest.mark.parametrize("mark", ["is_backfill", "is_drill"])
def test_neither_the_past_nor_an_exercise_is_told(mark: str) -> None:
    """A drill will have a state of its own."""
    assert told(announced(), article(Log(), 1, **{mark: True})) == []


def test_articles_neither_touch_a_rise_nor_the_budget() -> None:
    """The minutes and scores are those of a log in which nobody is listed."""
    log = Log()
    hits = [article(log, minute, text) for minute, text in enumerate(OTHERS * 5)]
    plain = [hit.model_copy(update={"author_class": AuthorClass.PUBLIC_FIGURE}) for hit in hits]
    closed = [
        [output for output in apply(announced(), *each, progress(90)) if output.topic.name == "buckets"] for each in (hits, plain)
    ]
    assert bytes_of(closed[0]) == bytes_of(closed[1])


@given(st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_a_restart_between_any_two_records_changes_no_byte(seed: int) -> None:
    """Also of what is left out."""
    rng, log = Random(seed), Log()
    records: list[Any] = [
        article(log, rng.randrange(4 * 24 * 60), rng.choice(OUTLETS + OTHERS), help_call=rng.random() < 0.2) for _ in range(60)
    ]
    records.insert(30, progress(600))
    whole, killed, stored = announced(), announced(), dict[str, bytes]()
    expected, found = [], []
    for record in records:
        expected += apply(whole, record)
        found += apply(killed, record)
        if rng.random() < 0.5:
            killed = saved(killed, stored)
    assert bytes_of(found) == bytes_of(expected)


def test_its_memory_is_small_and_has_an_end() -> None:
    """Less than 4 KB, whatever the press writes."""
    log, fold, stored = Log(), announced(), dict[str, bytes]()
    for number in range(5 * STORIES):
        apply(fold, article(log, number, signature=f"{Random(number).getrandbits(64):016x}"))
    saved(fold, stored)
    assert len(json.loads(stored["su@articles"])["stories"]) == STORIES
    assert len(stored["su@articles"]) < 4096


def test_a_watch_without_articles_has_no_memory_of_them() -> None:
    """Thousands of watches never need one."""
    fold, stored = announced(), dict[str, bytes]()
    apply(fold, *Log().burst(1, 5))
    saved(fold, stored)
    assert "su@articles" not in stored


@pytest.mark.parametrize("version", [1, 2])
def test_a_stored_state_of_this_version_and_the_one_before_is_read(version: int) -> None:
    """Version 1 knew neither stories nor sources: it begins without. Of version 2 the stories are known still."""
    stored = {
        key: json.dumps(value).encode()
        for key, value in json.loads((STATES / f"detect-{version}.json").read_text(encoding="utf-8")).items()
    }
    fold = DetectFold()
    fold.load(stored)
    log = Log()
    log._offsets = [iter(range(10**6, 10**6 + 9)) for _ in log._offsets]  # type: ignore[misc]
    assert len(told(fold, article(log, 400))) == (1 if version == 1 else 0)


def test_a_state_of_a_later_version_is_refused() -> None:
    """Guessing would tell a story twice."""
    with pytest.raises(ValueError, match="version 9"):
        Articles.restore({**Articles().dump(), "version": 9})
