"""Reads a series to evaluate the crisis detector on: a time stamp a row, or a time stamp and a count; and labelled stretches.

CSV with or without a header, or JSON lines; .gz as well. Times are those that a replay takes.
"""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from connectors.file_replay import parse_time
from processors.spikes.evaluation import BUCKET_SECS, Floats, Window, counts_of_times, counts_of_totals

TIME_NAMES: Final = ("published_at", "timestamp", "time", "datetime", "date", "created_at")
COUNT_NAMES: Final = ("count", "value", "mentions", "total")
START_NAMES: Final = ("start", "from", "begin")
END_NAMES: Final = ("end", "to", "until")
NAME_NAMES: Final = ("name", "label", "what")
LONGEST_DAYS: Final = 20 * 366
COARSEST_MINUTES: Final = 60
_SHOWN: Final = 60  # characters of what could not be read


class SeriesUnusable(Exception):
    """The file is no series or no list of labels; the message says where and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A series, minute by minute."""

    first_bucket: int
    counts: Floats
    rows: int
    step_minutes: int
    """How long a count lasts; 1 for time stamps."""
    counts_left_out: str | None
    """A column that looks like counts, which was not asked for."""


def read_series(file: Path, *, with_counts: bool) -> Read:
    """Raises `SeriesUnusable`, OSError."""
    times: list[float] = []
    totals: list[int] = []
    names: tuple[str, ...] = ()
    for row in _rows(file):
        names = names or tuple(row.fields)
        times.append(row.time(TIME_NAMES, place=0))
        if with_counts:
            totals.append(row.count())
    if not times:
        raise SeriesUnusable(f"{file} holds no rows: expected a time stamp in each, e.g. 2026-11-24T03:00:00+03:00")
    days = (max(times) - min(times)) / 86_400
    if days > LONGEST_DAYS:
        raise SeriesUnusable(
            f"{file} goes over {days / 365.25:.0f} years, from {_day(min(times))} to {_day(max(times))}: are its times right?"
        )
    step = _step_minutes(file, times) if with_counts else 1
    first, counts = counts_of_totals(times, totals, step) if with_counts else counts_of_times(times)
    looks = None if with_counts else next((name for name in COUNT_NAMES if name in names), None)
    return Read(first_bucket=first, counts=counts, rows=len(times), step_minutes=step, counts_left_out=looks)


def read_labels(file: Path) -> list[Window]:
    """Rows with a start, an end and maybe a name; or a JSON list of pairs. Raises `SeriesUnusable`, OSError."""
    found = [_window(row) for row in (_pairs(file) if file.suffix == ".json" else _rows(file))]
    if not found:
        raise SeriesUnusable(f"{file} holds no labels: expected a start and an end in each row")
    return found


def _window(row: "_Row") -> Window:
    start, end = row.time(START_NAMES, place=0), row.time(END_NAMES, place=1)
    if end <= start:
        raise SeriesUnusable(f"{row.where}: the end is not after the start")
    name = row.find(NAME_NAMES, place=2)
    return Window(start=int(start // BUCKET_SECS), end=int(-(-end // BUCKET_SECS)), name="" if name is None else str(name))


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, and where it stands. Fields without a header are named by their place."""

    where: str
    fields: Mapping[str, Any]

    def find(self, names: Sequence[str], *, place: int) -> Any:
        for name in (*names, str(place)):
            value = self.fields.get(name)
            if value not in (None, ""):
                return value
        return None

    def time(self, names: Sequence[str], *, place: int) -> float:
        value = self.find(names, place=place)
        if value is None:
            there = ", ".join(self.fields) or "nothing"
            raise SeriesUnusable(f"{self.where}: no {names[0]}; it has {there}. Expected one of {', '.join(names)}")
        try:
            return parse_time(value).timestamp()
        except (ValueError, OverflowError, OSError) as error:
            raise SeriesUnusable(
                f"{self.where}: {str(value)[:_SHOWN]!r} is not a time: use ISO 8601, e.g. 2026-11-24T03:00:00+03:00"
            ) from error

    def count(self) -> int:
        value = self.find(COUNT_NAMES, place=1)
        if value is None:
            raise SeriesUnusable(f"{self.where}: no count; expected one of {', '.join(COUNT_NAMES)}, or leave --counts out")
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if number < 0 or number != int(number):
            raise SeriesUnusable(f"{self.where}: {str(value)[:_SHOWN]!r} is not a count: use whole numbers from 0 up")
        return int(number)


def _rows(file: Path) -> Iterator[_Row]:
    try:
        lines = _lines(file)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise SeriesUnusable(f"{file} is no text in UTF-8 ({error}): save it as CSV or JSON lines in UTF-8") from error
    first = next((line for line in lines if line.strip()), "")
    return _json_rows(file, lines) if first.lstrip().startswith("{") else _csv_rows(file, lines)


def _lines(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8-sig") if file.suffix == ".gz" else file.open(encoding="utf-8-sig") as lines:
        return list(lines)


def _json_rows(file: Path, lines: Sequence[str]) -> Iterator[_Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{file} line {number}"
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise SeriesUnusable(f"{where} is not JSON: {line.strip()[:_SHOWN]}") from error
        if not isinstance(fields, dict):
            raise SeriesUnusable(f"{where} is no JSON object: {line.strip()[:_SHOWN]}")
        yield _Row(where, fields)


def _csv_rows(file: Path, lines: Sequence[str]) -> Iterator[_Row]:
    header: list[str] | None = None
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(lines, delimiter=delimiter)
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells)
            if not header[0].isdigit():
                continue
        names = header + [str(place) for place in range(len(header), len(cells))]
        yield _Row(f"{file} line {reader.line_num}", {name: cell.strip() for name, cell in zip(names, cells, strict=False)})


def _header(cells: Sequence[str]) -> list[str]:
    """Names of the columns; their places where the first row holds a time already."""
    try:
        parse_time(cells[0])
    except (ValueError, OverflowError, OSError):
        return [cell.strip().lower() for cell in cells]
    return [str(place) for place in range(len(cells))]


def _pairs(file: Path) -> Iterator[_Row]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SeriesUnusable(f"{file} is not JSON ({error}): expected a list of pairs of times") from error
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) in (2, 3) for pair in value):
        raise SeriesUnusable(f"{file} is no list of pairs of times, e.g. [[start, end], ...]")
    for number, pair in enumerate(value, 1):
        yield _Row(f"{file} pair {number}", {str(place): part for place, part in enumerate(pair)})


def _step_minutes(file: Path, times: Sequence[float]) -> int:
    """The usual distance of two counts, in whole minutes; less than a minute is added up."""
    distances = np.diff(np.unique(np.asarray(times) // BUCKET_SECS))
    step = int(np.median(distances)) if len(distances) else 1
    if step > COARSEST_MINUTES:
        raise SeriesUnusable(
            f"{file} has a count every {step} minutes: minutes to a signal cannot be told from it; bring counts of at most "
            f"{COARSEST_MINUTES} minutes"
        )
    return max(step, 1)


def _day(time: float) -> str:
    return f"{datetime.fromtimestamp(time).astimezone():%Y-%m-%d}"
