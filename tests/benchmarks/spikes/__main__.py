"""`make bench-spikes`: everything, or one part; the last line says which bars were met and missed."""

import sys
import time
from collections.abc import Callable
from typing import Final

import click
import orjson

from tests.benchmarks.spikes import bound, bunches, floods, nab, replays, report, scale, simulated
from tests.benchmarks.spikes.report import Row
from tests.benchmarks.spikes.simulated import FULL, QUICK, Plan, Say

PARTS: Final[dict[str, Callable[[Plan, Say], list[Row]]]] = {
    "noise": simulated.noise,
    "unlike-days": simulated.unlike_days,
    "poisson": bound.poisson,
    "lists": simulated.lists,
    "nab": nab.nab,
    "floods": floods.floods,
    "telecom": replays.telecom,
    "universities": replays.universities,
    "bunches": bunches.bunches,
    "scale": scale.scale,
}


@click.command()
@click.option("--only", "chosen", multiple=True, type=click.Choice(list(PARTS)), help="One part; again for more.")
@click.option("--quick", is_flag=True, help="Little of everything, in about a minute or two: to see that it runs.")
@click.option("--json", "as_json", is_flag=True, help="The rows with their numbers, for scripts.")
def main(chosen: tuple[str, ...], *, quick: bool, as_json: bool) -> None:
    """Delays and false alarms of the crisis detector against the bars. Progress on standard error; exit code 1 if one is missed."""
    plan = QUICK if quick else FULL
    rows: list[Row] = []
    for name, part in PARTS.items():
        if chosen and name not in chosen:
            continue
        began = time.monotonic()
        found = part(plan, _say)
        click.echo(f"\r{name}: {time.monotonic() - began:.0f} s{' ' * 40}", err=True)
        rows += found
        if not as_json:
            click.echo(report.as_text(found))
    if quick:
        click.echo("\nquick: far too few surges and weeks to judge by", err=True)
    if as_json:
        click.echo(orjson.dumps(report.as_value(rows), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str))
    else:
        click.echo(f"\n{report.summary(rows)}")
    sys.exit(report.failed(rows))


def _say(stage: str, done: int, total: int) -> None:
    click.echo(f"\r{stage}: {done} of {total}   ", err=True, nl=False)


if __name__ == "__main__":
    main()
