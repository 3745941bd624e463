"""How much the mentions of a minute count: many voices count more than one loud one.

An author's first mention in 60 minutes counts, the next ones do not; the j-th copy of a text in 60 minutes counts as
`processors.spikes.copy_weight` says. Where a source names no author, nothing is a repeat but the text.
(Source: research on floods, see processors.spikes: one author's flood must not page, copies hardly ever.)

A minute is weighed as a whole, in the order of the ids, after the minutes before it: the result does not depend on the
order in which its mentions arrived. The memory is an index over the closed minutes of the last hour and is made again
from them after a restart.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from processors.detection.buckets import Bucket, Counted, Entry
from processors.spikes.damping import WINDOW_MINUTES, copy_weight
from schemas.signals import Series

WINDOW_BUCKETS: Final = WINDOW_MINUTES


class Damping:
    """The last hour's authors and texts of one series."""

    __slots__ = ("_authors", "_copies", "_last_in", "_series")

    def __init__(self, series: Series) -> None:
        self._series = series
        self._authors: dict[str, int] = {}  # the closed bucket in which the author last counted
        self._last_in: Counter[int] = Counter()  # how many authors last counted in a bucket
        self._copies: Counter[str] = Counter()

    def weigh(
        self, number: int, bucket: Bucket | None, before: Counted | None = None, left: Mapping[str, int] | None = None
    ) -> Counted:
        """What a minute amounts to.

        Ahead of the closed minutes the index is not yet what it will be at the close: `before` are the open minutes in
        between, which it does not hold, and `left` the copies in minutes that will have left the window.
        """
        if bucket is None:
            return Counted.nothing()
        before, left = before or Counted.nothing(), left or {}
        authors: dict[str, None] = {}
        copies: Counter[str] = Counter()
        weight = positive = 0.0
        for key in sorted(bucket.entries):
            entry = bucket.entries[key]
            if not self._takes(entry):
                continue
            copies[entry.signature] += 1
            if entry.author is not None and (entry.author in authors or self._repeats(entry.author, number, before)):
                continue
            authors[voice(entry)] = None
            earlier = self._copies[entry.signature] + before.copies.get(entry.signature, 0) - left.get(entry.signature, 0)
            counts = copy_weight(copies[entry.signature] + earlier)
            weight += counts
            positive += 0.0 if entry.concern or entry.own else counts
        return Counted(weight, frozenset(authors), dict(copies), positive)

    def late(self, number: int, entry: Entry) -> float:
        """The weight of one mention that came after its minute was closed, and remember it."""
        if not self._takes(entry):
            return 0.0
        self._copies[entry.signature] += 1
        if entry.author is not None and self._repeats(entry.author, number, Counted.nothing()):
            return 0.0
        self._counted_in(voice(entry), number)
        return copy_weight(self._copies[entry.signature])

    def _takes(self, entry: Entry) -> bool:
        return self._series is Series.ALL or entry.concern

    def _repeats(self, author: str, number: int, before: Counted) -> bool:
        last = self._authors.get(author)
        return author in before.authors or (last is not None and number - last < WINDOW_BUCKETS)

    def authors(self, number: int, more: frozenset[str] = frozenset()) -> int:
        """Distinct authors of the 60 minutes up to `number`, with those of open minutes."""
        first = number - WINDOW_BUCKETS + 1
        known = sum(count for bucket, count in self._last_in.items() if bucket >= first)
        return known + sum(self._authors.get(author, 0) < first for author in more)

    def remember(self, number: int, counted: Counted) -> None:
        """Take over a closed minute; in any order."""
        for author in counted.authors:
            self._counted_in(author, number)
        self._copies.update(counted.copies)

    def _counted_in(self, author: str, number: int) -> None:
        last = self._authors.get(author)
        if last is not None:
            if last >= number:
                return
            self._last_in[last] -= 1
        self._authors[author] = number
        self._last_in[number] += 1

    def forget(self, number: int, counted: Counted) -> None:
        """The minute has left the window."""
        for author in counted.authors:
            if self._authors.get(author) == number:
                del self._authors[author]
        del self._last_in[number]
        self._copies.subtract(counted.copies)
        for signature in counted.copies:
            if self._copies[signature] <= 0:
                del self._copies[signature]


def voice(entry: Entry) -> str:
    """Who speaks: the author, or, where none is named, the text."""
    return entry.author if entry.author is not None else f"~{entry.signature}"


def together(first: Counted, second: Counted) -> Counted:
    """Two minutes in a row."""
    copies = Counter(first.copies)
    copies.update(second.copies)
    return Counted(first.weight + second.weight, first.authors | second.authors, dict(copies))
