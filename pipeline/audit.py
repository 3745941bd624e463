"""The audit log: who looked at what, who changed what, and why. One writer for every command.

A file of JSON lines that is only ever appended to. Each entry carries the hash of the one before it, so that an entry
that was changed, removed from the middle or put in afterwards is found by `verify`. What the chain alone cannot show is
a tail that was cut off: note the last hash elsewhere (`nabiz audit verify` prints it) and ask for it again later.

Entries hold ids only, never a text, a handle or a link: the log outlives the posts.
"""

import fcntl
import hashlib
import os
import pwd
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError, field_validator

BEGINNING: Final = "0" * 64  # stands where the first entry's predecessor would be
SUBJECTS_PER_ENTRY: Final = 200
_ID: Final = re.compile(r"[A-Za-z0-9:._-]{1,200}")
_TAIL_BYTES: Final = 256 * 1024  # longer than the longest entry: 200 ids of 200 characters, and a reason


class Action(StrEnum):
    """What is written down: every look at a person or a text, and every change of what is listened for or kept."""

    REVEAL = "reveal"
    SHOW_DEAD_LETTER = "show_dead_letter"
    RETRY_DEAD_LETTER = "retry_dead_letter"
    SHOW_POSTS = "show_posts"
    KEY_DESTROYED = "key_destroyed"
    WATCH_APPLIED = "watch_applied"
    WATCH_DISABLED = "watch_disabled"
    EXPECTED = "expected"
    VERDICT = "verdict"
    BACKFILLED = "backfilled"


class AuditBroken(Exception):
    """The log cannot be continued, so nothing that must be written down may happen; the message says what to do."""


class AuditEntry(BaseModel):
    """One line of the log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: AwareDatetime
    who: str
    action: Action
    subject: tuple[str, ...]
    reason: str
    previous: str
    hash: str = ""

    @field_validator("subject")
    @classmethod
    def _ids_only(cls, subject: tuple[str, ...]) -> tuple[str, ...]:
        for found in subject:
            if not _ID.fullmatch(found):
                raise ValueError("the subject of an audit entry is an id, never a text or a handle")
        return subject

    def expected_hash(self) -> str:
        """SHA-256 over everything but the hash itself, in one spelling."""
        fields = self.model_dump(mode="json", exclude={"hash"})
        return hashlib.sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def line(self) -> bytes:
        """As it stands in the file."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """The first line at which the log is not what was written."""

    number: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found."""

    entries: int  # whole ones before the first broken line
    last_hash: str
    broken: BrokenLine | None


def audit_file(data: Path) -> Path:
    """Where the log of a data folder is."""
    return data / "audit" / "audit.jsonl"


def who_runs_this(name: str | None = None) -> str:
    """The account of this process; a name that somebody gives stands before it, never instead of it."""
    uid = os.getuid()
    try:
        account = f"{pwd.getpwuid(uid).pw_name}, uid {uid}"
    except KeyError:
        account = f"uid {uid}"
    return f"{name} ({account})" if name else account


class AuditLog:
    """Appends to the log of one data folder. Every command that shows a post's text writes here before it shows it."""

    def __init__(self, file: Path, *, who: str, clock: Callable[[], datetime]) -> None:
        self._file, self._who, self._clock = file, who, clock

    def write(self, action: Action, subject: Iterable[str], reason: str) -> None:
        """Returns when the entry is on the disk. Many subjects become several entries. Raises `AuditBroken`, `OSError`."""
        subjects = list(subject)
        self._make_folder()
        # One writer at a time: the next entry needs the hash of the last one.
        with os.fdopen(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "rb+") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            previous = self._last_hash(log)
            for start in range(0, max(len(subjects), 1), SUBJECTS_PER_ENTRY):
                entry = self._entry(action, tuple(subjects[start : start + SUBJECTS_PER_ENTRY]), reason, previous)
                log.write(entry.line())
                previous = entry.hash
            log.flush()
            os.fsync(log.fileno())

    def _make_folder(self) -> None:
        folder = self._file.parent
        if self._file.exists():
            return
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file.touch(mode=0o600)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # the name of a new file is durable only with its folder
        finally:
            os.close(descriptor)

    def _entry(self, action: Action, subject: tuple[str, ...], reason: str, previous: str) -> AuditEntry:
        entry = AuditEntry(
            at=self._clock().astimezone(UTC), who=self._who, action=action, subject=subject, reason=reason, previous=previous
        )
        return entry.model_copy(update={"hash": entry.expected_hash()})

    def _last_hash(self, log: IO[bytes]) -> str:
        size = log.seek(0, os.SEEK_END)
        if size == 0:
            return BEGINNING
        log.seek(max(0, size - _TAIL_BYTES))
        tail = log.read()
        problem = "the last line was not written to its end"
        if tail.endswith(b"\n"):
            entry, problem = _parse(tail[:-1].rsplit(b"\n", 1)[-1])
            if entry is not None:
                return entry.hash
        raise AuditBroken(
            f"{self._file} is damaged ({problem}), so nothing is shown or changed: find the place with 'nabiz audit verify', "
            "keep the file for whoever answers for data protection, and move it out of the folder; a new log begins then"
        )


def read(file: Path) -> Iterator[AuditEntry]:
    """The entries as they stand, without a look at the chain; nothing where there is no log yet. Raises `AuditBroken`."""
    for number, line in _lines(file):
        entry, problem = _parse(line)
        if entry is None:
            raise AuditBroken(f"{file}, line {number}: {problem}: look at it with 'nabiz audit verify'")
        yield entry


def verify(file: Path) -> Verdict:
    """Follow the chain to its end or to the first line that breaks it."""
    entries, last = 0, BEGINNING
    for number, line in _lines(file):
        entry, problem = _parse(line)
        if entry is not None and entry.previous != last:
            entry, problem = None, "does not follow the line before it: lines were removed, added or moved here"
        if entry is None:
            return Verdict(entries, last, BrokenLine(number, problem))
        entries, last = number, entry.hash
    return Verdict(entries, last, None)


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    if not file.exists():
        return
    with file.open("rb") as log:
        for number, line in enumerate(log, start=1):
            yield number, line.removesuffix(b"\n")


def _parse(line: bytes) -> tuple[AuditEntry | None, str]:
    """The entry of a line, or None and what is wrong with it."""
    try:
        entry = AuditEntry.model_validate_json(line)
    except ValidationError:
        return None, "the line is no audit entry"
    if entry.expected_hash() != entry.hash:
        return None, "the line does not fit its own hash: it was changed after it was written"
    return entry, ""
