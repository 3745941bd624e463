"""One minute of event time of one watch: how many, how much they count, and what they look like."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from schemas.hits import Hit
from schemas.signals import Series

SAMPLES: Final = 5
CLUSTER_SAMPLES: Final = 10
_SHORT: Final = 14  # characters of a key that are kept in the state: 70 bits of the HMAC


def short(key: str) -> str:
    """The tail of an HMAC-based id: enough to tell two apart, too little to look anyone up."""
    return key[-_SHORT:]


class Tally:
    """Counts of what a set of mentions looks like."""

    __slots__ = ("author_classes", "labels", "models", "places", "platforms", "sources")

    def __init__(self) -> None:
        self.labels: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.platforms: Counter[str] = Counter()
        self.places: Counter[str] = Counter()
        self.author_classes: Counter[str] = Counter()
        self.models: Counter[str] = Counter()

    def add(self, hit: Hit) -> None:
        """Count one mention."""
        self.labels[hit.sentiment.label] += 1
        self.sources[hit.source] += 1
        self.platforms[hit.platform] += 1
        self.author_classes[hit.author_class] += 1
        self.models[hit.sentiment.model] += 1
        if hit.place:
            self.places[hit.place] += 1

    def merge(self, other: "Tally") -> None:
        """Count what the other one counted."""
        for name in self.__slots__:
            getattr(self, name).update(getattr(other, name))

    def dump(self) -> dict[str, dict[str, int]]:
        """As it is stored: sorted, so that equal tallies are equal bytes."""
        return {name: dict(sorted(getattr(self, name).items())) for name in self.__slots__}

    @classmethod
    def restore(cls, stored: dict[str, dict[str, int]]) -> "Tally":
        """The inverse of `dump`."""
        tally = cls()
        for name in cls.__slots__:
            setattr(tally, name, Counter(stored[name]))
        return tally


class Sample:
    """A post that may be shown as evidence, until it is deleted."""

    __slots__ = ("author_class", "concern", "excerpt", "label", "mention_id", "platform", "signature", "time")

    def __init__(
        self,
        mention_id: str,
        time: str,
        platform: str,
        author_class: str,
        label: str,
        signature: str,
        excerpt: str,
        concern: bool,
    ) -> None:
        self.mention_id, self.time, self.platform, self.author_class = mention_id, time, platform, author_class
        self.label, self.signature, self.excerpt, self.concern = label, signature, excerpt, concern

    @classmethod
    def of(cls, hit: Hit, *, concern: bool) -> "Sample":
        """The part of a hit that is worth showing."""
        return cls(
            hit.mention_id, hit.event_time.isoformat(), hit.platform, hit.author_class, hit.sentiment.label, hit.signature,
            hit.excerpt, concern,
        )  # fmt: skip

    def dump(self) -> list[Any]:
        """As it is stored."""
        return [getattr(self, name) for name in _SAMPLE_FIELDS]

    @property
    def at(self) -> datetime:
        """Event time."""
        return datetime.fromisoformat(self.time)


_SAMPLE_FIELDS: Final = ("mention_id", "time", "platform", "author_class", "label", "signature", "excerpt", "concern")


class Entry(NamedTuple):
    """What a mention's weight depends on."""

    author: str | None
    signature: str
    concern: bool

    @classmethod
    def of(cls, hit: Hit, *, concern: bool) -> "Entry":
        """Of a hit."""
        return cls(short(hit.author_key) if hit.author_key else None, hit.signature, concern)


class Counted(NamedTuple):
    """What the mentions of a minute amount to in one series."""

    weight: float
    authors: frozenset[str]
    copies: dict[str, int]

    @classmethod
    def nothing(cls) -> "Counted":
        """Of an empty minute."""
        return cls(0.0, frozenset(), {})


class Bucket:
    """See the module.

    `entries` are the mentions themselves, by short id, until nothing can be a repeat of them any more; `counted` is what
    they amount to, since the minute was closed.
    """

    __slots__ = ("counted", "entries", "mentions", "samples", "tally")

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.mentions = 0
        self.counted: dict[Series, Counted] = {}
        self.tally = Tally()
        self.samples: list[Sample] = []

    def add(self, hit: Hit, *, concern: bool) -> bool:
        """Take a mention in; False when it is here already."""
        key = short(hit.mention_id)
        if key in self.entries:
            return False
        self.entries[key] = Entry.of(hit, concern=concern)
        self.mentions += 1
        self.tally.add(hit)
        return True

    def sample(self, hit: Hit, *, concern: bool) -> None:
        """Keep the post if it is among the first of its minute, or the first of its text."""
        new_text = all(kept.signature != hit.signature for kept in self.samples)
        if len(self.samples) < (SAMPLES + CLUSTER_SAMPLES if new_text else SAMPLES):
            self.samples.append(Sample.of(hit, concern=concern))

    def forget(self, mention_id: str) -> bool:
        """Drop a deleted post's sample; it stays counted, since a deletion never cancels an alarm."""
        kept = [sample for sample in self.samples if sample.mention_id != mention_id]
        dropped = len(kept) < len(self.samples)
        self.samples = kept
        return dropped

    def dump(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "entries": {key: list(entry) for key, entry in self.entries.items()},
            "mentions": self.mentions,
            "counted": {
                series: [counted.weight, sorted(counted.authors), dict(sorted(counted.copies.items()))]
                for series, counted in self.counted.items()
            },
            "tally": self.tally.dump(),
            "samples": [sample.dump() for sample in self.samples],
        }

    @classmethod
    def restore(cls, stored: dict[str, Any]) -> "Bucket":
        """The inverse of `dump`."""
        bucket = cls()
        bucket.entries = {key: Entry(*entry) for key, entry in stored["entries"].items()}
        bucket.mentions = stored["mentions"]
        bucket.counted = {
            Series(series): Counted(weight, frozenset(authors), copies)
            for series, (weight, authors, copies) in stored["counted"].items()
        }
        bucket.tally = Tally.restore(stored["tally"])
        bucket.samples = [Sample(*fields) for fields in stored["samples"]]
        return bucket


def merged(buckets: Iterable[Bucket]) -> Tally:
    """One tally over several minutes."""
    total = Tally()
    for bucket in buckets:
        total.merge(bucket.tally)
    return total
