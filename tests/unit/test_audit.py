"""The audit log: what was written stays as it was, and a change is found."""

import multiprocessing
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.audit import SUBJECTS_PER_ENTRY, Action, AuditBroken, AuditLog, audit_file, read, verify, who_runs_this

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def log_in(data: Path) -> AuditLog:
    return AuditLog(audit_file(data), who="ayse, uid 1000", clock=lambda: NOON)


def three_entries(data: Path) -> Path:
    log = log_in(data)
    for number in range(3):
        log.write(Action.REVEAL, [f"x:main:{number}"], f"reason {number}")
    return audit_file(data)


def test_entries_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Order, subject and reason come back; the file belongs to its user alone."""
    file = three_entries(tmp_path)
    assert [(entry.subject, entry.reason) for entry in read(file)] == [((f"x:main:{n}",), f"reason {n}") for n in range(3)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    verdict = verify(file)
    assert (verdict.entries, verdict.broken) == (3, None)
    assert verdict.last_hash == list(read(file))[-1].hash


def test_no_log_is_an_empty_log(tmp_path: Path) -> None:
    """Before the first entry there is nothing to break."""
    assert verify(audit_file(tmp_path)).entries == 0
    assert list(read(audit_file(tmp_path))) == []


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_changed_line_is_found(tmp_path: Path, line: int) -> None:
    """Another reason in an entry breaks the chain at that very line."""
    file = three_entries(tmp_path)
    lines = file.read_text().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(f"reason {line - 1}", "excuse")
    file.write_text("".join(lines))
    broken = verify(file).broken
    assert broken is not None
    assert broken.number == line
    assert "changed" in broken.problem


@pytest.mark.parametrize("kept", [[0, 2], [1, 2], [1, 0, 2], [0, 0, 1, 2]])
def test_a_removed_moved_or_doubled_line_is_found(tmp_path: Path, kept: list[int]) -> None:
    """Each line has to follow the one before it."""
    file = three_entries(tmp_path)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[number] for number in kept))
    assert verify(file).broken is not None


@pytest.mark.parametrize("damage", [b'{"at": "2026', b"not an entry\n", b"\n"])
def test_nothing_is_written_behind_a_damaged_line(tmp_path: Path, damage: bytes) -> None:
    """A torn or foreign last line stops the log, and the message says what to do."""
    file = three_entries(tmp_path)
    with file.open("ab") as log:
        log.write(damage)
    before = file.read_bytes()
    with pytest.raises(AuditBroken, match=r"nabiz audit verify.*move it out of the folder"):
        log_in(tmp_path).write(Action.REVEAL, ["x:main:3"], "another one")
    assert file.read_bytes() == before
    broken = verify(file).broken
    assert broken is not None
    assert broken.number == 4


def test_a_last_line_that_was_changed_stops_the_log(tmp_path: Path) -> None:
    """Whoever rewrote the last entry cannot have the chain continue from it."""
    file = three_entries(tmp_path)
    file.write_text(file.read_text().replace("reason 2", "reason 9"))
    with pytest.raises(AuditBroken, match="changed after it was written"):
        log_in(tmp_path).write(Action.REVEAL, ["x:main:3"], "another one")


@pytest.mark.parametrize("subject", ["@ayse", "su yok", "a" * 201, "", "ayşe"])
def test_a_subject_is_an_id(tmp_path: Path, subject: str) -> None:
    """Texts and handles cannot come into the log by mistake."""
    with pytest.raises(ValidationError, match="never a text or a handle"):
        log_in(tmp_path).write(Action.REVEAL, [subject], "a mistake of ours")
    assert verify(audit_file(tmp_path)).entries == 0


def test_many_subjects_become_several_entries(tmp_path: Path) -> None:
    """No id is left out, and the log goes on behind a long entry."""
    log = log_in(tmp_path)
    ids = [f"file:abc:{'x' * 180}{number}" for number in range(2 * SUBJECTS_PER_ENTRY + 1)]
    log.write(Action.RETRY_DEAD_LETTER, ids, "the new version reads them")
    log.write(Action.REVEAL, ["x:main:1"], "after the long ones")
    entries = list(read(audit_file(tmp_path)))
    assert [found for entry in entries[:3] for found in entry.subject] == ids
    assert verify(audit_file(tmp_path)).entries == 4


def test_a_name_does_not_replace_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """--as says who sits there; the account that ran the command stays visible."""
    monkeypatch.setattr("os.getuid", lambda: 999_999)
    assert who_runs_this() == "uid 999999"
    assert who_runs_this("Ayşe Yılmaz") == "Ayşe Yılmaz (uid 999999)"


def _write_many(data: Path) -> None:
    for number in range(25):
        log_in(data).write(Action.REVEAL, [f"x:main:{number}"], "at the same time")


def test_writers_at_the_same_time_make_one_chain(tmp_path: Path) -> None:
    """Four processes, a hundred entries, no fork in the chain."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path,)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    verdict = verify(audit_file(tmp_path))
    assert (verdict.entries, verdict.broken) == (100, None)
