"""A made-up log of hits for the tests of the detection fold. Watches, people and texts are invented."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from processors.detection.fold import DetectFold
from schemas.authors import AuthorClass
from schemas.hits import Hit, Progress, Retract, WatchChanged
from schemas.labels import Label
from schemas.outputs import Output
from schemas.records import Record, decode
from schemas.sentiments import Sentiment
from schemas.signals import BucketClosed, Signal
from schemas.topics import BUCKETS, MENTIONS_PARTITIONS, SIGNALS
from schemas.watches import Watch, WatchLevel

START = datetime(2025, 11, 24, 9, 0, tzinfo=UTC)
EVERYWHERE = range(MENTIONS_PARTITIONS)
PLACES = (
    "Karşıyaka",
    "Yenidoğan",
    "Taşköprü",
    "Kavaklı",
    "Çaylı",
    "Söğütlü",
    "Bahçeköy",
    "Akpınar",
    "Yeşilova",
    "Dereli",
    "Elmalı",
)


def at(minute: float) -> datetime:
    """Minutes after the beginning of the story."""
    return START + timedelta(minutes=minute)


def watch(watch_id: str = "su", **changes: Any) -> Watch:
    """A watch that may page."""
    fields: dict[str, Any] = {
        "watch_id": watch_id, "version": 1, "title": "Su kesintisi", "query": "su", "level": WatchLevel.PAGE,
        "on_call": "nobetci", "purpose": "Arızayı duymak", "legal_basis": "5216 sayılı Kanun", "owner": "Basın birimi",
        "expires": date(2030, 1, 1), "updated_at": START,
    }  # fmt: skip
    return Watch(**{**fields, **changes})


class Log:
    """Numbers the hits as `enrich` does: by partition of `mentions` and offset there."""

    def __init__(self) -> None:
        self._offsets = [count() for _ in EVERYWHERE]
        self._posts = count()

    def hit(self, minute: float, *, partition: int = 0, **changes: Any) -> Hit:
        """A hit of a post by an author of its own with a text of its own, unless told otherwise."""
        number = next(self._posts)
        fields: dict[str, Any] = {
            "watch_id": "su", "mention_id": f"kus:ornek:{number:026d}", "event_time": at(minute), "observed_at": at(minute),
            "source": "dosya", "origin_partition": partition, "origin_offset": next(self._offsets[partition]),
            "platform": "kus", "author_key": f"kus:ornek:yazar{number:021d}", "author_class": AuthorClass.PRIVATE,
            "signature": f"metin{number}", "sentiment": tone(Label.NEUTRAL), "excerpt": f"Sular yine kesildi ({number})",
        }  # fmt: skip
        return Hit(**{**fields, **changes})

    def burst(self, minute: float, size: int, **changes: Any) -> list[Hit]:
        """Many hits within one minute."""
        return [self.hit(minute + number / (size + 1), **changes) for number in range(size)]


def tone(label: Label) -> Sentiment:
    """A label that the model is sure of."""
    return Sentiment(label=label, confidence=0.9, model="deneme-1")


def progress(minute: float, *, source: str = "dosya", partitions: Iterable[int] = EVERYWHERE, finished: bool = False) -> Progress:
    """The source has delivered everything up to the minute."""
    owned = tuple(partitions)
    return Progress(source=source, clocks=dict.fromkeys(owned, at(minute)), finished=frozenset(owned if finished else ()))


def apply(fold: DetectFold, *records: Record) -> list[Output]:
    """What the fold writes about the records."""
    for record in records:
        fold.apply(record.encode())
    return list(fold.outputs())


def signals(outputs: Iterable[Output]) -> list[Signal]:
    """The signals among them."""
    return [decode(Signal, output.value) for output in outputs if output.topic is SIGNALS]


def minutes(outputs: Iterable[Output]) -> list[BucketClosed]:
    """The closed minutes among them."""
    return [decode(BucketClosed, output.value) for output in outputs if output.topic is BUCKETS]


def saved(fold: DetectFold, stored: dict[str, bytes]) -> DetectFold:
    """A fold made of the stored records and the changes since, as after a restart."""
    for key, value in fold.changes():
        if value is None:
            stored.pop(key, None)
        else:
            stored[key] = value
    fresh = DetectFold()
    fresh.load(stored)
    return fresh


def with_history(*watches: Watch, log: Log, hours: int = 2) -> DetectFold:
    """A fold that has heard a mention every ten minutes; its open minute is `60 * hours`."""
    fold = DetectFold()
    for each in watches or (watch(),):
        apply(fold, WatchChanged(watch=each))
        for minute in range(0, 60 * hours, 10):
            apply(fold, log.hit(minute, watch_id=each.watch_id))
    apply(fold, progress(60 * hours + 2))
    return fold


def story(seed: int, *, length: int = 150) -> list[Record]:
    """Two watches, a surge of some minutes, and all that happens to a log: late, sent again, deleted, watches changed."""
    rng, log = Random(seed), Log()
    records: list[Record] = [WatchChanged(watch=watch("su")), WatchChanged(watch=watch("yol", level=WatchLevel.NOTICE))]
    surge = rng.randrange(75, length - 40)  # in its first hour a new watch says nothing
    hits: list[Hit] = []
    for minute in range(length):
        usual = rng.choice((0, 0, 0, 0, 1, 3))
        for _ in range(150 if surge <= minute < surge + 3 else usual):
            hits.append(_any_hit(rng, log, minute))
            records.append(hits[-1])
        if hits and rng.random() < 0.2:
            records.append(rng.choice(hits[-30:]))  # sent again
            records.append(log.hit(minute, mention_id=rng.choice(hits[-30:]).mention_id))  # delivered by a second source
        if hits and rng.random() < 0.1:
            records.append(Retract(mention_id=rng.choice(hits[-30:]).mention_id))
        if rng.random() < 0.05:
            records.append(WatchChanged(watch=watch("su", version=minute + 2, title=f"Su kesintisi {minute}")))
        records.append(progress(minute, partitions=rng.sample(EVERYWHERE, rng.choice((3, 12, 12)))))
    return [*records, progress(length + 90)]


def _any_hit(rng: Random, log: Log, minute: int) -> Hit:
    late = rng.choice((0,) * 12 + (1, 5, 16, 40))
    author = rng.choice((None, *(f"kus:ornek:yazar{rng.randrange(2000):021d}" for _ in range(9))))
    return log.hit(
        max(0, minute + rng.random() - late), partition=rng.randrange(MENTIONS_PARTITIONS), watch_id=rng.choice(("su", "su", "yol")),
        author_key=author, signature=f"metin{rng.randrange(400)}",
        sentiment=tone(rng.choice(list(Label))), author_class=rng.choice(list(AuthorClass)),
        place=rng.choice((None, *PLACES)), observed_at=at(minute + 1),
    )  # fmt: skip


def bytes_of(outputs: Sequence[Output]) -> list[tuple[str, str, bytes]]:
    """Everything about the outputs."""
    return [(output.topic.name, output.key, output.value) for output in outputs]
