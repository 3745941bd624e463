"""The season as whoever is told its form, which no detector is, would learn it from what a series says: what that learning costs."""

import copy
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from tests.benchmarks.spikes.streams import DAY, WEEK

Floats = npt.NDArray[np.float64]

_HOUR: Final = 60
_HOURS_OF_WEEK: Final = WEEK // _HOUR
_STEPS: Final = 12  # of Newton's method
_RIDGE: Final = 1e-3  # keeps a series that has hardly spoken solvable; the counts outweigh it at once
_LARGEST_STEP: Final = 1.0
_WEEKEND: Final = 5


def _form() -> Floats:
    """Of each minute of the week: what `streams.season` multiplies on a log scale, and a constant."""
    minutes = np.arange(WEEK)
    angle = 2 * np.pi * minutes / DAY
    weekend = (minutes // DAY >= _WEEKEND).astype(np.float64)
    return np.stack([np.ones(WEEK), np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle), weekend])


class Fitted:
    """Rates of many series by Poisson regression on all that each has said, anew at the end of each day; nothing is forgotten.

    The form is that of the simulation, with six numbers to be learnt. The series begin on a Monday at 00:00.
    """

    def __init__(self, series: int) -> None:
        self._form = _form()
        self._by_hour = self._form.reshape(-1, _HOURS_OF_WEEK, _HOUR).mean(axis=2)
        self._counts = np.zeros((_HOURS_OF_WEEK, series))
        self._heard = np.zeros(_HOURS_OF_WEEK)  # minutes
        self._numbers = np.zeros((len(self._form), series))
        self._minute = 0

    def rates(self) -> Floats:
        """Of the minute that comes next."""
        rates: Floats = np.exp(self._form[:, self._minute % WEEK] @ self._numbers)
        return rates

    def push(self, counts: Floats) -> None:
        """Of the next minute."""
        hour = self._minute % WEEK // _HOUR
        self._counts[hour] += counts
        self._heard[hour] += 1
        self._minute += 1
        if self._minute % DAY == 0:
            self._fit()

    def copy(self) -> Self:
        """An independent one that is equal to this one."""
        other = copy.copy(self)
        other._counts, other._heard = self._counts.copy(), self._heard.copy()
        return other

    def _fit(self) -> None:
        known = self._by_hour if self._minute >= WEEK else self._by_hour[:-1]  # before it has heard a whole week, no weekend
        numbers = self._numbers[: len(known)].copy()
        numbers[0] = np.log((self._counts.sum(axis=0) + 0.5) / self._minute)
        penalty = np.full(len(known), _RIDGE)
        penalty[0] = 0.0
        for _ in range(_STEPS):
            means = self._heard[:, None] * np.exp(known.T @ numbers)
            slope = known @ (self._counts - means) - penalty[:, None] * numbers
            curve = np.einsum("ih,hs,jh->sij", known, means, known, optimize=True) + np.diag(penalty + 1e-9)
            step = np.linalg.solve(curve, slope.T[..., None])[..., 0].T
            numbers += np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        self._numbers = np.zeros_like(self._numbers)
        self._numbers[: len(known)] = numbers
