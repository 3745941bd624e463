"""`nabiz watch expect` and `nabiz watch verdict`: what people know that the counts do not."""

import math
from datetime import datetime, timedelta, timezone
from typing import Final

import click

from pipeline.audit import Action, who_runs_this
from pipeline.cli.auditing import Reason, as_option, audit_log
from pipeline.cli.common import Context, common_options
from pipeline.cli.servers_address import existing_deployment
from pipeline.deployment import Deployment, wall_clock
from pipeline.watch_registry import known_watch, tell
from schemas.hits import LARGEST_FACTOR, LONGEST_EXPECTATION, Expectation, Verdict
from schemas.watches import Watch

_TURKIYE: Final = timezone(timedelta(hours=3), "Türkiye")
_TIME: Final = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"])


@click.command()
@click.argument("watch_id", metavar="ID")
@click.option("--from", "start", type=_TIME, required=True, help="Türkiye time, e.g. '2026-12-01 09:00'.")
@click.option("--to", "end", type=_TIME, required=True, help="Türkiye time.")
@click.option(
    "--factor", type=click.FloatRange(1, LARGEST_FACTOR), default=4.0, show_default=True,
    help="Times the usual number of posts; 1 takes back what was said of the same times.",
)  # fmt: skip
@click.option("--reason", type=Reason(), required=True, help="What was announced; whoever is called reads it.")
@as_option
@common_options
def expect(
    context: Context, *, watch_id: str, start: datetime, end: datetime, factor: float, reason: str, name: str | None
) -> None:  # fmt: skip
    """Say that more posts than usual will come, because something was announced. It mutes nothing: several times as many
    as expected are told all the same.

    \b
    Examples:
      nabiz watch expect su-kesintisi --from '2026-12-01 09:00' --to '2026-12-01 17:00' --reason "duyurulan bakım, Karşıyaka"
      nabiz watch expect ulasim --from 2026-10-29 --to 2026-10-30 --factor 2 --reason "Cumhuriyet Bayramı kutlamaları"
    """
    if math.isnan(factor):  # which click takes for being in any range
        raise click.BadParameter(f"give a number from 1 to {LARGEST_FACTOR:g}", param_hint="'--factor'")
    begins, ends = start.replace(tzinfo=_TURKIYE), end.replace(tzinfo=_TURKIYE)
    if not timedelta(0) < ends - begins <= LONGEST_EXPECTATION:
        raise click.UsageError(f"--to must be after --from, and at most {LONGEST_EXPECTATION.days} days later")
    if ends <= wall_clock():
        raise click.UsageError(f"{ends:%Y-%m-%d %H:%M} is over: say beforehand, or at least during it, what is to be expected")
    deployment, watch = _known(context, watch_id)
    record = Expectation(
        expectation_id=f"{begins:%Y%m%dT%H%M}-{ends:%Y%m%dT%H%M}", watch_id=watch_id, start=begins, end=ends, factor=factor,
        reason=reason, who=who_runs_this(name),
    )  # fmt: skip
    audit_log(context, name).write(Action.EXPECTED, [watch_id, record.expectation_id], reason)
    tell(deployment.kafka, watch_id, record)
    when = f"from {begins:%Y-%m-%d %H:%M} to {ends:%Y-%m-%d %H:%M}"
    said = (
        f"whatever was expected {when} is taken back, in force within seconds; what was said of other times stays"
        if factor == 1
        else f"{factor:g} times the usual is expected {when}, in force within seconds"
    )
    context.answer(record.model_dump(mode="json"), f"{watch.title}: {said}")


@click.command()
@click.argument("watch_id", metavar="ID")
@click.argument("what", type=click.Choice(["crisis", "no-crisis"]))
@as_option
@common_options
def verdict(context: Context, *, watch_id: str, what: str, name: str | None) -> None:
    """Say what the rise that is going on is. A crisis is not learnt as usual; of what is none the same again is less unusual.

    \b
    Examples:
      nabiz watch verdict su-kesintisi crisis
      nabiz watch verdict ulasim no-crisis --as "Ayşe, basın bürosu"
    """
    deployment, watch = _known(context, watch_id)
    record = Verdict(watch_id=watch_id, crisis=what == "crisis", who=who_runs_this(name), at=wall_clock())
    audit_log(context, name).write(Action.VERDICT, [watch_id], what)
    tell(deployment.kafka, watch_id, record)
    context.answer(
        record.model_dump(mode="json"),
        f"{watch.title}: taken down as {what}, of the rise that is going on; if none is, it changes nothing",
    )


def _known(context: Context, watch_id: str) -> tuple[Deployment, Watch]:
    deployment = existing_deployment(context)
    return deployment, known_watch(deployment.kafka, watch_id)
