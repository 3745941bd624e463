"""The demo's story: two quiet days, then a day with four surges of which one is worth a call.

`build` is a function of its seed and start alone: no clock, no files but the phrases beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from pipeline.demo.desk import Desk, Post
from pipeline.demo.surges import WATER_DELETED_AFTER, Surge, flood, match, prize, surges, water
from pipeline.demo.voices import Author, citizens, own_account, press
from pipeline.demo.wording import Gazetteer, sheet

ISTANBUL = timezone(timedelta(hours=3))
START = datetime(2026, 3, 2, tzinfo=ISTANBUL)
_DAYS = 3

# Mentions an hour, from midnight on: the institution's ordinary day.
_HOURLY = (3, 2, 1, 1, 1, 2, 6, 13, 18, 20, 22, 22, 24, 23, 21, 20, 20, 22, 24, 23, 22, 20, 14, 7)
_TOPICS = ("bus", "water", "rubbish", "roads", "parks", "permits", "thanks", "events", "questions", "misc")


@dataclass(frozen=True)
class Story:
    """The stream in the file-replay format, sorted by time, and what to expect of it."""

    records: list[dict[str, Any]]
    surges: list[Surge]
    deleted_id: str
    showcase_id: str
    groups: Mapping[str, str]
    patterns: frozenset[str]

    def mentions(self, prefix: str = "") -> list[dict[str, Any]]:
        """The mentions of a group, such as `prize`, `water.question` or `everyday`; all by default."""
        return [record for record in self.records if "text" in record and self.groups[record["id"]].startswith(prefix)]


def build(seed: int = 1453, start: datetime | None = None) -> Story:
    """The story from `start` on, a midnight in Türkiye's time. Raises `ValueError` for a start without a zone."""
    if start and start.tzinfo is None:
        raise ValueError("start has no time zone")
    first = (start or START).astimezone(ISTANBUL)
    desk = Desk(Random(seed), Gazetteer.load())
    people = citizens(900, desk.rng)
    timetable = surges(first + timedelta(days=_DAYS - 1))
    posts = _everyday(desk, first, people[:520]) + _surges(desk, timetable, people)
    return _told(desk, posts, timetable)


def _surges(desk: Desk, timetable: Sequence[Surge], people: Sequence[Author]) -> list[Post]:
    prize_day, flood_day, match_day, water_day = timetable
    return [
        *prize(desk, prize_day, people),
        *flood(desk, flood_day),
        *match(desk, match_day, people),
        *water(desk, water_day, people),
    ]


def _told(desk: Desk, posts: Sequence[Post], timetable: list[Surge]) -> Story:
    """Give each post its id and put the deletion where it falls."""
    written = [(post, post.record(desk.rng)) for post in sorted(posts, key=lambda post: post.at)]
    groups = {record["id"]: post.group for post, record in written}
    deleted_post, deleted = next(pair for pair in written if pair[0].group == "water.deleted")
    showcase = next(record for post, record in written if post.group == "water.showcase")
    gone_at = deleted_post.at + WATER_DELETED_AFTER
    timed = [(post.at, record) for post, record in written] + [(gone_at, _deletion(deleted, gone_at))]
    return Story(
        records=[record for _, record in sorted(timed, key=lambda pair: pair[0])],
        surges=timetable,
        deleted_id=deleted["id"],
        showcase_id=showcase["id"],
        groups=groups,
        patterns=frozenset(pattern.line for pattern in desk.used),
    )


def _deletion(record: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "type": "delete",
        "id": record["id"],
        "platform": record["platform"],
        "deleted_at": at.isoformat(timespec="seconds"),
    }


def _everyday(desk: Desk, first: datetime, people: Sequence[Author]) -> list[Post]:
    """The ordinary stream under all three days: private people mostly, announcements and headlines by day."""
    phrases = sheet("everyday")
    private, own, papers = desk.deck(phrases, *_TOPICS), desk.deck(phrases, "own"), desk.deck(phrases, "press")
    posts = []
    for at in _ordinary_times(desk.rng, first):
        official = desk.rng.random() if 8 <= at.hour < 20 else 1.0
        if official < 0.06:
            posts.append(desk.state(at, own_account(), own, phrases))
        elif official < 0.12:
            posts.append(desk.state(at, desk.rng.choice(press()), papers, phrases))
        else:
            posts.append(desk.write(at, desk.rng.choice(people), private, phrases))
    return posts


def _ordinary_times(rng: Random, first: datetime) -> list[datetime]:
    """Independent arrivals at the rate of the hour."""
    times = []
    for hour in range(24 * _DAYS):
        rate = _HOURLY[hour % 24]
        seconds = rng.expovariate(rate / 3600)
        while seconds < 3600:
            times.append(first + timedelta(hours=hour, seconds=int(seconds)))
            seconds += rng.expovariate(rate / 3600)
    return times
