"""What watches would take of a file: the way of the live system from the gate to the matcher, without anything leaving.

Pseudonyms and seals are made with keys that are thrown away, so a post is masked and matched exactly as it would be.
"""

import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.day_keys import DayKeys
from connectors.file_replay import FileReplay
from connectors.posts import Post
from connectors.privacy_gate import PrivacyGate
from processors.detection.clocks import bucket_of
from processors.enrichment import match
from processors.privacy.authors import PublicAccounts
from processors.spikes import Damping, weigh
from processors.text.signature import signature
from processors.watches.matcher import WatchSet
from processors.watches.query import parse
from schemas.authors import AuthorClass
from schemas.mentions import Mention
from schemas.watches import Watch, WatchLevel

EXAMPLES: Final = 5
_HOUR: Final = timedelta(hours=1)


@dataclass(slots=True)
class Taken:
    """What one watch takes."""

    watch: Watch
    posts: int = 0
    hours: Counter[datetime] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)  # masked, each text once
    weight: float = 0.0  # of the posts, after damping and without the institution's own: what a page is decided by
    damping: Damping = field(default_factory=Damping)

    def add(self, mention: Mention) -> None:
        """Count a mention that the watch matches."""
        self.posts += 1
        self.hours[mention.event_time.replace(minute=0, second=0, microsecond=0)] += 1
        if mention.author_class is not AuthorClass.OWN:
            self.weight += weigh(self.damping, bucket_of(mention.event_time), mention.author_key, signature(mention.text))
        if len(self.examples) < EXAMPLES and mention.text not in self.examples:
            self.examples.append(mention.text)

    @property
    def busiest(self) -> tuple[datetime, int] | None:
        """The hour with most posts, the first of several."""
        return min(self.hours.items(), key=lambda found: (-found[1], found[0])) if self.hours else None


@dataclass(frozen=True, slots=True)
class Trial:
    """The result."""

    posts: int
    skipped: int  # removals, and what is unusable, refused or there twice
    matched: int  # posts that at least one watch takes
    hours: float  # from the first to the last post of the file, at least one
    watches: tuple[Taken, ...]


def query_as_watch(query: str, now: datetime) -> Watch:
    """A query on its own, wrapped so that it can be tried. Raises InvalidQuery."""
    parse(query)
    return Watch(
        watch_id="query", version=1, title=query, query=query, level=WatchLevel.COUNT, purpose="a trial", legal_basis="a trial",
        owner="a trial", expires=date.max, updated_at=now,
    )  # fmt: skip


def try_watches(
    watches: Iterable[Watch], source: FileReplay, accounts: PublicAccounts, *, report: Callable[[int], None] = lambda _: None
) -> Trial:
    """Run the matcher over a file; expired watches are tried as well. `report` is told how many lines are done."""
    taken = {watch.watch_id: Taken(watch) for watch in watches}
    known = WatchSet.build((found.watch for found in taken.values()), date.min)
    posts = skipped = matched = 0
    for mention in mentions(source, accounts, report):
        if mention is None:
            skipped += 1
            continue
        posts += 1
        found = match(mention, known)
        matched += found is not None
        for watch_id in found.watches if found else ():
            taken[watch_id].add(mention)
    first, last = source.span
    return Trial(posts, skipped, matched, max((last - first) / _HOUR, 1.0), tuple(taken.values()))


def mentions(source: FileReplay, accounts: PublicAccounts, report: Callable[[int], None]) -> Iterator[Mention | None]:
    """The posts of a file as the gate lets them through; None for a line that is none."""
    with tempfile.TemporaryDirectory() as folder:
        gate = PrivacyGate(secrets.token_bytes(32), accounts, DayKeys(Path(folder)), lambda: date.min)
        for item in source.items(after=-1):
            report(item.position + 1)
            if isinstance(item.content, Post):
                yield gate.mention(item.content, source=source.name, position=item.position, observed_at=item.clock)
            else:
                yield None
