"""The rules to compare with: those of `processors.spikes.rivals`, and the bound, which knows what nobody knows."""

import math

import numpy as np
import numpy.typing as npt

from processors.spikes.rivals import Past, Rival, all_rivals

Floats = npt.NDArray[np.float64]

__all__ = ["Clairvoyant", "Past", "Rival", "all_rivals"]


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
