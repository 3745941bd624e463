"""The rules to compare with: those of `processors.spikes.rivals`, and those that are told what nobody knows."""

import math
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from processors.spikes.rivals import Past, Rival, all_rivals

Floats = npt.NDArray[np.float64]

__all__ = ["Bound", "Clairvoyant", "Mixture", "Past", "Rival", "all_rivals"]


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

    def __init__(self, series: int, times: float) -> None:
        self.name = f"clairvoyant CUSUM for {times:g} times"
        self.times = times
        self._sum = np.zeros(series)

    def value(self, counts: Floats, rates: Floats) -> Floats:
        """Of the next minute."""
        self._sum = np.maximum(0.0, self._sum + counts * math.log(self.times) - (self.times - 1) * rates)
        return self._sum

    def copy(self) -> "Clairvoyant":
        """An independent sum that is equal to this one."""
        other = Clairvoyant(0, self.times)
        other._sum = self._sum
        return other


class Mixture:
    """The Shiryaev-Roberts rule that is told the rates and not the height: the mean of what speaks for each of three heights.

    It adds up what speaks for a rise that began at any minute before, where the CUSUM takes the likeliest one: the shortest mean
    delay where surges come long after the watch began (Shiryaev, Theory Probab. Appl. 8, 1963; Roberts, Technometrics 8, 1966;
    Pollak and Tartakovsky, Statistica Sinica 19, 2009). So its median can be below the clairvoyant CUSUM's, which is best in the
    worst case. Told the true rates it knows what nobody knows; told those that were learnt, it says what they are worth.
    """

    HEIGHTS: Final = (5.0, 10.0, 20.0)

    def __init__(self, series: int, name: str) -> None:
        self.name = name
        self._logs = np.full((len(self.HEIGHTS), series), -np.inf)

    def value(self, counts: Floats, rates: Floats) -> Floats:
        """Of the next minute: the log of the mean."""
        heights = np.array(self.HEIGHTS)[:, None]
        self._logs = np.logaddexp(0.0, self._logs) + counts * np.log(heights) - (heights - 1) * rates
        mean: Floats = np.logaddexp.reduce(self._logs, axis=0) - math.log(len(self.HEIGHTS))
        return mean

    def copy(self) -> "Mixture":
        """An independent rule that is equal to this one."""
        other = Mixture(0, self.name)
        other._logs = self._logs
        return other
