"""Who speaks: invented private people, the municipality's own account, the local press and the accounts of the flood.

No account of these exists: links end in the reserved `.example`, handles carry a made-up number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from pipeline.demo.wording import Habit

OWN_HANDLE = "CinarliBB"
PRESS_HANDLES = ("cinarlipostasi", "cinarlihaber", "kentgundemcinarli")

_FIRST = (
    "ayse",
    "fatma",
    "zeynep",
    "elif",
    "merve",
    "sevgi",
    "nurcan",
    "hatice",
    "derya",
    "pelin",
    "mehmet",
    "ahmet",
    "mustafa",
    "emre",
    "kerem",
    "huseyin",
    "yusuf",
    "onur",
    "cem",
    "serkan",
    "tugba",
    "asli",
    "gul",
    "selin",
    "melis",
    "baris",
    "ozan",
    "tolga",
    "sinan",
    "halil",
    "ismail",
    "kadir",
    "levent",
    "figen",
    "nalan",
    "sule",
)
_SECOND = (
    "cnr",
    "can",
    "yildiz",
    "deniz",
    "bey",
    "hanim",
    "hoca",
    "usta",
    "abla",
    "kaptan",
    "kedi",
    "cay",
    "papatya",
    "kiraz",
    "toprak",
    "ruzgar",
    "bulut",
    "kalem",
)
_SITES = {"x": "x.example", "mastodon": "sosyal.example", "bluesky": "mavi.example", "web": "haber.example"}
_HABITS = (Habit.TIDY, Habit.LOWER, Habit.ASCII, Habit.HASTY)


@dataclass(frozen=True)
class Author:
    """One account on one platform, and how it types."""

    id: str
    handle: str
    platform: str
    followers: int | None
    habit: Habit

    def wire(self) -> dict[str, Any]:
        """The author as the file-replay format has it."""
        return {"id": self.id, "handle": self.handle, "followers": self.followers}


def citizens(count: int, rng: Random) -> list[Author]:
    """Distinct private people; most on X, a few elsewhere."""
    handles: dict[str, None] = {}
    while len(handles) < count:
        handles[f"{rng.choice(_FIRST)}_{rng.choice(_SECOND)}_{rng.randrange(1000, 9999)}"] = None
    return [_citizen(handle, number, rng) for number, handle in enumerate(handles)]


def _citizen(handle: str, number: int, rng: Random) -> Author:
    platform = rng.choices(("x", "mastodon", "bluesky"), (82, 10, 8))[0]
    habit = rng.choices(_HABITS, (35, 28, 17, 20))[0]
    return Author(f"c{number:05}", handle, platform, int(rng.lognormvariate(4.8, 1.2)), habit)


def bots(count: int, rng: Random) -> list[Author]:
    """Fresh accounts with generic names and hardly a follower."""
    return [Author(f"b{n:03}", f"user{rng.randrange(10**7, 10**8)}", "x", rng.randrange(0, 9), Habit.TIDY) for n in range(count)]


def own_account() -> Author:
    return Author("o1", OWN_HANDLE, "x", 184_300, Habit.TIDY)


def press() -> list[Author]:
    """Two papers on the web, where nobody counts followers, and one on X."""
    first, second, third = PRESS_HANDLES
    return [
        Author("p1", first, "web", None, Habit.TIDY),
        Author("p2", second, "web", None, Habit.TIDY),
        Author("p3", third, "x", 21_750, Habit.TIDY),
    ]


def native_id(platform: str, at: datetime, rng: Random) -> str:
    """An id in the shape of the platform's own; unique because the random part is wide."""
    millis = int(at.timestamp() * 1000) + rng.randrange(1000)
    if platform == "x":
        return str(((millis - 1_288_834_974_657) << 22) | rng.randrange(1 << 22))
    if platform == "mastodon":
        return str((millis << 16) | rng.randrange(1 << 16))
    if platform == "bluesky":
        return "3" + "".join(rng.choice("234567abcdefghijklmnopqrstuvwxyz") for _ in range(12))
    return f"haber-{at:%Y%m%d}-{rng.randrange(10**6, 10**7)}"


def permalink(author: Author, native: str) -> str:
    site = _SITES[author.platform]
    paths: Mapping[str, str] = {
        "x": f"{author.handle}/status/{native}",
        "mastodon": f"@{author.handle}/{native}",
        "bluesky": f"profile/{author.handle}/post/{native}",
        "web": f"{author.handle}/{native}",
    }
    return f"https://{site}/{paths[author.platform]}"
