"""A row a bar: what was asked, what was measured with its interval, and whether it holds."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from processors.spikes.evaluation import Interval


class Verdict(StrEnum):
    """Of a row."""

    MET = "met"
    MISSED = "MISSED"
    REPORTED = "reported"  # there is no bar: a figure to read
    SKIPPED = "skipped"  # the data are not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `bar` says what is asked, in words; empty where nothing is."""

    part: str
    what: str
    measured: str
    bar: str = ""
    verdict: Verdict = Verdict.REPORTED
    values: Any = None
    """The numbers behind it, for --json."""


def judged(part: str, what: str, measured: str, bar: str, holds: bool, values: Any = None) -> Row:
    """A row with a bar."""
    return Row(part=part, what=what, measured=measured, bar=bar, verdict=Verdict.MET if holds else Verdict.MISSED, values=values)


def shown(interval: Interval, digits: int = 0) -> str:
    """A figure and its interval; a dash for what was not reached."""
    return f"{_number(interval.value, digits)} ({_number(interval.low, digits)} to {_number(interval.high, digits)})"


def _number(value: float, digits: int) -> str:
    return "-" if math.isinf(value) or math.isnan(value) else f"{value:.{digits}f}"


def as_text(rows: Sequence[Row]) -> str:
    """A table a part."""
    lines: list[str] = []
    for part in dict.fromkeys(row.part for row in rows):
        lines += ["", part.upper()]
        for row in (row for row in rows if row.part == part):
            bar = f"   [{row.bar}]" if row.bar else ""
            verdict = "" if row.verdict is Verdict.REPORTED else f"{row.verdict}: "
            lines.append(f"  {verdict}{row.what}: {row.measured}{bar}" if row.measured else f"  {verdict}{row.what}{bar}")
    return "\n".join(lines)


def summary(rows: Sequence[Row]) -> str:
    """The last lines."""
    counts = {verdict: sum(row.verdict is verdict for row in rows) for verdict in Verdict}
    lines = [f"{verdict}: {_named(rows, verdict)}" for verdict in (Verdict.SKIPPED, Verdict.MISSED) if counts[verdict]]
    line = f"bars met: {counts[Verdict.MET]}; missed: {counts[Verdict.MISSED]}; skipped: {counts[Verdict.SKIPPED]}"
    return "\n".join([*lines, line])


def _named(rows: Sequence[Row], verdict: Verdict) -> str:
    return "; ".join(f"{row.part}: {row.what}" for row in rows if row.verdict is verdict)


def as_value(rows: Sequence[Row]) -> dict[str, Any]:
    """For scripts."""
    return {"rows": [asdict(row) for row in rows], "summary": summary(rows), "missed": failed(rows)}


def failed(rows: Sequence[Row]) -> bool:
    """Whether a bar is missed."""
    return any(row.verdict is Verdict.MISSED for row in rows)
