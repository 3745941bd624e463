"""The main job from the command line to the index and the page: nothing lost, nothing doubled, nobody named."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pipeline.audit import Action, audit_file, read, verify
from pipeline.replay import last_checkpoint
from pipeline.secrets import hmac_key
from processors.privacy.identity import mention_id
from schemas.alerts import Notification
from schemas.deadletters import DeadLetter
from schemas.records import decode
from schemas.topics import BUCKETS, DEAD_LETTERS, ENRICHED, HITS, MENTIONS, NOTIFICATIONS
from tests.e2e.invented_posts import CSV_POSTS, SURGE_FROM, TURKIYE, TWO_DAYS, Story, found_in, story
from tests.e2e.replays import Installation, Replay, raw_bytes, raw_records
from tests.servers_fixture import Servers

SETTINGS = """
institution: Örnek Belediyesi
watches: [watches.yaml]
on_call: {nobetci: {channels: [console], budget_weeks: 12}}
public_accounts: {own: {x: [ornekbelediye]}}
sentiment: {threads: 2}
"""
WATCH = """
- {{id: {id}, title: {title}, query: '{query}', level: {level}, on_call: nobetci, purpose: Kesintileri erken görmek,
   legal_basis: KVKK m.5/2-ç, owner: Basın, expires: 2099-12-31}}
"""
WATCHES = WATCH.format(id="her-sey", title="Her şey", query="*:*", level="page") + WATCH.format(
    id="su", title="Su", query="su* OR musluk*", level="count"
)
REASON = "threat against staff, file 2026/118"
TELECOM = Path(__file__).parents[3] / "shared" / "data" / "replay" / "telecom_2019-09-26.jsonl"
OUTAGE_SEEN = datetime(2019, 9, 26, 13, 59, tzinfo=TURKIYE)
OUTAGE_PAGED = datetime(2019, 9, 26, 14, 20, tzinfo=TURKIYE)


@pytest.fixture(scope="module")
def told() -> Story:
    return story()


@pytest.fixture(scope="module")
def installation(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("main-job")
    (folder / "watches.yaml").write_text(WATCHES, encoding="utf-8")
    return Installation.make(folder, servers, f"e2e-{uuid4().hex[:8]}-", SETTINGS)


@pytest.fixture(scope="module")
def replay(installation: Installation, told: Story) -> Replay:
    file = installation.config.with_name("posts.jsonl")
    file.write_bytes(b"\n".join(told.lines) + b"\n")
    return installation.replay(file, "story", "--keep")


@pytest.fixture(scope="module")
def spreadsheet(installation: Installation, told: Story, replay: Replay) -> Replay:
    """After the story, in the same installation: the same ids."""
    file = installation.config.with_name("posts.csv")
    file.write_bytes(told.csv())
    return installation.replay(file, "spreadsheet", "--keep", "--encoding", "windows-1254")


@pytest.fixture(scope="module")
def documents(replay: Replay) -> list[dict[str, Any]]:
    return replay.documents()


def expected_ids(replay: Replay, natives: set[str]) -> set[str]:
    secret = hmac_key(replay.deployment.configuration, replay.deployment.data)
    return {mention_id(secret, "x", "main", native) for native in natives}


# -- nothing lost, nothing doubled --------------------------------------------------------------------------------------


def test_every_post_is_indexed_once(replay: Replay, told: Story, documents: list[dict[str, Any]]) -> None:
    """Each id once over all indices, without the deleted one; the answer tells the same number."""
    found = Counter(document["_id"] for document in documents)
    assert found == Counter(expected_ids(replay, told.kept))
    assert replay.answer["indexed"] == len(told.kept)


def test_the_counts_add_up(replay: Replay, told: Story) -> None:
    """read = admitted + deleted + refused + dead, each as the file says; none is late."""
    checkpoint = last_checkpoint(replay.deployment.kafka)
    assert checkpoint is not None
    counts = checkpoint.counts
    assert checkpoint.finished
    assert counts.read == len(told.lines) == replay.answer["read"]
    assert counts.read == counts.admitted + counts.deleted + sum(counts.refused.values()) + sum(counts.dead.values())
    assert (counts.admitted, counts.deleted) == (len(told.posts), len(told.deleted))
    assert (dict(counts.refused), dict(counts.dead)) == (told.refused, told.dead)
    assert replay.answer["late"] == 0


def test_every_mention_is_counted_once(replay: Replay, told: Story) -> None:
    """The closed minutes of the watch that takes all add up to all posts, also those that were deleted later."""
    minutes = {}
    for record in replay.records(BUCKETS):
        bucket = json.loads(record.value)
        minutes[bucket["watch_id"], bucket["start"]] = bucket["mentions"]
    assert sum(count for (watch, _), count in minutes.items() if watch == "her-sey") == len(told.posts)


def test_what_cannot_be_used_is_put_aside_with_its_reason(replay: Replay, told: Story) -> None:
    """One letter a bad line; the answer tells the number."""
    letters = [decode(DeadLetter, record.value) for record in replay.records(DEAD_LETTERS)]
    assert Counter(str(letter.reason) for letter in letters) == told.dead
    assert replay.answer["dead_letters"] == sum(told.dead.values())
    assert all(letter.sealed and letter.problem for letter in letters)


def test_the_surge_is_paged_once(replay: Replay) -> None:
    """In its first minutes by the file's clock, and not before; what would have been sent stands in the file."""
    [page] = replay.answer["pages"]
    assert page["watch"] == "her-sey"
    assert SURGE_FROM < datetime.fromisoformat(page["event_time"]).astimezone(TURKIYE) < SURGE_FROM.replace(minute=10)
    sent = [json.loads(line) for line in replay.deployment.notifications_file.read_text().splitlines()]
    onsets = [note for note in sent if note["level"] == "page" and note["kind"] == "onset"]
    assert len({note["notification_id"] for note in onsets}) == 1
    assert all(note["is_replay"] for note in sent)


