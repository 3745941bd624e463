"""What it costs: bytes of state, hits a second, a hundred thousand watches. Times as ratios to a fixed numpy loop."""

import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from processors.detection.fold import DetectFold
from processors.spikes import Surge
from processors.spikes.fleet import Fleet
from schemas.hits import Hit, WatchChanged
from schemas.labels import Label
from tests.benchmarks.spikes.replays import hit_of, progress_to, watch
from tests.benchmarks.spikes.report import Row, judged
from tests.benchmarks.spikes.simulated import Plan, Say
from tests.benchmarks.spikes.streams import MONDAY, SEEDS

WATCHES: Final = 100_000
LOUD_HITS: Final = 1_000  # a minute, of one watch
LOUD_MINUTES: Final = 6
LARGEST_STATE_BYTES: Final = 256
_BEGIN: Final = datetime.fromtimestamp(MONDAY * 60, UTC)
_MEGABYTE: Final = 1e6


def numpy_loop_secs() -> float:
    """The yardstick: a hundred exp and sum over 100,000 floats, the best of five."""
    numbers = np.linspace(-1, 1, 100_000)

    def once() -> None:
        for _ in range(100):
            np.exp(numbers).sum()

    return min(timed(once) for _ in range(5))


def timed(call: Callable[[], object]) -> float:
    """Seconds of processor time, which others on the machine do not lengthen much."""
    before = time.process_time()
    call()
    return time.process_time() - before


def scale(plan: Plan, say: Say) -> list[Row]:
    """All of it; with --quick a tenth of the watches."""
    yardstick = numpy_loop_secs()
    say("scale", 1, 4)
    rows = [_state_row()]
    rows += _fleet_rows(WATCHES if plan.weeks > 1 else WATCHES // 10, yardstick)
    say("scale", 2, 4)
    rows.append(_single_row(yardstick))
    say("scale", 3, 4)
    rows += _fold_rows(yardstick)
    say("scale", 4, 4)
    return rows


def _state_row() -> Row:
    size = len(Surge(MONDAY).pack())
    return judged(
        "scale", "state of a watch and series", f"{size} bytes", f"at most {LARGEST_STATE_BYTES}", size <= LARGEST_STATE_BYTES
    )


def _fleet_rows(watches: int, yardstick: float) -> list[Row]:
    rng = np.random.default_rng(SEEDS["scale"])
    weights = rng.poisson(0.05, (20, watches)).astype(np.float64)
    tracemalloc.start()
    fleet = Fleet(watches, MONDAY)
    fleet.tick(weights[0])
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    secs = min(timed(lambda row=row: fleet.tick(row)) for row in weights)  # type: ignore[misc]
    packed = len(Surge(MONDAY).pack()) * watches
    return [
        judged(
            "scale", f"memory of {watches:,} series", f"{held / _MEGABYTE:.0f} MB held ({packed / _MEGABYTE:.0f} MB packed), "
            f"{peak / _MEGABYTE:.0f} MB for a moment in a tick", "at most 100 MB held", held <= 100 * _MEGABYTE,
        ),
        Row(part="scale", what=f"one full advance of {watches:,} series by a minute", measured=_ratio(secs, yardstick)),
    ]  # fmt: skip


def _single_row(yardstick: float) -> Row:
    surge = Surge(MONDAY)
    secs = timed(lambda: surge.advance(MONDAY + 5_000)) / 5_000
    return Row(part="scale", what="one tick of one series in Python", measured=_ratio(secs, yardstick, unit="µs"))


def _hits(minutes: int, a_minute: int) -> list[Hit]:
    return [
        hit_of({"at": _BEGIN + timedelta(seconds=60 * number / a_minute), "platform": "kus", "text": f"su yok {number}"}, Label.NEUTRAL, number)
        for number in range(minutes * a_minute)
    ]  # fmt: skip


def _fold_rows(yardstick: float) -> list[Row]:
    hits = _hits(LOUD_MINUTES, LOUD_HITS)
    fold = DetectFold()
    fold.apply(WatchChanged(watch=watch()).encode())
    written = 0
    stored: dict[str, int] = {}
    encoded = [(hit.event_time, hit.encode()) for hit in hits]
    secs = 0.0
    second: datetime | None = None
    for at, value in encoded:
        if second is None or at - second >= timedelta(seconds=1):  # pipeline.fold writes the state once a second
            second = at
            fold.apply(progress_to(at).encode())
            fold.outputs()
            for key, record in fold.changes():
                stored[key] = len(record or b"")
                written += len(key) + len(record or b"")
        before = time.process_time()
        fold.apply(value)
        secs += time.process_time() - before
    a_minute = written / LOUD_MINUTES / _MEGABYTE
    return [
        judged(
            "scale", f"state written for one watch at {LOUD_HITS} hits a minute, once a second", f"{a_minute:.1f} MB a minute",
            "at most 1 MB", a_minute <= 1,
        ),
        Row(
            part="scale", what="the pure fold, hits of one loud watch",
            measured=f"{len(hits) / secs:,.0f} hits a second; a hit is {_ratio(secs / len(hits), yardstick, unit='µs')}",
        ),
    ]  # fmt: skip


def _ratio(secs: float, yardstick: float, *, unit: str = "ms") -> str:
    shown = secs * (1e3 if unit == "ms" else 1e6)
    return f"{shown:.1f} {unit}, {secs / yardstick:.5f} of the numpy loop ({yardstick * 1e3:.0f} ms)"
