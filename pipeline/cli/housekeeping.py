"""`nabiz housekeeping`: what 'nabiz up' does beside its roles, for those who start the roles themselves."""

import signal
import threading
from pathlib import Path
from typing import Final

import click

from pipeline.cli.common import Context, common_options
from pipeline.deployment import wall_clock
from pipeline.housekeeping import Housekeeping

PAUSE_SECS: Final = 10.0


@click.command()
@click.option(
    "--heartbeat", type=click.Path(path_type=Path), default=None, help="File to touch every few seconds, for a health check."
)
@common_options
def housekeeping(context: Context, heartbeat: Path | None) -> None:
    """Destroy the keys of days that are past their time, every hour, until SIGTERM. 'nabiz up' does this itself.

    \b
    Example:
      nabiz housekeeping --data /srv/nabiz
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    work = Housekeeping(context.data, clock=wall_clock)
    while not stopping.is_set():
        work.tend()
        if heartbeat is not None:
            heartbeat.touch()
        stopping.wait(PAUSE_SECS)
