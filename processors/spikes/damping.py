"""How much a mention counts: many voices count more than one loud one.

An author's first mention in 60 minutes counts, the next ones do not; the j-th copy of a text in 60 minutes counts
j^0.45 - (j-1)^0.45, so that n copies by n authors count n^0.45. Where no author is known, the text's signature stands
in for one: the first copy counts, the next ones do not. Two minutes are within 60 if they are less than 60 apart,
whichever of them arrived first.
"""

from typing import Any, Final, Self

WINDOW_MINUTES: Final = 60  # two minutes are within the window if they are less than so many apart
KEYS_KEPT: Final = 20_000  # authors, and texts, of one hour of one watch; of more, the oldest count again
COPIES_EXPONENT: Final = 0.45  # about a square root: 200 accounts with one text weigh as 11 voices do
_NO_AUTHOR: Final = "~"  # no author key begins with it


class Damping:
    """The authors and texts of the last hour that counted."""

    __slots__ = ("_authors", "_copies", "_keys_kept")

    def __init__(self, *, keys_kept: int = KEYS_KEPT) -> None:
        self._authors: dict[str, int] = {}  # the bucket in which the author last counted; oldest arrival first
        self._copies: dict[str, dict[int, int]] = {}  # mentions of a text that counted, by bucket; likewise
        self._keys_kept = keys_kept

    @property
    def authors(self) -> int:
        """Distinct authors that are remembered: those of the last hour, if `forget` is called every minute."""
        return len(self._authors)

    def counts(self, bucket: int, author: str) -> bool:
        """Whether the author has not counted within 60 minutes; if so, remember that it does now."""
        counted = self._authors.get(author)
        if counted is not None and abs(bucket - counted) < WINDOW_MINUTES:
            return False
        self._authors.pop(author, None)
        self._authors[author] = bucket
        _drop_oldest(self._authors, self._keys_kept)
        return True

    def copy_number(self, bucket: int, signature: str) -> int:
        """1 for a text that is new within 60 minutes, 2 for its first copy; remember it."""
        copies = self._copies.pop(signature, {})
        copies[bucket] = copies.get(bucket, 0) + 1
        self._copies[signature] = copies
        _drop_oldest(self._copies, self._keys_kept)
        return sum(count for other, count in copies.items() if abs(bucket - other) < WINDOW_MINUTES)

    def forget(self, before_bucket: int) -> None:
        """Drop what is older than the bucket."""
        self._authors = {author: bucket for author, bucket in self._authors.items() if bucket >= before_bucket}
        for signature, copies in list(self._copies.items()):
            for bucket in [bucket for bucket in copies if bucket < before_bucket]:
                del copies[bucket]
            if not copies:
                del self._copies[signature]

    def dump(self) -> dict[str, Any]:
        """As JSON: pairs, since their order matters."""
        copies = [[signature, list(map(list, copies.items()))] for signature, copies in self._copies.items()]
        return {"authors": list(map(list, self._authors.items())), "copies": copies}

    @classmethod
    def restore(cls, stored: dict[str, Any], *, keys_kept: int = KEYS_KEPT) -> Self:
        """The inverse of `dump`."""
        damping = cls(keys_kept=keys_kept)
        damping._authors = dict(stored["authors"])
        damping._copies = {signature: dict(copies) for signature, copies in stored["copies"]}
        return damping


def weigh(state: Damping, bucket: int, author_key: str | None, signature: str) -> float:
    """The weight of a mention, from 0 to 1; remembers it. A function of the order of arrival."""
    if not state.counts(bucket, author_key if author_key is not None else _NO_AUTHOR + signature):
        return 0.0
    return copy_weight(state.copy_number(bucket, signature))


def copy_weight(copy_number: int) -> float:
    """What the n-th post with the same text adds, so that n of them weigh n^COPIES_EXPONENT. 1 for the first."""
    weight: float = copy_number**COPIES_EXPONENT - (copy_number - 1) ** COPIES_EXPONENT
    return weight


def _drop_oldest(kept: dict[str, Any], limit: int) -> None:
    while len(kept) > limit:
        del kept[next(iter(kept))]
