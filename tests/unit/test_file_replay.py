"""A file of posts in any state: each line becomes a post, a refusal or a dead letter with a reason; none is lost."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.file_replay import LONGEST_TEXT, FileReplay, FileUnusable, parse_line
from connectors.posts import Item, Post, Refused, Removal, Unusable
from schemas.reasons import DeadLetterReason, RefusalReason

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MORNING = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {"id": "1", "published_at": "2026-11-24T03:00:00+03:00", "text": "Sular akmıyor"}


def line(**changes: Any) -> bytes:
    """A good line with changes; None leaves a field out."""
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return json.dumps(fields, ensure_ascii=False).encode()


def items(folder: Path, *lines: bytes, name: str = "posts.jsonl", encoding: str = "utf-8") -> list[Item]:
    file = folder / name
    file.write_bytes(b"\n".join(lines) + b"\n")
    return list(FileReplay(file, now=NOW, encoding=encoding).items(after=-1))


def only(folder: Path, bad: bytes, **settings: Any) -> Any:
    """What becomes of a line that stands behind a good one."""
    first, second = items(folder, line(id="good", published_at="2026-11-01T00:00:00Z"), bad, **settings)
    assert isinstance(first.content, Post)
    return second.content


def unusable(content: Any) -> tuple[DeadLetterReason, str]:
    assert isinstance(content, Unusable), content
    return content.reason, content.problem


# -- good lines ---------------------------------------------------------------------------------------------------------


def test_a_post_has_all_that_the_line_says(tmp_path: Path) -> None:
    """The nested author of our own format."""
    author = {"id": "u1", "handle": "ornek_hesap", "followers": 120}
    found = only(
        tmp_path,
        line(platform="X Örnek", instance="Ana", author=author, url="https://ornek.example/1", place="Karşıyaka", lang="tr"),
    )
    assert found == Post(
        native_id="1", platform="x-rnek", instance="ana", text="Sular akmıyor", published_at=MORNING, author_id="u1",
        handle="ornek_hesap", followers=120, link="https://ornek.example/1", place="Karşıyaka", language="tr",
    )  # fmt: skip


def test_a_post_needs_a_text_and_a_time_only(tmp_path: Path) -> None:
    """Its id is then a hash of what makes it this post."""
    [one], [again], [other] = (items(tmp_path, line(id=None, text=text)) for text in ("su", "su", "suyu"))
    assert one.content.native_id == again.content.native_id != other.content.native_id
    assert one.content.native_id.startswith("hash-")


@pytest.mark.parametrize(
    "names",
    [
        {"tweet_id": "7", "full_text": "su", "created_at": "2026-11-24T00:00:00Z", "username": "ornek"},
        {"native_id": 7, "content": "su", "timestamp": 1_795_478_400, "user": "ornek"},
        {"post_id": "7", "metin": "su", "tarih": "24.11.2026 03:00", "handle": "ornek", "author_id": "u"},
        {"id": "7", "mesaj": "su", "date": "24/11/2026 03:00:00", "author": "ornek"},
        {"id": "7", "mesaj": "su", "time": "1795478400000", "author": "ornek"},
    ],
)
def test_common_names_of_columns_are_understood(tmp_path: Path, names: dict[str, Any]) -> None:
    """So are times as ISO 8601, in Turkish spelling, and as seconds or milliseconds since 1970."""
    [item] = items(tmp_path, json.dumps(names).encode())
    assert isinstance(item.content, Post)
    assert (item.content.native_id, item.content.text, item.content.published_at) == ("7", "su", MORNING)
    assert item.content.handle == "ornek"


def test_a_time_without_a_zone_is_turkiye_s(tmp_path: Path) -> None:
    """Exports of institutions hold local times."""
    [item] = items(tmp_path, line(published_at="2026-11-24 03:00:00"))
    assert item.clock == MORNING


def test_a_removal_names_its_post(tmp_path: Path) -> None:
    """With the time at which it happened; the post itself is no duplicate of it."""
    removal = b'{"type": "delete", "id": "1", "deleted_at": "2026-11-24T04:00:00+03:00"}'
    post, found = items(tmp_path, line(), removal)
    assert isinstance(post.content, Post)
    assert found.content == Removal(native_id="1", platform="file")
    assert found.clock == MORNING + timedelta(hours=1)


# -- bad lines ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "reason", "problem"),
    [
        (b"{", DeadLetterReason.NOT_JSON, "line 2: not JSON: "),
        (b"Sular akmiyor", DeadLetterReason.NOT_JSON, "line 2: not JSON: "),
        (b"[1, 2]", DeadLetterReason.NOT_JSON, "line 2: not a JSON object"),
        (b"\x00\x01\x02", DeadLetterReason.NOT_JSON, "line 2: not JSON: "),
        (line(text="Çınarlı").decode().encode("windows-1254"), DeadLetterReason.NOT_UTF8, "line 2: not utf-8 at byte "),
        (line(text=None), DeadLetterReason.INVALID_FIELD, "line 2: no text"),
        (line(text=7), DeadLetterReason.INVALID_FIELD, "line 2: text is not a string"),
        (line(published_at=None), DeadLetterReason.INVALID_FIELD, "line 2: no time: expected published_at"),
        (line(published_at="dün akşam"), DeadLetterReason.INVALID_FIELD, "line 2: published_at is not a time: use ISO 8601, e.g. "),
        (line(published_at="31.02.2026"), DeadLetterReason.INVALID_FIELD, "line 2: published_at is not a time"),
        (line(published_at=True), DeadLetterReason.INVALID_FIELD, "line 2: published_at is not a time"),
        (line(published_at=1e300), DeadLetterReason.INVALID_FIELD, "line 2: published_at is not a time"),
        (line(id=["1"]), DeadLetterReason.INVALID_FIELD, "line 2: id is neither a string nor a number"),
        (line(text="a" * (LONGEST_TEXT + 1)), DeadLetterReason.TEXT_TOO_LONG, "line 2: a text of 20001 characters, more than 20000"),
        (line(text="ş" * 1_000_000), DeadLetterReason.TEXT_TOO_LONG, "line 2: a text of 1000000 characters, more than 20000"),
    ],
)  # fmt: skip
def test_a_bad_line_is_put_aside_with_its_reason(tmp_path: Path, bad: bytes, reason: DeadLetterReason, problem: str) -> None:
    """And with its bytes, so that it can be shown and tried again; the problem does not quote it."""
    content = only(tmp_path, bad)
    assert unusable(content)[0] is reason
    assert unusable(content)[1].startswith(problem)
    assert content.original.rstrip(b"\n") == bad
    assert len(content.problem) < 200


@pytest.mark.parametrize(
    ("legal", "reason"),
    [
        (line(text=""), RefusalReason.NO_TEXT),
        (line(text=" \u00a0\n"), RefusalReason.NO_TEXT),
        (line(published_at="2099-01-01T00:00:00Z"), RefusalReason.IMPLAUSIBLE_TIME),
        (line(published_at="1970-01-01T00:00:00Z"), RefusalReason.IMPLAUSIBLE_TIME),
        (line(published_at=0), RefusalReason.IMPLAUSIBLE_TIME),
        (line(id="good"), RefusalReason.DUPLICATE),
    ],
)
def test_legal_input_that_is_not_taken_is_refused(tmp_path: Path, legal: bytes, reason: RefusalReason) -> None:
    """Counted, never stored."""
    assert only(tmp_path, legal) == Refused(reason=reason)


def test_ten_minutes_of_future_are_a_wrong_clock_and_no_mistake(tmp_path: Path) -> None:
    """One second more is implausible."""
    edge = NOW + timedelta(minutes=10)
    assert isinstance(only(tmp_path, line(published_at=edge.isoformat())), Post)
    assert only(tmp_path, line(published_at=(edge + timedelta(seconds=1)).isoformat())) == Refused(
        reason=RefusalReason.IMPLAUSIBLE_TIME
    )


@pytest.mark.parametrize("native_id", ["ş/ğ:ı", "a\x00b", "💧", '"; DROP TABLE', "../..", " ", "0", "a" * 500, 0, -1, 2**63])
def test_an_id_may_be_anything(tmp_path: Path, native_id: str | int) -> None:
    """It is hashed before anybody sees it."""
    assert only(tmp_path, line(id=native_id)).native_id == str(native_id)


@pytest.mark.parametrize("text", ["a\x00b", "\u202e ters", "👩‍👩‍👧", "a" * LONGEST_TEXT, "\ufeff", "<script>"])
def test_a_text_may_be_anything(tmp_path: Path, text: str) -> None:
    """It arrives as it is."""
    assert only(tmp_path, line(text=text)).text == text


# -- the file as a whole ------------------------------------------------------------------------------------------------


def test_the_newest_post_may_come_first(tmp_path: Path) -> None:
    """Positions and clocks follow the time, whatever the order of the lines."""
    lines = [line(id=str(hour), published_at=f"2026-11-23T{hour:02}:00:00Z") for hour in range(24)]
    newest_first, oldest_first = items(tmp_path, *reversed(lines)), items(tmp_path, *lines)
    assert [item.content for item in newest_first] == [item.content for item in oldest_first]
    assert [item.position for item in newest_first] == list(range(24))


def test_it_goes_on_behind_a_position(tmp_path: Path) -> None:
    """As after a restart."""
    file = tmp_path / "posts.jsonl"
    file.write_bytes(b"\n".join(line(id=str(number)) for number in range(9)))
    source = FileReplay(file, now=NOW)
    assert list(source.items(after=4)) == list(source.items(after=-1))[5:]
    assert list(source.items(after=8)) == []
    assert (source.total, source.span) == (9, (MORNING, MORNING))


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    """Also with the line ends of Windows, and a mark of byte order in front."""
    assert len(items(tmp_path, b"\xef\xbb\xbf" + line() + b"\r", b"", b"  \r", line(id="2"))) == 2


def test_a_bad_line_before_the_first_good_one_waits_for_a_time(tmp_path: Path) -> None:
    """It has none of its own, and must not be lost."""
    found = items(tmp_path, b"{", line())
    assert [type(item.content) for item in found] == [Unusable, Post]
    assert {item.clock for item in found} == {MORNING}


def test_the_name_follows_the_content(tmp_path: Path) -> None:
    """A changed file is another source: positions in it mean something else."""
    file = tmp_path / "posts.jsonl"
    file.write_bytes(line())
    before, again = FileReplay(file, now=NOW), FileReplay(file, now=NOW)
    file.write_bytes(line(text="başka"))
    after = FileReplay(file, now=NOW)
    assert (before.name, before.fingerprint) == (again.name, again.fingerprint)
    assert before.name != after.name
    assert before.fingerprint != after.fingerprint


@pytest.mark.parametrize(
    ("name", "content", "encoding", "expected"),
    [
        ("p.jsonl", b"", "utf-8", "is empty: expected one post a line"),
        ("p.jsonl", b"\n\n", "utf-8", "is empty: expected one post a line"),
        ("p.jsonl", b"a\nb\n", "utf-8", "none of its 2 lines is a post with a time"),
        ("p.jsonl", line(published_at="1970-01-01"), "utf-8", "none of its 1 lines is a post with a time"),
        ("p.jsonl", line(), "klingon", "unknown encoding 'klingon': try utf-8 or windows-1254"),
        ("p.csv", b"", "utf-8", "no rows: the first line names the columns, posts follow"),
        ("p.csv", b"id;text;date\n", "utf-8", "no rows"),
        ("p.csv", b"id;date\n1;24.11.2026\n", "utf-8", "no column for text; found id, date; rename one to text or full_text or"),
        ("p.csv", b"id;text\n1;su\n", "utf-8", "no column for published_at; found id, text; rename one to published_at or"),
        ("p.csv", "metin;tarih\nÇınar;24.11.2026\n".encode("windows-1254"), "utf-8", "name its encoding, e.g. --encoding windows-1254"),
        ("p.csv", b"metin;tarih\nsu;24.11.2026\n", "klingon", "unknown encoding 'klingon'"),
    ],
)  # fmt: skip
def test_a_file_without_posts_says_what_to_do(tmp_path: Path, name: str, content: bytes, encoding: str, expected: str) -> None:
    """Before anything is started for it."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileUnusable) as refused:
        FileReplay(file, now=NOW, encoding=encoding)
    assert expected in str(refused.value)


