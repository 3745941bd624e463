"""Signals for the tests of alerts, messages and channels. Places, people and posts are invented."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from schemas.alerts import Notification
from schemas.authors import AuthorClass
from schemas.signals import Cluster, Evidence, FirstPost, Series, Signal, SignalKind, SignalLevel

ONSET = datetime(2025, 7, 2, 23, 14, tzinfo=UTC)  # 02.14 on the 3rd in Türkiye
WATCH = "cinarli-belediye"
TITLE = "Çınarlı Büyükşehir Belediyesi hakkında paylaşımlar"

_numbers = count(1)


def post(number: int, excerpt: str) -> FirstPost:
    """The `number`-th post of the rise."""
    return FirstPost(
        mention_id=f"bluesky:bsky.social:{number}",
        event_time=ONSET + timedelta(minutes=number),
        platform="bluesky",
        author_class=AuthorClass.PRIVATE,
        label="negative",
        excerpt=excerpt,
    )


POSTS = (
    post(1, "Karşıyaka'da musluktan kahverengi su akıyor, çocuklara ne içireceğiz?"),
    post(2, "İki saattir su yok, arıza hattı\u202e açmıyor\x1b[31m."),
    post(3, "Yenidoğan'da da aynı. " + "Kimse bir açıklama yapmadı, komşular kapıda bekliyor. " * 4),
    post(4, "Sular ne zaman gelecek?"),
)


def evidence(**changes: Any) -> Evidence:
    """Evidence of a rise worth a page."""
    figures: dict[str, Any] = {
        "observed_60m": 84.3,
        "expected_60m": 6.2,
        "once_in_weeks": 52.4,
        "mentions": 138,
        "authors": 61,
        "copies": 48,
        "labels": {"negative": 98, "neutral": 18, "positive": 0, "unsure": 22},
        "sources": {"bluesky": 100, "mastodon": 38},
        "platforms": {"bluesky": 100, "mastodon": 38},
        "places": {"Karşıyaka": 31, "Yenidoğan": 12, "Taşköprü": 3, "Kavaklı": 1},
        "author_classes": {"private": 135, "press": 3},
        "first_posts": POSTS,
        "clusters": (Cluster(signature="s1", count=40, first=ONSET, excerpt="İki saattir su yok"),),
        "models": ("nabiz-1",),
        "not_heard": ("mastodon",),
    }
    return Evidence(**{**figures, **changes})


def signal(
    kind: SignalKind = SignalKind.ONSET,
    level: SignalLevel = SignalLevel.PAGE,
    series: Series = Series.CONCERN,
    *,
    minute: int = 17,
    **changes: Any,
) -> Signal:
    """A signal `minute` minutes after the onset, with an id that no other one has."""
    fields: dict[str, Any] = {
        "signal_id": f"{WATCH}/{series}/2025-07-02T23:14Z/{level}/{next(_numbers)}",
        "watch_id": WATCH,
        "watch_version": 1,
        "title": TITLE,
        "on_call": "nobetci",
        "kind": kind,
        "level": level,
        "series": series,
        "onset": ONSET,
        "event_time": ONSET + timedelta(minutes=minute),
        "observed_at": ONSET + timedelta(minutes=minute + 2),
        "provisional": False,
        "evidence": evidence(),
    }
    return Signal(**{**fields, **changes})


def notification(**changes: Any) -> Notification:
    """A page as it stands in the topic."""
    fields: dict[str, Any] = {
        "notification_id": f"{WATCH}/concern/2025-07-02T23:14Z/page/1/nobetci",
        "alert_id": f"{WATCH}/2025-07-02T23:14Z",
        "watch_id": WATCH,
        "kind": SignalKind.ONSET,
        "level": SignalLevel.PAGE,
        "event_time": ONSET,
        "observed_at": ONSET,
        "channels": ("telefon",),
        "language": "tr",
        "subject": "▲ ÇAĞRI: olağan dışı artış, doğrulanmamış · Çınarlı",
        "body": "Olağan dışı artış.\n\nİzleme: Çınarlı",
        "evidence": evidence(),
    }
    return Notification(**{**fields, **changes})
