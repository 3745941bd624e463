"""How much a mention counts: many voices count more than one loud one.

An author's first mention in 60 minutes counts 1, the next ones 0; the j-th copy of a text in 60 minutes counts
sqrt(j) - sqrt(j-1), so that n copies count sqrt(n). Where a source names no author, the text stands in for the author.
(research: floods of one author must not page, copies hardly ever.)

The memory is an index over the minutes of the last hour and is made again from them after a restart.
"""

import math
from collections import Counter
from typing import Final

from processors.detection.buckets import Bucket, short
from schemas.hits import Hit
from schemas.signals import Series

WINDOW_BUCKETS: Final = 60


class Damping:
    """The last hour's authors and texts of one series."""

    __slots__ = ("_authors", "_copies", "_series")

    def __init__(self, series: Series) -> None:
        self._series = series
        self._authors: dict[str, int] = {}  # the bucket in which the author last counted
        self._copies: Counter[str] = Counter()

    @property
    def authors(self) -> int:
        """Distinct authors of the last hour."""
        return len(self._authors)

    def weigh(self, number: int, bucket: Bucket, hit: Hit) -> float:
        """The weight of a hit in bucket `number`, and remember it there."""
        author = short(hit.author_key) if hit.author_key else f"~{hit.signature}"
        known = self._authors.get(author)
        repeats = hit.author_key is not None and known is not None and abs(number - known) < WINDOW_BUCKETS
        if known is None or not repeats:
            self._authors[author] = max(number, known or 0)
            bucket.authors[self._series][author] = None
        self._copies[hit.signature] += 1
        bucket.signatures[self._series][hit.signature] += 1
        if repeats:
            return 0.0
        copy = self._copies[hit.signature]
        return math.sqrt(copy) - math.sqrt(copy - 1)

    def remember(self, number: int, bucket: Bucket) -> None:
        """Take over a stored bucket; in any order."""
        for author in bucket.authors[self._series]:
            self._authors[author] = max(number, self._authors.get(author, 0))
        self._copies.update(bucket.signatures[self._series])

    def forget(self, number: int, bucket: Bucket) -> None:
        """The bucket has left the window."""
        for author in bucket.authors[self._series]:
            if self._authors.get(author) == number:
                del self._authors[author]
        self._copies.subtract(bucket.signatures[self._series])
        for signature in bucket.signatures[self._series]:
            if self._copies[signature] <= 0:
                del self._copies[signature]
