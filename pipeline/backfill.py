"""What is usual for a watch, learnt from a file of past posts: the way of the live system, minute by minute, in this process.

Posts pass gate, matcher and model as they would live, and the detector's own state hears them. What leaves is one record:
the state of both series. No text, no author.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from connectors.file_replay import FileReplay, FileUnusable
from pipeline.tone import Tone
from pipeline.watch_trial import mentions
from processors.detection.clocks import BUCKET_SECS, bucket_of
from processors.detection.watch import Spoken, WatchState
from processors.enrichment import Matched, hits, match, tones
from processors.privacy.authors import PublicAccounts
from processors.watches.matcher import WatchSet
from schemas.hits import History, Hit
from schemas.signals import BucketClosed, Series
from schemas.watches import Watch, WatchLevel

SHORTEST_DAYS: Final = 2.0
"""Of less, the hour of the day cannot be learnt."""
LONGEST_GAP: Final = timedelta(days=14)
"""Between two posts of a file, whatever they are about: a stray old one would make years of nothing the usual."""
_BATCH: Final = 64
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Learnt:
    """The record, and what it came from."""

    record: History
    posts: int
    days: float
    concern_an_hour: float
    """Mean weight of the series that pages: what the false-alarm budget and the detection power are about."""


def learn(watch: Watch, source: FileReplay, accounts: PublicAccounts, tone: Tone, *, who: str, report: Report) -> Learnt:
    """Hear the posts of the file that the watch takes. Raises `FileUnusable`."""
    first, last = source.span
    days = (last - first).total_seconds() / 86_400
    if days < SHORTEST_DAYS:
        raise FileUnusable(
            f"{source.name} holds {days:.1f} days: give at least {SHORTEST_DAYS:g}, better two weeks, so that the hours of the "
            "day and the days of the week can be told apart"
        )
    before, after = source.longest_gap
    if after - before > LONGEST_GAP:
        raise FileUnusable(
            f"{source.name} holds nothing between {before:%Y-%m-%d} and {after:%Y-%m-%d}, which would be learnt as silence: leave "
            "out what is before that or after it"
        )
    matched = list(_matched(watch, source, accounts, report))
    if not matched:
        raise FileUnusable(f"the watch {watch.watch_id} takes none of the {source.total} lines: try it with 'nabiz watch test'")
    heard = _hits(matched, tone, report)
    start, end = bucket_of(first), bucket_of(last) + 1
    state = WatchState(watch.model_copy(update={"level": WatchLevel.COUNT}), since=start)
    weight = 0.0
    for number, hit in enumerate(heard):
        report("learning", number, len(heard))
        weight += _concern(state.take(hit, bucket_of(hit.event_time), None, hidden=False))
    weight += _concern(state.settle(end, last))
    report("learning", len(heard), len(heard))
    record = History(
        watch_id=watch.watch_id, watch_version=watch.version, start=_at(start), end=_at(end), mentions=len(heard),
        model=heard[-1].sentiment.model, states=state.packed_surges(), who=who,
    )  # fmt: skip
    return Learnt(record, source.total, days, weight / (days * 24))


def _concern(spoken: Iterable[Spoken]) -> float:
    return sum(closed.weights[Series.CONCERN] for closed in spoken if isinstance(closed, BucketClosed))


def _matched(watch: Watch, source: FileReplay, accounts: PublicAccounts, report: Report) -> Iterator[Matched]:
    known = WatchSet.build([watch], date.min)
    for mention in mentions(source, accounts, lambda done: report("reading", done, source.total)):
        found = None if mention is None else match(mention, known)
        if found is not None:
            yield found


def _hits(matched: list[Matched], tone: Tone, report: Report) -> list[Hit]:
    """In order of event time."""
    found: list[Hit] = []
    for start in range(0, len(matched), _BATCH):
        report("judging the tone", start, len(matched))
        part = matched[start : start + _BATCH]
        judged = tone.judge([each.mention.text for each in part if each.classifiable])
        for number, (each, sentiment) in enumerate(zip(part, tones(part, judged), strict=True), start):
            found += hits(each, sentiment, partition=0, offset=number)
    report("judging the tone", len(matched), len(matched))
    return sorted(found, key=lambda hit: (hit.event_time, hit.mention_id))


def _at(bucket: int) -> datetime:
    return datetime.fromtimestamp(bucket * BUCKET_SECS, UTC)
