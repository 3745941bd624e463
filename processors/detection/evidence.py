"""What a signal shows of the minutes that it is about: posts, copies, places."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from processors.detection.buckets import Bucket, Sample, merged
from processors.spikes import Evidence as Statistic
from schemas.authors import AuthorClass
from schemas.signals import Cluster, Evidence, FirstPost, Series

CLUSTERS: Final = 10
PLACES: Final = 10


def evidence_of(
    window: list[Bucket], statistic: Statistic, authors: int, first_posts: Iterable[Sample], *, expected_60m: float,
    announced: tuple[str, ...], learning: bool,
) -> Evidence:  # fmt: skip
    """Why a signal speaks. `window`: the minutes of the last hour; `authors`: distinct ones of it; `expected_60m`: usual weight."""
    tally = merged(window)
    mentions = sum(bucket.mentions for bucket in window)
    return Evidence(
        observed_60m=round(statistic.observed_60m, 3), expected_60m=round(expected_60m, 3),
        once_in_weeks=round(statistic.once_in_weeks, 3), mentions=mentions, authors=authors,
        copies=mentions - len(_texts_of(window)),
        labels=dict(sorted(tally.labels.items())), sources=dict(sorted(tally.sources.items())),
        platforms=dict(sorted(tally.platforms.items())), places=_most_named(tally.places),
        author_classes=dict(sorted(tally.author_classes.items())), models=tuple(sorted(tally.models)),
        first_posts=tuple(first_post(sample) for sample in first_posts), clusters=_clusters_of(window),
        announced=announced, learning=learning,
    )  # fmt: skip


def first_post(sample: Sample) -> FirstPost:
    """A sample as evidence shows it."""
    return FirstPost(
        mention_id=sample.mention_id, event_time=sample.at, platform=sample.platform,
        author_class=AuthorClass(sample.author_class), label=sample.label, excerpt=sample.excerpt,
    )  # fmt: skip


def _most_named(places: Counter[str]) -> dict[str, int]:
    """The ten most named, equals by name: not by who came first, which the stored state does not tell."""
    return dict(sorted(places.items(), key=lambda place: (-place[1], place[0]))[:PLACES])


def _texts_of(window: list[Bucket]) -> Counter[str]:
    """How often each text signature stands in the window."""
    counts: Counter[str] = Counter()
    for bucket in window:
        counted = bucket.counted.get(Series.ALL)
        counts.update(counted.copies if counted else Counter(entry.signature for entry in bucket.entries.values()))
    return counts


def _clusters_of(window: list[Bucket]) -> tuple[Cluster, ...]:
    """The texts that stand in the window most often, each with its first post that is kept."""
    counts = _texts_of(window)
    shown: dict[str, Sample] = {}
    for bucket in window:
        for sample in bucket.samples:
            shown.setdefault(sample.signature, sample)
    largest = sorted((s for s in counts if counts[s] > 1 and s in shown), key=lambda s: (-counts[s], s))[:CLUSTERS]
    return tuple(Cluster(signature=s, count=counts[s], first=shown[s].at, excerpt=shown[s].excerpt) for s in largest)
