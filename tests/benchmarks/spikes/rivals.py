"""The rules to compare with: those of `processors.spikes.rivals`, and the bound, which knows what nobody knows."""

import math
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from processors.spikes.rivals import Past, Rival, all_rivals

Floats = npt.NDArray[np.float64]

__all__ = ["Bound", "Clairvoyant", "Generalised", "Past", "Rival", "all_rivals"]


class Bound(Protocol):
    """A rule that is told the rates that are usual."""

    name: str

    def value(self, counts: Floats, rates: Floats) -> Floats:
        """Of the next minute."""

    def copy(self) -> "Bound":
        """An independent rule that is equal to this one."""


class Clairvoyant:
    """The CUSUM that is told the true rate of each minute, frailty included, and how many times it the surge will be.

    The best that any rule can do on a Poisson stream (Lorden 1971, Moustakides 1986): of all with as few false alarms it
    has the shortest worst mean delay. With frailty no rule can reach it, since none is told the frailty.
    """

    def __init__(self, series: int, times: float, name: str = "clairvoyant CUSUM") -> None:
        self.name = f"{name} for {times:g} times"
        self.times = times
        self._sum = np.zeros(series)

    def value(self, counts: Floats, rates: Floats) -> Floats:
        """Of the next minute."""
        self._sum = np.maximum(0.0, self._sum + counts * math.log(self.times) - (self.times - 1) * rates)
        return self._sum

    def copy(self) -> "Clairvoyant":
        """An independent sum that is equal to this one."""
        other = Clairvoyant(0, self.times)
        other.name, other._sum = self.name, self._sum
        return other


class Generalised:
    """The CUSUM that is told the rates and not the height: the highest of the sums for heights from 2 to 45.

    The generalised likelihood ratio (Lorden 1971). It is no bound: a sum for one height in the middle can be as fast where a
    handful of mentions decides. Told the true rates it knows what nobody knows; told those that a detector has learnt, it says
    what they are worth.
    """

    HEIGHTS: Final = (2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 45.0)

    def __init__(self, series: int, name: str) -> None:
        self.name = name
        self._sums = [Clairvoyant(series, times) for times in self.HEIGHTS]

    def value(self, counts: Floats, rates: Floats) -> Floats:
        """Of the next minute."""
        highest: Floats = np.max([each.value(counts, rates) for each in self._sums], axis=0)
        return highest

    def copy(self) -> "Generalised":
        """An independent rule that is equal to this one."""
        other = Generalised(0, self.name)
        other._sums = [each.copy() for each in self._sums]
        return other
