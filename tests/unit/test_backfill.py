"""What is usual, learnt from a file of the past: the way of the live system, and nothing but one record leaves."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors.file_replay import FileReplay, FileUnusable
from pipeline.backfill import Learnt, learn
from processors.privacy.authors import PublicAccounts
from processors.spikes import Surge
from schemas.labels import Label
from schemas.sentiments import Sentiment
from schemas.signals import Series
from schemas.watches import Watch, WatchLevel

BEGIN = datetime(2025, 11, 3, tzinfo=UTC)
NOW = datetime(2025, 12, 1, tzinfo=UTC)
WATCH = Watch(
    watch_id="su", version=4, title="Su", query="su", level=WatchLevel.PAGE, on_call="nobetci", purpose="Duymak",
    legal_basis="5216 sayılı Kanun", owner="Basın birimi", expires=date(2030, 1, 1), updated_at=BEGIN,
)  # fmt: skip


class Told:
    """Says positive of what is called güzel."""

    def judge(self, texts: Sequence[str]) -> list[Sentiment]:
        labels = (Label.POSITIVE if "güzel" in text else Label.NEUTRAL for text in texts)
        return [Sentiment(label=label, confidence=0.9, model="deneme-1") for label in labels]


def history(folder: Path, *, days: float, text: str = "Su yok {number}", every_minutes: int = 3) -> FileReplay:
    file = folder / "posts.jsonl"
    count = int(days * 24 * 60 / every_minutes)
    rows = [
        {
            "id": number, "text": text.format(number=f"no{number}"), "author": f"kisi{number}", "platform": "ornek",
            "published_at": (BEGIN + timedelta(minutes=every_minutes * number)).isoformat(),
        }
        for number in range(count + 1)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return FileReplay(file, now=NOW)


def learnt(source: FileReplay, steps: set[str] | None = None) -> Learnt:
    seen = steps if steps is not None else set()
    return learn(WATCH, source, PublicAccounts({}), Told(), who="test", report=lambda step, _done, _total: seen.add(step))


def test_the_record_holds_what_is_usual_and_no_text(tmp_path: Path) -> None:
    """Twenty an hour, of which the praise is no concern; a step that takes long is told."""
    steps: set[str] = set()
    found = learnt(history(tmp_path, days=3, text="Su güzel {number}"), steps)
    surges = {series: Surge.unpack(base64.b64decode(found.record.states[series])) for series in Series}
    assert surges[Series.ALL].level == pytest.approx(1 / 3, rel=0.1)
    assert surges[Series.CONCERN].level < 0.02
    assert (found.record.start, found.record.end) == (BEGIN, BEGIN + timedelta(days=3, minutes=1))
    assert (found.record.mentions, found.record.watch_version, found.record.model) == (1441, 4, "deneme-1")
    assert "güzel" not in found.record.encode().decode()
    assert steps == {"reading", "judging the tone", "learning"}


def test_the_rate_of_what_pages_is_told(tmp_path: Path) -> None:
    """Twenty an hour that are no praise; praise does not page, and is none of it."""
    assert learnt(history(tmp_path, days=2)).concern_an_hour == pytest.approx(20, rel=0.02)
    assert learnt(history(tmp_path, days=2, text="Su güzel {number}")).concern_an_hour < 1


def test_too_little_teaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match=r"holds 1\.0 days: give at least 2"):
        learnt(history(tmp_path, days=1))


def test_a_stray_old_post_does_not_make_years_of_silence_the_usual(tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    history(tmp_path, days=3)
    stray = json.dumps({"id": "eski", "text": "Su yok", "published_at": (BEGIN - timedelta(days=400)).isoformat()}) + "\n"
    file.write_text(file.read_text(encoding="utf-8") + stray, encoding="utf-8")
    with pytest.raises(FileUnusable, match=r"holds nothing between 20\d\d-\d\d-\d\d and .*leave out"):
        learnt(FileReplay(file, now=NOW))


def test_a_watch_that_takes_nothing_of_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match=r"takes none of the 1441 lines: try it with 'nabiz watch test'"):
        learnt(history(tmp_path, days=3, text="Park {number}"))
