"""One minute of event time of one watch: how many, how much they count, and what they look like."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from schemas.authors import AuthorClass
from schemas.hits import Hit
from schemas.signals import Series

SAMPLES: Final = 5
CLUSTER_SAMPLES: Final = 10
HEAD: Final = ""
SAMPLES_PART: Final = "samples"
ENTRIES_A_PART: Final = 32
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
    own: bool = False

    @classmethod
    def of(cls, hit: Hit, *, concern: bool) -> "Entry":
        """Of a hit."""
        return cls(short(hit.author_key) if hit.author_key else None, hit.signature, concern, hit.author_class is AuthorClass.OWN)


class Counted(NamedTuple):
    """What the mentions of a minute amount to in one series."""

    weight: float
    authors: frozenset[str]
    copies: dict[str, int]
    positive: float = 0.0  # of the weight, what people said that is no concern; not stored

    @classmethod
    def nothing(cls) -> "Counted":
        """Of an empty minute."""
        return cls(0.0, frozenset(), {})


class Bucket:
    """See the module.

    `entries` are the mentions themselves, by short id, until nothing can be a repeat of them any more; `counted` is what
    they amount to, since the minute was closed.

    It is stored in parts, each in a record of its own: the figures (HEAD), the samples, the entries, ENTRIES_A_PART each. So a mention
    of a loud minute does not write the minute again. `changed` are the parts that are not stored as they are.
    """

    __slots__ = ("_cleared", "changed", "counted", "entries", "mentions", "samples", "tally")

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.mentions = 0
        self.counted: dict[Series, Counted] = {}
        self.tally = Tally()
        self.samples: list[Sample] = []
        self.changed: set[str] = {HEAD}
        self._cleared = 0  # parts of entries that are no more

    def add(self, hit: Hit, *, concern: bool) -> bool:
        """Take a mention in; False when it is here already."""
        key = short(hit.mention_id)
        if key in self.entries:
            return False
        self.changed |= {HEAD, str(len(self.entries) // ENTRIES_A_PART)}
        self.entries[key] = Entry.of(hit, concern=concern)
        self.mentions += 1
        self.tally.add(hit)
        return True

    def sample(self, hit: Hit, *, concern: bool) -> None:
        """Keep the post if it is among the first of its minute, or the first of its text."""
        new_text = all(kept.signature != hit.signature for kept in self.samples)
        if len(self.samples) < (SAMPLES + CLUSTER_SAMPLES if new_text else SAMPLES):
            self.samples.append(Sample.of(hit, concern=concern))
            self.changed.add(SAMPLES_PART)

    def forget(self, mention_id: str) -> bool:
        """Drop a deleted post's sample; it stays counted, since a deletion never cancels an alarm."""
        kept = [sample for sample in self.samples if sample.mention_id != mention_id]
        if len(kept) == len(self.samples):
            return False
        self.samples = kept
        self.changed.add(SAMPLES_PART)
        return True

    def forget_entries(self) -> None:
        """Nothing can be a repeat of them any more."""
        parts = self._entry_parts()
        self._cleared = len(parts)
        self.changed |= {HEAD, *parts}
        self.entries.clear()

    def is_stored(self) -> None:
        """What changed stands in the records now."""
        self.changed.clear()
        self._cleared = 0

    @property
    def parts(self) -> list[str]:
        """All that are stored, or are about to be."""
        return [HEAD, SAMPLES_PART, *self._entry_parts()]

    def _entry_parts(self) -> list[str]:
        return [str(number) for number in range(max(self._cleared, -(-len(self.entries) // ENTRIES_A_PART)))]

    def dump(self, part: str) -> Any:
        """One part as it is stored; None when there is nothing left of it."""
        if part == HEAD:
            return {
                "mentions": self.mentions,
                "counted": {
                    series: [counted.weight, sorted(counted.authors), dict(sorted(counted.copies.items()))]
                    for series, counted in self.counted.items()
                },
                "tally": self.tally.dump(),
            }
        if part == SAMPLES_PART:
            return [sample.dump() for sample in self.samples] or None
        first = int(part) * ENTRIES_A_PART
        those = islice(self.entries.items(), first, first + ENTRIES_A_PART)
        return {key: list(entry) for key, entry in those} or None

    @classmethod
    def restore(cls, stored: Mapping[str, Any]) -> "Bucket":
        """The inverse of `dump`, from all parts. Reads also what has samples and entries in its head, as an earlier version wrote them."""
        bucket, head = cls(), stored[HEAD]
        parts = [stored[part] for part in sorted((part for part in stored if part.isdigit()), key=int)]
        for part in parts or [head.get("entries", {})]:
            bucket.entries |= {key: Entry(*entry) for key, entry in part.items()}
        bucket.mentions = head["mentions"]
        bucket.counted = {
            Series(series): Counted(weight, frozenset(authors), copies)
            for series, (weight, authors, copies) in head["counted"].items()
        }
        bucket.tally = Tally.restore(head["tally"])
        bucket.samples = [Sample(*fields) for fields in stored.get(SAMPLES_PART, head.get("samples", []))]
        bucket.changed = set(bucket.parts) if "entries" in head else set()
        return bucket


def merged(buckets: Iterable[Bucket]) -> Tally:
    """One tally over several minutes."""
    total = Tally()
    for bucket in buckets:
        total.merge(bucket.tally)
    return total
