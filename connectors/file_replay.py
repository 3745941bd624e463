"""Source: a file of posts, JSON lines or CSV, replayed on the file's own clock.

The file is read twice: first to learn when each post appeared, what is unusable and what stands in it twice, then, in
the order of time, to deliver. So a file whose newest post comes first is as good as any.

Known columns, the first that is there counts:
id | native_id | tweet_id | post_id · text | full_text | content | metin | mesaj · published_at | created_at | date | time |
timestamp | tarih · platform · instance · author (an object with id, handle, followers) | author_id | author | user |
username | handle · url | link | permalink · place · language | lang · type: "delete" with deleted_at for a removal
"""

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson

from connectors.posts import Content, Item, Post, Refused, Removal, Unusable
from schemas.reasons import DeadLetterReason, RefusalReason

EARLIEST: Final = datetime(2005, 1, 1, tzinfo=UTC)  # before that no platform of today existed
FUTURE: Final = timedelta(minutes=10)
LONGEST_TEXT: Final = 20_000  # characters; the longest post of any platform that we know is shorter
LONGEST_FIELD: Final = 2_000  # of an id, a handle, a link: together with the text it must fit into one record
LONGEST_PLATFORM: Final = 60
LONGEST_CELL: Final = 8 * 1024 * 1024  # csv's own limit is 128 KiB, and one long cell would end the whole file
TURKIYE: Final = timezone(timedelta(hours=3))

_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "native_id", "tweet_id", "post_id"),
    "text": ("text", "full_text", "content", "metin", "mesaj"),
    "published_at": ("published_at", "created_at", "deleted_at", "date", "time", "timestamp", "tarih"),
    "author": ("author_id", "author", "user", "username"),
    "handle": ("handle", "username", "screen_name", "author", "user"),
    "link": ("url", "link", "permalink"),
    "language": ("language", "lang"),
}
_TURKISH_DATE: Final = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_NAME: Final = re.compile(r"[^a-z0-9.-]+")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
_WIDE_MARKS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class FileUnusable(Exception):
    """The file as a whole cannot be replayed; the message says what to do."""


