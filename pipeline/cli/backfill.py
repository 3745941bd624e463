"""`nabiz backfill`: what is usual for a watch, from a file of the past."""

from pathlib import Path

import click

from connectors.file_replay import FileReplay
from pipeline.audit import Action, who_runs_this
from pipeline.backfill import Learnt, learn
from pipeline.cli.auditing import as_option, audit_log
from pipeline.cli.bars import stage_bars
from pipeline.cli.common import Context, common_options, power_language
from pipeline.cli.servers_address import existing_deployment
from pipeline.deployment import wall_clock
from pipeline.detection_power import DetectionPower
from pipeline.tone import open_tone
from pipeline.watch_registry import known_watch, refuse_other_query, tell
from pipeline.wiring import public_accounts
from processors.alerting.on_call import Language
from schemas.watches import Watch


@click.command()
@click.argument("watch_id", metavar="WATCH")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file, e.g. windows-1254.")
@power_language
@as_option
@common_options
def backfill(context: Context, *, watch_id: str, file: Path, encoding: str, lang: Language, name: str | None) -> None:
    """Learn what is usual for WATCH from a FILE of past posts (JSON lines or CSV), at best of the last weeks
    and without a gap of more than two of them.

    The posts pass the watch and the model here, and only what was learnt is written: no text and no author. It takes the
    place of what the detector has learnt so far. About 80 posts a second that the watch takes. Also says how soon a rise
    would be found at the rate of the file.

    \b
    Example:
      nabiz backfill su-kesintisi posts-of-november.jsonl
    """
    deployment = existing_deployment(context)
    watch = known_watch(deployment.kafka, watch_id)
    source = FileReplay(file, now=wall_clock(), encoding=encoding)
    with stage_bars() as report:
        learnt = learn(
            watch, source, public_accounts(deployment.configuration), open_tone(deployment.configuration.sentiment),
            who=who_runs_this(name), report=report,
        )  # fmt: skip
    refuse_other_query(watch, known_watch(deployment.kafka, watch_id))  # reading a long file takes minutes
    audit_log(context, name).write(Action.BACKFILLED, [watch_id], f"from {file}")
    tell(deployment.kafka, watch_id, learnt.record)
    value = learnt.record.model_dump(mode="json", exclude={"states"})
    power = DetectionPower.of(watch, learnt.concern_an_hour)
    context.answer(
        {**value, "posts": learnt.posts, "days": round(learnt.days, 2), "detection_power": power.value()},
        f"{_text(watch, learnt)}\n{power.words(lang)}",
    )


def _text(watch: Watch, learnt: Learnt) -> str:
    record = learnt.record
    rate = record.mentions / learnt.days / 24
    short = (
        "" if learnt.days >= 7 else " A week or more would tell the weekdays apart, too: signals say that it is still learning."
    )
    return (
        f"{watch.title}: {record.mentions:,} of {learnt.posts:,} posts in {learnt.days:.1f} days, {rate:.1f} an hour; "
        f"what is usual is known from {record.start:%Y-%m-%d} to {record.end:%Y-%m-%d}, in force within seconds.{short}"
    )
