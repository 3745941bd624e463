"""An invented day for reports: records as the roles would write them, joined by the same code. All texts are invented.

Look at a page: `python -m tests.unit.invented_report tr demo > page.html (or: en, live, calm)`
"""

import math
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from pipeline.report.extras import (
    DeletedPost,
    DemoExtras,
    FieldChange,
    Footprint,
    QuietSurge,
    ReceivedAndStored,
    SearchOutage,
)
from pipeline.report.facts import Logs, ReportFacts, assemble
from pipeline.report.html import render
from processors.alerting.messages.catalogue import LOCAL
from processors.alerting.on_call import Language
from schemas.alerts import Alert, AlertStatus, AlertStep, Delivery, Notification
from schemas.authors import AuthorClass
from schemas.signals import BucketClosed, Cluster, Evidence, FirstPost, Series, Signal, SignalKind, SignalLevel
from schemas.watches import Watch, WatchLevel

DAY = datetime(2026, 3, 4, tzinfo=LOCAL)
ONSET = DAY + timedelta(hours=21, minutes=16)
PAGED = DAY + timedelta(hours=21, minutes=18, seconds=41)
END = DAY + timedelta(hours=23, minutes=34)
MADE = DAY + timedelta(days=1, minutes=12)
CITY, NAME = "cinarli-belediye", "cinarli-sehir"
TITLES = {CITY: "Çınarlı Büyükşehir Belediyesi hakkında paylaşımlar", NAME: "Çınarlı adının geçtiği bütün paylaşımlar"}
ALERT = f"{CITY}/2026-03-04T18:16Z"
HOURLY = (3, 2, 1, 1, 1, 2, 6, 13, 18, 20, 22, 22, 24, 23, 21, 20, 20, 22, 24, 23, 22, 20, 14, 7)

TEXTS = {
    "p1": "Karşıyaka mahallesinde su ne zaman gelecek? Yarım saattir tek damla yok.",
    "p2": "Değirmen Caddesi göl olmuş, asfalt çökmüş, trafik duruyor.",
    "p3": "Ana boru patlamış diyorlar doğru mu? Beni ⟨telefon⟩ numarasından arayan olmadı hâlâ",
    "p5": "Diyaliz hastamız var, suyu nereden temin edebiliriz @⟨kişi⟩",
    "s1": "Çınarlı'da su yok, ana hat patlamış. Paylaşın herkes duysun!",
}


@dataclass(frozen=True)
class Kept:
    """Answers as an index does that holds these texts and no others."""

    texts: Mapping[str, str]

    def of_posts(self, mention_ids: Collection[str]) -> Mapping[str, str]:
        return {mention_id: self.texts[mention_id] for mention_id in mention_ids if mention_id in self.texts}

    of_copies = of_posts


