"""Watches, dead letters and reveals from the command line, on the real servers."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner
from elasticsearch import Elasticsearch

from connectors.elasticsearch import ElasticsearchSettings
from connectors.file_replay import FileReplay
from connectors.kafka import KafkaSettings, create_topics
from connectors.posts import Post
from connectors.privacy_gate import PrivacyGate
from pipeline.audit import Action, AuditEntry, audit_file, read, verify
from pipeline.cli.main import main
from pipeline.configuration import Configuration
from pipeline.deployment import Deployment, resolve
from pipeline.secrets import day_keys, require_same_key
from pipeline.watch_registry import Change, apply_watches, read_watches
from pipeline.wiring import privacy_gate
from processors.alerting.on_call import OnCallList
from processors.watches.files import WatchSpec, parse_watch_file
from schemas.deadletters import DeadLetter
from schemas.documents import month_index
from schemas.hits import HITS as HIT_RECORDS
from schemas.hits import WatchChanged
from schemas.mentions import MENTIONS as MENTION_RECORDS
from schemas.mentions import Deletion, Mention
from schemas.reasons import DeadLetterReason
from schemas.records import Record, decode
from schemas.topics import DEAD_LETTERS, HITS, MENTIONS, WATCHES, Topic
from schemas.watches import Watch
from tests.servers_fixture import Servers

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LISTS = {"nobetci": OnCallList(name="nobetci", channels=("console",), budget_weeks=12)}
REASON = "threat against staff, file 2026/118"
WATCH = """
- id: {id}
  title: Su kesintisi
  query: {query}
  level: page
  on_call: nobetci
  purpose: Kesintileri erken görmek
  legal_basis: KVKK m.5/2-ç
  owner: Basın
  expires: 2099-12-31
