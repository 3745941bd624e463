"""`nabiz replay`: listen to a file."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connectors.file_replay import FileReplay
from pipeline.cli.common import Context, common_options, fail
from pipeline.deployment import Deployment, resolve, wall_clock
from pipeline.launch import PortChoice, embedded_servers, prepare, start_roles
from pipeline.replay import ReplayProgress, ReplayResult, ReplayWatcher, remove_topics, result, source_spec
from pipeline.secrets import require_same_key
from pipeline.supervisor.run_state import RunFolder
from pipeline.supervisor.supervisor import Stopped, Supervisor

EXIT_STOPPED: Final = 130


class Speed(click.ParamType):
    """A positive factor on the file's clock, or max."""

    name = "factor|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See the class."""
        if value == "max":
            return "max"
        try:
            factor = float(value)
        except ValueError:
            factor = 0.0
        if not 0 < factor < float("inf"):
            self.fail(f"{value!r} is no speed: use 'max', or a factor such as 60 (an hour in a minute)", param, ctx)
        return str(factor)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--speed", type=Speed(), default="max", show_default=True, help="Factor on the file's clock, or max.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until everything is done; --no-wait: in the background.")
@click.option("--name", default=None, help="Name of the run; the same name goes on where it was.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file, e.g. windows-1254.")
@click.option("--ports", type=click.Choice(["default", "auto"]), default="default", show_default=True, help="When no 'nabiz up' runs.")
@click.option("--keep", is_flag=True, help="Keep the run's topics in Kafka, to look at them.")
@common_options
def replay(
    context: Context, file: Path, speed: str, wait: bool, name: str | None, encoding: str, ports: PortChoice, keep: bool
) -> None:
    """Listen to a FILE of posts (JSON lines or CSV) in a namespace of its own, on the file's clock.

    Nothing of it touches the live system, and nobody is called: what would have been sent goes to a file, and to the
    channels under replay_channels. Uses the servers of a running 'nabiz up', or starts them for the time of the run.

    \b
    Examples:
      nabiz replay posts.jsonl --config institution.yaml
      nabiz replay export.csv --encoding windows-1254 --speed 60
      nabiz replay posts.jsonl --speed max --wait --json
    """
    configuration = context.configuration()
    source = FileReplay(file, now=wall_clock(), encoding=encoding)  # a bad file is told before anything starts
    namespace = _namespace(name, file)
    if not wait:
        _in_background(context, namespace)
        return
    require_same_key(configuration, context.data)
    started = time.monotonic()
    main_run, own_run = RunFolder(context.data / "run"), RunFolder(context.data / namespace / "run")
    running = main_run.read()
    with Supervisor(own_run if running else main_run, context.say) as supervisor, supervisor.until_asked_to_stop():
        try:
            if running:
                supervisor.use("kafka", running.kafka)
                supervisor.use("elasticsearch", running.elasticsearch)
            else:
                context.say("no 'nabiz up' runs on this data folder: starting servers for this run")
                supervisor.start_servers(embedded_servers(configuration, context.data, ports, context.say))
        except Stopped:
            sys.exit(EXIT_STOPPED)
        deployment = resolve(configuration, context.data, namespace=namespace, **supervisor.addresses)
        prepare(deployment)
        start_roles(supervisor, deployment)
        supervisor.start_role(source_spec(deployment, file, encoding=encoding, speed=speed))
        finished = _follow(supervisor, deployment, source.total)
        if finished:
            found = result(deployment, time.monotonic() - started)
    if not finished:
        fail(context, f"stopped on the way; 'nabiz replay {file} --name {namespace.removeprefix('replay-')}' goes on where it was")
    if not keep and running:
        remove_topics(deployment.kafka)
    context.answer(found.as_json(), _text(found, deployment))


def _namespace(name: str | None, file: Path) -> str:
    name = name or f"{file.stem}-{wall_clock():%Y%m%d-%H%M%S}"
    return "replay-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _in_background(context: Context, namespace: str) -> None:
    """The same command, waiting, in a session of its own; its answer goes to a file."""
    folder = context.data / namespace
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-wait", "--json")]
    command = [sys.executable, "-m", "pipeline.cli.main", *arguments, "--wait", "--json", "--name", namespace.removeprefix("replay-")]
    with (folder / "result.json").open("wb") as output, (folder / "replay.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=log, start_new_session=True)
    context.answer(
        {"namespace": namespace, "pid": process.pid, "result": str(folder / "result.json")},
        f"runs in the background (process {process.pid}); its result will be in {folder / 'result.json'}",
    )


def _follow(supervisor: Supervisor, deployment: Deployment, total: int) -> bool:
    """Whether everything was done before the user asked to stop."""
    with ReplayWatcher(deployment) as watcher, _bars(total) as report:
        finished = False

        def done() -> bool:
            nonlocal finished
            finished = watcher.done(report)
            return finished

        supervisor.run(until=done)
    return finished


@contextmanager
def _bars(total: int) -> Iterator[Any]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        read = progress.add_task("delivered", total=total)
        judged = progress.add_task("judged", total=total)

        def report(found: ReplayProgress) -> None:
            progress.update(read, completed=found.counts.read)
            # a record of `mentions` may be progress, so the share is what can be told while the source still runs
            left = min(found.left.get("enrich", 0), found.counts.read)
            progress.update(judged, completed=found.counts.read - left)

        yield report


def _text(found: ReplayResult, deployment: Deployment) -> str:
    refused = ", ".join(f"{count} {reason}" for reason, count in found.refused.items())
    lines = [
        f"{found.read} read, {found.admitted} admitted, {found.indexed} indexed, {found.late} late, {found.dead_letters} dead letters"
        + (f", refused: {refused}" if refused else ""),
        f"{len(found.notices)} notices, {len(found.pages)} pages, in {found.seconds:g} s",
    ]
    for word, sent in (("notice", found.notices), ("PAGE", found.pages)):
        lines += [f"  {word:<7}{page.watch:<20} event time {page.event_time:%Y-%m-%d %H:%M:%S} UTC" for page in sent]
    if found.notices or found.pages:
        lines.append(f"what would have been sent: {deployment.notifications_file}")
    if found.dead_letters:
        lines.append(f"look at what could not be used: nabiz dead-letters list --namespace {found.namespace}")
    return "\n".join(lines)
