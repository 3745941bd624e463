"""Files as unlucky people have them: every line ends up somewhere, and a file that cannot be read says what to do."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.day_keys import DayKeys
from connectors.file_replay import LONGEST_FIELD, FileReplay, FileUnusable
from connectors.posts import Item, Post, Unusable
from connectors.privacy_gate import PrivacyGate
from processors.privacy.authors import PublicAccounts
from schemas.reasons import DeadLetterReason

NOW = datetime(2026, 11, 25, tzinfo=UTC)
TIME = "2026-11-24T03:00:00+03:00"


def line(**fields: Any) -> bytes:
    return json.dumps({"id": "1", "published_at": TIME, "text": "su yok", **fields}).encode()


def read(folder: Path, content: bytes, name: str = "posts.jsonl", encoding: str = "utf-8") -> list[Item]:
    file = folder / name
    file.write_bytes(content)
    return list(FileReplay(file, now=NOW, encoding=encoding).items(after=-1))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"id": [1]}, "id is neither"),
        ({"id": True}, "id is neither"),
        ({"id": 1.5}, "id is neither"),
        ({"id": "a" * (LONGEST_FIELD + 1)}, "id has 2001 characters"),
        ({"author": "😀" * 10_000}, "author has 10000 characters"),
        ({"author": {"id": "1", "handle": "h" * 5000}}, r"author\.handle has 5000"),
        ({"url": "x" * 5_000_000}, "link has 5000000"),
        ({"platform": {"x": "@ali_veli"}}, "platform is no name"),
        ({"instance": "i" * 100}, "instance is no name"),
    ],
)
def test_a_field_that_cannot_be_used_puts_the_line_aside(tmp_path: Path, fields: dict[str, Any], problem: str) -> None:
    """At the time of the line, for only the field is bad; the good line beside it is delivered."""
    good, bad = read(tmp_path, line(id="good") + b"\n" + line(**fields))
    assert isinstance(good.content, Post)
    assert isinstance(bad.content, Unusable)
    assert bad.content.reason is DeadLetterReason.INVALID_FIELD
    assert problem.replace("\\", "") in bad.content.problem
    assert "ali_veli" not in bad.content.problem
    assert bad.clock == good.clock


def test_nobody_is_named_by_a_field_of_another_meaning(tmp_path: Path) -> None:
    """A language that is none says nothing; a place is masked like a text; a number of followers that is none is unknown."""
    [item] = read(tmp_path, line(language="@ali_veli", place="@ali_veli 0532 123 45 67", author={"id": "7", "followers": True}))
    assert isinstance(item.content, Post)
    assert (item.content.language, item.content.followers) == (None, None)
    gate = PrivacyGate(b"k" * 16, PublicAccounts({}), DayKeys(tmp_path / "keys"), lambda: date(2026, 11, 25))
    mention = gate.mention(item.content, source="file:x", position=0, observed_at=item.clock)
    assert mention.place is not None
    assert "ali_veli" not in mention.model_dump_json(exclude={"sealed"})
    assert "532" not in mention.place


HEADER = "id;tarih;metin\n"


@pytest.mark.parametrize(
    ("name", "content", "encoding", "expected"),
    [
        ("a.jsonl", line().decode().encode("utf-16"), "utf-8", "iconv -f utf-16 -t utf-8"),
        ("a.jsonl", line(), "utf-16", "iconv -f utf-16 -t utf-8"),
        ("a.jsonl", line(), "rot13", "unknown encoding 'rot13'"),
        ("a.jsonl", line(), "utf-99", "unknown encoding 'utf-99'"),
        ("a.csv", HEADER.encode("utf-16"), "utf-8", "--encoding utf-16"),
        ("a.csv", (HEADER + "1;24.11.2026 03:00;şu").encode("windows-1254"), "utf-8", "--encoding windows-1254"),
        ("a.csv", (HEADER + '1;24.11.2026 03:00;"su\n2;24.11.2026 03:01;yok\n').encode(), "utf-8", "line 2: a quotation mark"),
        ("a.csv", HEADER.encode(), "utf-8", "no rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, encoding: str, expected: str
) -> None:
    """Before anything starts."""
    with pytest.raises(FileUnusable, match=r".") as refused:
        read(tmp_path, content, name, encoding)
    assert expected in str(refused.value)


def test_one_long_cell_does_not_end_the_whole_table(tmp_path: Path) -> None:
    """It is put aside; the rows beside it are delivered."""
    table = HEADER + f"1;24.11.2026 03:00;{'a' * 1_000_000}\n2;24.11.2026 03:01;su\n"
    long, good = read(tmp_path, table.encode(), "a.csv")
    assert isinstance(long.content, Unusable)
    assert long.content.reason is DeadLetterReason.TEXT_TOO_LONG
    assert isinstance(good.content, Post)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(tmp_path: Path, end: str) -> None:
    """Also as an old spreadsheet on a Mac does."""
    [item] = read(tmp_path, (HEADER + "1;24.11.2026 03:00;su\n").replace("\n", end).encode(), "a.csv")
    assert isinstance(item.content, Post)