"""


def specs(*ids: str, query: str = "su") -> list[WatchSpec]:
    return parse_watch_file("".join(WATCH.format(id=watch_id, query=query) for watch_id in ids), name="test")


@dataclass(frozen=True)
class Desk:
    """An installation of its own on the shared servers, and a way to run commands in it."""

    folder: Path
    deployment: Deployment

    @property
    def kafka(self) -> KafkaSettings:
        return self.deployment.kafka

    @property
    def gate(self) -> PrivacyGate:
        return privacy_gate(self.deployment)

    def run(self, *arguments: str, expected: int = 0) -> str:
        result = CliRunner().invoke(main, [*arguments, "--data", str(self.folder), "--config", str(self.folder / "config.yaml")])
        assert result.exit_code == expected, result.output
        assert "Traceback" not in result.output
        return result.stdout if expected == 0 else result.stderr

    def ask(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def file(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content, encoding="utf-8")
        return str(self.folder / name)

    def records(self, topic: Topic) -> list[Any]:
        with self.kafka.reader([topic]) as reader:
            return list(reader.rest())

    def send(self, topic: Topic, record: Record, key: str) -> None:
        with closing(self.kafka.producer()) as producer:
            producer.send(self.kafka.topic(topic), key=key.encode(), value=record.encode()).get(timeout=20)

    def audited(self) -> list[AuditEntry]:
        assert verify(audit_file(self.folder)).broken is None
        return list(read(audit_file(self.folder)))

    def index(self, mention: Mention) -> None:
        document = {"mention_id": mention.mention_id, "sealed": mention.sealed, "sealed_day": str(mention.sealed_day)}
        index = month_index(self.deployment.elasticsearch.prefix, mention.published_at, mention.observed_at)
        with closing(Elasticsearch(self.deployment.elasticsearch.urls[0])) as client:
            client.index(index=index, id=mention.mention_id, document=document, refresh=True)


@pytest.fixture
def desk(servers: Servers, tmp_path: Path) -> Iterator[Desk]:
    prefix = f"t{uuid4().hex[:10]}-"
    configuration = Configuration(
        kafka=KafkaSettings(bootstrap=servers.kafka, prefix=prefix),
        elasticsearch=ElasticsearchSettings(urls=(servers.elasticsearch,), prefix=prefix),
    )
    (tmp_path / "config.yaml").write_text(
        f"kafka: {{bootstrap: '{servers.kafka}', prefix: {prefix}}}\n"
        f"elasticsearch: {{urls: ['{servers.elasticsearch}'], prefix: {prefix}}}\n"
    )
    require_same_key(configuration, tmp_path)
    deployment = resolve(configuration, tmp_path)
    create_topics(deployment.kafka)
    yield Desk(tmp_path, deployment)


def post(number: int) -> Post:
    return Post(
        native_id=str(number), platform="x", text="Su yok, arayın 0532 123 45 67", published_at=NOON, author_id="77",
        handle="sinirli_vatandas", link=f"https://x.example/sinirli_vatandas/{number}",
    )  # fmt: skip


# -- watches --------------------------------------------------------------------------------------------------------------


def test_a_watch_is_announced_to_detect_before_enrich_may_use_it(desk: Desk) -> None:
    """`watch.changed` in `hits` is older than the version in `watches`, under the same key."""
    applied = apply_watches(desk.kafka, specs("su", "yol", "park"), LISTS, NOON)
    announced, set_ = desk.records(HITS), desk.records(WATCHES)
    watches = {found.watch.watch_id: found.watch for found in applied}
    assert {record.key.decode(): decode(Watch, record.value) for record in set_} == watches
    changes = [HIT_RECORDS.decode(record.value).record for record in announced]
    assert all(isinstance(change, WatchChanged) for change in changes)
    assert {record.key.decode() for record in announced} == watches.keys()
    assert max(record.timestamp for record in announced) <= min(record.timestamp for record in set_)
    assert {watch.budget_weeks for watch in watches.values()} == {36}


def test_when_hits_takes_nothing_enrich_learns_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure at the first step leaves `watches` as it was, and a second apply does the whole."""
    from connectors.runner import DeliveryFailed

    broken = desk.kafka.with_prefix(desk.kafka.prefix)
    monkeypatch.setattr(type(broken), "topic", lambda self, topic: "no-such-topic" if topic is HITS else self.prefix + topic.name)
    monkeypatch.setattr("pipeline.watch_registry.create_topics", lambda _: None)
    producer = desk.kafka.producer()
    producer.config["max_block_ms"] = 500
    monkeypatch.setattr(type(broken), "producer", lambda _: producer)
    with pytest.raises(DeliveryFailed, match="give the command again"):
        apply_watches(broken, specs("su"), LISTS, NOON)
    monkeypatch.undo()
    assert read_watches(desk.kafka) == {}
    assert [found.change for found in apply_watches(desk.kafka, specs("su"), LISTS, NOON)] == [Change.NEW]


def test_applying_again_writes_nothing(desk: Desk) -> None:
    """The same file twice is one version; a change is the next one."""
    apply_watches(desk.kafka, specs("su", "yol"), LISTS, NOON)
    again = apply_watches(desk.kafka, specs("su", "yol"), LISTS, NOON)
    assert {found.change for found in again} == {Change.UNCHANGED}
    assert (len(desk.records(HITS)), len(desk.records(WATCHES))) == (2, 2)
    apply_watches(desk.kafka, specs("su", query="sular"), LISTS, NOON)
    assert (len(desk.records(HITS)), len(desk.records(WATCHES))) == (3, 3)
    assert {watch_id: watch.version for watch_id, watch in read_watches(desk.kafka).items()} == {"su": 2, "yol": 1}


def test_hits_of_enrich_come_to_the_partition_of_the_announcement(desk: Desk) -> None:
    """kafka-python and aiokafka, both with their default partitioner, agree on the broker as well."""
    ids = [f"izleme-{number}" for number in range(40)]
    apply_watches(desk.kafka, specs(*ids), LISTS, NOON)
    announced = {record.key: record.partition for record in desk.records(HITS)}
    asyncio.run(send_as_enrich(desk.kafka, ids))
    later = {record.key: record.partition for record in desk.records(HITS) if record.value == b"{}"}
    assert later == announced
    assert len(set(announced.values())) > 6


async def send_as_enrich(kafka: KafkaSettings, ids: list[str]) -> None:
    async with AIOKafkaProducer(**kafka.client()) as producer:
        for watch_id in ids:
            await producer.send_and_wait(kafka.topic(HITS), b"{}", key=watch_id.encode())


