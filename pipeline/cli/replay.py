"""`nabiz replay`: listen to a file."""

import re
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from connectors.file_replay import FileReplay
from pipeline.cli.common import Context, NothingRuns, common_options, stopped
from pipeline.deployment import Deployment, resolve, wall_clock
from pipeline.launch import PortChoice, embedded_servers, needs_embedded, preflight, prepare, start_roles
from pipeline.replay import ReplayProgress, ReplayResult, ReplayWatcher, remove_topics, result, source_spec
from pipeline.secrets import require_same_key
from pipeline.supervisor.run_state import LIVE_COMMAND, AlreadyRunning, RunFolder, RunState
from pipeline.supervisor.supervisor import Supervisor

LONGEST_NAME: Final = 80
_TURKISH: Final = str.maketrans("ıİ", "ii")  # the other letters come apart into a plain one and a mark


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
@click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Wait until everything is done; --no-wait: in the background."
)
@click.option("--name", default=None, help="Name of the run; the same name goes on where it was.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file, e.g. windows-1254.")
@click.option(
    "--ports", type=click.Choice(["default", "auto"]), default="default", show_default=True, help="When no 'nabiz up' runs."
)
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
    preflight(configuration)
    namespace = _namespace(name, file)
    main_run, own_run = RunFolder(context.data / "run"), RunFolder(context.data / namespace / "run")
    embedded = needs_embedded(configuration)
    running = _running_system(main_run) if embedded else None
    if not wait:
        _in_background(context, namespace, own_run)
        return
    require_same_key(configuration, context.data)
    started = time.monotonic()
    supervisor = Supervisor(
        main_run if embedded and running is None else own_run,
        context.say,
        command=f"nabiz replay --name {namespace.removeprefix('replay-')}",
        gives_up=True,
    )
    with supervisor.until_asked_to_stop(), supervisor:
        if running:
            supervisor.use("kafka", running.kafka)
            supervisor.use("elasticsearch", running.elasticsearch)
        elif embedded:
            context.say("no 'nabiz up' runs on this data folder: starting servers for this run")
            supervisor.start_servers(embedded_servers(configuration, context.data, ports, context.say, supervisor.stopping))
        deployment = resolve(configuration, context.data, namespace=namespace, **supervisor.addresses)
        prepare(deployment)
        start_roles(supervisor, deployment)
        supervisor.start_role(source_spec(deployment, file, encoding=encoding, speed=speed))
        finished = _follow(supervisor, deployment, source.total)
        if finished:
            found = result(deployment, time.monotonic() - started)
    if not finished:
        stopped(
            context,
            f"stopped on the way; 'nabiz replay {file} --name {namespace.removeprefix('replay-')}' goes on where it was",
        )
    if not keep and running:
        remove_topics(deployment.kafka)
    context.answer(found.as_json(), _text(found, deployment))


def _running_system(main_run: RunFolder) -> RunState | None:
    """The servers of 'nabiz up', if it runs. Those of another replay end with it. Raises `NothingRuns`, AlreadyRunning."""
    state = main_run.read()
    if state is None and not main_run.locked():
        return None
    if state is None or state.command != LIVE_COMMAND:
        raise AlreadyRunning(state, main_run.folder.parent)
    if not state.ready:
        raise NothingRuns(f"'nabiz up' is starting (process {state.pid}): try again when 'nabiz status' lists its processes")
    return state


def _namespace(name: str | None, file: Path) -> str:
    """What topics and indices can be named after. A name of which nothing is left, or too much, is a mistake."""
    plain = name or f"{file.stem[: LONGEST_NAME // 2]}-{wall_clock():%Y%m%d-%H%M%S}"
    folded = unicodedata.normalize("NFKD", plain.translate(_TURKISH)).lower()
    short = re.sub(r"[^a-z0-9]+", "-", "".join(c for c in folded if not unicodedata.combining(c))).strip("-")
    if not short or len(short) > LONGEST_NAME:
        raise click.BadParameter(f"{name!r}: use up to {LONGEST_NAME} letters and digits", param_hint="--name")
    return f"replay-{short}"


def _in_background(context: Context, namespace: str, own_run: RunFolder) -> None:
    """The same command, waiting, in a session of its own; its answer goes to a file."""
    if own_run.locked():
        raise AlreadyRunning(own_run.read(), own_run.folder.parent)
    folder = context.data / namespace
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-wait", "--json")]
    command = [
        sys.executable,
        "-m",
        "pipeline.cli.main",
        *arguments,
        "--wait",
        "--json",
        "--name",
        namespace.removeprefix("replay-"),
    ]
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
        f"{found.read} read, {found.admitted} admitted, {found.deleted} deleted, {found.indexed} indexed, {found.late} late, "
        f"{found.dead_letters} dead letters" + (f", refused: {refused}" if refused else ""),
        f"{len(found.notices)} notices, {len(found.pages)} pages, in {found.seconds:g} s",
    ]
    for word, sent in (("notice", found.notices), ("PAGE", found.pages)):
        lines += [f"  {word:<7}{page.watch:<20} event time {page.event_time:%Y-%m-%d %H:%M:%S} UTC" for page in sent]
    if found.notices or found.pages:
        lines.append(f"what would have been sent: {deployment.notifications_file}")
    if found.dead_letters:
        lines.append(f"look at what could not be used: nabiz dead-letters list --namespace {found.namespace}")
    return "\n".join(lines)
