"""`nabiz demo`."""

import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import click
import orjson
from rich.console import Console

from pipeline.cli.common import Context, common_options
from pipeline.configuration import Configuration
from pipeline.demo.driver import Driver
from pipeline.demo.story import Story, build
from pipeline.demo.voices import OWN_HANDLE, PRESS_HANDLES
from pipeline.demo.wall import Wall
from pipeline.deployment import Deployment, resolve, wall_clock
from pipeline.launch import PortChoice, embedded_servers, prepare, start_roles
from pipeline.replay import ReplayWatcher, source_spec
from pipeline.report.extras import DemoExtras
from pipeline.report.facts import gather
from pipeline.report.html import render
from pipeline.report.texts import IndexTexts
from pipeline.secrets import hmac_key, require_same_key
from pipeline.supervisor.children import ChildSpec
from pipeline.supervisor.run_state import RunFolder
from pipeline.supervisor.supervisor import Stopped, Supervisor
from pipeline.tone import SentimentSettings
from processors.alerting.on_call import OnCallList
from processors.privacy.identity import mention_id
from schemas.authors import AuthorClass
from schemas.topics import ALERTS, DELIVERIES, ENRICHED, NOTIFICATIONS, SIGNALS

SPEED: Final = 2400.0  # the third day takes 36 seconds
MIB: Final = 1024**2
SHOWN: Final = (ENRICHED, SIGNALS, NOTIFICATIONS, DELIVERIES, ALERTS)


@click.command()
@click.option("--lang", type=click.Choice(["tr", "en"]), default="tr", show_default=True, help="Language of texts and report.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), default=Path("demo-report.html"), show_default=True)
@click.option("--ports", type=click.Choice(["default", "auto"]), default="auto", show_default=True)
@common_options
def demo(context: Context, lang: str, report: Path, ports: PortChoice) -> None:
    """Two quiet days and four surges of a made-up municipality, on the real servers with the real model.

    A prize, a bot flood and a match day must not wake anybody; a water cut, told mostly in questions, must. Elasticsearch
    is stopped meanwhile, one post is deleted, and the demo ends with a report that opens without network.

    \b
    Examples:
      nabiz demo
      nabiz demo --lang en --report out/report.html
    """
    started = time.monotonic()
    data = context.data / "demo"
    configuration = _configuration(lang)
    require_same_key(configuration, data)
    console = Console(stderr=context.as_json)
    story = build()
    supervisor = Supervisor(RunFolder(data / "run"), context.say, command="nabiz demo", gives_up=True)
    with supervisor.until_asked_to_stop(), supervisor:
        supervisor.start_servers(embedded_servers(configuration, data, ports, context.say, supervisor.stopping))
        deployment = resolve(configuration, data, namespace=f"replay-demo-{wall_clock():%Y%m%d-%H%M%S}", **supervisor.addresses)
        prepare(deployment)
        start_roles(supervisor, deployment)
        supervisor.start_role(_source(deployment, story))
        with Wall(lang, console) as wall:
            driver = _play(supervisor, deployment, story, wall)
            if driver is None:
                raise Stopped
            extras = driver.extras(lang)
            facts = gather(
                deployment.kafka, made_at=wall_clock(), is_replay=True, texts=IndexTexts(deployment.elasticsearch),
                since=story.surges[0].start.replace(hour=0, minute=0),
            )  # fmt: skip
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(render(facts, extras, "tr" if lang == "tr" else "en"), encoding="utf-8")
            _summary(wall, driver, extras, deployment, report, time.monotonic() - started)
    if context.as_json:
        context.answer(_as_json(driver, report, time.monotonic() - started), "")
    sys.exit(0 if driver.seen.page is not None else 1)


def _configuration(lang: str) -> Configuration:
    return Configuration(
        institution="Çınarlı Büyükşehir Belediyesi",
        public_accounts={AuthorClass.OWN: {"*": (OWN_HANDLE,)}, AuthorClass.PRESS: {"*": PRESS_HANDLES}},
        on_call={"nobetci": OnCallList(name="nobetci", language="tr" if lang == "tr" else "en", channels=("console",))},
        sentiment=SentimentSettings(threads=os.cpu_count() or 1),
        watches=(Path(__file__).parent.parent / "demo" / "watches.yaml",),
    )


def _source(deployment: Deployment, story: Story) -> ChildSpec:
    """The story as a file, replayed as any other: the quiet days at once, the third day so that it can be watched."""
    file = deployment.folder / "story.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\n".join(orjson.dumps(record) for record in story.records) + b"\n")
    third_day = story.surges[0].start.replace(hour=7, minute=30)
    return source_spec(
        deployment, file, encoding="utf-8", speed=str(SPEED), more=("--fast-until", third_day.strftime("%Y-%m-%dT%H:%M:%S%z"))
    )


def _play(supervisor: Supervisor, deployment: Deployment, story: Story, wall: Wall) -> Driver | None:
    """None when the user asked to stop."""
    secret = hmac_key(deployment.configuration, deployment.data)

    def ids(platform: str, native: str) -> str:
        return mention_id(secret, platform, "main", native)

    with deployment.kafka.reader(SHOWN) as reader, ReplayWatcher(deployment) as watcher:
        driver = Driver(story, deployment, supervisor, reader, wall, ids=ids, clock=wall_clock)
        finished = False

        def done() -> bool:
            nonlocal finished
            driver.step()
            finished = watcher.done(lambda _: None)
            return finished

        with closing(driver):
            supervisor.run(until=done)
            driver.step()
    return driver if finished else None


def _summary(wall: Wall, driver: Driver, extras: DemoExtras, deployment: Deployment, report: Path, seconds: float) -> None:
    if extras.stored:
        wall.say("stored")
        wall.plain(f"  {extras.stored.received}\n  {extras.stored.stored}")
    deleted, outage = extras.deleted, extras.outage
    if deleted:
        yes = {True: wall.word("yes"), False: wall.word("no")}
        wall.say("deleted", was=yes[deleted.was_in_evidence], now=yes[deleted.is_in_evidence], index=yes[deleted.is_in_index])
    if outage:
        away = (outage.back_at - outage.away_from).total_seconds()
        wall.say("outage", seconds=away, indexed=outage.indexed_afterwards, missing=outage.missing)
    if driver.seen.page is None:
        wall.say("no_page", logs=deployment.logs)
    memory = sum(part.memory_bytes or 0 for part in extras.footprint)
    disk = sum(part.disk_bytes or 0 for part in extras.footprint)
    wall.say("memory", memory=f"{memory / MIB:.0f} MiB", disk=f"{disk / MIB:.0f} MiB")
    wall.say("report", file=report.absolute())
    wall.say("done", seconds=seconds)


def _as_json(driver: Driver, report: Path, seconds: float) -> dict[str, object]:
    page = driver.seen.page
    return {
        "mentions": driver.seen.mentions,
        "tones": dict(driver.seen.tones),
        "page": page.model_dump(mode="json") if page else None,
        "reached": dict(driver.seen.reached),
        "report": str(report.absolute()),
        "seconds": round(seconds, 1),
    }
