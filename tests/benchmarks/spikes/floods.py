"""What only looks like many people, the same crisis on the next day, a prize, a water cut told in questions.

The posts are weighed by `processors.spikes.damping`, minute by minute, on top of everyday streams with frailty.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.spikes import Damping, weigh
from processors.spikes.episode import NOTICE_SCORE
from processors.spikes.expectations import Expectation, known, limit_60m
from processors.spikes.fleet import Fleet
from processors.spikes.misread import without_misread
from tests.benchmarks.spikes.alarms import share_interval
from tests.benchmarks.spikes.report import Row, judged, shown
from tests.benchmarks.spikes.rivals import Past
from tests.benchmarks.spikes.simulated import HOUR, POLICY, Plan, Say
from tests.benchmarks.spikes.streams import DAY, MONDAY, SEEDS, Streams, Stretch, starts, surge

Floats = npt.NDArray[np.float64]

RATES: Final = (3.0, 12.0, 60.0, 600.0)
FLOOD_MINUTES: Final = 10
CRISIS_MINUTES: Final = 120
_LEARNED_DAYS: Final = 14
ANNOUNCED_TIMES: Final = 4.0
FROM_RATE: Final = 12.0  # mentions an hour: of fewer nothing is promised

ANSWERS: Final = np.array([[777, 69, 32, 17], [194, 468, 59, 25], [83, 85, 348, 7]], np.float64)
"""Truth (negative, neutral, positive) and answer (the same, unsure) of the bundled model on 2,164 development texts, as
processors/sentiment/model/README.md has them."""
TONES: Final = {"prize": (0.05, 0.05, 0.90), "water cut": (0.30, 0.70, 0.0), "everyday": (0.35, 0.45, 0.20)}
"""Shares of negative, neutral and positive posts: what people really mean."""
SERIES: Final = ("concern", "negative only", "all")


def answered(tone: str) -> tuple[float, float, float]:
    """Shares of the posts of a kind that the model calls negative, positive, and neither."""
    negative, _, positive, _ = np.array(TONES[tone]) @ (ANSWERS / ANSWERS.sum(axis=1, keepdims=True))
    return float(negative), float(positive), 1 - float(negative) - float(positive)


class Series:
    """What a series makes of the posts of a minute, told by their answers (rows of negative, positive, neither)."""

    def __init__(self, name: str, series: int) -> None:
        self.name = name
        self._owed = np.zeros(series)

    def weight(self, answers: Floats) -> Floats:
        negative, positive, neither = answers
        if self.name == "all":
            return answers.sum(axis=0)
        if self.name == "negative only":
            return negative
        pairs = [without_misread(*each) for each in zip(negative + neither, positive, self._owed, strict=True)]
        weights, self._owed = np.array(pairs).T
        return weights

    def copy(self) -> "Series":
        other = Series(self.name, 0)
        other._owed = self._owed.copy()
        return other


def flood_weights(posts: Sequence[tuple[float, str, str]], minutes: int) -> tuple[Floats, Floats, Floats]:
    """Weight, mentions and distinct authors that posts (minute, author, text) add in each minute."""
    damping, seen = Damping(), set[str]()
    weights, mentions, authors = np.zeros(minutes), np.zeros(minutes), np.zeros(minutes)
    for time, author, text in sorted(posts):
        minute = int(time)
        weights[minute] += weigh(damping, minute, author, text)
        mentions[minute] += 1
        authors[minute] += author not in seen
        seen.add(author)
    return weights, mentions, authors


def one_author(rng: random.Random) -> list[tuple[float, str, str]]:
    """300 posts in ten minutes, each with a text of its own."""
    return [(rng.random() * FLOOD_MINUTES, "one", f"text {number}") for number in range(300)]


def one_text(rng: random.Random) -> list[tuple[float, str, str]]:
    """200 accounts, one text."""
    return [(rng.random() * FLOOD_MINUTES, f"account {number}", "the text") for number in range(200)]


def pages_of(
    fleet: Fleet, past: Past, weights: Floats, mentions: Floats, authors: Floats, *, score: float = POLICY.page_score,
    expected: Sequence[Expectation] = (),
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Minutes to a page of each series that rises by what is given (rows are minutes), infinite without one.

    Not a number where one was due before. `fleet` goes on; `past` holds everyday mentions, each by an author of its own.
    `score`: of a page, or of a notice.
    """
    pages = np.full(len(fleet), np.inf)
    before = fleet.scores >= score
    voices = past.copy()
    for minute, weight in enumerate(weights):
        past.push(mentions[minute])
        voices.push(authors[minute])
        now = known(fleet.next_bucket, expected)
        scores = fleet.tick(weight, now)
        many, voiced = past.total(HOUR) >= POLICY.min_mentions, voices.total(HOUR) >= POLICY.min_authors
        if score < POLICY.page_score:
            beyond = fleet.observed_60m.astype(np.float64) >= limit_60m(fleet.expected.astype(np.float64), now)
            told = (scores >= score) | (beyond & many)
        else:
            told = (scores >= score) & many & voiced
        pages[told & np.isinf(pages)] = minute + 1
    return np.where(before, np.nan, pages)


