"""Invented posts, all different once they are masked and prepared, so that no cache helps either side."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import orjson

from pipeline.demo.story import build
from processors.enrichment import match
from processors.privacy.masking import mask
from processors.sentiment.prepare import prepare_turkish
from processors.watches.files import parse_watch_file
from processors.watches.matcher import WatchSet
from schemas.mentions import Mention

FIRST_SEED = 1453
WATCH_FILE = Path(str(files("pipeline.demo") / "watches.yaml"))
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SPACING = timedelta(milliseconds=5)  # denser than any rate measured here: reports of progress stay as rare as they are live


@dataclass(frozen=True)
class Invented:
    """A post as a source delivers it, and the text that reaches the model on both sides."""

    record: dict[str, Any]
    masked: str


def posts(number: int) -> list[Invented]:
    """So many posts that the demo's watches take and the model is asked about, in an order that mixes their lengths."""
    chosen: dict[str, Invented] = {}
    taken = _Taken()
    for seed in count(FIRST_SEED):
        for record in build(seed).mentions():
            masked = mask(unicodedata.normalize("NFC", record["text"]), frozenset()).text
            form = prepare_turkish(masked)  # the form that joins the most texts
            if form not in chosen and taken(masked):
                chosen[form] = Invented({**record, "id": f"{seed}-{record['id']}"}, masked)
        if len(chosen) >= number:
            mixed = list(chosen.values())
            Random(FIRST_SEED).shuffle(mixed)
            return mixed[:number]
    raise AssertionError("unreachable")


class _Taken:
    """Whether a masked text goes through the model when it is enriched."""

    def __init__(self) -> None:
        specs = parse_watch_file(WATCH_FILE.read_text(encoding="utf-8"), name=str(WATCH_FILE))
        watches = [spec.watch(version=1, budget_weeks=12, updated_at=START) for spec in specs]
        self._watches = WatchSet.build(watches, date(2026, 3, 2))

    def __call__(self, masked: str) -> bool:
        mention = Mention(
            mention_id="x", source="x", platform="x", instance="x", observed_at=START, event_time=START, text=masked, revision=0
        )
        found = match(mention, self._watches)
        return found is not None and found.classifiable


def write(invented: Sequence[Invented], file: Path) -> None:
    """As `nabiz replay` reads them, `SPACING` apart."""
    lines = (
        orjson.dumps({**post.record, "published_at": (START + number * SPACING).isoformat()})
        for number, post in enumerate(invented)
    )
    file.write_bytes(b"\n".join(lines))


def read_masked(file: Path) -> Iterator[str]:
    """The inverse of `write_masked`."""
    return (orjson.loads(line) for line in file.read_bytes().splitlines())


def write_masked(invented: Sequence[Invented], file: Path) -> None:
    """The texts alone, for those who run without the pipeline."""
    file.write_bytes(b"\n".join(orjson.dumps(post.masked) for post in invented))
