"""What becomes of a mention: for the index without its author, for each watch a hit."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.mention_writer import document
from processors.enrichment import Matched, enriched, hits, match
from processors.watches.matcher import WatchSet
from schemas.authors import AuthorClass, ReachBand
from schemas.hits import EXCERPT_CHARACTERS
from schemas.labels import Label
from schemas.mentions import Mention
from schemas.sentiments import Sentiment
from schemas.watches import Watch, WatchLevel

NOON = datetime(2025, 11, 24, 9, tzinfo=UTC)
SECRET = b"an invented secret of some length"
TONE = Sentiment(label=Label.NEGATIVE, confidence=0.9, model="deneme-1")


def watch(watch_id: str, query: str) -> Watch:
    return Watch(
        watch_id=watch_id, version=1, title="Deneme", query=query, level=WatchLevel.COUNT, purpose="Deneme",
        legal_basis="Deneme", owner="Basın", expires=date(2030, 1, 1), updated_at=NOON,
    )  # fmt: skip


def watch_set(*watches: Watch) -> WatchSet:
    return WatchSet.build(watches, NOON.date())


def mention(text: str = "Sular üç saattir akmıyor, arıza hattı cevap vermiyor", **changes: Any) -> Mention:
    fields: dict[str, Any] = {
        "mention_id": "kus:ornek:aaaa", "source": "dosya", "source_position": 4, "platform": "kus", "instance": "ornek",
        "observed_at": NOON, "event_time": NOON, "text": text, "author_key": "kus:ornek:bbbb", "author_class": AuthorClass.PRESS,
        "reach": ReachBand.UNDER_1K, "place": "Karşıyaka", "revision": 1,
    }  # fmt: skip
    return Mention(**{**fields, **changes})


def matched(found: Mention, *watches: str) -> Matched:
    return Matched(found, "tr", watches, help_call=False)


def test_what_no_watch_takes_goes_no_further() -> None:
    """Not even into the index."""
    assert match(mention(), watch_set(watch("yol", "asfalt"))) is None


def test_every_watch_that_takes_it_is_named() -> None:
    """The language is told on the way."""
    found = match(mention(), watch_set(watch("yol", "asfalt"), watch("su", "su*"), watch("hat", "arıza")))
    assert found is not None
    assert set(found.watches) == {"su", "hat"}
    assert (found.language, found.classifiable) == ("tr", True)


def test_another_language_is_counted_and_not_judged() -> None:
    """The model knows Turkish only; a text too short to tell is tried."""
    english = match(mention("There has been no water in our street since yesterday evening"), watch_set(watch("su", "water")))
    assert english is not None
    assert (english.language, english.classifiable) == ("en", False)
    assert Matched(mention("su"), "und", ("su",), help_call=False).classifiable


def test_the_index_learns_no_author() -> None:
    """Only a key that is good for one watch on one day: no profile of a citizen can be drawn."""
    record = enriched(matched(mention(), "su", "yol"), TONE, SECRET)
    assert record.mention.author_key is None
    assert len(set(record.author_day_keys)) == 2
    assert b"bbbb" not in record.encode()
    tomorrow = mention(event_time=datetime(2025, 11, 25, 9, tzinfo=UTC))
    assert not set(enriched(matched(tomorrow, "su", "yol"), TONE, SECRET).author_day_keys) & set(record.author_day_keys)
    assert (
        enriched(matched(mention(mention_id="kus:ornek:cccc"), "su", "yol"), TONE, SECRET).author_day_keys
        == record.author_day_keys
    )


def test_without_an_author_there_is_no_key() -> None:
    """Nothing to make one of."""
    assert enriched(matched(mention(author_key=None), "su"), TONE, SECRET).author_day_keys == ()


def found_hits(found: Mention, *watches: str) -> Sequence[Any]:
    return hits(matched(found, *watches), TONE, partition=3, offset=17)


def test_a_hit_for_each_watch_in_the_order_of_their_ids() -> None:
    """The detector tells a repeat from a second watch by this order."""
    found = found_hits(mention(), "yol", "hat", "su")
    assert [hit.watch_id for hit in found] == ["hat", "su", "yol"]
    assert {(hit.origin_partition, hit.origin_offset, hit.source_position) for hit in found} == {(3, 17, 4)}


def test_a_hit_carries_what_the_detector_may_know_and_no_more() -> None:
    """The beginning of the masked text, marks of drills and backfills, nothing sealed."""
    [hit] = found_hits(mention("su " * 500, is_drill=True, is_backfill=True, sealed="sealed-away"), "su")
    assert len(hit.excerpt) == EXCERPT_CHARACTERS
    assert (hit.is_drill, hit.is_backfill) == (True, True)
    assert (hit.author_key, hit.author_class, hit.reach, hit.place) == ("kus:ornek:bbbb", "press", "under_1k", "Karşıyaka")
    assert b"sealed-away" not in hit.encode()


def test_copies_share_a_signature() -> None:
    """In the index and in the hits alike."""
    shouted, said = mention("SULAR AKMIYOR, arıza var!"), mention("sular akmıyor arıza var", mention_id="kus:ornek:cccc")
    [first], [second] = found_hits(shouted, "su"), found_hits(said, "su")
    assert first.signature == second.signature == enriched(matched(said, "su"), TONE, SECRET).signature


@pytest.mark.parametrize("tone", [TONE.model_copy(update={"label": label}) for label in Label], ids=list(Label))
def test_a_call_for_help_is_marked_whatever_the_tone(tone: Sentiment) -> None:
    """In each hit and in the document."""
    found = match(mention("Su bastı, enkaz altındayız, AFAD nerede"), watch_set(watch("su", "su"), watch("afet", "afad")))
    assert found is not None
    assert [hit.help_call for hit in hits(found, tone, partition=3, offset=17)] == [True, True]
    assert document(enriched(found, tone, SECRET)).help_call


def test_a_call_for_help_that_the_model_cannot_read_is_marked() -> None:
    """The language of a short call is easily mistaken."""
    found = match(
        mention("SOS help ENKAZ ALTINDAYIZ AFAD please send rescue team to the building"), watch_set(watch("afet", "afad"))
    )
    assert found is not None
    assert not found.classifiable
    assert found.help_call


def test_what_calls_for_no_help_is_not_marked() -> None:
    """Neither hit nor document."""
    found = match(mention(), watch_set(watch("su", "su*")))
    assert found is not None
    assert [hit.help_call for hit in hits(found, TONE, partition=3, offset=17)] == [False]
    assert not document(enriched(found, TONE, SECRET)).help_call
