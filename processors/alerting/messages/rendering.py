"""From an occasion to subject and body. Pure: equal occasions give equal messages."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import AwareDatetime

from processors.alerting.messages.catalogue import CATALOGUES, Catalogue
from processors.alerting.on_call import Detour, Language
from schemas.alerts import Alert
from schemas.authors import AuthorClass
from schemas.labels import Label
from schemas.signals import Evidence, SignalKind, SignalLevel

SUBJECT_CHARACTERS: Final = 120
EXCERPT_CHARACTERS: Final = 140
NAME_CHARACTERS: Final = 60
SOURCE_CHARACTERS: Final = 30  # in a subject
POSTS: Final = 3
NAMES: Final = 3
RARE_WEEKS: Final = 1000
RAREST_SILENCE: Final = 1_000_000
_DAYS: Final = 7
_TIMES_FROM: Final = 1.0  # fewer expected mentions than this make a multiple meaningless


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Why a message is due: `kind` is onset, growth, end or what stands alone; the other kinds of signal are silent."""

    kind: SignalKind
    level: SignalLevel
    alert: Alert
    evidence: Evidence
    event_time: AwareDatetime
    peak_60m: float = 0.0
    is_upgrade: bool = False
    provisional: bool = False
    detour: Detour | None = None
    is_replay: bool = False

    @property
    def story(self) -> str:
        """The catalogue's word for what happened."""
        return "upgrade" if self.is_upgrade else str(self.kind)


def render(language: Language, occasion: Occasion) -> Message:
    """The message in one language."""
    texts = CATALOGUES[language]
    return Message(_subject(texts, occasion), "\n".join(_body(texts, occasion)))


