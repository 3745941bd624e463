"""The four surges of day 3: a prize, a flood of copies, a match day, and a burst main pipe. Only the last should page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.demo.desk import Desk, Post, steady
from pipeline.demo.voices import Author, bots, own_account, press
from pipeline.demo.wording import Pattern, Sheet, Slots, sheet

_BURST_STREET = "Değirmen Caddesi"
_FLOOD_EMOJI = ("", " 😡", " ‼️", " 👇", " 🔁", " 📢", " 👎", " 🤬")


@dataclass(frozen=True)
class Surge:
    """One rise in the stream, and in a sentence why somebody is called or not."""

    name: str
    title_tr: str
    title_en: str
    start: datetime
    end: datetime
    should_page: bool
    why_tr: str
    why_en: str


def surges(day: datetime) -> list[Surge]:
    """The timetable of `day`, a midnight: at least three hours between the end of one and the start of the next."""
    return [_prize_day(day), _flood_day(day), _match_day(day), _water_day(day)]


def _prize_day(day: datetime) -> Surge:
    return Surge(
        name="prize",
        title_tr="Ödül: Çınarlı, Avrupa Yeşil Kent Ödülü'nü aldı",
        title_en="A prize: Çınarlı wins a European green city award",
        start=day + timedelta(hours=8),
        end=day + timedelta(hours=9),
        should_page=False,
        why_tr="Paylaşımlar güvenle olumlu; olumlu paylaşım endişe dizisine girmez, kimse çağrılmaz.",
        why_en="The posts are confidently positive; those stay out of the concern series, so nobody is called.",
    )


def _flood_day(day: datetime) -> Surge:
    return Surge(
        name="flood",
        title_tr="Kopya seli: 25 hesap, üç metin, 450 paylaşım",
        title_en="A flood of copies: 25 accounts, three texts, 450 posts",
        start=day + timedelta(hours=12, minutes=10),
        end=day + timedelta(hours=12, minutes=50),
        should_page=False,
        why_tr="450 paylaşımın arkasında 25 hesap ve üç metin var; yinelenen yazar ve kopya metin az sayılır.",
        why_en="Behind 450 posts stand 25 accounts and three texts; repeats of an author or of a text count for little.",
    )


def _match_day(day: datetime) -> Surge:
    return Surge(
        name="match",
        title_tr="Maç günü: Çınarlıspor kupa maçında",
        title_en="Match day: Çınarlıspor plays in the cup",
        start=day + timedelta(hours=16),
        end=day + timedelta(hours=18),
        should_page=False,
        why_tr="Şehrin adı geçiyor ama konu futbol; izlemenin dışlama sorguları bu paylaşımları almaz.",
        why_en="The city's name is there but the topic is football; the watch's exclusions leave these posts out.",
    )


def _water_day(day: datetime) -> Surge:
    return Surge(
        name="water",
        title_tr="Su kesintisi: ana isale hattı patladı",
        title_en="A water cut: the main pipe burst",
        start=day + timedelta(hours=21, minutes=15),
        end=day + timedelta(hours=22, minutes=45),
        should_page=True,
        why_tr="350 kadar ayrı kişi, olağanın 15 katı hızla, çoğu öfkesiz, soruyor ve anlatıyor: nöbetçi çağrılır.",
        why_en="Some 350 different people ask and tell, few in anger, at 15 times the usual rate: the person on call is paged.",
    )


def _arrivals(desk: Desk, surge: Surge, count: int, rise: float, fall: float) -> list[datetime]:
    """`count` times between start and end: a steep rise and a long tail."""
    seconds = (surge.end - surge.start).total_seconds()
    return sorted(_after(surge, int(desk.rng.betavariate(rise, fall) * seconds)) for _ in range(count))


def _after(surge: Surge, seconds: float) -> datetime:
    return surge.start + timedelta(seconds=int(seconds))


def _casting(desk: Desk, people: Sequence[Author], distinct: int, posts: int) -> list[Author]:
    """Who writes each post: `distinct` people, each at least once."""
    cast = desk.rng.sample(people, distinct)
    parts = cast + desk.rng.choices(cast, k=posts - distinct)
    desk.rng.shuffle(parts)
    return parts


def prize(desk: Desk, surge: Surge, people: Sequence[Author]) -> list[Post]:
    """195 people congratulate; the municipality and the press say what happened."""
    phrases = sheet("prize")
    deck = desk.deck(phrases, "citizen")
    times = _arrivals(desk, surge, 195, 1.4, 1.9)
    posts = [desk.write(at, steady(who), deck, phrases) for at, who in zip(times, _casting(desk, people, 188, 195), strict=True)]
    return posts + _official(desk, surge, phrases, own_minutes=(1, 24), press_minutes=(4, 9, 17))


def _official(desk: Desk, surge: Surge, phrases: Sheet, own_minutes: Sequence[int], press_minutes: Sequence[int]) -> list[Post]:
    """Statements of the municipality, and headlines of the papers in turn."""
    own, papers = desk.script(phrases, "own"), desk.script(phrases, "press")
    facts = {"cadde": _BURST_STREET, "n": "8"}
    posts = [desk.state(_after(surge, m * 60 + 11), own_account(), own, phrases, extra=facts, dry=True) for m in own_minutes]
    turns = zip(press_minutes, press() * len(press_minutes), strict=False)
    return posts + [desk.state(_after(surge, m * 60 + 37), paper, papers, phrases, extra=facts) for m, paper in turns]


def flood(desk: Desk, surge: Surge) -> list[Post]:
    """25 accounts, 18 copies each: only link, addressed name and emoji differ."""
    copies = sheet("flood").patterns("copies")
    desk.used.update(copies)
    authors = bots(25, desk.rng) * 18
    desk.rng.shuffle(authors)
    times = _arrivals(desk, surge, len(authors), 1.2, 1.2)
    return [_copy(desk, at, author, desk.rng.choice(copies)) for at, author in zip(times, authors, strict=True)]


def _copy(desk: Desk, at: datetime, author: Author, pattern: Pattern) -> Post:
    rng = desk.rng
    name = f"@gundem_{rng.randrange(1000, 9999)} " if rng.random() < 0.5 else ""
    link = "".join(rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=8))
    text = f"{name}{pattern.line}{rng.choice(_FLOOD_EMOJI)} https://kisa.example/{link}"
    return Post(at, author, pattern.group, text, None)


# Minutes after the surge's start: kick-off at 8, half-time 53-66, final whistle at 112.
_GOAL, _CONCEDED, _SECOND_GOAL = 32, 72, 94


def match(desk: Desk, surge: Surge, people: Sequence[Author]) -> list[Post]:
    """300 posts that follow the game: each phase and each goal has its own texts."""
    phrases = sheet("match")
    moments = sorted(_moments(desk), key=lambda moment: moment[0])
    decks = {group: desk.deck(phrases, group) for _, group in moments}
    press_script = desk.script(phrases, "press")
    posts = []
    for (minute, group), who in zip(moments, _casting(desk, people, 230, len(moments)), strict=True):
        at = _after(surge, minute * 60)
        posts.append(desk.write(at, steady(who), decks[group], phrases, extra=_scoreboard(minute)))
    headlines = zip((2.5, 60, 115), press(), strict=True)
    return posts + [
        desk.state(_after(surge, minute * 60), paper, press_script, phrases, extra=_scoreboard(minute))
        for minute, paper in headlines
    ]


def _moments(desk: Desk) -> list[tuple[float, str]]:
    """When somebody writes, in minutes, and in which mood."""
    draw = desk.rng
    phases: list[tuple[str, int, Callable[[], float]]] = [
        ("before", 38, lambda: draw.uniform(0, 9)),
        ("play", 104, lambda: draw.choice((draw.uniform(9, 53), draw.uniform(66, 112)))),
        ("goal", 34, lambda: min(_GOAL + draw.expovariate(0.25), 52)),
        ("half", 24, lambda: draw.uniform(53, 66)),
        ("conceded", 18, lambda: min(_CONCEDED + draw.expovariate(0.4), 85)),
        ("goal", 44, lambda: min(_SECOND_GOAL + draw.expovariate(0.25), 111)),
        ("after", 35, lambda: draw.uniform(112, 119.8)),
    ]
    return [(when(), group) for group, count, when in phases for _ in range(count)]


def _scoreboard(minute: float) -> dict[str, str]:
    played = minute - 8 if minute < 53 else minute - 21 if minute > 66 else 45
    score = "2-0" if minute < _GOAL else "1-0" if minute < _CONCEDED else "1-1" if minute < _SECOND_GOAL else "2-1"
    scorer = "Tolunay" if minute < _CONCEDED else "Okan Birgül"
    return {"dk": str(int(min(max(played, 1), 90))), "skor": score, "golcu": scorer}


WATER_DELETED_AFTER = timedelta(minutes=25)


def water(desk: Desk, surge: Surge, people: Sequence[Author]) -> list[Post]:
    """450 posts; 350 private people tell it in questions (44 %), plain facts (28 %) and anger (25 %)."""
    phrases = sheet("water")
    cast = _casting(desk, people, 350, 440)
    tones = ["question"] * 196 + ["fact"] * 124 + ["angry"] * 112 + ["personal"] * 8
    desk.rng.shuffle(tones)
    decks = {tone: desk.deck(phrases, tone) for tone in set(tones)}
    posts = []
    for at, who, tone in zip(_arrivals(desk, surge, 440, 1.5, 2.1), cast, tones, strict=True):
        write = desk.state if tone == "personal" else desk.write
        posts.append(write(at, who, decks[tone], phrases, extra=_since(surge, at), dry=True))
    officials = _official(desk, surge, phrases, own_minutes=(16, 35, 55, 78), press_minutes=(12, 21, 44, 66))
    return posts + officials + _singled_out(desk, surge, phrases, cast)


_DRY_FOR = (
    (20, "on dakikadır"),
    (35, "yarım saattir"),
    (55, "45 dakikadır"),
    (80, "bir saattir"),
    (200, "bir buçuk saattir"),
)


def _since(surge: Surge, at: datetime) -> dict[str, str]:
    """How long the taps have been dry; the pipe burst ten minutes before the first posts."""
    minutes = (at - surge.start).total_seconds() / 60 + 10
    return {"sure": next(words for limit, words in _DRY_FOR if minutes < limit), "kesildi": "21.05"}


def _singled_out(desk: Desk, surge: Surge, phrases: Sheet, cast: Sequence[Author]) -> list[Post]:
    """The post that is taken down again, and the one shown as received and as stored. On X, where anybody can look it up."""
    on_x = [author for author in dict.fromkeys(cast) if author.platform == "x"]
    posts = []
    for seconds, group, author in ((40, "deleted", on_x[0]), (550, "showcase", on_x[1])):
        slots = Slots(desk.rng, desk.gazetteer.dry, {"cadde": [_BURST_STREET]})
        line = " ".join(phrases.lines[group])
        pattern = Pattern(f"{phrases.name}.{group}", line)
        desk.used.add(pattern)
        posts.append(Post(_after(surge, seconds), author, pattern.group, line.format_map(slots), slots["semt"]))
    return posts
