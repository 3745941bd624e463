"""A benchmark that starts after another program waits until that one no longer counts; it does not wait for ever."""

import pytest

from tests.benchmarks.machine import BUSY_LOAD, QUIET_WITHIN_SECONDS, await_quiet


class Machine:
    """A clock, and a load that becomes less by a share of itself every ten seconds."""

    def __init__(self, load: float, *, falls: bool) -> None:
        self.seconds, self._load, self._falls = 0.0, load, falls

    def load(self) -> float:
        return self._load * (0.85 ** (self.seconds / 10) if self._falls else 1)

    def now(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.mark.parametrize(
    ("load", "falls", "waited"),
    [(0.1, True, 0), (1.8, True, 80), (1.8, False, QUIET_WITHIN_SECONDS)],
    ids=["quiet", "just ended", "busy"],
)
def test_waits_until_what_ran_before_no_longer_counts(load: float, falls: bool, waited: float) -> None:
    machine = Machine(load, falls=falls)
    await_quiet(load=machine.load, now=machine.now, pause=machine.pause)
    assert machine.seconds == waited
    assert not falls or machine.load() <= BUSY_LOAD
