"""`nabiz role`: one role in this process."""

import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from pipeline.deployment import Deployment, read, wall_clock
from pipeline.worker import die_with_parent, guard, log_to_stderr, make_app, run, touch_regularly
from pipeline.worker_number import NumbersTaken, claim_number
from schemas.topics import HITS_PARTITIONS

AUTO: Final = -1


class WorkerNumber(click.ParamType):
    """A number, or auto."""

    name = "number|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See the class."""
        if value == "auto":
            return AUTO
        try:
            number = int(value)
        except ValueError:
            number = AUTO
        if number < 0:
            self.fail(f"{value!r} is no worker: use a number from 0, or 'auto'", param, ctx)
        return number


@click.command()
@click.argument("name", type=click.Choice(["enrich", "index", "detect", "alert", "source"]))
@click.option(
    "--deployment", "file", type=click.Path(path_type=Path, exists=True), required=True, help="deployment.json of the run"
)
@click.option(
    "--worker",
    type=WorkerNumber(),
    default=0,
    show_default=True,
    help="Number of this worker within its role; auto: the lowest free.",
)
@click.option(
    "--heartbeat", type=click.Path(path_type=Path), default=None, help="File to touch every few seconds, for a health check."
)
@click.option("--file", "posts", type=click.Path(path_type=Path), help="source: the file of posts")
@click.option("--encoding", default="utf-8", help="source: its encoding")
@click.option("--speed", default="max", help="source: a factor, or max")
@click.option(
    "--fast-until", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), default=None, help="source: as fast as possible up to here"
)
def role(
    name: str,
    file: Path,
    worker: int,
    heartbeat: Path | None,
    posts: Path | None,
    encoding: str,
    speed: str,
    fast_until: datetime | None,
) -> None:
    """Run one role in the foreground, until SIGTERM.

    \b
    Examples:
      nabiz role enrich --deployment data/live/deployment.json --worker 1
      nabiz role alert --deployment data/live/deployment.json --worker auto --heartbeat /tmp/heartbeat
    """
    deployment = read(file)
    if worker == AUTO:
        worker = _free_number(deployment, name)
    log_to_stderr(f"{name}-{worker}")
    die_with_parent()
    if name == "source":
        assert posts is not None, "--file is missing"
        sys.exit(_run_source(deployment, posts, encoding, speed, fast_until))
    app = make_app(deployment.kafka, name, worker, deployment.folder / "faust" / f"{name}-{worker}")
    _build(name, app, deployment).install(guard)
    if heartbeat is not None:
        touch_regularly(app, heartbeat)
    run(app)


def _free_number(deployment: Deployment, name: str) -> int:
    most = 1 if name == "alert" else HITS_PARTITIONS  # see pipeline.configuration.Workers
    try:
        return claim_number(deployment.folder / "workers", name, most)
    except NumbersTaken as error:
        raise click.ClickException(str(error)) from error


def _build(name: str, app: Any, deployment: Deployment) -> Any:
    if name == "enrich":
        return _enrich(app, deployment)
    if name == "detect":
        from pipeline.roles.detect import detect_role

        return detect_role(app, deployment.kafka, wall_clock)
    if name == "index":
        from pipeline.roles.index import IndexRole

        return IndexRole(app, deployment.kafka, deployment.elasticsearch, clock=wall_clock)
    return _alert(app, deployment)


def _enrich(app: Any, deployment: Deployment) -> Any:
    from pipeline.roles.enrich import Enrich, enrich_role
    from pipeline.secrets import hmac_key
    from pipeline.tone import open_tone
    from pipeline.watch_follower import WatchFollower

    watches = WatchFollower(deployment.kafka, lambda: wall_clock().date())
    work = Enrich(
        deployment.kafka, tone=open_tone(deployment.configuration.sentiment), watches=watches,
        secret=hmac_key(deployment.configuration, deployment.data), clock=wall_clock,
    )  # fmt: skip
    return enrich_role(app, deployment.kafka, work)


def _alert(app: Any, deployment: Deployment) -> Any:
    from pipeline.roles.alert import AlertRole
    from pipeline.wiring import alert_channels

    return AlertRole(
        app, deployment.kafka, on_call=deployment.configuration.all_on_call(), channels=alert_channels(deployment),
        is_replay=deployment.is_replay, clock=wall_clock,
    )  # fmt: skip


def _run_source(deployment: Deployment, posts: Path, encoding: str, speed: str, fast_until: datetime | None) -> int:
    import signal

    from connectors.file_replay import FileReplay
    from connectors.runner import SourceRunner
    from pipeline.wiring import privacy_gate

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    source = FileReplay(posts, now=wall_clock(), encoding=encoding)
    runner = SourceRunner(
        deployment.kafka, privacy_gate(deployment), admits=None, clock=wall_clock, monotonic=time.monotonic, stopping=stopping
    )
    checkpoint = runner.run(source, None if speed == "max" else float(speed), fast_until=fast_until)
    return 0 if checkpoint.finished else 75  # EX_TEMPFAIL: stopped on the way, goes on at the checkpoint
