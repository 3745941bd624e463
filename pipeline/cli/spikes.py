"""`nabiz spikes`: how the crisis detector, and the rules of others, fare on a series of one's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import Any, Final

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline.cli.common import Context, common_options, fail
from pipeline.cli.foreign_text import printable
from pipeline.model_evaluation import require_extra
from pipeline.spike_pictures import draw
from pipeline.spike_series import Read, read_labels, read_series
from processors.spikes import Policy, TransitionKind
from processors.spikes.evaluation import BUCKET_SECS, LEARNING_BUCKETS, Alarms, Found, Interval
from processors.spikes.evaluation import evaluate as evaluate_series
from processors.spikes.rivals import all_rivals

PICTURES: Final = (".svg", ".png", ".pdf")
SIGNALS_SHOWN: Final = 40
WIDTH: Final = 120
_TURKIYE: Final = timezone(timedelta(hours=3))
_DIGITS: Final = 3


@click.group()
def spikes() -> None:
    """The detector of unusual rises."""


@spikes.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--counts", "with_counts", is_flag=True, help="Each row has a count: of mentions from its time to the next one.")
@click.option(
    "--labels", "labels_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of stretches in which something was up: start, end and maybe name.",
)  # fmt: skip
@click.option(
    "--budget-weeks", type=click.FloatRange(min=1.0), default=Policy().budget_weeks, show_default=True,
    help="One false page in so many weeks is accepted.",
)  # fmt: skip
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="File for a picture (.svg, .png, .pdf).")
@common_options
def evaluate(
    context: Context, *, file: Path, with_counts: bool, labels_file: Path | None, budget_weeks: float, picture: Path | None
) -> None:  # fmt: skip
    """Alarms, delays and false alarms a week of the detector on a series, beside the published rules of others.

    FILE is CSV or JSON lines with a time stamp in each row, published_at or the first column; with --counts also a count.
    Each row is a mention by an author of its own: repeats and copies, which the running system damps, are not told. Nothing
    leaves this process. Takes some minutes for a year.

    \b
    Examples:
      nabiz spikes evaluate posts.jsonl
      nabiz spikes evaluate volumes.csv --counts --labels crises.csv --picture volumes.svg
    """  # fmt: skip
    if picture is not None:
        if picture.suffix.lower() not in PICTURES:
            fail(context, f"--picture takes a file that ends in {', '.join(PICTURES)}")
        require_extra("matplotlib", "matplotlib", "--picture")
    series = read_series(file, with_counts=with_counts)
    windows = read_labels(labels_file) if labels_file is not None else []
    with _bar() as report:
        found = evaluate_series(
            series.first_bucket, series.counts, policy=Policy(budget_weeks=budget_weeks), rivals=all_rivals(1), windows=windows,
            report=report,
        )  # fmt: skip
    if picture is not None:
        draw(found, picture)
    context.answer(as_value(series, found, picture), as_text(series, found, picture))


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """On standard error, where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("minutes of the series"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


# -- answers --------------------------------------------------------------------------------------------------------------


def as_value(series: Read, found: Found, picture: Path | None) -> dict[str, Any]:
    """For scripts. Times are in UTC; delays are minutes to the close of the minute, null where nothing was said."""
    return {
        "rows": series.rows,
        "mentions": int(found.counts.sum()),
        "first": _utc(found.first_bucket),
        "minutes": len(found.counts),
        "weeks": round(found.weeks, _DIGITS),
        "minutes_a_count": series.step_minutes,
        "budget_weeks": found.policy.budget_weeks,
        "labels": [{"start": _utc(one.start), "end": _utc(one.end), "name": one.name} for one in found.windows],
        "rules": [_rule_value(alarms) for alarms in found.alarms],
        "signals": [
            {
                "at": _utc(one.bucket), "kind": str(one.kind), "level": str(one.level), "onset": _utc(one.onset_bucket),
                "observed_60m": round(one.evidence.observed_60m, _DIGITS),
                "expected_60m": round(one.evidence.expected_60m, _DIGITS),
                "once_in_weeks": round(one.evidence.once_in_weeks, _DIGITS),
            }
            for one in found.transitions
        ],
        "picture": str(picture) if picture else None,
    }  # fmt: skip


def _rule_value(alarms: Alarms) -> dict[str, Any]:
    return {
        "name": alarms.name,
        "threshold": round(alarms.threshold, _DIGITS),
        "alarms": [_utc(bucket) for bucket in alarms.buckets],
        "a_week": _interval_value(alarms.a_week),
        "false_a_week": _interval_value(alarms.false_a_week) if alarms.windows else None,
        "found": sum(delay is not None for delay in alarms.delays) if alarms.windows else None,
        "delays": alarms.delays if alarms.windows else None,
    }


def _interval_value(interval: Interval) -> dict[str, float]:
    return {"value": round(interval.value, 4), "low": round(interval.low, 4), "high": round(interval.high, 4)}


def as_text(series: Read, found: Found, picture: Path | None) -> str:
    """For people."""
    width = Console().width if Console().is_terminal else WIDTH
    console = Console(file=StringIO(), width=width, markup=False, emoji=False, highlight=False, color_system=None)
    last = found.first_bucket + len(found.counts) - 1
    console.print(
        f"{int(found.counts.sum()):,} mentions from {_local(found.first_bucket)} to {_local(last)} (Türkiye's time), "
        f"{found.weeks:.1f} weeks; page budget: one false call in {found.policy.budget_weeks:g} weeks"
    )
    for line in _warnings(series, found):
        console.print(line)
    console.print()
    console.print(_rules(found))
    console.print()
    console.print(_signals(found) if found.transitions else "no signals")
    if picture is not None:
        console.print(f"\npicture: {picture}", soft_wrap=True)
    written: Any = console.file
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()).strip("\n")