def plain(text: str, most: int) -> str:
    """Foreign text on one line: no control or direction marks, shortened at a word where possible."""
    line = " ".join("".join(_visible(character) for character in text).split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    at = cut.rfind(" ")
    return (cut[:at] if at > most // 2 else cut).rstrip() + "…"


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return character if character == _JOINER else ""
    return " " if category in _BLANK else character


_JOINER: Final = "\u200d"  # holds an emoji of several parts together
_BLANK: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


def _marks(texts: Catalogue, occasion: Occasion, kind: str) -> list[str]:
    marks = []
    if occasion.alert.is_drill:
        marks.append(texts.text(f"{kind}.drill"))
    if occasion.is_replay:
        marks.append(texts.text(f"{kind}.replay"))
    return marks


def _subject(texts: Catalogue, occasion: Occasion) -> str:
    words = _words(texts, occasion)
    key, marks = f"subject.{occasion.story}", _marks(texts, occasion, "mark")
    frame = " ".join((*marks, texts.text(key, **words, title="")))
    title = plain(occasion.alert.title, SUBJECT_CHARACTERS - len(frame))
    return " ".join((*marks, texts.text(key, **words, title=title)))


def _words(texts: Catalogue, occasion: Occasion) -> dict[str, str]:
    """What a subject or a first line may name."""
    words = {"level": texts.text(f"level.{occasion.level}"), "ended": texts.text(f"ended.{occasion.level}")}
    evidence = occasion.evidence
    if evidence.article is not None:
        spoke = AuthorClass.PRESS if AuthorClass.PRESS in {post.author_class for post in evidence.first_posts} else "official"
        words["who"] = texts.text(f"article.{spoke}")
        words["said"] = texts.text("article.help_call" if evidence.article.help_call else "article.negative")
    if evidence.silence is not None:
        words["source"] = plain(evidence.silence.source, SOURCE_CHARACTERS)
    return words


def _body(texts: Catalogue, occasion: Occasion) -> Iterator[str]:
    banners = _marks(texts, occasion, "banner")
    yield from banners
    yield texts.text(f"lead.{occasion.story}", **_words(texts, occasion))
    if occasion.detour is not None:
        name = plain(occasion.alert.on_call or "", NAME_CHARACTERS)
        yield texts.text(f"detour.{occasion.detour}", name=name)
    yield ""
    yield texts.text("what", title=plain(occasion.alert.title, SUBJECT_CHARACTERS))
    yield from _BODIES.get(occasion.kind, _rise)(texts, occasion)
    yield texts.text("record", alert_id=occasion.alert.alert_id)
    yield from banners  # a phone may show the end of a message first


def _rise(texts: Catalogue, occasion: Occasion) -> Iterator[str]:
    evidence = occasion.evidence
    onset, at = occasion.alert.onset, occasion.event_time
    counted = texts.clock(at) if texts.is_same_day(onset, at) else texts.moment(at)
    yield texts.text("since", onset=texts.moment(onset), at=counted, zone=texts.text("format.zone"))
    yield _amount(texts, evidence)
    yield _sure(texts, evidence.once_in_weeks)
    if occasion.provisional:
        yield texts.text("provisional")
    if evidence.learning:
        yield texts.text("learning")
    if evidence.announced:
        yield texts.text("announced", list="; ".join(plain(reason, NAME_CHARACTERS) for reason in evidence.announced[:NAMES]))
    yield from _people(texts, evidence)
    yield from _whereabouts(texts, evidence)
    yield from _posts(texts, evidence)
    yield _not_heard(texts, evidence)
    if occasion.level is SignalLevel.PAGE:
        yield texts.text("to_do")


def _end(texts: Catalogue, occasion: Occasion) -> Iterator[str]:
    onset, end, evidence = occasion.alert.onset, occasion.event_time, occasion.evidence
    yield texts.text(
        "lasted", onset=texts.moment(onset), at=texts.moment(end), zone=texts.text("format.zone"),
        duration=texts.duration(end - onset),
    )  # fmt: skip
    if occasion.level is SignalLevel.NOTICE:
        return
    yield texts.text(
        "peak", peak=texts.number(occasion.peak_60m), observed=texts.number(evidence.observed_60m),
        expected=texts.number(evidence.expected_60m),
    )  # fmt: skip
    yield _not_heard(texts, evidence)


def _first_article(texts: Catalogue, occasion: Occasion) -> Iterator[str]:
    evidence = occasion.evidence
    yield texts.text("when", at=texts.moment(occasion.event_time), zone=texts.text("format.zone"))
    if evidence.mentions:
        yield texts.text("so_far", mentions=texts.number(evidence.mentions), authors=texts.number(evidence.authors))
    yield from _posts(texts, evidence, "posts.one")
    if evidence.article is not None and evidence.article.left_out:
        yield texts.text("left_out", count=texts.number(evidence.article.left_out))
    yield texts.text("to_do.help_call" if evidence.article is not None and evidence.article.help_call else "to_do.article")


def _silent(texts: Catalogue, occasion: Occasion) -> Iterator[str]:
    silence = occasion.evidence.silence
    if silence is None:
        return
    yield texts.text("silent.source", source=plain(silence.source, NAME_CHARACTERS))
    yield texts.text(
        "silent.since", last=texts.moment(silence.last_heard), zone=texts.text("format.zone"),
        hours=texts.number(silence.silent_hours),
    )  # fmt: skip
    yield texts.text("silent.usual", hours=texts.number(silence.usual_hours))
    yield texts.text("silent.sure", silences=texts.number(min(silence.once_in, RAREST_SILENCE)))
    yield texts.text("to_do.silent")


_BODIES: Final[Mapping[SignalKind, Callable[[Catalogue, Occasion], Iterator[str]]]] = {
    SignalKind.END: _end,
    SignalKind.FIRST_ARTICLE: _first_article,
    SignalKind.SOURCE_SILENT: _silent,
}


def _amount(texts: Catalogue, evidence: Evidence) -> str:
    observed, expected = evidence.observed_60m, evidence.expected_60m
    figures = {"observed": texts.number(observed), "expected": texts.number(expected)}
    if expected < _TIMES_FROM:
        return texts.text("amount", **figures)
    return texts.text("amount_times", **figures, times=texts.number(observed / expected))


def _sure(texts: Catalogue, once_in_weeks: float) -> str:
    if once_in_weeks > RARE_WEEKS:
        return texts.text("sure.rare", weeks=texts.number(RARE_WEEKS))
    weeks = texts.number(once_in_weeks)
    if weeks == "1":
        return texts.text("sure.week")
    if once_in_weeks > 1:
        return texts.text("sure.weeks", weeks=weeks)
    days = round(once_in_weeks * _DAYS)
    return texts.text("sure.days", days=days) if days > 1 else texts.text("sure.often")


def _people(texts: Catalogue, evidence: Evidence) -> Iterator[str]:
    yield texts.text(
        "who", authors=texts.number(evidence.authors), mentions=texts.number(evidence.mentions),
        copies=texts.share(evidence.copies, evidence.mentions),
    )  # fmt: skip
    if press := evidence.author_classes.get(AuthorClass.PRESS):
        yield texts.text("press", count=texts.number(press))
    if total := sum(evidence.labels.values()):
        negative, unsure = (evidence.labels.get(label, 0) for label in (Label.NEGATIVE, Label.UNSURE))
        yield texts.text("tone", negative=texts.share(negative, total), unsure=texts.share(unsure, total))


def _whereabouts(texts: Catalogue, evidence: Evidence) -> Iterator[str]:
    if evidence.places:
        yield texts.text("places", list=_largest(texts, evidence.places))
    if evidence.sources:
        yield texts.text("sources", list=_largest(texts, evidence.sources))


def _largest(texts: Catalogue, counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [f"{plain(name, NAME_CHARACTERS)} {texts.number(count)}" for name, count in ordered[:NAMES]]
    if len(ordered) > NAMES:
        named.append(texts.text("more", count=len(ordered) - NAMES))
    return ", ".join(named)


def _posts(texts: Catalogue, evidence: Evidence, title: str = "posts") -> Iterator[str]:
    posts = evidence.first_posts[:POSTS]
    if posts:
        yield texts.text(title)
    for number, post in enumerate(posts, start=1):
        yield texts.text(
            "post", number=number, clock=texts.clock(post.event_time), platform=plain(post.platform, NAME_CHARACTERS),
            excerpt=plain(post.excerpt, EXCERPT_CHARACTERS),
        )  # fmt: skip


def _not_heard(texts: Catalogue, evidence: Evidence) -> str:
    if not evidence.not_heard:
        return texts.text("not_heard.none")
    return texts.text("not_heard", list=", ".join(plain(gap, NAME_CHARACTERS) for gap in evidence.not_heard))
