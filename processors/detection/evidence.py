"""What a signal shows of the minutes that it is about: posts, copies, places."""

from collections import Counter
from typing import Final

from processors.detection.buckets import Bucket, Sample
from schemas.authors import AuthorClass
from schemas.signals import Cluster, FirstPost, Series

CLUSTERS: Final = 10
PLACES: Final = 10


def first_post(sample: Sample) -> FirstPost:
    """A sample as evidence shows it."""
    return FirstPost(
        mention_id=sample.mention_id, event_time=sample.at, platform=sample.platform,
        author_class=AuthorClass(sample.author_class), label=sample.label, excerpt=sample.excerpt,
    )  # fmt: skip


def most_named(places: Counter[str]) -> dict[str, int]:
    """The ten most named, equals by name: not by who came first, which the stored state does not tell."""
    return dict(sorted(places.items(), key=lambda place: (-place[1], place[0]))[:PLACES])


def texts_of(window: list[Bucket]) -> Counter[str]:
    """How often each text signature stands in the window."""
    counts: Counter[str] = Counter()
    for bucket in window:
        counted = bucket.counted.get(Series.ALL)
        counts.update(counted.copies if counted else Counter(entry.signature for entry in bucket.entries.values()))
    return counts


def clusters_of(window: list[Bucket]) -> tuple[Cluster, ...]:
    """The texts that stand in the window most often, each with its first post that is kept."""
    counts = texts_of(window)
    shown: dict[str, Sample] = {}
    for bucket in window:
        for sample in bucket.samples:
            shown.setdefault(sample.signature, sample)
    largest = sorted((s for s in counts if counts[s] > 1 and s in shown), key=lambda s: (-counts[s], s))[:CLUSTERS]
    return tuple(Cluster(signature=s, count=counts[s], first=shown[s].at, excerpt=shown[s].excerpt) for s in largest)
