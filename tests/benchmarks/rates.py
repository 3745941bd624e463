"""Pure arithmetic of the benchmarks: a steady rate out of times, quantiles, medians with their range."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

NEARBY = 0.05


def steady_rate(times: Sequence[float]) -> float:
    """Items a second between about the 10 % and the 90 % quantile of their times in seconds.

    Results come batch by batch, so each cut is made behind the longest pause nearby, which is the end of a batch: a cut
    through the middle would count a batch whose work lies outside. Right as long as a batch is less than a tenth of all.
    """
    ordered = sorted(times)
    first, last = _cut(ordered, 0.1), _cut(ordered, 0.9)
    return (last - first) / (ordered[last] - ordered[first])


def _cut(times: Sequence[float], share: float) -> int:
    nearby = range(int((share - NEARBY) * len(times)), int((share + NEARBY) * len(times)))
    return max(nearby, key=lambda number: times[number + 1] - times[number])


@dataclass(frozen=True)
class Spread:
    """A median with the range it was taken from."""

    median: float
    lowest: float
    highest: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values), len(values))

    def shown(self, digits: int = 1) -> str:
        return f"{self.median:.{digits}f} ({self.lowest:.{digits}f}–{self.highest:.{digits}f}, {self.rounds} rounds)"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
