"""A mistake of the user's gets one clear message and exit code 2, never a traceback; with --json the message as JSON, too."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.audit import Action, AuditLog, audit_file, read
from pipeline.cli.common import Context
from pipeline.cli.main import main
from pipeline.cli.servers_address import running_deployment
from pipeline.configuration import Configuration
from pipeline.deployment import resolve
from pipeline.secrets import day_keys
from pipeline.supervisor.run_state import RunFolder, RunState

WATCH = """
id: su-kesintisi
title: Su kesintisi
query: su AND kesinti*
level: page
on_call: nobetci
purpose: Kesintileri erken görmek
legal_basis: KVKK m.5/2-ç
owner: Basın
expires: 2027-12-31
"""
POSTS = [
    {"id": "1", "published_at": "2026-11-24T03:00:00+03:00", "text": "Su kesintisi bitmedi, 0532 123 45 67 arayın"},
    {"id": "2", "published_at": "2026-11-24T03:30:00+03:00", "text": "Sular kesintisiz akıyor"},
    {"id": "3", "published_at": "2026-11-24T05:00:00+03:00", "text": "Su kesintileri\u001b[2J yine başladı"},
    {"id": "3", "published_at": "2026-11-24T05:00:00+03:00", "text": "aynı kimlik"},
]


@dataclass(frozen=True)
class Desk:
    """A folder with files, and a way to run commands in it."""

    folder: Path

    def file(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--data", str(self.folder / "data")])

    def mistake(self, *arguments: str) -> str:
        """The message of a command that must be refused."""
        result = self.run(*arguments)
        assert result.exit_code == 2, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        assert result.stdout == ""
        return result.stderr


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def posts(desk: Desk) -> str:
    return desk.file("posts.jsonl", "\n".join(json.dumps(post) for post in POSTS))


# -- configuration --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("on_cal: {}\n", "on_cal: unknown key; did you mean 'on_call'?"),
        ("kafka: {bootstrp: a}\n", "kafka.bootstrp: unknown key; did you mean 'bootstrap'?"),
        ("workers: {enrich: 99}\n", "workers.enrich: Input should be less than or equal to 12, got 99"),
        ("on_call: {gece: {channels: [mattermost]}}\n", "the channel 'mattermost', which is not under channels"),
        ("on_call: {gece: {channels: [console], budget_weeks: .inf}}\n", "less than or equal to 100000, got inf"),
        ("institution: [\n", "line 2: not YAML"),
        ("institution: a\n  b: c\n", "line 2: not YAML"),
        ("- a\n", "found a list"),
        ("secret: abc\n", "a secret is a reference"),
        (b"institution: \xdcsk\xfcdar\n", "not UTF-8 at byte 13: save it as UTF-8"),
    ],
)
def test_a_bad_configuration_names_key_value_and_remedy(desk: Desk, content: str | bytes, expected: str) -> None:
    """One file per mistake."""
    file = desk.file("bad.yaml", content)
    message = desk.mistake("config", "check", file)
    assert message.startswith("nabiz: ")
    assert file in message
    assert expected in message


def test_all_problems_of_a_configuration_are_told_at_once(desk: Desk) -> None:
    """Nobody should have to run it twice."""
    message = desk.mistake("config", "check", desk.file("bad.yaml", "on_cal: {}\nworkers: {enrich: 0}\n"))
    assert "on_cal" in message
    assert "workers.enrich" in message


def test_the_watch_files_of_a_configuration_are_checked_with_it(desk: Desk) -> None:
    """A missing file, a bad watch and an unknown list, all in one message."""
    desk.file("bad-watch.yaml", WATCH.replace("purpose:", "porpose:"))
    desk.file("gece.yaml", WATCH.replace("nobetci", "gece"))
    config = desk.file("institution.yaml", "watches: [bad-watch.yaml, missing.yaml, gece.yaml]\n")
    message = desk.mistake("config", "check", config)
    assert "purpose" in message
    assert "missing.yaml: cannot be read" in message
    assert "su-kesintisi: on_call 'gece'" in message


def test_a_good_configuration_is_told_in_words(desk: Desk) -> None:
    """What it comes to, with its defaults."""
    desk.file("watches.yaml", WATCH)
    result = desk.run("config", "check", desk.file("institution.yaml", "institution: Çınarlı\nwatches: [watches.yaml]\n"))
    assert result.exit_code == 0, result.output
    for expected in (
        "can be used",
        "Çınarlı",
        "embedded",
        "1 in the files: su-kesintisi",
        "one false call in 12 weeks, about 4.3 a year",
        "simulated watches gave 0 a year where they are quiet, up to",
        "paging watch",
    ):
        assert expected in result.output


def test_what_a_budget_becomes_is_told_to_scripts_too(desk: Desk) -> None:
    desk.file("watches.yaml", WATCH)
    file = desk.file("institution.yaml", "institution: Çınarlı\nwatches: [watches.yaml]\n")
    [told] = json.loads(desk.run("config", "check", "--json", file).output)["false_calls"].values()
    assert (told["paging_watches"], told["aimed_at_a_year"]) == (1, 4.3)
    fewest, most = told["simulated_a_year"]
    assert 0 <= fewest < 4.3 < most


@pytest.mark.parametrize("arguments", [["config", "check"], ["config", "check", "nowhere.yaml"]])
def test_a_configuration_must_be_named(desk: Desk, arguments: list[str]) -> None:
    """Without one, and with one that is not there."""
    assert "name the" in desk.mistake(*arguments)


# -- watches --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("purpose: Kesintileri erken görmek\n", ""), "purpose"),
        (("legal_basis: KVKK m.5/2-ç\n", "legal_basis: ''\n"), "legal_basis"),
        (("query: su AND kesinti*", "query: su AND (kesinti*"), "never closed"),
        (("on_call: nobetci\n", ""), "on_call"),
        (("title:", "titel:"), "title"),
        (("2027-12-31", "bir gün"), "2027-12-31"),
        (("id: su-kesintisi", "id: Su Kesintisi"), "su-kesintisi"),
    ],
)
def test_a_bad_watch_is_refused_before_a_server_is_asked(desk: Desk, change: tuple[str, str], expected: str) -> None:
    """The file, what is wrong, and what would be right."""
    file = desk.file("watches.yaml", WATCH.replace(*change))
    message = desk.mistake("watch", "apply", file)
    assert file in message
    assert expected in message


def test_a_watch_file_that_is_no_yaml_names_the_line(desk: Desk) -> None:
    """Where it stops being YAML."""
    assert "line 2" in desk.mistake("watch", "apply", desk.file("watches.yaml", "id: su\ntitle: Su: ve\nquery: su\n"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["watch", "list"],
        ["watch", "disable", "su"],
        ["dead-letters", "list"],
        ["dead-letters", "retry", "--all"],
        ["dead-letters", "show", "x", "--reason", "the provider changed"],
        ["reveal", "x:main:y", "--reason", "threat, file 2026/118"],
    ],
)
def test_without_servers_the_message_says_how_to_start_them(desk: Desk, arguments: list[str]) -> None:
    """And which folder was looked at."""
    message = desk.mistake(*arguments)
    assert f"nothing runs on {desk.folder / 'data'}" in message
    assert "nabiz up" in message


def test_a_server_that_is_away_is_named(desk: Desk) -> None:
    """Configured and not there: the address, and where to correct it."""
    config = desk.file("own.yaml", "kafka: {bootstrap: '127.0.0.1:9'}\nelasticsearch: {urls: ['http://127.0.0.1:9']}\n")
    assert "Elasticsearch does not answer" in desk.mistake(
        "reveal", "x:main:y", "--reason", "threat, file 118", "--config", config
    )
    assert "127.0.0.1:9" in desk.mistake("watch", "list", "--config", config)


def test_the_servers_of_the_running_system_are_found(desk: Desk) -> None:
    """With the configuration that it was started with; a replay has its own; --config counts more than either."""
    data, run = desk.folder / "data", RunFolder(desk.folder / "data" / "run")
    run.lock()
    run.write(RunState(pid=1, kafka="127.0.0.1:1", elasticsearch="http://127.0.0.1:2", children={}))
    resolve(Configuration(institution="Çınarlı"), data, kafka="old:1", elasticsearch="http://old:1").save()
    resolve(Configuration(institution="Prova"), data, namespace="replay-a", kafka="old:1", elasticsearch="http://old:1").save()
    live, replay = (running_deployment(Context(None, data, as_json=False), namespace) for namespace in ("live", "replay-a"))
    config = Path(desk.file("own.yaml", "kafka: {bootstrap: 'own:9092'}\n"))
    own = running_deployment(Context(config, data, as_json=False))
    run.clear()
    assert (live.configuration.institution, live.kafka.bootstrap, live.kafka.prefix) == ("Çınarlı", "127.0.0.1:1", "")
    assert (replay.configuration.institution, replay.elasticsearch.prefix) == ("Prova", "replay-a-")
    assert (own.kafka.bootstrap, own.elasticsearch.urls) == ("own:9092", ("http://127.0.0.1:2",))


# -- trial ----------------------------------------------------------------------------------------------------------------


def test_a_query_is_tried_on_a_file(desk: Desk, posts: str) -> None:
    """How many of how many, how many an hour; no post is shown and nothing is written down."""
    result = desk.run("watch", "test", "su AND kesinti*", posts, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["posts"], found["skipped"], found["matched"], found["hours"]) == (3, 1, 2, 2.0)
    [taken] = found["watches"]
    assert (taken["posts"], taken["an_hour"]) == (2, 1.0)
    assert "examples" not in taken
    assert not audit_file(desk.folder / "data").exists()


def test_examples_are_masked_harmless_and_audited(desk: Desk, posts: str) -> None:
    """No phone number, no escape sequence, and an entry with ids only."""
    result = desk.run("watch", "test", desk.file("watches.yaml", WATCH), posts, "--show")
    assert result.exit_code == 0, result.output
    assert "Su kesintisi bitmedi" in result.stdout
    assert "0532" not in result.stdout
    assert "\u001b" not in result.stdout
    [entry] = read(audit_file(desk.folder / "data"))
    assert entry.action is Action.SHOW_POSTS
    assert entry.subject[1:] == ("su-kesintisi",)


@pytest.mark.parametrize(
    ("query", "expected"), [("su AND (", "never closed"), ("", "empty"), ("su^2", "works"), ("yok.yaml", "cannot be read")]
)
def test_a_query_that_cannot_be_read_is_explained(desk: Desk, posts: str, query: str, expected: str) -> None:
    """Where, and what works."""
    assert expected in desk.mistake("watch", "test", query, posts)


@pytest.mark.parametrize(
    ("content", "expected"),
    [("", "is empty"), ("kein JSON\n", "none of its 1 lines is a post with a time")],
)
def test_a_file_without_posts_is_explained(desk: Desk, content: str, expected: str) -> None:
    """With an example of a post."""
    assert expected in desk.mistake("watch", "test", "su", desk.file("posts.jsonl", content))


def test_a_missing_file_is_named(desk: Desk) -> None:
    """By the option parser, with the same exit code."""
    assert "does not exist" in desk.mistake("watch", "test", "su", "nowhere.jsonl")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (("--from", "9999-12-20", "--to", "9999-12-31"), "nothing runs"),
        (("--from", "9999-12-01", "--to", "9999-12-31 23:59", "--factor", "nan"), "a number from 1 to 20"),
        (("--from", "2027-01-02", "--to", "2027-01-01"), "--to must be after --from"),
        (("--from", "2027-01-01", "--to", "2027-03-01"), "at most 31 days later"),
        (("--from", "2020-01-01", "--to", "2020-01-02"), "is over"),
        (("--from", "2027-01-01", "--to", "2027-01-02", "--factor", "inf"), "not in the range"),
        (("--from", "2027-01-01", "--to", "2027-01-02", "--reason", "ş" * 1001), "1,001 characters, more than 1,000"),
    ],
)
def test_an_expectation_that_makes_no_sense_is_explained(desk: Desk, said: tuple[str, ...], expected: str) -> None:
    """Before any server is asked, and at the end of the calendar too."""
    assert expected in desk.mistake("watch", "expect", "su-kesintisi", "--reason", "duyurulan bakım", *said)


# -- keys and the audit log -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "test", "   short    "])
def test_a_reason_tells_something(desk: Desk, reason: str) -> None:
    """At least ten characters, blanks around it not counted."""
    assert "at least 10 characters" in desk.mistake("reveal", "x:main:y", "--reason", reason)


def test_the_key_is_made_once(desk: Desk) -> None:
    """The second call keeps it; a lost key is not replaced silently."""
    file = desk.folder / "data" / "secrets" / "hmac.key"
    assert json.loads(desk.run("secrets", "init", "--json").stdout)["made"] is True
    key = file.read_text()
    assert "stays" in desk.run("secrets", "init").output
    assert file.read_text() == key
    file.unlink()
    assert "put the key back" in desk.mistake("secrets", "init")


def test_a_day_s_key_is_destroyed_once_and_audited(desk: Desk) -> None:
    """The entry says why; a day without a key is told, with those that are left."""
    keys = day_keys(desk.folder / "data")
    keys.public(date(2026, 11, 23))
    keys.public(date(2026, 11, 24))
    arguments = ["secrets", "destroy-day", "2026-11-23", "--reason", "erasure request 2026/31", "--as", "Ayşe"]
    assert desk.run(*arguments).exit_code == 0
    assert keys.days() == [date(2026, 11, 24)]
    [entry] = read(audit_file(desk.folder / "data"))
    assert (entry.action, entry.subject, entry.reason) == (Action.KEY_DESTROYED, ("2026-11-23",), "erasure request 2026/31")
    assert entry.who.startswith("Ayşe (")
    assert "keys that are left: 2026-11-24" in desk.mistake(*arguments)
    assert "2026-13-01" in desk.mistake("secrets", "destroy-day", "2026-13-01", "--reason", "erasure request 2026/31")


def damaged(file: Path) -> None:
    file.write_text(file.read_text().replace("first reason", "other reason"))


def cut(file: Path) -> None:
    file.write_text(file.read_text()[:-20])


def test_the_log_is_listed_and_verified(desk: Desk) -> None:
    """The newest last, and a hash that can be asked for again."""
    write_two(desk)
    assert desk.run("audit", "list", "--last", "1").output.count("\n") == 1
    last = json.loads(desk.run("audit", "verify", "--json").stdout)["last_hash"]
    assert desk.run("audit", "verify", "--holds", last).exit_code == 0
    assert "cut off at the end" in desk.mistake("audit", "verify", "--holds", "0" * 64)
    assert "the audit log is empty" in CliRunner().invoke(main, ["audit", "list", "--data", str(desk.folder / "none")]).output


@pytest.mark.parametrize(("damage", "line"), [(damaged, 1), (cut, 2)])
def test_a_damaged_log_is_found_and_stops_what_must_be_audited(desk: Desk, damage: Callable[[Path], None], line: int) -> None:
    """`verify` names the line; a key stays where its destruction cannot be written down."""
    write_two(desk)
    damage(audit_file(desk.folder / "data"))
    assert f"line {line}: " in desk.mistake("audit", "verify")
    if damage is cut:
        keys = day_keys(desk.folder / "data")
        keys.public(date(2026, 11, 23))
        message = desk.mistake("secrets", "destroy-day", "2026-11-23", "--reason", "erasure request 2026/31")
        assert "nothing is shown or changed" in message
        assert keys.days() == [date(2026, 11, 23)]


def write_two(desk: Desk) -> None:
    log = AuditLog(audit_file(desk.folder / "data"), who="uid 1", clock=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    log.write(Action.REVEAL, ["x:main:1"], "first reason")
    log.write(Action.REVEAL, ["x:main:2"], "second reason")


def test_a_mistake_is_json_for_scripts(desk: Desk) -> None:
    """On standard output, beside the message for a person."""
    result = desk.run("watch", "list", "--json")
    assert result.exit_code == 2
    assert "nothing runs" in json.loads(result.stdout)["error"]


@pytest.mark.parametrize("command", ["watch", "config", "dead-letters", "reveal", "audit", "secrets"])
def test_every_command_explains_itself(command: str) -> None:
    """--help of the command and of each of its subcommands."""
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("arguments", [("status", "--json", "--\udcffx"), ("config", "check", "--json", "yok-\udcff.yaml")])
def test_bytes_that_are_no_text_break_no_json(desk: Desk, arguments: tuple[str, ...]) -> None:
    """In the name of an option or of a file; a script still gets its one JSON value."""
    result = desk.run(*arguments)
    assert result.exit_code == 2
    assert "error" in json.loads(result.stdout)