def test_a_deleted_post_is_not_quoted(replay: Replay, told: Story) -> None:
    """It was deleted before the surge: no page may show it."""
    deleted = expected_ids(replay, told.deleted)
    for record in replay.records(NOTIFICATIONS):
        note = decode(Notification, record.value)
        assert not deleted & {post.mention_id for post in note.evidence.first_posts}


def test_a_spreadsheet_gives_the_same_documents(spreadsheet: Replay, told: Story, documents: list[dict[str, Any]]) -> None:
    """The same posts as CSV in another encoding: same ids, texts, tone, authors; a short row is put aside."""
    told_first = expected_ids(spreadsheet, set(list(told.posts)[:CSV_POSTS]))
    same = ("text", "label", "confidence", "event_time", "signature", "watches", "author_day_keys", "author_class")
    by_id = {document["_id"]: [document[name] for name in same] for document in documents}
    found = {document["_id"]: [document[name] for name in same] for document in spreadsheet.documents()}
    assert found.keys() == told_first
    assert {key: value for key, value in found.items() if key in by_id} == {key: by_id[key] for key in found if key in by_id}
    [letter] = [decode(DeadLetter, record.value) for record in spreadsheet.records(DEAD_LETTERS)]
    assert letter.reason == "not_a_row"


# -- nobody named -------------------------------------------------------------------------------------------------------


def test_the_search_for_names_finds_them(told: Story) -> None:
    """In the file itself it finds every post's id, author and link, and what people wrote about themselves."""
    found = set(found_in(told.private, b"\n".join(told.lines).upper()))
    for post in told.posts.values():
        assert {post["id"], post["url"], post["author"]["id"], post["author"]["handle"]} <= found
    for sign in ("@example.org", "34 GZL", "0532 618", "0532618"):
        assert any(sign in secret for secret in found), sign


@pytest.fixture(scope="module")
def both(replay: Replay, spreadsheet: Replay) -> list[Replay]:
    return [replay, spreadsheet]


def test_no_topic_names_a_person(both: list[Replay], told: Story) -> None:
    """Every partition of every topic, key, headers and value, aborted transactions included."""
    topics: set[str] = set()
    for replay in both:
        for record in raw_records(replay.deployment.kafka):
            topics.add(record.topic.removeprefix(replay.deployment.kafka.prefix))
            assert not list(found_in(told.private, raw_bytes(record))), record.topic
    assert {topic.name for topic in (MENTIONS, ENRICHED, HITS, NOTIFICATIONS, DEAD_LETTERS)} <= topics


def test_no_document_names_a_person(both: list[Replay], told: Story) -> None:
    """The whole source of every document and tombstone, as Elasticsearch gives it."""
    for replay in both:
        with replay.deployment.elasticsearch.sync_client() as client:
            found = client.search(index=f"{replay.deployment.elasticsearch.prefix}*", size=10_000)["hits"]["hits"]
        assert found
        assert not list(found_in(told.private, json.dumps(found, ensure_ascii=False).encode()))


def test_no_file_and_no_line_names_a_person(both: list[Replay], told: Story) -> None:
    """Logs, Faust's folders, notifications, and what the command said."""
    for replay in both:
        written = {path: path.read_bytes() for path in replay.files()}
        assert {path.suffix for path in written} >= {".log", ".json"}
        for path, content in written.items():
            assert not list(found_in(told.private, content)), path
        assert not list(found_in(told.private, replay.said.encode()))


