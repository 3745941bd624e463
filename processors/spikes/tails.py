"""How often a statistic comes as high as this by itself: peaks over a threshold, learned from the series' own past.

Values above a threshold come in clusters, one for each busy spell. What a cluster's peak has above the threshold is
close to exponential whatever the series is (Pickands 1975, Balkema and de Haan 1974, with shape 0), so two numbers
are enough: how many clusters come a week, and their mean excess. Peaks above v then come

    clusters_per_week · exp(-(v - threshold) / mean_excess)

times a week. The threshold moves by itself until about 15 clusters come a week.

Sparse series are found later for it than by the likelihood ratio of Poisson counts, whose chance needs no learning. But mentions of
real ones come in bunches, and that ratio takes each bunch for a surge: `make bench-spikes`, parts `poisson` and `bunches`. What comes
later is the notice; a page waits for its mentions, whoever finds the rise.
"""

import math
import struct
from typing import Final

from processors.spikes.evidence import BUCKETS_PER_DAY, BUCKETS_PER_WEEK, SCORE_FLOOR

MEMBERS: Final = 2  # statistics that share one budget: each gets half of it (Bonferroni)
TARGET_CLUSTERS: Final = 15.0  # a week: enough to learn from, few enough to be the tail
MEMORY_WEEKS: Final = 8.0
PRIOR_EXCESS: Final = 0.32  # log units: of realTweets and simulated streams the median is 0.35; less makes a young watch faster
PRIOR_EXCESS_CLUSTERS: Final = 8.0  # clusters that the prior is worth
PRIOR_CLUSTERS: Final = 2.0  # clusters that the prior of their rate is worth
LEARNED_SCORE: Final = 2.5  # a peak teaches no more than this score, so that a crisis does not become the norm
FIRST_LEARNT_BUCKETS: Final = BUCKETS_PER_DAY
"""Before a day has passed, the hours of the day are not known: that it grows light would teach that surges are usual."""
SMALLEST_THRESHOLD: Final = 0.05
SMALLEST_EXCESS: Final = 0.01
SMALLEST_STEP: Final = 0.05

DECAY: Final = math.exp(-1 / (MEMORY_WEEKS * BUCKETS_PER_WEEK))


class Tail:
    """The clusters of one statistic."""

    __slots__ = ("clusters", "excess", "peak", "threshold", "weeks")

    STORED: Final = struct.Struct("<5f")

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.clusters = 0.0  # in memory, older ones counting less
        self.excess = 0.0  # their sum
        self.peak = 0.0  # of the cluster that is open
        self.weeks = 0.0  # that the memory covers
        self._round()

    @property
    def mean_excess(self) -> float:
        """Of a cluster's peak over the threshold."""
        return (self.excess + PRIOR_EXCESS_CLUSTERS * PRIOR_EXCESS) / (self.clusters + PRIOR_EXCESS_CLUSTERS)

    @property
    def log_clusters(self) -> float:
        """Log of the clusters a week, of all members together."""
        clusters_per_week = (self.clusters + PRIOR_CLUSTERS) / (self.weeks + PRIOR_CLUSTERS / TARGET_CLUSTERS)
        return math.log(clusters_per_week * MEMBERS)

    def score(self, value: float) -> float:
        """Log weeks until chance alone brings a value as high as this."""
        if value <= self.threshold:
            return SCORE_FLOOR
        return (value - self.threshold) / self.mean_excess - self.log_clusters

    def value_at(self, score: float) -> float:
        """The inverse of `score`."""
        return self.threshold + self.mean_excess * (self.log_clusters + score)

    def learn(self, value: float, *, ends: bool, buckets: int, most: float = LEARNED_SCORE) -> None:
        """Take over the value of a closed bucket; `ends` when it is the last of its cluster.

        A cluster's peak teaches no more than the score `most`.
        """
        if buckets < FIRST_LEARNT_BUCKETS:
            return
        step, learned = self._step(buckets), self.mean_excess * (self.log_clusters + most)
        if value > self.threshold:
            self.peak = max(self.peak, value)
        if ends:
            self._close(learned, step)
        self.threshold = max(SMALLEST_THRESHOLD, self.threshold - step * TARGET_CLUSTERS / BUCKETS_PER_WEEK)
        self.clusters *= DECAY
        self.excess *= DECAY
        self.weeks = self.weeks * DECAY + 1 / BUCKETS_PER_WEEK
        self._round()

    def _close(self, learned: float, step: float) -> None:
        if self.peak > 0:
            self.clusters += 1
            self.excess += max(min(self.peak - self.threshold, learned), SMALLEST_EXCESS)
            self.threshold += step
        self.peak = 0.0

    def _step(self, buckets: int) -> float:
        """How far a cluster lifts the threshold: less and less, as in stochastic approximation, down to a floor."""
        seen = max(buckets / BUCKETS_PER_WEEK * TARGET_CLUSTERS, self.clusters)
        return self.mean_excess * max(SMALLEST_STEP, 1 / (3 + 0.5 * seen))

    def values(self) -> tuple[float, ...]:
        """As it is stored."""
        return (self.threshold, self.clusters, self.excess, self.peak, self.weeks)

    def restore(self, values: tuple[float, ...]) -> None:
        """The inverse of `values`."""
        self.threshold, self.clusters, self.excess, self.peak, self.weeks = values

    def _round(self) -> None:
        self.restore(self.STORED.unpack(self.STORED.pack(*self.values())))
