"""Simulated mentions a minute of many series at once: season, weekend, frailty, Poisson noise, injected surges.

The noise has parameters that were fitted, when this detector was chosen, to ten realTweets series of
numenta/NAB: rates five times as high at 15:00 as at 04:00, weekends at 0.6, and a rate multiplier that wanders by itself
("frailty"): log-normal, two Ornstein-Uhlenbeck processes of 15 minutes (sd 0.35) and 3 hours (sd 0.40).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MONDAY: Final = 29_368_620  # a bucket: Monday 00:00 in Türkiye, where each simulation begins
DAY: Final = 24 * 60
WEEK: Final = 7 * DAY

# One for each simulation; unit tests use 0-99, the research's prototypes 1-10,000. Nothing was chosen by looking at these: they
# took the place of 711,001 to 711,012 when the trust in the typical day was weighed anew after a run on those.
SEEDS: Final = {
    "noise": 811_001, "surges": 811_002, "poisson": 811_003, "poisson surges": 811_004, "lists": 811_005, "list surges": 811_006,
    "floods": 811_007, "flood surges": 811_008, "nab": 811_009, "telecom": 811_010, "scale": 811_011, "power": 811_012,
    "unlike days": 811_013, "bunches": 811_014, "sparse": 811_015, "sparse surges": 811_016,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wave:
    """An Ornstein-Uhlenbeck process: how long it remembers, and its standard deviation."""

    minutes: float
    spread: float


FRAILTY: Final = (Wave(15.0, 0.35), Wave(180.0, 0.40))


def season() -> Floats:
    """Share of each minute of the week, Monday 00:00 first; their mean is 1."""
    minutes = np.arange(WEEK)
    hours = minutes / 60 % 24
    shares = np.exp(0.8 * np.cos(2 * np.pi * (hours - 15) / 24) + 0.15 * np.cos(4 * np.pi * (hours - 21) / 24))
    shares[minutes // DAY >= 5] *= 0.6
    shares /= shares.mean()
    return shares


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some minutes of all series: rows are minutes."""

    counts: Floats
    rates: Floats
    """The true rates, frailty included."""
    usual: Floats
    """The seasonal rates alone."""

    def part(self, first: int, minutes: int | None = None) -> "Stretch":
        """So many minutes from one on; without a number, all that follow."""
        those = slice(first, None if minutes is None else first + minutes)
        return Stretch(self.counts[those], self.rates[those], self.usual[those])


class Streams:
    """Endless counts of series with the given rates. `together` are the groups of series that share a part of their waves."""

    def __init__(
        self,
        per_hour: npt.ArrayLike,
        seed: int,
        *,
        waves: tuple[Wave, ...] = FRAILTY,
        groups: npt.ArrayLike | None = None,
        shared: float = 0.0,
        shares: Floats | None = None,
    ) -> None:
        """`shares` of the minutes of the week: those of `season` unless said."""
        self.per_minute = np.asarray(per_hour, np.float64) / 60
        self.minutes = 0
        self._rng = np.random.default_rng(seed)
        self._season = season() if shares is None else shares
        self._waves = waves
        self._groups = None if groups is None else np.asarray(groups, np.int64)
        self._shared = shared
        self._states = [wave.spread * self._normal() for wave in waves]

    def __len__(self) -> int:
        return len(self.per_minute)

    def _normal(self, *minutes: int) -> Floats:
        """Standard normal for each series; those of a group are correlated by `shared`."""
        own = self._rng.standard_normal((*minutes, len(self)))
        if self._groups is None or self._shared == 0:
            return own
        common = self._rng.standard_normal((*minutes, int(self._groups.max()) + 1))[..., self._groups]
        mixed: Floats = math.sqrt(self._shared) * common + math.sqrt(1 - self._shared) * own
        return mixed

    def take(self, minutes: int) -> Stretch:
        """The next minutes."""
        places = (self.minutes + np.arange(minutes)) % WEEK
        usual = self._season[places, None] * self.per_minute
        rates = usual * np.exp(self._log_frailty(minutes)) if self._waves else usual
        self.minutes += minutes
        return Stretch(self._rng.poisson(rates).astype(np.float64), rates, usual)

    def _log_frailty(self, minutes: int) -> Floats:
        total = np.full((minutes, len(self)), -sum(wave.spread**2 for wave in self._waves) / 2)
        for place, wave in enumerate(self._waves):
            keep = math.exp(-1 / wave.minutes)
            steps = self._normal(minutes) * (wave.spread * math.sqrt(1 - keep * keep))
            state = self._states[place]
            for minute in range(minutes):
                state = state * keep + steps[minute]
                total[minute] += state
            self._states[place] = state
        return total

    def days(self, count: int, *, ahead: int) -> Iterator[tuple[int, Stretch]]:
        """Day by day: the number of its first minute, and the day with `ahead` minutes of the next one."""
        coming = self.take(DAY + ahead)
        for day in range(count):
            yield day * DAY, coming
            rest = coming.part(DAY)
            following = self.take(DAY)
            coming = Stretch(
                np.concatenate([rest.counts, following.counts]), np.concatenate([rest.rates, following.rates]),
                np.concatenate([rest.usual, following.usual]),
            )  # fmt: skip


def surge(rng: np.random.Generator, usual: Floats, times: float) -> Floats:
    """Extra mentions that make `times` the seasonal rate: rows are minutes. Times what is usual at this hour, whatever the waves do."""
    return rng.poisson((times - 1) * usual).astype(np.float64)


def starts(rng: np.random.Generator, *, first_day: int, days: int, count: int) -> list[int]:
    """Minutes at which surges begin: spread evenly over the hours of the day, and at random over the days."""
    hours = np.arange(count) * 24 / count + rng.random(count) * 24 / count
    which = first_day + rng.permutation(np.resize(np.arange(days), count))
    return sorted((which * DAY + (hours * 60).astype(np.int64)).tolist())
