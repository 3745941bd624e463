"""`nabiz spikes evaluate`: the detector and others on any series, explained and drawn; each mistake is answered."""

import gzip
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import main
from pipeline.spike_pictures import draw, step_minutes
from pipeline.spike_series import SeriesUnusable, read_labels, read_series
from processors.spikes import Policy, run_counts
from processors.spikes.evaluation import Alarms, Window, counts_of_times, counts_of_totals, evaluate
from processors.spikes.rivals import HourZScore, Spike, all_rivals

MONDAY = 29_368_620
DAY = 24 * 60
BEGIN = datetime.fromtimestamp(MONDAY * 60, UTC)
SURGE_AT = 2 * DAY


def everyday(minutes: int = SURGE_AT + 120, seed: int = 1) -> list[int]:
    """Thirty mentions an hour, and twenty times as many for an hour after two days."""
    rng = Random(seed)
    return [int(rng.random() < 0.5) + (10 if SURGE_AT <= minute < SURGE_AT + 60 else 0) for minute in range(minutes)]


def times_of(counts: list[int]) -> list[str]:
    return [(BEGIN + timedelta(minutes=minute)).isoformat() for minute, count in enumerate(counts) for _ in range(count)]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["spikes", "evaluate", *map(str, arguments)])


def answer(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    file = tmp_path / "posts.jsonl"
    lines = [json.dumps({"id": str(n), "published_at": time, "text": "su"}) for n, time in enumerate(times_of(everyday()))]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.csv"
    start, end = BEGIN + timedelta(minutes=SURGE_AT), BEGIN + timedelta(minutes=SURGE_AT + 60)
    file.write_text(f"start,end,name\n{start.isoformat()},{end.isoformat()},su kesintisi\n", encoding="utf-8")
    return file


# -- the evaluation -----------------------------------------------------------------------------------------------------


def test_signals_are_those_of_the_detector() -> None:
    counts = everyday()
    found = evaluate(MONDAY, counts)
    assert list(found.transitions) == run_counts(MONDAY, counts)
    assert found.weeks == pytest.approx(len(counts) / (7 * DAY))
    assert len(found.expected) == len(found.spread) == len(found.scores) == len(counts)
    assert [alarms.name for alarms in found.alarms] == ["page", "notice or page"]


def test_what_is_expected_is_known_before_the_minute() -> None:
    counts = everyday()
    found = evaluate(MONDAY, counts)
    louder = evaluate(MONDAY, [*counts[:1_000], counts[1_000] + 500, *counts[1_001:]])
    assert louder.expected[:1_001].tolist() == found.expected[:1_001].tolist()
    assert louder.expected[1_001] != found.expected[1_001]
    assert found.expected[DAY : 2 * DAY].mean() == pytest.approx(0.5, rel=0.15)


def test_the_band_of_many_minutes_is_wider_than_that_of_one_but_narrower_than_their_sum() -> None:
    found = evaluate(MONDAY, everyday())
    one, hour = found.usual_total(1_000, 1_001), found.usual_total(1_000, 1_060)
    assert one == pytest.approx((found.expected[1_000], found.spread[1_000]))
    assert hour[0] == pytest.approx(found.expected[1_000:1_060].sum())
    assert one[1] < hour[1] < found.spread[1_000:1_060].sum()


def test_alarms_are_judged_against_the_labels() -> None:
    windows = (Window(start=100, end=200), Window(start=300, end=400))
    alarms = Alarms(name="any", threshold=1.0, buckets=[50, 110, 120, 500], weeks=2.0, windows=windows)
    assert alarms.delays == [11, None]
    assert alarms.false == [50, 500]
    assert alarms.a_week.value == 2
    assert alarms.false_a_week.value == pytest.approx(2 / (2 - 200 / 10_080))
    assert alarms.false_a_week.low < alarms.false_a_week.value < alarms.false_a_week.high


def test_rivals_cool_down_for_six_hours() -> None:
    counts = everyday()
    found = evaluate(
        MONDAY, counts, rivals=[HourZScore(1), Spike()], windows=[Window(start=MONDAY + SURGE_AT, end=MONDAY + SURGE_AT + 60)]
    )
    names = [alarms.name for alarms in found.alarms]
    assert names == ["page", "notice or page", "z-score of the last hour", "ElastAlert2 spike"]
    for alarms in found.alarms[2:]:
        assert all(later - earlier > 360 for earlier, later in zip(alarms.buckets, alarms.buckets[1:], strict=False))
    assert all(delay is not None and delay <= 30 for alarms in found.alarms for delay in alarms.delays)


def test_progress_is_told_up_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    evaluate(MONDAY, [0] * 25, report=lambda done, total: told.append((done, total)))
    assert told == [(0, 25), (25, 25)]


def test_times_become_counts() -> None:
    first, counts = counts_of_times([120.0, 119.9, 300.0])
    assert (first, counts.tolist()) == (1, [1, 1, 0, 0, 1])
    with pytest.raises(ValueError, match="no times"):
        counts_of_times([])


def test_totals_are_spread_over_their_minutes_and_none_is_lost() -> None:
    first, counts = counts_of_totals([600.0, 900.0], [7, 2], 5)
    assert first == 10
    assert counts.sum() == 9
    assert counts[:5].sum() == 7
    assert counts.max() - counts[:5].min() <= 1


# -- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("header.csv", "timestamp,value\n2026-11-24 03:00:00,4\n2026-11-24 03:05:00,6\n"),
        ("plain.csv", "2026-11-24T03:00:00+03:00,4\n2026-11-24T03:05:00+03:00,6\n"),
        ("turkish.csv", "Date;Count\n24.11.2026 03:00;4\n24.11.2026 03:05;6\n\n"),
        ("lines.jsonl", '{"published_at": 1795478400, "count": 4}\n\n{"published_at": "2026-11-24T03:05+03:00", "count": 6.0}\n'),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_series_may_be_written_in_many_ways(tmp_path: Path, name: str, text: str, packed: bool) -> None:
    file = tmp_path / (name + ".gz" * packed)
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    read = read_series(file, with_counts=True)
    assert read.first_bucket == int(datetime(2026, 11, 24, tzinfo=UTC).timestamp()) // 60
    assert (read.rows, read.step_minutes, read.counts.sum(), len(read.counts)) == (2, 5, 10, 10)


def test_a_time_a_row_is_a_mention_a_row(posts: Path) -> None:
    read = read_series(posts, with_counts=False)
    counts = everyday()
    assert read.counts.tolist() == np.trim_zeros(np.array(counts)).tolist()
    assert read.counts_left_out is None


def test_unused_counts_are_mentioned(tmp_path: Path) -> None:
    file = tmp_path / "volumes.csv"
    file.write_text("timestamp,value\n2026-11-24 03:00,4\n", encoding="utf-8")
    assert read_series(file, with_counts=False).counts_left_out == "value"
    assert "say --counts" in run(file).output


@pytest.mark.parametrize(
    ("name", "text", "with_counts", "message"),
    [
        ("a.csv", "", False, "holds no rows"),
        ("a.csv", "timestamp,value\n", True, "holds no rows"),
        ("a.csv", "who,what\nx,y\n", False, "line 2: no published_at; it has who, what"),
        ("a.csv", "time\nyesterday\n", False, "line 2: 'yesterday' is not a time"),
        ("a.csv", "time\n2026-11-24 03:00\n", True, "line 2: no count"),
        ("a.csv", "time,count\n2026-11-24 03:00,-1\n", True, "'-1' is not a count"),
        ("a.csv", "time,count\n2026-11-24 03:00,1.5\n", True, "'1.5' is not a count"),
        ("a.csv", "time,count\n2026-11-24,1\n2026-11-25,1\n", True, "a count every 1440 minutes"),
        ("a.csv", "time\n1970-01-01 03:00\n2026-11-24 03:00\n", False, "are its times right"),
        ("a.jsonl", '{"published_at": "2026-11-24"}\n{"published_at"\n', False, "line 2 is not JSON"),
        ("a.jsonl.gz", "not packed", False, "no text in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_series_is_said(tmp_path: Path, name: str, text: str, with_counts: bool, message: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SeriesUnusable, match=message):
        read_series(file, with_counts=with_counts)
    result = run(file, *(["--counts"] if with_counts else []))
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_labels_may_be_pairs_or_rows(tmp_path: Path, labels: Path) -> None:
    (row,) = read_labels(labels)
    assert (row.start, row.end, row.name) == (MONDAY + SURGE_AT, MONDAY + SURGE_AT + 60, "su kesintisi")
    pairs = tmp_path / "pairs.json"
    pairs.write_text('[["2026-11-24 03:00:30.000000", "2026-11-24 04:00:30.000000"]]', encoding="utf-8")
    (pair,) = read_labels(pairs)
    assert pair.end - pair.start == 61
    assert pair.name == ""


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "start,end\n2026-11-24,2026-11-23\n", "line 2: the end is not after the start"),
        ("a.csv", "start\n2026-11-24\n", "line 2: no end"),
        ("a.csv", "start,end\n", "holds no labels"),
        ("a.json", "{}", "no list of pairs"),
        ("a.json", "[", "is not JSON"),
    ],
)
def test_what_is_wrong_with_labels_is_said(tmp_path: Path, posts: Path, name: str, text: str, message: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    result = run(posts, "--labels", file, "--json")
    assert result.exit_code == 2
    assert message in json.loads(result.stdout)["error"]


# -- the command --------------------------------------------------------------------------------------------------------


def test_the_answer_for_scripts(posts: Path, labels: Path) -> None:
    found = answer(posts, "--labels", labels)
    assert found["mentions"] == sum(everyday())
    assert found["budget_weeks"] == 12
    assert found["picture"] is None
    rules = {rule["name"]: rule for rule in found["rules"]}
    assert set(rules) == {"page", "notice or page", *(rival.name for rival in all_rivals(1))}
    page = rules["page"]
    assert page["threshold"] == pytest.approx(math.log(12), abs=1e-3)
    assert (page["found"], len(page["alarms"]), page["false_a_week"]["value"]) == (1, 1, 0)
    assert 0 < page["delays"][0] <= 20
    assert {"onset", "growth"} <= {signal["kind"] for signal in found["signals"]}
    assert found["labels"][0]["name"] == "su kesintisi"


def test_a_budget_may_be_smaller(posts: Path) -> None:
    strict = answer(posts, "--budget-weeks", "1000000")
    assert strict["budget_weeks"] == 1_000_000
    assert strict["rules"][0]["alarms"] == []
    assert run(posts, "--budget-weeks", "0").exit_code == 2


def test_the_answer_for_people(posts: Path, labels: Path) -> None:
    result = run(posts, "--labels", labels)
    assert result.exit_code == 0, result.output
    for words in ("one false call in 12 weeks", "learns for a week", "ElastAlert2 spike", "1 of 1", "onset", "2025-11-05"):
        assert words in " ".join(result.stdout.split()), words


def test_a_quiet_series_is_told_to_be_quiet(tmp_path: Path) -> None:
    file = tmp_path / "quiet.csv"
    file.write_text("2026-11-24 03:00\n2026-11-24 05:00\n", encoding="utf-8")
    assert "no signals" in run(file).stdout


class TestPictures:
    def test_the_picture_is_the_same_each_time(self, tmp_path: Path) -> None:
        windows = [Window(start=MONDAY + SURGE_AT, end=MONDAY + SURGE_AT + 60)]
        found = evaluate(MONDAY, everyday(), policy=Policy(), windows=windows)
        files = [tmp_path / name for name in ("one.svg", "two.svg")]
        for file in files:
            draw(found, file)
        first, second = (file.read_text(encoding="utf-8") for file in files)
        assert first == second
        for words in ("expected", "labelled", "page", "mentions in 5 minutes"):
            assert words in first, words

    def test_the_command_writes_it_where_it_was_told(self, posts: Path, tmp_path: Path) -> None:
        file = tmp_path / "out.svg"
        assert answer(posts, "--picture", file)["picture"] == str(file)
        assert file.read_text(encoding="utf-8").startswith("<?xml")

    def test_another_kind_of_picture_is_refused_before_anything_runs(self, posts: Path, tmp_path: Path) -> None:
        result = run(posts, "--picture", tmp_path / "out.bmp")
        assert result.exit_code == 2
        assert ".svg" in result.output

    def test_a_point_stands_for_as_many_minutes_as_the_length_asks(self) -> None:
        assert [step_minutes(minutes) for minutes in (100, 1_501, 10 * DAY, 365 * DAY, 4_000 * DAY)] == [1, 5, 10, 360, 1440]