def _warnings(series: Read, found: Found) -> Iterator[str]:
    if series.counts_left_out:
        yield f"each row was taken for one mention; to use its {printable(series.counts_left_out)}, say --counts"
    if series.step_minutes > 1:
        yield f"counts of {series.step_minutes} minutes were spread evenly over their minutes: smoother than people are"
    if len(found.counts) < 2 * LEARNING_BUCKETS:
        yield "the detector learns for a week: on a series this short it is deafer, and its false alarms say little"


def _rules(found: Found) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("rule", "from", "alarms", "a week (95 %)"):
        table.add_column(name, justify="left" if name == "rule" else "right", no_wrap=True)
    if found.windows:
        for name in ("found", "minutes", "false a week"):
            table.add_column(name, justify="right", no_wrap=True)
    for alarms in found.alarms:
        cells = [alarms.name, f"{alarms.threshold:.2f}", str(len(alarms.buckets)), _shown(alarms.a_week)]
        if found.windows:
            delays = sorted(delay for delay in alarms.delays if delay is not None)
            middle = f"{delays[len(delays) // 2]}" if delays else "–"
            cells += [f"{len(delays)} of {len(alarms.windows)}", middle, _shown(alarms.false_a_week)]
        table.add_row(*cells)
    return table


def _signals(found: Found) -> Table:
    shown = [one for one in found.transitions if one.kind is not TransitionKind.CONFIRMED]
    title = None if len(shown) <= SIGNALS_SHOWN else f"the last {SIGNALS_SHOWN} of {len(shown)} signals; --json has all"
    table = Table(box=box.SIMPLE, pad_edge=False, title=title, title_justify="left")
    for name in ("signal", "level", "at", "in 60 min", "expected", "chance: once in weeks"):
        table.add_column(name, justify="left" if name in ("signal", "level") else "right")
    for one in shown[-SIGNALS_SHOWN:]:
        evidence = one.evidence
        table.add_row(
            str(one.kind), str(one.level), _local(one.bucket), f"{evidence.observed_60m:.1f}", f"{evidence.expected_60m:.1f}",
            f"{evidence.once_in_weeks:,.1f}" if one.kind is not TransitionKind.END else "",
        )  # fmt: skip
    return table


def _shown(interval: Interval) -> str:
    return f"{interval.value:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def _utc(bucket: int) -> str:
    return datetime.fromtimestamp(bucket * BUCKET_SECS, UTC).isoformat()


def _local(bucket: int) -> str:
    return f"{datetime.fromtimestamp(bucket * BUCKET_SECS, _TURKIYE):%Y-%m-%d %H:%M}"