def test_the_command_applies_lists_and_disables(desk: Desk) -> None:
    """A dry run changes nothing; what is changed stands in the audit log with its version."""
    file = desk.file("watches.yaml", WATCH.format(id="su", query="su") + WATCH.format(id="yol", query="yol"))
    assert "2 would be written: nothing was changed" in desk.run("watch", "apply", file, "--dry-run")
    assert desk.ask("watch", "list") == []
    assert [found["change"] for found in desk.ask("watch", "apply", file)] == ["new", "new"]
    assert "nothing to change" in desk.run("watch", "apply", file)
    changed = desk.ask("watch", "disable", "su")
    assert [(found["watch_id"], found["change"], found["enabled"]) for found in changed] == [
        ("su", "changed", False),
        ("yol", "budget", True),
    ]
    assert "DISABLED" in desk.run("watch", "list")
    assert [(entry.action, entry.subject) for entry in desk.audited()] == [
        (Action.WATCH_APPLIED, ("su:v1", "yol:v1")),
        (Action.WATCH_DISABLED, ("su:v2", "yol:v2")),
    ]
    assert "known: su, yol" in desk.run("watch", "disable", "park", expected=2)


# -- dead letters ---------------------------------------------------------------------------------------------------------


def put_aside_original(desk: Desk, letter_id: str, original: bytes, reason: DeadLetterReason) -> None:
    sealed, day = desk.gate.sealed_original(original)
    source, _, position = letter_id.rpartition(":")
    letter = DeadLetter(
        letter_id=letter_id, role="source", reason=reason, problem="line 8: unusable", at=NOON, source=source,
        position=int(position), sealed=sealed, sealed_day=day,
    )  # fmt: skip
    desk.send(DEAD_LETTERS, letter, letter_id)


def put_aside_record(desk: Desk, topic: str, partition: int, value: bytes) -> str:
    letter = DeadLetter(
        letter_id=f"{topic}:{partition}:5", role="enrich", reason=DeadLetterReason.NOT_A_RECORD, problem="no type", at=NOON,
        topic=topic, partition=partition, offset=5, key_base64=base64.b64encode(b"k").decode(),
        payload_base64=base64.b64encode(value).decode(),
    )  # fmt: skip
    desk.send(DEAD_LETTERS, letter, letter.letter_id)
    return letter.letter_id


LINE = (
    '{"id": "9", "platform": "x", "published_at": "2026-11-24T03:00:00+03:00", "text": "Su yok, %s", '
    '"author": {"handle": "ali_v"}}'
)


def test_dead_letters_are_listed_by_reason(desk: Desk) -> None:
    """Each once, also when it was written twice."""
    for _ in range(2):
        put_aside_original(desk, "file:abc:7", b"{", DeadLetterReason.NOT_JSON)
    own = put_aside_record(desk, desk.kafka.topic(HITS), 3, b"{}")
    assert [(found["reason"], found["count"], found["letters"][0]["id"]) for found in desk.ask("dead-letters", "list")] == [
        ("not_a_record", 1, own),
        ("not_json", 1, "file:abc:7"),
    ]
    assert "not_json: 1" in desk.run("dead-letters", "list")


def test_a_sealed_original_is_shown_with_a_reason_only(desk: Desk) -> None:
    """The entry comes first; when the day's key is gone there is nothing to show."""
    put_aside_original(desk, "file:abc:7", b"{broken by ali_v", DeadLetterReason.NOT_JSON)
    assert "--reason" in desk.run("dead-letters", "show", "file:abc:7", expected=2)
    assert desk.ask("dead-letters", "show", "file:abc:7", "--reason", REASON)["content"] == "{broken by ali_v"
    [entry] = desk.audited()
    assert (entry.action, entry.subject, entry.reason) == (Action.SHOW_DEAD_LETTER, ("file:abc:7",), REASON)
    for day in day_keys(desk.folder).days():
        day_keys(desk.folder).destroy(day)
    assert "has been destroyed" in desk.run("dead-letters", "show", "file:abc:7", "--reason", REASON, expected=2)


