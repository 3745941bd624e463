"""What a signal calls usual is what was usual before the rise: the rise itself does not lift it."""

import json
from pathlib import Path
from random import Random

import pytest

from processors.detection.before import Before
from processors.detection.fold import DetectFold
from processors.detection.watch import WatchState
from processors.spikes import Surge
from processors.spikes.expectations import is_day_off
from processors.spikes.surge import USUAL
from schemas.hits import WatchChanged
from schemas.signals import Series, Signal, SignalKind
from tests.unit.detection_log import Log, apply, at, minutes, progress, saved, signals, watch

RISE = 600
STATES = Path(__file__).parent / "states"


def heard(*, until: int, a_minute: int, restart_at: int | None = None) -> tuple[list[Signal], dict[object, float]]:
    """About 19 posts an hour, for ten hours; then so many more a minute. The signals, and what is usual in each minute."""
    rng, log, fold = Random(1), Log(), DetectFold()
    stored: dict[str, bytes] = {}
    found, usual = [], {}
    apply(fold, WatchChanged(watch=watch()))
    for minute in range(until):
        count = (rng.random() < 19 / 60) + (a_minute if RISE <= minute < RISE + 40 else 0)
        told = apply(fold, *log.burst(minute, count), progress(minute + 2))
        found += signals(told)
        usual |= {closed.start: closed.expected[Series.ALL] * 60 for closed in minutes(told)}
        if minute == restart_at:
            fold = saved(fold, stored)
    return found, usual


@pytest.mark.parametrize("a_minute", [5, 8])
def test_a_rise_of_a_young_watch_does_not_lift_what_was_usual(a_minute: int) -> None:
    """The figure is that of the same watch without the rise, in each signal from onset to end; the statistic's own is lifted."""
    told, lifted = heard(until=RISE + 300, a_minute=a_minute)
    _, undisturbed = heard(until=RISE + 300, a_minute=0)
    calm = sum(undisturbed.values()) / len(undisturbed)
    assert {signal.kind for signal in told} >= {SignalKind.ONSET, SignalKind.END}
    for signal in told:
        assert signal.evidence.expected_60m == pytest.approx(calm, rel=0.25), signal.kind
    assert max(value for start, value in lifted.items() if start < at(RISE + 40)) > 1.2 * calm


def test_a_restart_within_the_rise_changes_nothing() -> None:
    """What was usual before is part of the state."""
    straight, _ = heard(until=RISE + 200, a_minute=8)
    restarted, _ = heard(until=RISE + 200, a_minute=8, restart_at=RISE + 10)
    assert straight == restarted


def test_a_state_of_an_earlier_version_tells_the_statistic_s_figure() -> None:
    """Which did not remember; and its rise goes on."""
    stored = json.loads((STATES / "watch-1.json").read_text(encoding="utf-8"))
    state = WatchState(watch())
    state.restore(stored)
    [signal] = [found for found in state.settle(state.open_from + 400, at(1100)) if isinstance(found, Signal)][-1:]
    assert signal.kind is SignalKind.END
    assert signal.evidence.expected_60m > 0


class TestBefore:
    """On its own."""

    @staticmethod
    def at_level(level: float, bucket: int) -> Surge:
        return Surge(bucket, prior_per_hour=level * 60, day_off=is_day_off)

    def test_without_anything_kept_it_knows_nothing(self) -> None:
        assert Before().expected(7, USUAL) is None

    def test_the_last_one_from_before_the_rise_counts(self) -> None:
        """Two are kept, so that one is always older than a rise of the last hour."""
        for rise, level in ((65, 1.0), (125, 2.0), (185, 3.0)):
            before = Before()
            for bucket, usual in ((60, 1.0), (120, 2.0), (180, 3.0)):
                if bucket <= rise:
                    before.keep(bucket, self.at_level(usual, bucket))
            before.freeze(rise)
            assert before.expected(rise, USUAL) == pytest.approx(level)

    def test_a_rise_that_began_before_the_last_one_takes_the_one_before(self) -> None:
        before = Before()
        before.keep(60, self.at_level(1.0, 60))
        before.keep(120, self.at_level(2.0, 120))
        before.freeze(110)
        before.freeze(150)
        assert before.expected(130, USUAL) == pytest.approx(1.0)

    def test_it_is_stored_as_it_is(self) -> None:
        before = Before()
        before.keep(60, self.at_level(1.0, 60))
        before.keep(120, self.at_level(2.0, 120))
        again = Before.restore(json.loads(json.dumps(before.dump())))
        assert again.dump() == before.dump()
        assert len(again.dump()) == 2