def minutes(watch_id: str = CITY) -> list[BucketClosed]:
    """A day with a prize, a flood of copies and a burst main pipe; the other watch hears a match as well."""
    rng, found = Random(7), []
    for number in range(24 * 60):
        usual = HOURLY[number // 60] / 60
        ordinary = _poisson(rng, usual)
        prize = _poisson(rng, _hump(number, 480, 540) * 4.2)
        copies = _poisson(rng, _hump(number, 730, 770) * 14)
        match = _poisson(rng, _hump(number, 960, 1080) * 3.4) if watch_id == NAME else 0
        water = _poisson(rng, _hump(number, 1275, 1365) * 8.2)
        mentions = ordinary + prize + copies + match + water
        if mentions:
            concern = 0.85 * ordinary + min(copies, 0.4 * math.sqrt(copies)) + 0.9 * water
            found.append(
                BucketClosed(
                    watch_id=watch_id,
                    start=DAY + timedelta(minutes=number),
                    mentions=mentions,
                    weights={Series.ALL: concern + prize + match, Series.CONCERN: concern},
                    expected={Series.ALL: usual, Series.CONCERN: 0.85 * usual},
                    scores={Series.ALL: 0.0, Series.CONCERN: 0.0},
                )
            )
    return found


def _hump(number: int, start: int, end: int) -> float:
    """A steep rise and a long tail, 0 to 1."""
    at = (number - start) / (end - start)
    return (at**0.5 * (1 - at) ** 1.1) / 0.45 if 0 < at < 1 else 0.0


def _poisson(rng: Random, mean: float) -> int:
    count, left = 0, rng.expovariate(1)
    while left < mean:
        count, left = count + 1, left + rng.expovariate(1)
    return count


def post(mention_id: str, minute: int, platform: str, label: str, author: AuthorClass = AuthorClass.PRIVATE) -> FirstPost:
    return FirstPost(
        mention_id=mention_id, event_time=ONSET + timedelta(minutes=minute), platform=platform, author_class=author, label=label,
        excerpt=TEXTS.get(mention_id, "Bu paylaşım sonradan silindi."),
    )  # fmt: skip


def evidence(**changes: Any) -> Evidence:
    figures: dict[str, Any] = {
        "observed_60m": 41.6, "expected_60m": 17.2, "once_in_weeks": 31.4, "mentions": 52, "authors": 47, "copies": 3,
        "labels": {"negative": 14, "neutral": 22, "unsure": 14, "positive": 2}, "sources": {"replay": 52},
        "platforms": {"x": 33, "bluesky": 11, "mastodon": 6, "web": 2}, "places": {"Karşıyaka": 12, "Yenidoğan": 8, "Taşköprü": 2},
        "author_classes": {"private": 47, "press": 3, "own": 2},
        "first_posts": (
            post("p1", 0, "x", "neutral"), post("p2", 1, "bluesky", "neutral"), post("p3", 1, "x", "unsure"),
            post("p4", 2, "x", "negative"), post("p5", 2, "mastodon", "negative"),
        ),
        "clusters": (
            Cluster(signature="s1", count=14, first=ONSET + timedelta(minutes=9), excerpt="x"),
            Cluster(signature="s2", count=3, first=ONSET + timedelta(minutes=4), excerpt="y"),
        ),
        "models": ("nabiz-tone 1.0",),
    }  # fmt: skip
    return Evidence(**{**figures, **changes})


LARGEST = evidence(
    observed_60m=168.4, mentions=338, authors=261, copies=31, once_in_weeks=9e6,
    labels={"negative": 96, "neutral": 128, "unsure": 99, "positive": 15},
    platforms={"x": 221, "bluesky": 70, "mastodon": 33, "web": 14}, author_classes={"private": 322, "press": 9, "own": 7},
    places={"Karşıyaka": 61, "Yenidoğan": 42, "Taşköprü": 19, "Dereboyu": 18, "Kavaklı": 11, "Esentepe": 4},
)  # fmt: skip


def alert(**changes: Any) -> Alert:
    """A page, over, as it stands in its topic: without texts."""
    steps = (
        (SignalKind.ONSET, SignalLevel.NOTICE, ONSET + timedelta(seconds=52)),
        (SignalKind.ONSET, SignalLevel.PAGE, PAGED),
        (SignalKind.GROWTH, SignalLevel.PAGE, ONSET + timedelta(minutes=14)),
        (SignalKind.END, SignalLevel.PAGE, END),
    )
    bare = tuple(shown.model_copy(update={"excerpt": ""}) for shown in evidence().first_posts)
    fields: dict[str, Any] = {
        "alert_id": ALERT, "watch_id": CITY, "title": TITLES[CITY], "on_call": "nobetci", "status": AlertStatus.ENDED,
        "level": SignalLevel.PAGE, "onset": ONSET, "evidence": evidence(first_posts=bare, not_heard=("mastodon: 21.40 – 21.52",)),
        "history": tuple(AlertStep(kind=k, level=v, event_time=at, observed_at=at + timedelta(seconds=4)) for k, v, at in steps),
    }  # fmt: skip
    return Alert(**{**fields, **changes})


def signals(found: Alert) -> list[Signal]:
    """One for each step of the alert; the third has the largest figures."""
    return [
        Signal(
            signal_id=f"{found.alert_id}/{number}",
            watch_id=found.watch_id,
            watch_version=1,
            title=found.title,
            on_call=found.on_call,
            kind=step.kind,
            level=step.level,
            onset=found.onset,
            series=Series.CONCERN if found.watch_id == CITY else Series.ALL,
            event_time=step.event_time,
            observed_at=step.observed_at,
            provisional=False,
            is_drill=found.is_drill,
            evidence=LARGEST if step.kind is SignalKind.GROWTH else evidence(),
        )
        for number, step in enumerate(found.history, 1)
    ]


def notifications(found: Alert, channels: tuple[str, ...] = ("telegram", "e-posta")) -> list[Notification]:
    return [
        Notification(
            notification_id=f"{said.signal_id}/nobetci",
            alert_id=found.alert_id,
            watch_id=found.watch_id,
            kind=said.kind,
            level=said.level,
            event_time=said.event_time,
            observed_at=said.observed_at,
            channels=channels,
            language="tr",
            subject=f"▲ ÇAĞRI: olağan dışı artış, doğrulanmamış · {found.title}",
            body="Olağan dışı artış. Doğrulanmamış: sistem yalnızca sayar, değerlendirme sizindir.\n\n"
            "Ne kadar: 60 dakikada, tekrarlar ayıklanınca, 42 paylaşım; olağan: 17 (2,4 katı)\n"
            "İlk paylaşımlar:\n1. 21.16 x: “Karşıyaka mahallesinde su ne zaman gelecek?”",
            evidence=said.evidence,
        )
        for said in signals(found)
    ]


def deliveries(sent: list[Notification]) -> list[Delivery]:
    """All but one: the e-mail about the growth is still being tried."""
    found = []
    for number, message in enumerate(sent):
        for late, channel in enumerate(message.channels, 1):
            if not (number == 2 and channel == "e-posta"):
                found.append(
                    Delivery(
                        notification_id=message.notification_id,
                        alert_id=message.alert_id,
                        watch_id=message.watch_id,
                        channel=channel,
                        kind=message.kind,
                        level=message.level,
                        event_time=message.event_time,
                        observed_at=message.observed_at,
                        attempts=late,
                        sent_at=message.observed_at + timedelta(seconds=late * 1.3),
                    )
                )
    return found


def watch(watch_id: str) -> Watch:
    return Watch(
        watch_id=watch_id, version=1, title=TITLES[watch_id], query="çınarlı*", on_call="nobetci", purpose="Örnek",
        level=WatchLevel.PAGE if watch_id == CITY else WatchLevel.NOTICE, legal_basis="Örnek", owner="Basın Yayın",
        expires=date(2099, 12, 31), updated_at=DAY,
    )  # fmt: skip


def logs(*alerts: Alert) -> Logs:
    """Two watches, and what was said of the alerts."""
    sent = [message for found in alerts for message in notifications(found)]
    return Logs(
        buckets=[*minutes(CITY), *minutes(NAME)], signals=[said for found in alerts for said in signals(found)], alerts=alerts,
        notifications=sent, deliveries=deliveries(sent), watches=[watch(CITY), watch(NAME)],
    )  # fmt: skip


def prize_notice() -> Alert:
    """A notice of the other watch, over."""
    began = DAY + timedelta(hours=8, minutes=6)
    steps = ((SignalKind.ONSET, began), (SignalKind.END, began + timedelta(minutes=95)))
    return alert(
        alert_id=f"{NAME}/2026-03-04T05:06Z", watch_id=NAME, title=TITLES[NAME], level=SignalLevel.NOTICE, onset=began,
        history=tuple(AlertStep(kind=k, level=SignalLevel.NOTICE, event_time=at, observed_at=at) for k, at in steps),
        evidence=evidence(first_posts=(), clusters=()),
    )  # fmt: skip


def facts(*alerts: Alert, is_replay: bool = False) -> ReportFacts:
    return assemble(logs(*alerts), made_at=MADE, is_replay=is_replay, texts=Kept(TEXTS))


def extras(language: str = "tr") -> DemoExtras:
    """Everything that a demonstration can add, in either language."""
    is_turkish = language == "tr"

    def surge(turkish: str, english: str, why_tr: str, why_en: str, start: int, end: int, *, told: bool) -> QuietSurge:
        return QuietSurge(
            title=turkish if is_turkish else english, reason=why_tr if is_turkish else why_en,
            start=DAY + timedelta(minutes=start), end=DAY + timedelta(minutes=end), reached=SignalLevel.NOTICE if told else None,
        )  # fmt: skip

    return DemoExtras(
        quiet=(
            surge("Ödül: Çınarlı, Avrupa Yeşil Kent Ödülü'nü aldı", "A prize: Çınarlı wins a European green city award",
                  "Paylaşımlar güvenle olumlu; olumlu paylaşım endişe dizisine girmez, kimse çağrılmaz.",
                  "The posts are confidently positive; those stay out of the concern series, so nobody is called.",
                  480, 540, told=True),
            surge("Kopya seli: 25 hesap, üç metin, 450 paylaşım", "A flood of copies: 25 accounts, three texts, 450 posts",
                  "450 paylaşımın arkasında 25 hesap ve üç metin var; yinelenen yazar ve kopya metin az sayılır.",
                  "Behind 450 posts stand 25 accounts and three texts; repeats of an author or of a text count for little.",
                  730, 770, told=False),
            surge("Maç günü: Çınarlıspor kupa maçında", "Match day: Çınarlıspor plays in the cup",
                  "Şehrin adı geçiyor ama konu futbol; izlemenin dışlama sorguları bu paylaşımları almaz.",
                  "The city's name is there but the topic is football; the watch's exclusions leave these posts out.",
                  960, 1080, told=False),
        ),
        stored=ReceivedAndStored(
            received="@cinarli_su Kapıma su gelmiyor, 0532 000 00 00 numaramdan arayın, TC 10000000146",
            stored="@⟨kişi⟩ Kapıma su gelmiyor, ⟨telefon⟩ numaramdan arayın, TC ⟨kimlik⟩",
            fields=(FieldChange(name="author", received="@ornek_hesap", stored="ymw3k…q7 (HMAC)"),
                    FieldChange(name="id", received="2028374650192837465", stored="x:main:4kzt…ra")),
        ),
        deleted=DeletedPost(posted_at=ONSET + timedelta(minutes=2, seconds=5), deleted_at=ONSET + timedelta(minutes=28),
                            was_in_evidence=True, is_in_evidence=False, is_in_index=False, gone_after_secs=1.8),
        outage=SearchOutage(away_from=MADE, back_at=MADE + timedelta(seconds=38), paged_at=MADE + timedelta(seconds=11),
                            indexed_afterwards=412, missing=0),
        footprint=(Footprint(name="Kafka", memory_bytes=398 << 20, disk_bytes=61 << 20),
                   Footprint(name="Elasticsearch", memory_bytes=702 << 20, disk_bytes=9 << 20),
                   Footprint(name="enrich", memory_bytes=1320 << 20, disk_bytes=None)),
        seconds_to_told={f"{ALERT}/2/nobetci": 1.4},
    )  # fmt: skip


if __name__ == "__main__":
    shown: Language = "tr" if sys.argv[1] == "tr" else "en"
    kind = "".join(sys.argv[2:3])
    told = () if kind == "calm" else (alert(), prize_notice())
    sys.stdout.write(render(facts(*told, is_replay=kind == "demo"), extras(shown) if kind == "demo" else None, shown))
