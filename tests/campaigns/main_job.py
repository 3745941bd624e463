"""The main job under every fault that the design promises to survive.

    python -m tests.campaigns.main_job [--only NAME] [--quick] [--keep]

First the whole telecom day with the bundled model, then the same with nothing but unsure labels; then the hours of its
surge again and again, each time with another fault, each compared with a run without; at last the same log of hits read by
one, two and four workers. One line a run, one line at the end; exit code 1 when anything was lost, doubled or wrong.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.configuration import Configuration, Workers, load
from pipeline.secrets import hmac_key
from pipeline.tone import text_hash
from processors.privacy.identity import mention_id
from processors.privacy.masking import mask
from schemas.topics import ENRICHED, NOTIFICATIONS, SIGNALS
from tests.campaigns.determinism import read_again
from tests.campaigns.faults import Fault, after, at, away, freeze, kill, written
from tests.campaigns.outcomes import Outcome, Violation, differences, own_faults
from tests.campaigns.runs import Finished, Plan, run
from tests.campaigns.site import Site, opened

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT.parent / "shared" / "data" / "replay" / "telecom_2019-09-26.jsonl"
EXAMPLE: Final = ROOT / "deploy" / "examples" / "telecom.yaml"
TURKIYE: Final = timezone(timedelta(hours=3))
OUTAGE_BEGAN: Final = datetime(2019, 9, 26, 13, 59, tzinfo=TURKIYE)
PAGED_BY: Final = datetime(2019, 9, 26, 14, 20, tzinfo=TURKIYE)
SURGE_UNTIL: Final = "2019-09-26T16"  # the fault runs read up to here: 7,002 mentions
SHORT: Final = 1500  # mentions that a run with the model under faults reads
MODEL_SECS: Final = 3600.0
QUICK: Final = ("kill-source", "kill-enrich", "kill-index", "kill-detect", "kill-alert", "kill-kafka", "hits")


@dataclass
class Campaign:
    """What has been tried so far, and what came of it."""

    site: Site
    folder: Path
    only: Sequence[str]
    quick: bool
    started: float = field(default_factory=time.monotonic)
    runs: int = 0
    posts: int = 0
    fired: list[str] = field(default_factory=list)
    violations: Counter[str] = field(default_factory=Counter)

    def wanted(self, name: str) -> bool:
        """Whether a run was asked for."""
        if self.only:
            return any(name == asked or (asked not in NAMES and name.startswith(asked)) for asked in self.only)
        return not self.quick or name in QUICK

    def say(self, line: str) -> None:
        """A line with the time since the start."""
        print(f"{time.monotonic() - self.started:7.0f} s  {line}", flush=True)

    def tell(self, name: str, violations: Sequence[Violation], what: str) -> None:
        """The line of a finished run."""
        self.runs += 1
        self.violations.update(violation.kind for violation in violations)
        self.say(f"{name:<22} {'VIOLATED' if violations else 'ok':<9} {what}")
        for violation in violations:
            self.say(f"  {violation.kind}: {violation.text}")

    def run(
        self, plan: Plan, judge: Callable[[Outcome], Iterator[Violation]], *, keep_topics: bool = False
    ) -> Finished:  # fmt: skip
        """Run, tell, count."""
        finished = run(self.site, plan, judge, keep_topics=keep_topics)
        self.posts += plan.total
        self.fired += finished.fired
        what = f"{plan.total} mentions in {finished.seconds:.0f} s"
        if finished.outcome is not None:
            pages = ", ".join(f"{page.astimezone(TURKIYE):%d %b %H:%M:%S}" for page in finished.outcome.pages)
            what += f", pages {pages or 'none'}"
        self.tell(plan.name, finished.violations, "; ".join([what, *finished.fired]))
        return finished

    def summary(self) -> str:
        """The one line at the end."""
        lost, doubled, wrong = (self.violations[kind] for kind in ("lost", "doubled", "wrong"))
        minutes = (time.monotonic() - self.started) / 60
        return (
            f"main job: {self.runs} runs, {self.posts} mentions, {len(self.fired)} faults fired in {minutes:.0f} minutes; "
            f"lost {lost}, doubled {doubled}, wrong {wrong}"
        )


# -- the file -----------------------------------------------------------------------------------------------------------


def surge_part(folder: Path) -> tuple[Path, int]:
    """The lines up to the end of the surge, as a file, and their number."""
    lines = [line for line in FILE.read_bytes().splitlines(keepends=True) if orjson.loads(line)["published_at"] < SURGE_UNTIL]
    return _file(folder / "surge.jsonl", lines), len(lines)


def short_part(folder: Path) -> tuple[Path, int]:
    """The first lines only."""
    return _file(folder / "short.jsonl", FILE.read_bytes().splitlines(keepends=True)[:SHORT]), SHORT


def _file(file: Path, lines: Sequence[bytes]) -> Path:
    file.write_bytes(b"".join(lines))
    return file


def expected_ids(deployment_secret: bytes, file: Path) -> set[str]:
    """Computed from the file alone."""
    posts = map(orjson.loads, file.read_bytes().splitlines())
    return {mention_id(deployment_secret, post["platform"], "main", post["id"]) for post in posts}


# -- labels -------------------------------------------------------------------------------------------------------------


def label_cache() -> Path:
    """Labels of the last whole run with the model; outside the repository."""
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "nabiz" / "campaign" / "telecom-labels.jsonl"


def unsure_labels(folder: Path) -> Path:
    """A file that calls every text unsure."""
    hashes = {text_hash(mask(orjson.loads(line)["text"], frozenset()).text) for line in FILE.read_bytes().splitlines()}
    lines = [{"text_hash": key, "label": "unsure", "confidence": 0.4, "model": "unsure"} for key in sorted(hashes)]
    return save_labels(folder / "unsure.jsonl", lines)


def save_labels(file: Path, lines: Sequence[dict[str, Any]]) -> Path:
    """In the format of `pipeline.tone`."""
    file.parent.mkdir(parents=True, exist_ok=True)
    by_hash = {line["text_hash"]: line for line in lines}
    file.write_bytes(b"\n".join(orjson.dumps(line) for line in by_hash.values()) + b"\n")
    return file


# -- configurations -----------------------------------------------------------------------------------------------------


def example(labels: Path | None) -> Configuration:
    """The bundled example, as the replay of the telecom file is documented."""
    configuration = load(EXAMPLE)
    return configuration.model_copy(update={"sentiment": configuration.sentiment.model_copy(update={"stored_labels": labels})})


TOPICS_OF_TALK: Final = (
    "turkcell",
    "vodafone*",
    "turktelekom",
    "deprem*",
    "fatura*",
    "internet",
    "whatsapp",
    "hat*",
    "reklam",
    "gsm",
)


def many_watches(folder: Path, name: str, labels: Path | None, **workers: int) -> Configuration:
    """Eleven watches, so that several partitions of `hits` are at work, and two channels."""
    watches = folder / "watches.yaml"
    entry = (ROOT / "deploy" / "examples" / "telecom-watches.yaml").read_text(encoding="utf-8")
    entries = [entry]
    for number, query in enumerate(TOPICS_OF_TALK):
        level = ("page", "notice", "count")[number % 3]
        entries.append(
            entry.replace("id: operator", f"id: konu-{number}")
            .replace('"*:*"', f'"{query}"')
            .replace("level: page", f"level: {level}")
        )
    watches.write_text("".join(entries), encoding="utf-8")
    second = {"name": "ikinci", "type": "file", "path": folder / f"second-{name}.jsonl"}
    fields = example(labels).model_dump() | {"watches": (watches,), "workers": Workers(**workers).model_dump()}
    fields |= {"channels": {"ikinci": second}, "replay_channels": ("ikinci",)}
    fields["on_call"]["nobetci"]["channels"] = ("console", "ikinci")
    return Configuration.model_validate(fields)


# -- the whole day ------------------------------------------------------------------------------------------------------


def whole_day(campaign: Campaign) -> None:
    """With the model, then without any certainty: the same bars."""
    total = len(FILE.read_bytes().splitlines())
    bars = day_bars(campaign.site)
    if campaign.wanted("model"):
        plan = Plan(
            name="model", configuration=example(None), file=FILE, total=total, paced=False, longest_secs=MODEL_SECS
        )  # fmt: skip
        finished = campaign.run(plan, bars)
        if finished.outcome is not None and not finished.violations:
            campaign.say(f"labels kept in {save_labels(label_cache(), finished.outcome.labels)}")
    if campaign.wanted("unsure"):
        labels = unsure_labels(campaign.folder)
        campaign.run(Plan(name="unsure", configuration=example(labels), file=FILE, total=total, paced=False), bars)


def day_bars(site: Site) -> Callable[[Outcome], Iterator[Violation]]:
    """Every id once, nothing paged before the outage, a page soon after."""

    def judge(found: Outcome) -> Iterator[Violation]:
        yield from own_faults(found)
        expected = expected_ids(hmac_key(Configuration(), site.data), FILE)
        if expected != found.documents.keys():
            lost, extra = len(expected - found.documents.keys()), len(found.documents.keys() - expected)
            yield Violation("lost" if lost else "wrong", f"{lost} documents are missing, {extra} too many")
        counted = sum(mentions for mentions, _ in found.minutes.values())
        if counted != len(expected):
            yield Violation("lost" if counted < len(expected) else "doubled", f"{counted} mentions counted of {len(expected)}")
        if any(page < OUTAGE_BEGAN for page in found.pages):
            yield Violation("wrong", f"paged at {min(found.pages)}, before the outage")
        if not any(OUTAGE_BEGAN <= page <= PAGED_BY for page in found.pages):
            yield Violation("lost", f"no page by {PAGED_BY:%H:%M}: {found.pages}")

    return judge


# -- faults -------------------------------------------------------------------------------------------------------------


def twice(name: str) -> tuple[Fault, ...]:
    """Early and late in the surge."""
    return Fault(at(0.3), kill(name)), Fault(at(0.6), kill(name))


ROLES: Final = ("enrich-0", "index-0", "detect-0", "alert-0")
FAULTS: Final[dict[str, tuple[tuple[Fault, ...], dict[str, int]]]] = {
    "kill-source": (twice("source-0"), {}),
    "kill-enrich": (twice("enrich-0"), {}),
    "kill-index": (twice("index-0"), {}),
    "kill-detect": (twice("detect-0"), {}),
    "kill-alert": (twice("alert-0"), {}),
    "kill-alert-signal": ((Fault(written(SIGNALS), kill("alert-0")),), {}),
    "kill-alert-delivery": ((Fault(written(NOTIFICATIONS), kill("alert-0")),), {}),
    "kill-kafka": (twice("kafka"), {}),
    "kill-elasticsearch": (twice("elasticsearch"), {}),
    "kill-starting": (tuple(Fault(after(secs), kill(role)) for role in ROLES for secs in (0.5, 4)), {}),
    "freeze-source": ((Fault(at(0.3), freeze("source-0")),), {}),
    "freeze-enrich": ((Fault(at(0.3), freeze("enrich-0")),), {}),
    "freeze-index": ((Fault(at(0.3), freeze("index-0")),), {}),
    "freeze-detect": ((Fault(at(0.3), freeze("detect-0")),), {}),
    "freeze-alert": ((Fault(at(0.3), freeze("alert-0")),), {}),
    "freeze-kafka": ((Fault(at(0.3), freeze("kafka")),), {}),
    "freeze-elasticsearch": ((Fault(at(0.3), freeze("elasticsearch")),), {}),
    "two-enrich": ((Fault(at(0.3), freeze("enrich-0")), Fault(at(0.6), kill("enrich-1"))), {"enrich": 2}),
    "two-detect": ((Fault(at(0.3), freeze("detect-0")), Fault(at(0.6), kill("detect-1"))), {"detect": 2}),
    "away-elasticsearch": ((Fault(at(0.3), away("elasticsearch")),), {}),
    "restart-kafka": ((Fault(at(0.3), away("kafka", 3)),), {}),
}
NAMES: Final = ("model", "unsure", "model-enrich", "hits", *FAULTS)


def fault_runs(campaign: Campaign) -> None:
    """Each fault against the run without."""
    wanted = [name for name in FAULTS if campaign.wanted(name)]
    hits = campaign.wanted("hits")
    if not wanted and not hits:
        return
    file, total = surge_part(campaign.folder)
    labels = label_cache()
    if not labels.exists():
        campaign.say("no labels of a whole run with the model are kept: every text is unsure")
        labels = unsure_labels(campaign.folder)
    plan = Plan(name="reference", configuration=many_watches(campaign.folder, "reference", labels), file=file, total=total)
    reference = campaign.run(plan, own_faults, keep_topics=True).outcome
    if reference is None:
        return
    for name in wanted:
        faults, workers = FAULTS[name]
        configuration = many_watches(campaign.folder, name, labels, **workers)
        plan = Plan(name=name, configuration=configuration, file=file, total=total, faults=faults)
        campaign.run(plan, lambda found: differences(found, reference))
    if hits:
        for name, violations, what in read_again(campaign.site, many_watches(campaign.folder, "hits", labels), "reference"):
            campaign.tell(name, violations, what)


def model_under_faults(campaign: Campaign) -> None:
    """Killed and frozen in the middle of an inference, `enrich` gives the labels that it would have given."""
    if not campaign.wanted("model-enrich"):
        return
    file, total = short_part(campaign.folder)

    def plan(name: str, *faults: Fault) -> Plan:
        configuration = many_watches(campaign.folder, name, None)
        return Plan(
            name=name, configuration=configuration, file=file, total=total, faults=faults, paced=False, longest_secs=600
        )  # fmt: skip

    reference = campaign.run(plan("model-short"), own_faults).outcome
    if reference is None:
        return
    faults = (Fault(written(ENRICHED, 400), kill("enrich-0")), Fault(written(ENRICHED, 900), freeze("enrich-0")))
    campaign.run(plan("model-enrich", *faults), lambda found: differences(found, reference))


# -- the command --------------------------------------------------------------------------------------------------------


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help=f"one run, or all that begin so: {', '.join(NAMES)}"
    )
    parser.add_argument("--quick", action="store_true", help="kills only, without the model")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    options = parser.parse_args()
    if not FILE.exists():
        print(f"{FILE} is not there: the data set is not part of the repository", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="nabiz-campaign-"))
    with opened(folder / "data", partial(print, flush=True)) as site:
        campaign = Campaign(site, folder, options.only, options.quick)
        campaign.say(f"servers run; data in {folder}")
        whole_day(campaign)
        fault_runs(campaign)
        model_under_faults(campaign)
    print(campaign.summary(), flush=True)
    if campaign.violations or options.keep:
        print(f"data kept in {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if campaign.violations else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped on the way: nothing was proved")
