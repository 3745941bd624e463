"""`nabiz config`: is a configuration usable, and what does it say?"""

import math
from pathlib import Path
from typing import Any, Final

import click

from pipeline.cli.common import Context, common_options, fail
from pipeline.configuration import Configuration, load
from pipeline.deployment import wall_clock
from pipeline.tone import require_tone
from pipeline.watch_registry import WatchRefused, plan, read_watch_files
from processors.spikes.power import false_pages_a_week
from processors.watches.files import InvalidWatch, WatchSpec
from schemas.watches import WatchLevel


@click.group()
def config() -> None:
    """Configuration files."""


@config.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@common_options
def check(context: Context, file: Path | None) -> None:
    """Check FILE (or that of --config) and the watch files that it names; exit code 2 with all problems, else a summary.

    \b
    Example:
      nabiz config check institution.yaml
    """
    name = file or context.config_file
    if name is None:
        fail(context, "name the configuration file: nabiz config check FILE")
    configuration = load(name)
    require_tone(configuration.sentiment)
    watches = _watches(context, configuration)
    context.answer(_value(name, configuration, watches), _text(name, configuration, watches))


def _watches(context: Context, configuration: Configuration) -> list[WatchSpec]:
    """The watches of all files that the configuration names, with the problems of all files at once."""
    specs: list[WatchSpec] = []
    problems: list[str] = []
    for file in configuration.watches:
        try:
            specs += read_watch_files([file])
        except (InvalidWatch, WatchRefused) as error:
            problems.append(str(error))
    try:
        plan({}, specs, configuration.all_on_call(), wall_clock())
    except WatchRefused as error:
        problems.append(str(error))
    if problems:
        fail(context, "\n".join(problems))
    return specs


def _value(file: Path, configuration: Configuration, watches: list[WatchSpec]) -> dict[str, Any]:
    return {
        "file": str(file), "usable": True, "watches": len(watches), "false_calls": _false_calls(configuration, watches),
        "configuration": configuration.model_dump(mode="json"),
    }  # fmt: skip


def _false_calls(configuration: Configuration, watches: list[WatchSpec]) -> dict[str, Any]:
    """By on-call list: what its budget aims at, and what became of it on simulated watches, a year."""
    found = {}
    for name, entry in configuration.all_on_call().items():
        paging = _paging(name, watches)
        simulated = _simulated(paging, entry.budget_weeks)
        found[name] = {
            "paging_watches": paging, "aimed_at_a_year": round(_WEEKS_A_YEAR / entry.budget_weeks, 1),
            "simulated_a_year": simulated and [round(value, 1) for value in simulated],
        }  # fmt: skip
    return found


def _paging(on_call: str, watches: list[WatchSpec]) -> int:
    return sum(spec.on_call == on_call and spec.level is WatchLevel.PAGE for spec in watches)


_WEEKS_A_YEAR: Final = 365.25 / 7


def _text(file: Path, configuration: Configuration, watches: list[WatchSpec]) -> str:
    kafka, search = configuration.kafka, configuration.elasticsearch
    workers = configuration.workers
    accounts = sum(len(handles) for platforms in configuration.public_accounts.values() for handles in platforms.values())
    lines = [
        f"{file} can be used.",
        f"  institution      {configuration.institution}",
        f"  Kafka            {kafka.bootstrap if kafka else 'embedded, on this machine'}",
        f"  Elasticsearch    {', '.join(search.urls) if search else 'embedded, on this machine'}",
        f"  workers          enrich {workers.enrich}, index {workers.index}, detect {workers.detect}, alert 1",
        f"  HMAC key         {configuration.secret or 'in the data folder'}",
        f"  public accounts  {accounts}: everybody else is private",
        f"  watches          {_counted(watches)}",
    ]
    lines += [f"  on call          {line}" for line in _on_call(configuration, watches)]
    return "\n".join(lines)


def _counted(watches: list[WatchSpec]) -> str:
    return (
        f"{len(watches)} in the files: {', '.join(spec.id for spec in watches)}"
        if watches
        else "none in files: set them with 'nabiz watch apply'"
    )


def _on_call(configuration: Configuration, watches: list[WatchSpec]) -> list[str]:
    """The budget is the list's, however many watches share it: see pipeline.watch_registry."""
    lines = []
    for name, entry in configuration.all_on_call().items():
        paging = _paging(name, watches)
        lines.append(
            f"{name}: {', '.join(entry.channels)}; one false call in {entry.budget_weeks:g} weeks, "
            f"about {_WEEKS_A_YEAR / entry.budget_weeks:.1f} a year; {_shared(paging, entry.budget_weeks)}"
            f"{_measured(paging, entry.budget_weeks)}"
        )
    return lines


def _measured(paging: int, budget_weeks: float) -> str:
    found = _simulated(paging, budget_weeks)
    if found is None:
        return ""
    return f"; simulated watches gave {found[0]:.0f} a year where they are quiet, up to {found[1]:.0f} where they are busy"


def _simulated(paging: int, budget_weeks: float) -> tuple[float, float] | None:
    """Fewest and most false calls a year of such a budget, as if all watches were like that; None where none was measured."""
    fewest, most = (_WEEKS_A_YEAR * paging * pages for pages in false_pages_a_week(budget_weeks * paging))
    return None if math.isnan(most) else (fewest, most)


def _shared(paging: int, budget_weeks: float) -> str:
    if paging == 0:
        return "no watch in the files pages it"
    if paging == 1:
        return "1 paging watch in the files"
    return f"{paging} paging watches in the files share that, each one in {budget_weeks * paging:g} weeks"