def test_a_line_is_retried_through_the_privacy_gate(desk: Desk) -> None:
    """The wrong encoding is named, the post arrives masked at its own time, and the letter is gone from the list."""
    line = (LINE % "ğüşıöç 0532 123 45 67").encode("windows-1254")
    put_aside_original(desk, "file:abc:7", line, DeadLetterReason.NOT_UTF8)
    assert desk.ask("dead-letters", "retry", "--all")["counts"] == {"still_unusable": 1}
    assert desk.records(MENTIONS) == []
    assert desk.ask("dead-letters", "retry", "file:abc:7", "--encoding", "windows-1254")["counts"] == {"sent": 1}
    [record] = desk.records(MENTIONS)
    mention = MENTION_RECORDS.decode(record.value).record
    assert isinstance(mention, Mention)
    assert "ğüşıöç" in mention.text
    assert b"0532" not in record.value
    assert b"ali_v" not in record.value
    assert (mention.event_time, mention.source, mention.source_position) == (
        datetime(2026, 11, 24, 0, tzinfo=UTC),
        "file:abc",
        None,
    )
    assert record.key.decode() == mention.mention_id
    assert desk.ask("dead-letters", "list") == []
    assert "retried already" in desk.run("dead-letters", "retry", "file:abc:7", expected=2)
    assert len(desk.records(MENTIONS)) == 1


def test_a_retried_line_is_the_mention_that_the_file_would_have_given(desk: Desk) -> None:
    """Same id, times, text and revision as through the replay of a file."""
    file = desk.folder / "posts.jsonl"
    file.write_text(LINE % "bütün gün")
    [item] = FileReplay(file, now=NOON).items(after=-1)
    assert isinstance(item.content, Post)
    direct = desk.gate.mention(item.content, source="file:abc", position=None, observed_at=item.clock)
    put_aside_original(desk, "file:abc:0", file.read_bytes(), DeadLetterReason.INVALID_FIELD)
    desk.run("dead-letters", "retry", "--all")
    [record] = desk.records(MENTIONS)
    retried = MENTION_RECORDS.decode(record.value).record
    assert isinstance(retried, Mention)
    assert retried.model_dump(exclude={"sealed"}) == direct.model_dump(exclude={"sealed"})


def test_rows_removals_and_refusals_are_retried_too(desk: Desk) -> None:
    """What a CSV row left behind can be read alone; a removal stays one; a refusal leaves the list and goes nowhere."""
    csv = desk.folder / "posts.csv"
    csv.write_text("id,published_at,text\n1,2026-11-24T03:00:00+03:00,Su yok\n2,yesterday,Su var\n")
    *_, item = FileReplay(csv, now=NOON).items(after=-1)
    repaired = item.content.original.replace(b"yesterday", b"2026-11-24T03:05:00+03:00")  # type: ignore[union-attr]
    put_aside_original(desk, "file:csv:1", repaired, DeadLetterReason.INVALID_FIELD)
    put_aside_original(
        desk, "file:abc:2", b'{"type": "delete", "id": "4", "deleted_at": "2026-11-24T03:00:00+03:00"}', DeadLetterReason.NOT_JSON
    )
    put_aside_original(
        desk, "file:abc:3", b'{"id": "5", "published_at": "1999-01-01", "text": "eski"}', DeadLetterReason.NOT_JSON
    )
    put_aside_original(desk, "radio:4", b"{}", DeadLetterReason.NOT_JSON)
    assert desk.ask("dead-letters", "retry", "--all")["counts"] == {"sent": 2, "refused": 1, "not_possible": 1}
    kinds = {type(MENTION_RECORDS.decode(record.value).record) for record in desk.records(MENTIONS)}
    assert kinds == {Mention, Deletion}
    assert [letter["id"] for group in desk.ask("dead-letters", "list") for letter in group["letters"]] == ["radio:4"]