def test_masking_leaves_what_is_public(documents: list[dict[str, Any]]) -> None:
    """The institution's own handle stays readable; what was masked shows its kind."""
    texts = " ".join(document["text"] for document in documents)
    for stays in ("@ornekbelediye", "[telefon]", "[tckn]", "[kişi]", "[e-posta]", "[plaka]", "[bağlantı"):
        assert stays in texts


def test_the_index_cannot_link_two_days_of_an_author(replay: Replay, told: Story, documents: list[dict[str, Any]]) -> None:
    """The author who spoke on two days shares no key between them, and none between watches."""
    ids = expected_ids(replay, set(told.of_author(TWO_DAYS)))
    first, second = ({*document["author_day_keys"]} for document in documents if document["_id"] in ids)
    assert first
    assert second
    assert not first & second
    for document in documents:
        assert len(set(document["author_day_keys"])) == len(document["watches"])


def test_an_aggregation_over_author_keys_stays_within_a_day_and_a_watch(replay: Replay) -> None:
    """Asked of Elasticsearch itself: no key stands on two days, and none in documents that share no watch."""
    keys = author_buckets(replay)
    assert len(keys) > 400
    for key in keys:
        assert len(key["days"]["buckets"]) == 1, key
        assert any(watch["doc_count"] == key["doc_count"] for watch in key["watches"]["buckets"]), key


def author_buckets(replay: Replay) -> list[Any]:
    aggregations = {
        "keys": {
            "terms": {"field": "author_day_keys", "size": 10_000},
            "aggs": {
                "days": {"date_histogram": {"field": "event_time", "calendar_interval": "day", "min_doc_count": 1}},
                "watches": {"terms": {"field": "watches"}},
            },
        }
    }
    with replay.deployment.elasticsearch.sync_client() as client:
        found = client.search(index=f"{replay.deployment.elasticsearch.prefix}mentions-*", size=0, aggs=aggregations)
    return list(found["aggregations"]["keys"]["buckets"])


def test_only_reveal_leads_back_and_only_until_the_key_is_gone(
    installation: Installation, both: list[Replay], told: Story
) -> None:
    """It shows handle, id and link, leaves one line in the audit log, and says so when the day's key was destroyed."""
    native, post = next(iter(told.posts.items()))
    [document] = [d for d in both[0].documents() if d["_id"] in expected_ids(both[0], {native})]
    reveal = ("reveal", document["_id"], "--reason", REASON, "--namespace", both[0].deployment.namespace)
    shown = installation.command(*reveal)
    assert shown.returncode == 0, shown.stderr
    answer = json.loads(shown.stdout)
    assert (answer["handle"], answer["native_id"], answer["permalink"]) == (post["author"]["handle"], native, post["url"])
    file = audit_file(installation.data)
    assert [(entry.action, entry.subject, entry.reason) for entry in read(file)] == [(Action.REVEAL, (document["_id"],), REASON)]
    assert verify(file).broken is None
    assert not list(found_in(told.private, file.read_bytes()))
    gone = installation.command("secrets", "destroy-day", document["sealed_day"], "--reason", "erasure request 2026/31")
    assert gone.returncode == 0, gone.stderr
    refused = installation.command(*reveal)
    assert refused.returncode == 2
    assert f"the key of {document['sealed_day']} has been destroyed" in refused.stderr


# -- the real data ------------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
@pytest.mark.timeout(900)
def test_the_first_hours_of_the_outage(servers: Servers, tmp_path: Path) -> None:
    """5,000 mentions of the telecom day with the bundled model: 5,000 documents, and no page before the outage began."""
    if not TELECOM.exists():
        pytest.skip(f"{TELECOM} is not there: the data set is not part of the repository")
    file = tmp_path / "first.jsonl"
    file.write_bytes(b"".join(TELECOM.read_bytes().splitlines(keepends=True)[:5000]))
    (tmp_path / "watches.yaml").write_text(WATCH.format(id="operator", title="Operatör", query="*:*", level="page"))
    installation = Installation.make(tmp_path, servers, f"e2e-{uuid4().hex[:8]}-", SETTINGS)
    replay = installation.replay(file, "outage", timeout_secs=800)
    assert (replay.answer["read"], replay.answer["admitted"], replay.answer["indexed"]) == (5000, 5000, 5000)
    assert (replay.answer["late"], replay.answer["dead_letters"]) == (0, 0)
    assert {document["_id"] for document in replay.documents()} == expected_telecom_ids(replay, file)
    times = [datetime.fromisoformat(page["event_time"]) for page in replay.answer["pages"]]
    assert times
    assert all(OUTAGE_SEEN <= time <= OUTAGE_PAGED for time in times)


def expected_telecom_ids(replay: Replay, file: Path) -> set[str]:
    return expected_ids(replay, {json.loads(line)["id"] for line in file.read_bytes().splitlines()})
