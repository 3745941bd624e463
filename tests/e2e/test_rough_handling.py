"""What angry and unlucky users do, with the real commands: nothing is lost unseen, and every mistake gets a clear answer."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.cli.replay import _namespace
from pipeline.configuration import load
from pipeline.deployment import resolve
from schemas.topics import MENTIONS
from tests.e2e.replays import Installation, Replay, documents
from tests.servers_fixture import Servers

GOOD = 200
START = datetime(2026, 3, 10, 6, tzinfo=UTC)
TIME = (START + timedelta(minutes=30)).isoformat()
REASON = "the provider changed its export"
ESCAPES = "\x1b[2J\x1b]0;evil\x07\x00\u202e"
SETTINGS = "watches: [watches.yaml]\nworkers: {enrich: 1}\n"
WATCH = """
- {id: her-sey, title: Her şey, query: '*:*', level: page, on_call: nobetci, purpose: Kesintileri erken görmek,
   legal_basis: KVKK m.5/2-ç, owner: Basın, expires: 2099-12-31}
"""


def line(**fields: Any) -> bytes:
    return json.dumps({"published_at": TIME, "platform": "x", **fields}, ensure_ascii=False).encode()


GOOD_LINES = [
    line(
        id=f"g{number}",
        published_at=(START + timedelta(seconds=30 * number)).isoformat(),
        text="Sular yine akmıyor",
        author=str(number),
    )
    for number in range(GOOD)
]
ODD_BUT_GOOD = [
    line(id="\x00", text="su"),
    line(id="../../etc/passwd", text="su"),
    line(id="😀" * 500, text="su"),
    line(id="emoji", text="😀" * 10_000),
    line(id="esc", text=f"su {ESCAPES}", author={"id": ESCAPES, "handle": f"gizli_kisi{ESCAPES}"}),
    line(
        id="fields",
        text="su",
        author=["@gizli_kisi"],
        place="@gizli_kisi 0532 123 45 67",
        language="@gizli_kisi",
        url=["@gizli_kisi"],
    ),
]
WRONG_ENCODING = line(id="w", text="şğı").decode().encode("windows-1254")
BAD = {
    "not_json": [b"{not json", b"[1, 2]", b"\x00\x00", line(id="s", text="?").replace(b"?", rb"\ud800"), b'{"a":' * 5000],
    "not_utf8": [WRONG_ENCODING, json.dumps({"id": "u"}).encode("utf-16")],
    "invalid_field": [
        line(id="n"), line(id="n2", text=5), line(id=[1], text="su"), line(id="t", text="su", published_at="dün"),
        line(id="p", text="su", platform={"@gizli_kisi": 1}), line(id="a", text="su", author="@" + "😀" * 10_000),
        line(id="e" * 100_000, text="su"), line(id="o", text="su", published_at=1e30),
    ],
    "text_too_long": [line(id="mb", text="a" * 1_000_000), line(id="mb5", text="gizli_kisi " * 500_000)],
}  # fmt: skip
REFUSED = {
    "implausible_time": [line(id="1", text="su", published_at=f"{year}-01-01T00:00:00Z") for year in ("2099", "1970", "0001")],
    "no_text": [line(id="2", text="  ")],
    "duplicate": [GOOD_LINES[5]],
}
DELETE = line(id="g7", type="delete", published_at=(START + timedelta(hours=2)).isoformat())


@pytest.fixture(scope="module")
def installation(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("rough")
    (folder / "watches.yaml").write_text(WATCH, encoding="utf-8")
    return Installation.make(folder, servers, f"rough-{uuid4().hex[:8]}-", SETTINGS)


@pytest.fixture(scope="module")
def file(installation: Installation) -> Path:
    """Good and bad mixed, the newest first."""
    bad = [odd for lines in (BAD | REFUSED).values() for odd in lines]
    mixed = [DELETE, *reversed(GOOD_LINES), *ODD_BUT_GOOD]
    for number, odd in enumerate(bad):
        mixed.insert(7 * number + 3, odd)
    path = installation.config.with_name("karışık dosya.jsonl")
    path.write_bytes(b"\n\n".join(mixed))
    return path


@pytest.fixture(scope="module")
def replay(installation: Installation, file: Path) -> Replay:
    return installation.replay(file, "rough", "--keep")


def ask(installation: Installation, *arguments: str) -> Any:
    done = installation.command(*arguments, "--namespace", "replay-rough")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_line_stands_in_exactly_one_place(replay: Replay) -> None:
    """Read = admitted + deleted + refused + dead; all good posts are in the index, but the deleted one."""
    answer = replay.answer
    assert answer["refused"] == {reason: len(lines) for reason, lines in REFUSED.items()}
    assert answer["dead_letters"] == sum(map(len, BAD.values()))
    assert (answer["admitted"], answer["deleted"]) == (GOOD + len(ODD_BUT_GOOD), 1)
    assert answer["read"] == answer["admitted"] + 1 + sum(answer["refused"].values()) + answer["dead_letters"]
    assert answer["indexed"] == len(replay.documents()) == answer["admitted"] - 1
    assert "Traceback" not in replay.said


def test_nobody_is_named_by_a_strange_field(replay: Replay) -> None:
    """Neither in a topic nor in a log."""
    for record in replay.records(MENTIONS):
        assert b"gizli_kisi" not in record.value
        assert b"0532" not in record.value
    for path in replay.files():
        assert b"gizli_kisi" not in path.read_bytes(), path


def test_dead_letters_are_listed_shown_and_retried(installation: Installation, replay: Replay) -> None:
    """What cannot be used with the right encoding either stays; a shown one does not steer the terminal."""
    listed = {group["reason"]: group for group in ask(installation, "dead-letters", "list")}
    assert {reason: group["count"] for reason, group in listed.items()} == {reason: len(lines) for reason, lines in BAD.items()}
    ids = [letter["id"] for letter in listed["not_utf8"]["letters"]]
    shown = [ask(installation, "dead-letters", "show", letter, "--reason", REASON)["content"] for letter in ids]
    assert any(r"\xfe\xf0\xfd" in content for content in shown)
    tried = ask(installation, "dead-letters", "retry", *ids, "--encoding", "windows-1254")
    assert tried["counts"] == {"sent": 1, "still_unusable": 1}
    assert sum(group["count"] for group in ask(installation, "dead-letters", "list")) == replay.answer["dead_letters"] - 1


def test_the_same_file_under_the_same_name_brings_only_what_was_retried(
    installation: Installation, file: Path, replay: Replay
) -> None:
    """The line that is readable now is indexed; nothing else is new, and no live document is there."""
    before = {document["_id"] for document in replay.documents()}
    again = installation.replay(file, "rough", "--keep")
    assert len({document["_id"] for document in again.documents()} - before) <= 1
    assert again.answer["indexed"] == GOOD + len(ODD_BUT_GOOD)
    assert again.answer["dead_letters"] == replay.answer["dead_letters"] - 1
    assert documents(resolve(load(installation.config), installation.data).elasticsearch) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("replay", "{file}", "--speed", "0"), "is no speed"),
        (("replay", "{file}", "--speed", "abc"), "is no speed"),
        (("replay", "{file}", "--name", "!!!"), "letters and digits"),
        (("replay", "{folder}"), "is a directory"),
        (("replay", "{folder}/nowhere.jsonl"), "does not exist"),
        (("replay", "{file}", "--encoding", "utf-99"), "unknown encoding"),
        (("replay",), "Missing argument"),
        (("replya",), "No such command"),
        (("status", "--no-such-option"), "No such option"),
        (("dead-letters", "show", "x"), "--reason"),
        (("dead-letters", "list", "--namespace", "replay-nowhere"), "has no topics"),
    ],
)
def test_a_mistake_is_one_json_value_and_exit_code_2(
    installation: Installation, file: Path, arguments: tuple[str, ...], expected: str
) -> None:
    """Also one that the option parser finds."""
    filled = [argument.format(file=file, folder=file.parent) for argument in arguments]
    common = ["--json", "--config", str(installation.config), "--data", str(installation.data)]
    done = CliRunner().invoke(main, [*filled, *common])
    assert done.exit_code == 2, done.output
    assert expected in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr


def test_a_name_keeps_its_turkish_letters_apart(installation: Installation, file: Path) -> None:
    """As plain ones: topics and indices know no others."""
    assert _namespace("Çarşı Gün İki", file) == "replay-carsi-gun-iki"
    assert _namespace("IĞDIR", file) == "replay-igdir"
