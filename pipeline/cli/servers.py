"""`nabiz up` and `nabiz down`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import click

from pipeline.cli.common import Context, common_options, fail
from pipeline.configuration import Configuration
from pipeline.deployment import Deployment, resolve, wall_clock
from pipeline.housekeeping import Housekeeping
from pipeline.launch import PortChoice, embedded_servers, needs_embedded, preflight, prepare, start_roles
from pipeline.secrets import require_same_key
from pipeline.supervisor.run_state import AlreadyRunning, RunFolder, RunState
from pipeline.supervisor.supervisor import Supervisor

DETACHED_READY_SECS: Final = 240.0
DOWN_SECS: Final = 90.0
DEMO_NOTICE: Final = (
    "The embedded Kafka and Elasticsearch are for demo, development and tests: one node each, no passwords, this machine only. "
    "For operation see docker-compose.yml, or name your own servers in the configuration."
)


@click.command()
@click.option("--detach", "-d", is_flag=True, help="Return when everything runs.")
@click.option(
    "--ports", type=click.Choice(["default", "auto"]), default="default", show_default=True, help="auto: choose free ones."
)
@common_options
def up(context: Context, detach: bool, ports: PortChoice) -> None:
    """Start everything: servers, topics, index, watches, roles. Ctrl-C or 'nabiz down' stops it; the data stays.

    \b
    Examples:
      nabiz up
      nabiz up --detach --config institution.yaml --data /srv/nabiz
      nabiz up --ports auto
    """
    configuration = context.configuration()  # a mistake in it is told before anything starts
    preflight(configuration)
    if detach:
        _detach(context, ports)
        return
    require_same_key(configuration, context.data)
    supervisor = Supervisor(RunFolder(context.data / "run"), context.say)
    with supervisor.until_asked_to_stop(), supervisor:
        deployment = _start(supervisor, configuration, context, ports)
        context.answer(_addresses(deployment), _welcome(deployment))
        housekeeping = Housekeeping(context.data, clock=wall_clock)
        supervisor.run(until=housekeeping.tend)
        context.say("stopping: roles first, then servers; the data stays")


def _start(supervisor: Supervisor, configuration: Configuration, context: Context, ports: PortChoice) -> Deployment:
    """Raises `Stopped`, among others."""
    if needs_embedded(configuration):
        context.say(DEMO_NOTICE)
    supervisor.start_servers(embedded_servers(configuration, context.data, ports, context.say, supervisor.stopping))
    deployment = resolve(configuration, context.data, **supervisor.addresses)
    context.say("servers answer; preparing topics, index and watches")
    prepare(deployment)
    start_roles(supervisor, deployment)
    return deployment


def _addresses(deployment: Deployment) -> dict[str, str]:
    return {"kafka": deployment.kafka.bootstrap, "elasticsearch": deployment.elasticsearch.urls[0], "data": str(deployment.data)}


def _welcome(deployment: Deployment) -> str:
    return (
        f"Nabız runs.\n  Kafka          {deployment.kafka.bootstrap}\n  Elasticsearch  {deployment.elasticsearch.urls[0]}\n"
        f"  data           {deployment.data}\n  logs           {deployment.logs}\n"
        "Look with 'nabiz status', listen to a file with 'nabiz replay FILE', stop with Ctrl-C or 'nabiz down'."
    )


def _detach(context: Context, ports: PortChoice) -> None:
    """Start the same command in a session of its own, and wait until its roles run or it ends."""
    run = RunFolder(context.data / "run")
    if run.locked():
        raise AlreadyRunning(run.read(), context.data)
    log = context.data / "run" / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pipeline.cli.main", "up", "--ports", ports, "--data", str(context.data)]
    if context.config_file:
        command += ["--config", str(context.config_file)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        _wait_until_it_runs(context, run, process, log)
    except KeyboardInterrupt:  # whoever breaks off the start does not want it to go on unseen
        process.terminate()
        process.wait(DOWN_SECS)
        raise


def _wait_until_it_runs(context: Context, run: RunFolder, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + DETACHED_READY_SECS
    while time.monotonic() < deadline:
        state = run.read()
        if state is not None and any(name.startswith("alert") for name in state.children):
            context.answer({"pid": process.pid, **_running(state)}, f"Nabız runs (process {process.pid}); log: {log}")
            return
        if process.poll() is not None:
            fail(context, f"the start failed:\n{_tail(log)}")
        time.sleep(0.2)  # noqa: TID251 - waits for another process, with a deadline
    fail(context, f"not everything ran within {DETACHED_READY_SECS:g} s; see {log}; stop it with 'nabiz down'")


def _running(state: RunState) -> dict[str, str]:
    return {"kafka": state.kafka, "elasticsearch": state.elasticsearch}


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])


@click.command()
@common_options
def down(context: Context) -> None:
    """Stop what 'up' started on this data folder; the data stays.

    \b
    Example:
      nabiz down --data /srv/nabiz
    """
    run = RunFolder(context.data / "run")
    state = run.read()
    if state is None:
        context.answer({"stopped": False}, f"nothing runs on {context.data}")
        return
    os.kill(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECS
    while run.locked():
        if time.monotonic() > deadline:
            fail(context, f"process {state.pid} did not stop within {DOWN_SECS:g} s; its log: {context.data / 'run' / 'up.log'}")
        time.sleep(0.1)  # noqa: TID251 - waits for another process, with a deadline
    context.answer({"stopped": True, "pid": state.pid}, "stopped; the data stays")