class _Bad(ValueError):
    def __init__(self, problem: str, reason: DeadLetterReason = DeadLetterReason.INVALID_FIELD) -> None:
        super().__init__(problem)
        self.problem, self.reason = problem, reason


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line and when it counts; lines without a usable time count at the time of the line before."""

    clock: datetime
    line: int
    start: int
    length: int
    duplicate: bool


class FileReplay:
    """Implements `connectors.posts.Source`. The constructor reads the whole file; raises `FileUnusable`."""

    def __init__(
        self,
        file: Path,
        *,
        now: datetime,
        encoding: str = "utf-8",
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> None:
        self._file, self._encoding, self._latest = file, encoding, now + FUTURE
        self._rows: list[list[str]] | None = None
        self._header: list[str] = []
        digest = hashlib.sha256()
        if file.suffix.lower() in (".csv", ".tsv"):
            self._read_csv(digest)
        else:
            _require_bytes_of_lines(file, encoding)
        entries = self._scan(digest, progress)
        self._fingerprint = digest.hexdigest()
        self._entries = sorted(entries, key=lambda entry: (entry.clock, entry.line))

    @property
    def name(self) -> str:
        """See `Source`."""
        stem = _NAME.sub("-", self._file.stem.lower()).strip("-")[:40] or "posts"
        return f"file:{stem}-{self._fingerprint[:8]}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content."""
        return self._fingerprint

    @property
    def total(self) -> int:
        """Lines that are not blank."""
        return len(self._entries)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Times of the first and the last post."""
        return self._entries[0].clock, self._entries[-1].clock

    @property
    def longest_gap(self) -> tuple[datetime, datetime]:
        """Times of the two posts with most time between them."""
        times = [entry.clock for entry in self._entries]
        return max(pairwise(times), key=lambda pair: pair[1] - pair[0], default=self.span)

    def items(self, after: int) -> Iterator[Item]:
        """See `Source`. Positions count from 0 in the order of time."""
        with self._file.open("rb") as file:
            for position in range(after + 1, len(self._entries)):
                entry = self._entries[position]
                yield Item(position, entry.clock, self._content(entry, self._original(file, entry)))

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read_csv(self, digest: Any) -> None:
        raw = _read(self._file)
        digest.update(raw)
        _require_encoding(self._encoding)
        try:
            text = raw.decode("utf-8-sig" if self._encoding == "utf-8" else self._encoding)
        except UnicodeError as error:
            meant = "utf-16" if raw.startswith(_WIDE_MARKS) else "windows-1254"
            where = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
            raise FileUnusable(
                f"{self._file}: not {self._encoding}{where}: name its encoding, e.g. --encoding {meant}"
            ) from error
        rows = _rows(self._file, text.replace("\r\n", "\n").replace("\r", "\n"))  # of Windows, and of old spreadsheets on a Mac
        if len(rows) < 2:
            raise FileUnusable(f"{self._file}: no rows: the first line names the columns, posts follow")
        self._header, self._rows = [column.strip().lower() for column in rows[0]], rows[1:]
        for needed in ("text", "published_at"):
            if not set(self._header) & set(_ALIASES[needed]):
                raise FileUnusable(
                    f"{self._file}: no column for {needed}; found {', '.join(self._header)}; "
                    f"rename one to {' or '.join(_ALIASES[needed])}"
                )

    def _scan(self, digest: Any, progress: Callable[[int, int], None]) -> list[_Entry]:
        seen: set[bytes] = set()
        entries: list[_Entry] = []
        clock = None
        waiting: list[tuple[int, int, int]] = []  # unusable lines before the first time
        for line, start, length, original in self._lines(digest, progress):
            time, duplicate = self._look(original, seen)
            clock = time or clock
            if clock is None:
                waiting.append((line, start, length))
                continue
            entries += [_Entry(clock, *place, duplicate=False) for place in waiting]
            waiting.clear()
            entries.append(_Entry(clock, line, start, length, duplicate))
        if not entries and not waiting:
            raise FileUnusable(f"{self._file} is empty: expected one post a line, e.g. {_EXAMPLE}")
        if not entries:
            raise FileUnusable(f"{self._file}: none of its {len(waiting)} lines is a post with a time, e.g. {_EXAMPLE}")
        return entries

    def _lines(self, digest: Any, progress: Callable[[int, int], None]) -> Iterator[tuple[int, int, int, bytes | list[str]]]:
        if self._rows is not None:
            for number, row in enumerate(self._rows):
                if any(cell.strip() for cell in row):
                    yield number, number, 1, row
            return
        size, start = _size(self._file), 0
        with self._file.open("rb") as file:
            for number, original in enumerate(file):
                digest.update(original)
                if original.strip():
                    yield number, start, len(original), original
                start += len(original)
                if number % 1000 == 0:
                    progress(start, size)

    def _look(self, original: bytes | list[str], seen: set[bytes]) -> tuple[datetime | None, bool]:
        """The time of a line, if it has a plausible one, and whether its id came before."""
        try:
            fields = self._fields(original)
            time = _time(fields)
        except _Bad:
            return None, False
        if not EARLIEST <= time <= self._latest:
            return None, False
        try:
            identity = (fields.get("type"), _platform(fields), _native_id(fields))
        except _Bad:
            return time, False
        key = hashlib.blake2b(repr(identity).encode(), digest_size=12).digest()
        duplicate = key in seen
        seen.add(key)
        return time, duplicate

    def _original(self, file: io.BufferedReader, entry: _Entry) -> bytes | list[str]:
        if self._rows is not None:
            return self._rows[entry.start]
        file.seek(entry.start)
        return file.read(entry.length)

    # -- meaning ----------------------------------------------------------------------------------------------------

    def _content(self, entry: _Entry, original: bytes | list[str]) -> Content:
        if entry.duplicate:
            return Refused(reason=RefusalReason.DUPLICATE)
        try:
            return _meaning(self._fields(original), self._latest)
        except _Bad as bad:
            problem = f"line {entry.line + 1 + (self._rows is not None)}: {bad.problem}"
            return Unusable(reason=bad.reason, problem=problem, original=self._kept(original))

    def _kept(self, original: bytes | list[str]) -> bytes:
        """What is put aside of a line: as it is, or, for a row, with the names of its columns, so that it can be read alone."""
        if isinstance(original, bytes):
            return original
        if len(original) != len(self._header):
            return ";".join(original).encode()
        return orjson.dumps({name: cell or None for name, cell in zip(self._header, original, strict=True)})

    def _fields(self, original: bytes | list[str]) -> dict[str, Any]:
        if isinstance(original, bytes):
            return _json_fields(original, self._encoding)
        if len(original) != len(self._header):
            raise _Bad(f"{len(original)} columns instead of {len(self._header)}", DeadLetterReason.NOT_A_ROW)
        return {name: cell or None for name, cell in zip(self._header, original, strict=True)}


def parse_line(original: bytes, *, now: datetime, encoding: str = "utf-8") -> tuple[datetime | None, Content]:
    """One line of a JSON lines file on its own, as a dead letter keeps it, and when it counts. Raises `FileUnusable`.

    Whether the same post stands in another line is not known here; its id makes a second delivery harmless.
    """
    try:
        fields = _json_fields(original, encoding)
        return _time(fields), _meaning(fields, now + FUTURE)
    except _Bad as bad:
        return None, Unusable(reason=bad.reason, problem=bad.problem, original=original)


def _json_fields(original: bytes, encoding: str) -> dict[str, Any]:
    _require_encoding(encoding)
    try:
        text = original.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeError as error:
        where = f" at byte {error.start} of the line" if isinstance(error, UnicodeDecodeError) else ""
        raise _Bad(f"not {encoding}{where}", DeadLetterReason.NOT_UTF8) from error
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _Bad(f"not JSON: {error.msg}", DeadLetterReason.NOT_JSON) from error
    if not isinstance(fields, dict):
        raise _Bad("not a JSON object", DeadLetterReason.NOT_JSON)
    return fields


def _meaning(fields: Mapping[str, Any], latest: datetime) -> Post | Removal | Refused:
    time = _time(fields)
    if not EARLIEST <= time <= latest:
        return Refused(reason=RefusalReason.IMPLAUSIBLE_TIME)
    native_id, platform, instance = _native_id(fields), _platform(fields), _slug(fields, "instance", "main")
    if fields.get("type") == "delete":
        return Removal(native_id=native_id, platform=platform, instance=instance)
    text = _first(fields, "text")
    if not isinstance(text, str):
        raise _Bad("no text" if text is None else "text is not a string")
    if not text.strip():
        return Refused(reason=RefusalReason.NO_TEXT)
    if len(text) > LONGEST_TEXT:
        raise _Bad(f"a text of {len(text)} characters, more than {LONGEST_TEXT}", DeadLetterReason.TEXT_TOO_LONG)
    return Post(
        native_id=native_id,
        platform=platform,
        instance=instance,
        text=text,
        published_at=time,
        **_author(fields),
        **_about(fields),
    )


_LAST_ROW: Final = "nabiz: the end of the file"  # behind the text: a field that is still open there swallows it
_EXAMPLE: Final = '{"id": "1", "published_at": "2026-11-24T03:00:00+03:00", "text": "…"}'


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileUnusable(f"{file} cannot be read: {error.strerror}") from error


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise FileUnusable(f"{file} cannot be read: {error.strerror}") from error


@cache
def _require_encoding(encoding: str) -> None:
    try:
        known = bool(codecs.lookup(encoding)._is_text_encoding)  # rot13, zip and hex are codecs, too
    except (LookupError, ValueError):  # ValueError: a name with a null character
        known = False
    if not known:
        raise FileUnusable(f"unknown encoding {encoding!r}: try utf-8 or windows-1254")


def _require_bytes_of_lines(file: Path, encoding: str) -> None:
    """JSON lines are found by their line feeds, before anything is decoded. Raises `FileUnusable`."""
    _require_encoding(encoding)
    try:
        with file.open("rb") as opened:
            start = opened.read(4)
    except OSError as error:
        raise FileUnusable(f"{file} cannot be read: {error.strerror}") from error
    if start.startswith(_WIDE_MARKS) or "\n".encode(encoding) != b"\n":
        raise FileUnusable(
            f"{file}: lines of UTF-16 cannot be read: convert it, e.g. iconv -f utf-16 -t utf-8 {file} > posts.jsonl"
        )


def _rows(file: Path, text: str) -> list[list[str]]:
    """All rows, the header first. Raises `FileUnusable`."""
    csv.field_size_limit(LONGEST_CELL)
    whole = text if text.endswith("\n") else text + "\n"
    reader = csv.reader(io.StringIO(whole + _LAST_ROW), delimiter=_delimiter(text))
    rows: list[list[str]] = []
    began = last = 1
    try:
        for row in reader:
            rows.append(row)
            if row == [_LAST_ROW]:
                return rows[:-1]
            began, last = reader.line_num + 1, began
    except csv.Error as error:
        raise FileUnusable(
            f"{file}, line {reader.line_num}: {error}: correct that line, or save the file as JSON lines"
        ) from error
    raise FileUnusable(f"{file}, line {last}: a quotation mark opens a field that is never closed: correct that line")


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max(";,\t", key=header.count)


def _first(fields: Mapping[str, Any], name: str) -> Any:
    return next((fields[alias] for alias in _ALIASES[name] if fields.get(alias) is not None), None)


def _native_id(fields: Mapping[str, Any]) -> str:
    """The id, or, where there is none, a hash of what makes the post this post."""
    native = _first(fields, "id")
    if native is not None and (isinstance(native, bool) or not isinstance(native, str | int)):
        raise _Bad("id is neither a string nor a number")
    if native is not None and str(native):
        return _short(str(native), "id")
    content = orjson.dumps([_first(fields, "published_at"), _first(fields, "text"), _first(fields, "author")], default=str)
    return "hash-" + hashlib.sha256(content).hexdigest()[:32]


def _platform(fields: Mapping[str, Any]) -> str:
    return _slug(fields, "platform", "file")


def _slug(fields: Mapping[str, Any], name: str, default: str) -> str:
    """Readable everywhere, so that an object with a handle in it must not become one."""
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > LONGEST_PLATFORM:
        raise _Bad(f"{name} is no name of at most {LONGEST_PLATFORM} characters")
    return _NAME.sub("-", value.lower()).strip("-") or default


def _short(value: str, name: str) -> str:
    if len(value) > LONGEST_FIELD:
        raise _Bad(f"{name} has {len(value)} characters, more than {LONGEST_FIELD}")
    return value


def _time(fields: Mapping[str, Any]) -> datetime:
    value = _first(fields, "published_at")
    if value is None:
        raise _Bad("no time: expected published_at")
    try:
        return parse_time(value).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _Bad("published_at is not a time: use ISO 8601, e.g. 2026-11-24T03:00:00+03:00") from error


def parse_time(value: Any) -> datetime:
    """ISO 8601, seconds or milliseconds since the epoch, or 24.11.2026 03:00; without a zone it is Türkiye's time."""
    if isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004 - answered like every other value that is no time
    if isinstance(value, int | float) or (isinstance(value, str) and value.strip().isdigit()):
        number = float(value)
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    text = str(value).strip()
    turkish = _TURKISH_DATE.fullmatch(text)
    if turkish:
        day, month, year, hour, minute, second = (int(part or 0) for part in turkish.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=TURKIYE)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=TURKIYE)


def _author(fields: Mapping[str, Any]) -> dict[str, Any]:
    nested = fields.get("author")
    if isinstance(nested, Mapping):
        followers = nested.get("followers")
        return {
            "author_id": _text(nested.get("id"), "author.id"),
            "handle": _text(nested.get("handle"), "author.handle"),
            "followers": followers if isinstance(followers, int) and not isinstance(followers, bool) else None,
        }
    return {"author_id": _text(_first(fields, "author"), "author"), "handle": _text(_first(fields, "handle"), "handle")}


def _about(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "link": _text(_first(fields, "link"), "link"),
        "place": _text(fields.get("place"), "place"),
        "language": _language(_first(fields, "language")),
    }


def _text(value: Any, name: str) -> str | None:
    return _short(str(value), name) if isinstance(value, str | int) and str(value) else None


def _language(value: Any) -> str | None:
    """A language tag; anything else in that field says nothing, and may be somebody's name."""
    return value if isinstance(value, str) and _LANGUAGE.fullmatch(value) else None