@pytest.mark.parametrize("name", ["missing.jsonl", "missing.csv", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """So is a folder in its place."""
    with pytest.raises(FileUnusable, match="cannot be read: "):
        FileReplay(tmp_path / name, now=NOW)


# -- tables -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_table_of_the_office_is_read(tmp_path: Path, delimiter: str) -> None:
    """Semicolons, commas or tabs, windows-1254, Turkish dates, line breaks within a cell."""
    rows = [["Tarih", "Metin", "Username"], ["24.11.2026 03:00", '"Çınarlı\'da ""su"" yok\nüç saattir"', "ornek_hesap"]]
    content = "\r\n".join(delimiter.join(row) for row in rows).encode("windows-1254")
    (tmp_path / "tablo.csv").write_bytes(content)
    [item] = FileReplay(tmp_path / "tablo.csv", now=NOW, encoding="windows-1254").items(after=-1)
    assert isinstance(item.content, Post)
    assert item.content.text == 'Çınarlı\'da "su" yok\nüç saattir'
    assert (item.clock, item.content.handle) == (MORNING, "ornek_hesap")


def test_a_row_of_another_length_is_put_aside(tmp_path: Path) -> None:
    """With its line as the office sees it, header included."""
    (tmp_path / "tablo.csv").write_text("id;metin;tarih\n1;su;24.11.2026\n2;su; kesildi;24.11.2026\n", encoding="utf-8")
    _, bad = FileReplay(tmp_path / "tablo.csv", now=NOW).items(after=-1)
    assert unusable(bad.content) == (DeadLetterReason.NOT_A_ROW, "line 3: 4 columns instead of 3")


def test_a_bad_row_can_be_read_alone(tmp_path: Path) -> None:
    """What is put aside names its columns, so that a corrected version understands it."""
    (tmp_path / "tablo.csv").write_text("id;metin;tarih\n1;su;24.11.2026\n2;su;dün\n", encoding="utf-8")
    _, bad = FileReplay(tmp_path / "tablo.csv", now=NOW).items(after=-1)
    assert isinstance(bad.content, Unusable)
    assert json.loads(bad.content.original) == {"id": "2", "metin": "su", "tarih": "dün"}
    corrected = bad.content.original.replace("dün".encode(), b"24.11.2026 03:00")
    time, content = parse_line(corrected, now=NOW)
    assert (time, type(content)) == (MORNING, Post)


# -- everything ---------------------------------------------------------------------------------------------------------

anything = st.one_of(
    st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b" ")),
    st.dictionaries(
        st.sampled_from(["id", "text", "published_at", "platform", "author", "type", "url", "lang", "place", "instance"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-11-24T00:00:00Z") | st.just("delete"),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "handle", "followers"]), inner, max_size=3),
            max_leaves=4,
        ),
    ).map(lambda fields: json.dumps(fields).encode()),
)  # fmt: skip


@given(st.lists(anything, max_size=12))
def test_every_line_becomes_one_item(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    """Whatever stands in it: read = admitted + deleted + refused + dead."""
    found = items(tmp_path_factory.mktemp("f"), line(id="good"), *lines)
    assert len(found) == 1 + sum(bool(each.strip()) for each in lines)
    assert [item.position for item in found] == list(range(len(found)))
    assert Counter(type(item.content) for item in found)[Post] >= 1
    assert [item.clock for item in found] == sorted(item.clock for item in found)
