"""`nabiz watch`: what the institution listens for."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from connectors.file_replay import FileReplay
from connectors.kafka import create_topics
from pipeline.audit import Action
from pipeline.cli.auditing import as_option, audit_log
from pipeline.cli.common import Context, common_options, power_language
from pipeline.cli.foreign_text import printable
from pipeline.cli.servers_address import existing_deployment, running_deployment
from pipeline.cli.watch_told import expect, verdict
from pipeline.deployment import Deployment, wall_clock
from pipeline.detection_power import DetectionPower
from pipeline.watch_registry import (
    Applied,
    plan,
    plan_disable,
    read_watch_files,
    read_watches,
    shared_budgets,
    write_watches,
)
from pipeline.watch_trial import Taken, Trial, query_as_watch, try_watches
from pipeline.wiring import public_accounts
from processors.alerting.on_call import Language, OnCallList
from schemas.watches import DEFAULT_BUDGET_WEEKS, Watch, WatchLevel

WATCH_FILES: Final = (".yaml", ".yml")
SHORTEST_HOURS: Final = 24.0
"""Of posts that a rate is taken from."""


@click.group()
def watch() -> None:
    """What the institution listens for: each watch with its purpose, legal basis, owner and expiry."""


@watch.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--enable", is_flag=True, help="Also switch on again what was disabled.")
@as_option
@common_options
def apply(context: Context, files: tuple[Path, ...], dry_run: bool, enable: bool, name: str | None) -> None:
    """Set the watches of YAML FILEs. In force within seconds, without a restart; watches that are not named stay.

    The false-alarm budget of an on-call list is divided among its paging watches: where their number changes, the others
    get a new version, too.

    \b
    Examples:
      nabiz watch apply watches.yaml
      nabiz watch apply --dry-run watches/*.yaml
    """
    specs = read_watch_files(files)  # mistakes in the files are told before any server is asked
    deployment = existing_deployment(context) if dry_run else running_deployment(context)
    if not dry_run:
        create_topics(deployment.kafka)
    found = plan(read_watches(deployment.kafka), specs, deployment.configuration.all_on_call(), wall_clock(), enable=enable)
    if not dry_run:
        _write(context, deployment, found, Action.WATCH_APPLIED, reason=f"from {', '.join(map(str, files))}", name=name)
    context.answer([_value(applied) for applied in found], _applied_text(found, dry_run=dry_run))


@watch.command("list")
@common_options
def list_(context: Context) -> None:
    """The watches as they stand.

    \b
    Examples:
      nabiz watch list
      nabiz watch list --json | jq '.[].query'
    """
    watches = read_watches(existing_deployment(context).kafka)
    ordered = [watches[watch_id] for watch_id in sorted(watches)]
    context.answer(
        [found.model_dump(mode="json") for found in ordered],
        "\n".join(map(_listed, ordered)) or "there are no watches: set some with 'nabiz watch apply FILE'",
    )


@watch.command()
@click.argument("watch_id", metavar="ID")
@as_option
@common_options
def disable(context: Context, watch_id: str, name: str | None) -> None:
    """Stop listening for a watch. What it found stays; 'nabiz watch apply --enable FILE' switches it on again.

    \b
    Example:
      nabiz watch disable su-kesintisi
    """
    deployment = existing_deployment(context)
    found = plan_disable(read_watches(deployment.kafka), watch_id, deployment.configuration.all_on_call(), wall_clock())
    _write(context, deployment, found, Action.WATCH_DISABLED, reason="nabiz watch disable", name=name)
    context.answer([_value(applied) for applied in found], _applied_text(found, dry_run=False))


@watch.command()
@click.argument("what", metavar="QUERY-OR-WATCHFILE")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--show", is_flag=True, help="Show up to 5 masked posts for each watch; written to the audit log.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file, e.g. windows-1254.")
@power_language
@as_option
@common_options
def test(context: Context, *, what: str, file: Path, show: bool, encoding: str, lang: Language, name: str | None) -> None:
    """Try a query, or the watches of a YAML file, on a FILE of posts (JSON lines or CSV). Nothing leaves this process.

    Also says how soon a rise would be found. The tone is not judged here, so praise counts as well; and the false-alarm
    budget is shared among the watches of the YAML file alone.

    \b
    Examples:
      nabiz watch test 'su AND (kesinti* OR arıza*)' posts.jsonl
      nabiz watch test watches.yaml posts.jsonl --show
    """
    watches = _to_try(what, context.configuration().all_on_call())
    source = FileReplay(file, now=wall_clock(), encoding=encoding)
    with click.progressbar(length=source.total, label="reading", file=click.get_text_stream("stderr")) as bar:
        trial = try_watches(
            watches, source, public_accounts(context.configuration()), report=lambda done: bar.update(done - bar.pos)
        )
    if show and trial.matched:
        shown = [source.name, *(found.watch.watch_id for found in trial.watches if found.posts)]
        audit_log(context, name).write(Action.SHOW_POSTS, shown, "nabiz watch test --show")
    context.answer(_trial_value(trial, show=show), _trial_text(trial, lang, show=show))


watch.add_command(expect)
watch.add_command(verdict)


def _to_try(what: str, on_call: Mapping[str, OnCallList]) -> list[Watch]:
    if Path(what).suffix.lower() not in WATCH_FILES:
        return [query_as_watch(what, wall_clock())]
    specs = read_watch_files([Path(what)])
    watches = [spec.watch(version=1, budget_weeks=DEFAULT_BUDGET_WEEKS, updated_at=wall_clock()) for spec in specs]
    budgets = shared_budgets({found.watch_id: found for found in watches}, on_call)
    return [found.model_copy(update={"budget_weeks": budgets[found.watch_id]}) for found in watches]


# -- writing ------------------------------------------------------------------------------------------------------------


def _write(
    context: Context, deployment: Deployment, found: list[Applied], action: Action, *, reason: str, name: str | None
) -> None:
    written = [applied.watch for applied in found if applied.is_written]
    if written:
        audit_log(context, name).write(action, [f"{changed.watch_id}:v{changed.version}" for changed in written], reason)
        write_watches(deployment.kafka, found)


# -- words --------------------------------------------------------------------------------------------------------------


def _value(applied: Applied) -> dict[str, Any]:
    return {"change": applied.change, **applied.watch.model_dump(mode="json")}


def _applied_text(found: list[Applied], *, dry_run: bool) -> str:
    written = sum(applied.is_written for applied in found)
    end = f"{written} would be written: nothing was changed" if dry_run else f"{written} written, in force within seconds"
    lines = [f"{applied.change:<10}{_listed(applied.watch)}" for applied in found]
    return "\n".join([*lines, end if written else "nothing to change"])


def _listed(found: Watch) -> str:
    return f"{found.watch_id:<24}v{found.version:<4}{_told(found):<48}{_state(found)}  {printable(found.title)}"


def _told(found: Watch) -> str:
    if found.level is WatchLevel.COUNT:
        return "count: nobody is told"
    if found.level is WatchLevel.NOTICE:
        return f"notice to {found.on_call}"
    return f"page to {found.on_call}, 1 false call in {found.budget_weeks:g} weeks"


def _state(found: Watch) -> str:
    if not found.enabled:
        return "DISABLED, hears nothing"
    if found.expires < wall_clock().date():
        return f"EXPIRED on {found.expires}, hears nothing"
    return "until further notice" if found.expires.year >= date.max.year else f"until {found.expires}"


def _trial_value(trial: Trial, *, show: bool) -> dict[str, Any]:
    return {
        "posts": trial.posts,
        "skipped": trial.skipped,
        "matched": trial.matched,
        "hours": round(trial.hours, 2),
        "watches": [_taken_value(trial, found, show=show) for found in trial.watches],
    }


def _taken_value(trial: Trial, found: Taken, *, show: bool) -> dict[str, Any]:
    value: dict[str, Any] = {
        "watch_id": found.watch.watch_id,
        "query": found.watch.query,
        "posts": found.posts,
        "an_hour": round(found.posts / trial.hours, 2),
        "by_hour": {hour.isoformat(): count for hour, count in sorted(found.hours.items())},
        "detection_power": _power(trial, found).value(),
    }
    return {**value, "examples": found.examples} if show else value


def _power(trial: Trial, found: Taken) -> DetectionPower:
    """Of what a page would be decided by; unknown from less than a day, as the night is not like the day."""
    known = trial.hours >= SHORTEST_HOURS and found.posts > 0
    return DetectionPower.of(found.watch, found.weight / trial.hours if known else None)


def _trial_text(trial: Trial, lang: Language, *, show: bool) -> str:
    skipped = f" ({trial.skipped} other lines: removals, refused or unusable)" if trial.skipped else ""
    lines = [f"{trial.matched} of {trial.posts} posts match, in {trial.hours:.1f} hours{skipped}"]
    for found in trial.watches:
        busiest = f", busiest hour {found.busiest[0]:%Y-%m-%d %H:00} UTC with {found.busiest[1]}" if found.busiest else ""
        lines.append(f"  {found.watch.watch_id:<24}{found.posts} posts, {found.posts / trial.hours:.1f} an hour{busiest}")
        lines.append(f"      {_power(trial, found).words(lang)}")
        if show:
            lines += [f"      {printable(text)}" for text in found.examples]
    return "\n".join(lines)
