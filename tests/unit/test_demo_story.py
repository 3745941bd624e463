"""The demo's story is what the demo says of it: its sizes, its tones, its times, and nobody's words but our own."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from luqum import tree
from luqum.parser import parser

from pipeline.demo import story
from pipeline.demo.story import Story
from pipeline.demo.voices import OWN_HANDLE, PRESS_HANDLES
from processors.text.tokens import fold, folded_tokens

REPOSITORY = Path(__file__).parents[2]
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
GLAD_WORDS = (
    "tebrik", "gurur", "helal", "tesekkur", "harika", "mutlu", "guzel", "muhtesem", "mukemmel", "super", "bravo", "kutl",
    "basari", "yasasin", "sevin", "bayildim", "alkis", "sahane", "canim", "onur", "hayran", "saglik", "hayirli",
)  # fmt: skip


@pytest.fixture(scope="module")
def told() -> Story:
    return story.build()


def when(record: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(record.get("published_at") or record["deleted_at"])


def authors(mentions: list[dict[str, Any]]) -> set[str]:
    return {mention["author"]["id"] for mention in mentions}


def test_the_stream_is_small_and_sorted(told: Story) -> None:
    times = [when(record) for record in told.records]
    assert len(told.records) <= 3000
    assert times == sorted(times)
    assert {time.utcoffset() for time in times} == {timedelta(hours=3)}


def test_each_record_has_the_fields_of_the_file_replay_format(told: Story) -> None:
    for mention in told.mentions():
        assert mention.keys() - {"place"} == {"id", "platform", "published_at", "text", "author", "url"}
        assert mention["author"].keys() == {"id", "handle", "followers"}
    assert json.loads(json.dumps(told.records)) == told.records


def test_ids_are_unique(told: Story) -> None:
    ids = [mention["id"] for mention in told.mentions()]
    assert len(set(ids)) == len(ids) == len(told.groups)


def test_one_seed_gives_one_story(told: Story) -> None:
    assert story.build() == told
    assert story.build(seed=7).records != told.records


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_seeds_tell_a_story_too(seed: int) -> None:
    assert len(story.build(seed).mentions("water")) == 450


def test_the_start_moves_the_story_and_needs_a_zone(told: Story) -> None:
    later = story.build(start=story.START + timedelta(days=7))
    assert [when(r) - timedelta(days=7) for r in later.records] == [when(r) for r in told.records]
    assert story.build(start=story.START.astimezone(UTC)) == told
    with pytest.raises(ValueError, match="time zone"):
        story.build(start=datetime(2026, 3, 2))


def test_there_are_many_distinct_sentence_patterns(told: Story) -> None:
    assert len({" ".join(folded_tokens(re.sub(r"\{\w+\}", " ", line))) for line in told.patterns}) >= 300


def test_texts_repeat_in_the_flood_only(told: Story) -> None:
    texts = Counter(m["text"] for m in told.mentions() if not told.groups[m["id"]].startswith("flood"))
    assert max(texts.values()) == 1


def test_two_quiet_days_come_first(told: Story) -> None:
    day_three = story.START + timedelta(days=2)
    history = [mention for mention in told.mentions() if when(mention) < day_three]
    assert 620 <= len(history) <= 780
    assert all(told.groups[mention["id"]].startswith("everyday") for mention in history)
    hours = Counter(when(mention).replace(minute=0, second=0) for mention in history)
    assert max(hours.values()) < 45


@pytest.mark.parametrize(("name", "size"), [("prize", 200), ("flood", 450), ("match", 300), ("water", 450)])
def test_each_surge_has_its_size_and_stays_in_its_time(told: Story, name: str, size: int) -> None:
    surge = next(surge for surge in told.surges if surge.name == name)
    mentions = told.mentions(f"{name}.")
    assert len(mentions) == size
    assert all(surge.start <= when(mention) <= surge.end for mention in mentions)
    assert surge.start.date() == (story.START + timedelta(days=2)).date()


def test_surges_are_hours_apart_and_only_the_water_cut_should_page(told: Story) -> None:
    for before, after in zip(told.surges, told.surges[1:], strict=False):
        assert after.start - before.end >= timedelta(hours=3)
    assert [surge.name for surge in told.surges if surge.should_page] == ["water"]
    assert not any("kriz" in fold(surge.title_tr + surge.why_tr) for surge in told.surges)


def test_the_prize_is_glad_from_many_mouths(told: Story) -> None:
    mentions = told.mentions("prize.citizen")
    assert len(authors(mentions)) > 150
    sober = [m["text"] for m in mentions if not any(w.startswith(GLAD_WORDS) for w in folded_tokens(m["text"]))]
    assert sober == []


def test_few_accounts_write_the_flood(told: Story) -> None:
    mentions = told.mentions("flood")
    assert len(authors(mentions)) <= 30
    bare = {re.sub(r"https\S+|@\w+|[^\w ]", "", mention["text"]).strip() for mention in mentions}
    assert len(bare) == 3


def test_the_water_cut_is_told_in_questions_and_plain_facts(told: Story) -> None:
    mentions = told.mentions("water")
    calm = told.mentions("water.question") + told.mentions("water.fact")
    assert len(calm) / len(mentions) >= 0.65
    assert sum("?" in mention["text"] for mention in mentions) / len(mentions) >= 0.4
    assert 0.2 <= len(told.mentions("water.angry")) / len(mentions) <= 0.3


def test_the_water_cut_comes_from_many_people_and_rises_fast(told: Story) -> None:
    mentions = told.mentions("water")
    public = {OWN_HANDLE, *PRESS_HANDLES}
    private = [mention for mention in mentions if mention["author"]["handle"] not in public]
    assert 330 <= len(authors(private)) <= 370
    surge = next(surge for surge in told.surges if surge.name == "water")
    first = [m for m in mentions if when(m) < surge.start + timedelta(minutes=15)]
    assert len(first) >= 40


def test_one_early_post_of_the_water_cut_is_taken_down(told: Story) -> None:
    [deletion] = [record for record in told.records if record.get("type") == "delete"]
    deleted = next(mention for mention in told.mentions("water") if mention["id"] == told.deleted_id)
    assert (deletion["id"], deletion["platform"]) == (deleted["id"], deleted["platform"])
    assert when(deletion) - when(deleted) == timedelta(minutes=25)
    assert when(deleted) - told.surges[3].start < timedelta(minutes=10)


def test_the_showcase_holds_what_has_to_be_masked(told: Story) -> None:
    text = next(mention["text"] for mention in told.mentions("water") if mention["id"] == told.showcase_id)
    assert "0500 000 01 23" in text and "10000000146" in text and "@selma_komsu" in text
    assert told.showcase_id != told.deleted_id


def test_links_lead_nowhere(told: Story) -> None:
    links = [link for m in told.mentions() for link in (m["url"], *re.findall(r"https?://\S+", m["text"]))]
    assert all(re.match(r"https://[a-z]+\.example/", link) for link in links)


# A small reading of the watch syntax, so that the story and its watches are checked without the system under demonstration.


def matches(query: str, text: str) -> bool:
    return _holds(_parsed(query), folded_tokens(text))


@cache
def _parsed(query: str) -> Any:
    return parser.parse(query)


def _holds(node: Any, words: list[str]) -> bool:
    if isinstance(node, tree.Word):
        return any(fnmatch(word, fold(node.value)) for word in words)
    if isinstance(node, tree.Phrase):
        return f" {' '.join(folded_tokens(node.value))} " in f" {' '.join(words)} "
    if isinstance(node, tree.Not):
        return not _holds(node.children[0], words)
    if isinstance(node, tree.OrOperation):
        return any(_holds(child, words) for child in node.children)
    return all(_holds(child, words) for child in node.children)


@pytest.fixture(scope="module")
def watches() -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((REPOSITORY / "pipeline" / "demo" / "watches.yaml").read_text(encoding="utf-8"))
    return {watch["id"]: watch for watch in content}


def taken(watch: dict[str, Any], text: str) -> bool:
    return matches(watch["query"], text) and not any(matches(query, text) for query in watch["exclude"])


def test_the_paging_watch_takes_everything_but_football(told: Story, watches: dict[str, dict[str, Any]]) -> None:
    watch = watches["cinarli-belediye"]
    football = {mention["id"] for mention in told.mentions("match")}
    assert [m["text"] for m in told.mentions() if taken(watch, m["text"]) == (m["id"] in football)] == []


def test_the_city_name_alone_takes_the_football_too(told: Story, watches: dict[str, dict[str, Any]]) -> None:
    assert all(taken(watches["cinarli-sehir"], mention["text"]) for mention in told.mentions("match"))


def test_the_watch_finds_the_city_also_once_handles_are_masked(told: Story, watches: dict[str, dict[str, Any]]) -> None:
    query = watches["cinarli-belediye"]["query"]
    assert all(matches(query, re.sub(r"@\w+", "@user", mention["text"])) for mention in told.mentions())


def test_watches_have_all_fields(watches: dict[str, dict[str, Any]]) -> None:
    fields = "id title query exclude places own_accounts level on_call plan purpose legal_basis owner expires"
    assert all(" ".join(watch) == fields for watch in watches.values())
    assert {watch_id: watch["level"] for watch_id, watch in watches.items()} == {
        "cinarli-belediye": "page",
        "cinarli-sehir": "notice",
    }


def _foreign_texts() -> Iterator[str]:
    for path in sorted(SHARED_DATA.glob("*/*.jsonl*")):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        yield from (json.loads(line)["text"] for line in content.splitlines())


def _bare(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".!? ")


def test_no_text_is_copied_from_the_development_data(told: Story) -> None:
    if not SHARED_DATA.is_dir():
        pytest.skip("the development data is not beside this checkout")
    ours = {_bare(text) for text in (*(mention["text"] for mention in told.mentions()), *told.patterns)}
    assert [text for text in _foreign_texts() if _bare(text) in ours] == []
