"""What is told of a watch beside its rises, and stands alone: the first article of a story, and a source that is silent."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from processors.detection.articles import Articles, begins_a_story
from processors.detection.buckets import Sample
from processors.detection.clocks import BUCKET_SECS, bucket_of
from processors.detection.habit import HOUR, Silence
from processors.detection.sources import ListeningSince, Sources, told_silence
from schemas.hits import Hit
from schemas.signals import FirstArticle, SignalKind, SilentSource
from schemas.watches import Watch, WatchLevel

_ARTICLES: Final = "articles"
_SOURCES: Final = "sources"
RECORDS: Final = frozenset({_ARTICLES, _SOURCES})
"""Names of the state records: apart from the watch's own, since they change less often."""


class Notice(NamedTuple):
    """What is to be told."""

    kind: SignalKind
    minute: int
    event_time: datetime
    post: Sample | None = None
    article: FirstArticle | None = None
    silence: SilentSource | None = None


class Alone:
    """What one watch remembers of stories and of sources, and which of it is to be told."""

    __slots__ = ("_articles", "_sources")

    def __init__(self) -> None:
        self._articles: Articles | None = None  # most watches never need them
        self._sources: Sources | None = None

    def take(self, watch: Watch, hit: Hit) -> Notice | None:
        """The first article of a story. Not to be called for a deleted post: it tells no story, the next copy does."""
        if not _tells(watch) or not begins_a_story(hit):
            return None
        self._articles = self._articles or Articles()
        article = self._articles.take(hit)
        if article is None:
            return None
        post = Sample.of(hit, concern=True)
        return Notice(SignalKind.FIRST_ARTICLE, bucket_of(hit.event_time), hit.event_time, post=post, article=article)

    def heard(self, watch: Watch, hit: Hit, before_hour: int | None, listening_since: ListeningSince) -> Iterator[Notice]:
        """A source speaks of the watch: who was silent in the hours before `before_hour` is told first."""
        if before_hour is not None:
            yield from self.miss(watch, before_hour, listening_since)
        self._sources = self._sources or Sources()
        self._sources.heard(hit.source, bucket_of(hit.event_time))

    def miss(self, watch: Watch, before_hour: int, listening_since: ListeningSince) -> Iterator[Notice]:
        """Judge who was silent in the hours before `before_hour`, in hours since the epoch."""
        if self._sources is None or self._sources.is_settled(before_hour):
            return
        if not _listens(watch, before_hour - 1):
            self._sources.pause(before_hour)
            return
        for source, silence in self._sources.settle(before_hour, listening_since):
            if _tells(watch):
                yield _silent(source, silence)

    def change(self, before: Watch, following_hour: int) -> None:
        """Another version follows. What a version that did not listen missed is no silence of anybody."""
        if self._sources is not None and not _listens(before, following_hour):
            self._sources.pause(following_hour)

    def listen_anew(self) -> None:
        """Who usually spoke of the former query may have nothing to say of this one."""
        if self._sources is not None:
            self._sources = Sources()
            self._sources.changed = True

    @property
    def watchful(self) -> bool:
        """Whether an hour that passes may lead to a notice."""
        return self._sources is not None and self._sources.watchful

    @property
    def changed(self) -> bool:
        """Since `changes` were taken."""
        return any(kept is not None and kept.changed for kept in (self._articles, self._sources))

    def changes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What has changed since the last call, by name of its record, as JSON."""
        for name, kept in ((_ARTICLES, self._articles), (_SOURCES, self._sources)):
            if kept is not None and kept.changed:
                kept.changed = False
                yield name, kept.dump()

    def restore(self, name: str, stored: dict[str, Any]) -> None:
        """Take over one record. Raises ValueError for a version that it does not know."""
        if name == _ARTICLES:
            self._articles = Articles.restore(stored)
        else:
            self._sources = Sources.restore(stored)


def _tells(watch: Watch) -> bool:
    return watch.enabled and watch.level is not WatchLevel.COUNT


def _listens(watch: Watch, hour: int) -> bool:
    """As `enrich` has it: up to the end of the day, in UTC, on which the watch expires."""
    return watch.enabled and datetime.fromtimestamp(hour * HOUR * BUCKET_SECS, UTC).date() <= watch.expires


def _silent(source: str, silence: Silence) -> Notice:
    """Told of the last minute of its last silent hour."""
    after = (silence.hour + 1) * HOUR
    end = datetime.fromtimestamp(after * BUCKET_SECS, UTC)
    return Notice(SignalKind.SOURCE_SILENT, after - 1, end, silence=told_silence(source, silence))