def floods(plan: Plan, say: Say) -> list[Row]:
    """All of them, on the same everyday streams after two weeks."""
    per_hour = np.repeat(RATES, plan.series)
    streams = Streams(per_hour, SEEDS["floods"])
    rng, order = np.random.default_rng(SEEDS["flood surges"]), random.Random(SEEDS["flood surges"])
    fleet, past = Fleet(len(per_hour), MONDAY), Past(len(per_hour), longest_minutes=HOUR)
    learned = _LEARNED_DAYS if plan.weeks > 1 else _LEARNED_DAYS // 2
    days = learned + (7 if plan.weeks > 1 else 1)
    coming = starts(rng, first_day=learned, days=days - learned, count=max(4, plan.surges // 2))
    found: dict[str, list[Floats]] = {}
    for first, stretch in streams.days(days, ahead=DAY + CRISIS_MINUTES):
        say("floods", first // DAY, days)
        for minute in range(DAY):
            while coming and coming[0] == first + minute:
                coming.pop(0)
                ahead = stretch.part(minute)
                for name, pages in _try(fleet, past, ahead, rng, order).items():
                    found.setdefault(name, []).append(pages)
            fleet.tick(stretch.counts[minute])
            past.push(stretch.counts[minute])
    say("floods", days, days)
    tones = _tones(plan, say)
    return [*_flood_rows(found, per_hour), *_repeat_rows(found, per_hour), *_announced_rows(found, per_hour), *tones]


def _try(fleet: Fleet, past: Past, ahead: Stretch, rng: np.random.Generator, order: random.Random) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    makers: tuple[tuple[str, Callable[[random.Random], list[tuple[float, str, str]]]], ...] = (
        ("one author", one_author), ("one text", one_text),
    )  # fmt: skip
    counts = ahead.counts[:HOUR]
    for name, make in makers:
        weights, mentions, authors = (part[:, None] for part in flood_weights(make(order), HOUR))
        found[name] = pages_of(fleet.copy(), past.copy(), counts + weights, counts + mentions, counts + authors)
    copy, history = fleet.copy(), past.copy()
    crisis = ahead.counts[: DAY + CRISIS_MINUTES].copy()
    crisis[:CRISIS_MINUTES] += surge(rng, ahead.usual[:CRISIS_MINUTES], 10.0)
    crisis[DAY:] += surge(rng, ahead.usual[DAY : DAY + CRISIS_MINUTES], 10.0)
    first, rest = crisis[:DAY], crisis[DAY:]
    found["first day"] = pages_of(copy, history, first, first, first)
    found["next day"] = pages_of(copy, history, rest, rest, rest)
    begun = fleet.next_bucket
    announced = [Expectation(begun, begun + CRISIS_MINUTES, ANNOUNCED_TIMES)]
    for name, times, score in (
        ("announced", ANNOUNCED_TIMES, POLICY.page_score), ("thrice", 3 * ANNOUNCED_TIMES, NOTICE_SCORE),
    ):  # fmt: skip
        rise = ahead.counts[:CRISIS_MINUTES] + surge(rng, ahead.usual[:CRISIS_MINUTES], times)
        found[name] = pages_of(fleet.copy(), past.copy(), rise, rise, rise, score=score, expected=announced)
    return found


def _flood_rows(found: dict[str, list[Floats]], per_hour: Floats) -> list[Row]:
    rows = []
    for name, what, limit, from_rate in (
        ("one author", "300 posts of one author in 10 minutes", 0.01, 0.0),
        ("one text", "200 accounts with one text", 0.10, FROM_RATE),
    ):
        runs = np.array(found[name])
        for each in RATES:
            chosen = runs[:, per_hour == each]
            chosen = chosen[~np.isnan(chosen)]
            share = share_interval(int(np.isfinite(chosen).sum()), chosen.size)
            measured = f"pages in {shown(share, 3)} of {chosen.size} runs"
            title = f"{what}, {each:g}/h"
            if each < from_rate:
                rows.append(Row(part="floods", what=title, measured=measured, values=share))
            else:
                rows.append(judged("floods", title, measured, f"at most {limit:g}", share.value <= limit, share))
    return rows


def _repeat_rows(found: dict[str, list[Floats]], per_hour: Floats) -> list[Row]:
    rows = []
    first, second = np.array(found["first day"]), np.array(found["next day"])
    for each in RATES:
        chosen = per_hour == each
        shares = [
            share_interval(int((pages[:, chosen] <= HOUR).sum()), int((~np.isnan(pages[:, chosen])).sum()))
            for pages in (first, second)
        ]
        ratio = shares[1].value / shares[0].value if shares[0].value else float("nan")
        measured = f"found in 60 minutes {shown(shares[0], 2)}, on the next day {shown(shares[1], 2)}: {ratio:.2f} of it"
        what = f"10 times the usual for {CRISIS_MINUTES} minutes, and again a day later, {each:g}/h"
        rows.append(judged("floods", what, measured, "at least 0.8 of the first", ratio >= 0.8, shares))
    return rows


def _announced_rows(found: dict[str, list[Floats]], per_hour: Floats) -> list[Row]:
    rows = []
    for each in RATES:
        shares = {}
        for name in ("announced", "thrice"):
            runs = np.array(found[name])[:, per_hour == each]
            shares[name] = share_interval(int(np.isfinite(runs).sum()), int((~np.isnan(runs)).sum()))
        said = f"pages in {shown(shares['announced'], 2)}"
        what = f"{ANNOUNCED_TIMES:g} times the usual for two hours, written as an expectation, {each:g}/h"
        rows.append(judged("floods", what, said, "at most 0.1", shares["announced"].value <= 0.1, shares["announced"]))
        said = f"a notice in {shown(shares['thrice'], 2)}"
        what = f"three times what was announced, {each:g}/h"
        if each < FROM_RATE:
            rows.append(Row(part="floods", what=what, measured=said, values=shares["thrice"]))
        else:
            rows.append(judged("floods", what, said, "at least 0.9", shares["thrice"].value >= 0.9, shares["thrice"]))
    return rows


_CASES: Final = (("prize", 10.0, 12.0), ("prize", 10.0, 60.0), ("water cut", 10.0, 12.0), ("water cut", 10.0, 60.0))


def _tones(plan: Plan, say: Say) -> list[Row]:
    """Which series should page: each sees what the model's errors leave of the everyday and of the rise."""
    rows = []
    rates = tuple(dict.fromkeys(rate for _, _, rate in _CASES))
    shares: dict[str, dict[tuple[str, float], Floats]] = {}
    for number, name in enumerate(SERIES):
        per_hour = np.repeat(rates, plan.series)
        streams = Streams(per_hour, SEEDS["floods"] + 10 + number)
        rng = np.random.default_rng(SEEDS["flood surges"] + 10 + number)
        fleet, past, series = Fleet(len(per_hour), MONDAY), Past(len(per_hour), longest_minutes=HOUR), Series(name, len(per_hour))
        learned = _LEARNED_DAYS if plan.weeks > 1 else _LEARNED_DAYS // 2
        days = learned + (7 if plan.weeks > 1 else 1)
        coming = starts(rng, first_day=learned, days=days - learned, count=max(4, plan.surges // 2))
        kept: dict[str, list[Floats]] = {"prize": [], "water cut": []}
        for first, stretch in streams.days(days, ahead=HOUR):
            say(f"tones: {name}", first // DAY, days)
            everyday = np.moveaxis(rng.multinomial(stretch.counts.astype(np.int64), answered("everyday")), -1, 1).astype(
                np.float64
            )
            for minute in range(DAY):
                while coming and coming[0] == first + minute:
                    coming.pop(0)
                    for tone, pages in kept.items():
                        usual = stretch.usual[minute : minute + HOUR]
                        extra = rng.poisson(9.0 * usual[:, None] * np.array(answered(tone))[:, None])
                        copy = series.copy()
                        weights = np.array([copy.weight(row) for row in everyday[minute : minute + HOUR] + extra])
                        voices = (
                            weights if name == "negative only" else stretch.counts[minute : minute + HOUR] + extra.sum(axis=1)
                        )
                        pages.append(pages_of(fleet.copy(), past.copy(), weights, voices, voices))
                fleet.tick(series.weight(everyday[minute]))
                past.push(stretch.counts[minute])
        say(f"tones: {name}", days, days)
        shares[name] = {(tone, rate): np.array(pages)[:, per_hour == rate] for tone, pages in kept.items() for rate in rates}
    for tone, times, rate in _CASES:
        found = {name: shares[name][tone, rate] for name in SERIES}
        paged = {name: share_interval(int((pages <= HOUR).sum()), int((~np.isnan(pages)).sum())) for name, pages in found.items()}
        measured = ", ".join(f"{name} pages in {shown(share, 2)}" for name, share in paged.items())
        what = f"{times:g} times the usual, {tone} ({_told(tone)}), {rate:g}/h"
        concern = paged["concern"].value
        if tone == "prize":
            rows.append(judged("tones", what, measured, "concern pages in at most 10 %", concern <= 0.10, paged))
        else:
            rows.append(judged("tones", what, measured, "concern pages in at least 80 %", concern >= 0.80, paged))
    return rows


def _told(tone: str) -> str:
    negative, neutral, positive = TONES[tone]
    return f"{negative:.0%} negative, {neutral:.0%} questions and facts, {positive:.0%} positive, and the model's errors"