def test_a_record_of_ours_goes_back_where_it_was(desk: Desk) -> None:
    """Same topic, partition, key and bytes; a topic that counts its records takes none."""
    hit = put_aside_record(desk, desk.kafka.topic(HITS), 3, b'{"type": "new-kind"}')
    signal = put_aside_record(desk, desk.kafka.prefix + "signals", 0, b"{}")
    found = {letter["id"]: letter["verdict"] for letter in desk.ask("dead-letters", "retry", "--all")["letters"]}
    assert found == {hit: "sent", signal: "not_possible"}
    [record] = desk.records(HITS)
    assert (record.partition, record.key, record.value) == (3, b"k", b'{"type": "new-kind"}')
    [entry] = desk.audited()
    assert (entry.action, set(entry.subject)) == (Action.RETRY_DEAD_LETTER, {hit, signal})


def test_a_namespace_has_letters_of_its_own(desk: Desk) -> None:
    """A replay's letters are not the live ones, and a namespace that is not there is told."""
    replay = Desk(desk.folder, resolve(desk.deployment.configuration, desk.folder, namespace="replay-depo"))
    create_topics(replay.kafka)
    put_aside_original(replay, "file:abc:7", b"{", DeadLetterReason.NOT_JSON)
    assert desk.ask("dead-letters", "list") == []
    assert desk.ask("dead-letters", "list", "--namespace", "replay-depo")[0]["count"] == 1
    assert "namespaces with topics: replay-depo" in desk.run("dead-letters", "list", "--namespace", "replay-dep", expected=2)


# -- reveal ---------------------------------------------------------------------------------------------------------------


def test_reveal_shows_who_wrote_it_until_the_key_is_destroyed(desk: Desk) -> None:
    """Each look is written down with its reason; afterwards nobody can look."""
    mention = desk.gate.mention(post(1), source="test", position=1, observed_at=NOON)
    assert mention.sealed_day is not None
    desk.index(mention)
    assert desk.ask("reveal", mention.mention_id, "--reason", REASON) == {
        "mention_id": mention.mention_id,
        "handle": "sinirli_vatandas",
        "native_id": "1",
        "permalink": "https://x.example/sinirli_vatandas/1",
    }
    assert "sinirli_vatandas" in desk.run("reveal", mention.mention_id, "--reason", REASON, "--as", "Ayşe")
    assert [(entry.action, entry.subject, entry.reason) for entry in desk.audited()] == [
        (Action.REVEAL, (mention.mention_id,), REASON)
    ] * 2
    assert "sinirli" not in audit_file(desk.folder).read_text()
    desk.run("secrets", "destroy-day", mention.sealed_day.isoformat(), "--reason", "erasure request 2026/31")
    message = desk.run("reveal", mention.mention_id, "--reason", REASON, expected=2)
    assert f"the key of {mention.sealed_day} has been destroyed" in message
    assert [entry.action for entry in desk.audited()][2:] == [Action.KEY_DESTROYED]


def test_a_key_that_was_made_again_does_not_open_the_old_posts(desk: Desk) -> None:
    """The connector goes on after the day's key was destroyed: a clear message, no wrong answer."""
    mention = desk.gate.mention(post(1), source="test", position=1, observed_at=NOON)
    desk.index(mention)
    assert mention.sealed_day is not None
    day_keys(desk.folder).destroy(mention.sealed_day)
    desk.gate.mention(post(2), source="test", position=2, observed_at=NOON)
    message = desk.run("reveal", mention.mention_id, "--reason", REASON, expected=2)
    assert "destroyed on the same day" in message


def test_nothing_is_revealed_when_it_cannot_be_written_down(desk: Desk) -> None:
    """A damaged log stops the look, not only the entry."""
    mention = desk.gate.mention(post(1), source="test", position=1, observed_at=NOON)
    desk.index(mention)
    desk.run("reveal", mention.mention_id, "--reason", REASON)
    file = audit_file(desk.folder)
    file.write_bytes(file.read_bytes()[:-9])
    message = desk.run("reveal", mention.mention_id, "--reason", REASON, expected=2)
    assert "nothing is shown or changed" in message
    assert "sinirli" not in message


def test_a_post_that_is_not_there_is_told(desk: Desk) -> None:
    """Also when there is no index at all."""
    assert "there is no post x:main:none" in desk.run("reveal", "x:main:none", "--reason", REASON, expected=2)
