"""The recorded streams of ../shared/data/replay through the detection fold itself, without authors: the files name none.

Telecom: an earthquake at 13:59 cut a mobile network on 26 September 2019. Universities: three crises are named in
../shared/data/README.md. Labels are those of a run that is told none (all neutral, so concern is all but the institution's
own), noise at the model's error rate, and all `unsure`; labels of the model itself need minutes of inference and come with
`make campaign-main`.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from processors.detection.fold import DetectFold
from processors.sentiment import BUNDLED_MODEL, Classifier
from processors.spikes import Damping, Level, Policy, typical, weigh
from processors.spikes.damping import WINDOW_MINUTES
from processors.spikes.fleet import Fleet
from processors.spikes.misread import without_misread
from processors.text.signature import signature
from schemas.authors import AuthorClass
from schemas.hits import EXCERPT_CHARACTERS, Hit, Progress, WatchChanged
from schemas.labels import Label
from schemas.records import decode
from schemas.sentiments import Sentiment
from schemas.signals import Signal, SignalKind, SignalLevel
from schemas.topics import MENTIONS_PARTITIONS, SIGNALS
from schemas.watches import Watch, WatchLevel
from tests.benchmarks.spikes.alarms import Pages
from tests.benchmarks.spikes.floods import ANSWERS, SERIES
from tests.benchmarks.spikes.report import Row, Verdict, judged
from tests.benchmarks.spikes.rivals import Past
from tests.benchmarks.spikes.simulated import Plan, Say
from tests.benchmarks.spikes.streams import SEEDS

FOLDER: Final = Path(__file__).parents[4] / "shared" / "data" / "replay"
TELECOM: Final = FOLDER / "telecom_2019-09-26.jsonl"
UNIVERSITIES: Final = FOLDER / "universities_2020-2026.jsonl"
TURKIYE: Final = timedelta(hours=3)
ONSET: Final = datetime(2019, 9, 26, 10, 59, tzinfo=UTC)
NOTICE_BY: Final = datetime(2019, 9, 26, 11, 8, tzinfo=UTC)
PAGE_BY: Final = datetime(2019, 9, 26, 11, 14, tzinfo=UTC)
CRISES: Final = (
    ("17 February 2020", "HACETTEPE", date(2020, 2, 17), date(2020, 2, 17)),
    ("28 September 2020, registration system down", "HACETTEPE", date(2020, 9, 28), date(2020, 9, 28)),
    ("1 to 7 February 2021", "BOUN", date(2021, 2, 1), date(2021, 2, 7)),
)
_LEVELS: Final = {SignalLevel.NOTICE: Level.NOTICE, SignalLevel.PAGE: Level.PAGE}
_SHORT: Final = datetime(2020, 3, 1, tzinfo=UTC)  # what --quick hears of the six years
_LABELS: Final = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE, Label.UNSURE)
_NOISES: Final = 20
# of labelled mentions of telecom operators (processors/sentiment/model/README.md: F1, 800 texts); complaints in an outage
_TRUTH: Final = (0.6, 0.3, 0.1)


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Posts in order of time."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            post = json.loads(line)
            post["at"] = datetime.fromisoformat(post["published_at"])
            yield post


# -- telecom ---------------------------------------------------------------------------------------------------------------


def labels(kind: str, count: int, seed: int = 0) -> list[Label]:
    """Of so many posts: `none` says neutral of all, `unsure` unsure of all, `noise` errs as the model does on random truths."""
    if kind != "noise":
        return [Label.NEUTRAL if kind == "none" else Label.UNSURE] * count
    rng = np.random.default_rng(SEEDS["telecom"] + 1000 * seed)
    truths = rng.choice(3, size=count, p=_TRUTH)
    return [_LABELS[rng.choice(4, p=ANSWERS[truth] / ANSWERS[truth].sum())] for truth in truths]


def watch() -> Watch:
    """A watch that pages, at the default budget."""
    return Watch(
        watch_id="telecom", version=1, title="Telecom", query="telecom", level=WatchLevel.PAGE, on_call="on-call",
        purpose="Measure", legal_basis="none: recorded data", owner="benchmark", expires=date(2099, 1, 1), updated_at=ONSET,
    )  # fmt: skip


def heard(posts: Iterable[dict[str, Any]], tones: list[Label]) -> list[Signal]:
    """Signals of the fold, as a live system would give them: progress after each second of the stream."""
    fold = DetectFold()
    fold.apply(WatchChanged(watch=watch()).encode())
    found: list[Signal] = []
    clock: datetime | None = None
    for number, (post, tone) in enumerate(zip(posts, tones, strict=True)):
        if clock is None or post["at"] - clock >= timedelta(seconds=1):
            clock = post["at"]
            fold.apply(progress_to(clock).encode())
        fold.apply(hit_of(post, tone, number).encode())
        found += [decode(Signal, output.value) for output in fold.outputs() if output.topic is SIGNALS]
    assert clock is not None
    fold.apply(progress_to(clock + timedelta(minutes=10)).encode())
    return found + [decode(Signal, output.value) for output in fold.outputs() if output.topic is SIGNALS]


def progress_to(clock: datetime) -> Progress:
    return Progress(source="file", clocks=dict.fromkeys(range(MENTIONS_PARTITIONS), clock))


def hit_of(post: dict[str, Any], tone: Label, number: int) -> Hit:
    return Hit(
        watch_id="telecom", mention_id=f"kus:ornek:{number:026d}", event_time=post["at"], observed_at=post["at"], source="file",
        origin_partition=0, origin_offset=number, platform=post["platform"], author_class=AuthorClass.PRIVATE,
        signature=signature(post["text"]), sentiment=Sentiment(label=tone, confidence=0.9, model="none"),
        excerpt=post["text"][:EXCERPT_CHARACTERS],
    )  # fmt: skip


def telecom(plan: Plan, say: Say) -> list[Row]:
    """Without earlier history, at the default budget, with no labels, with wrong ones and with none that is sure."""
    if not TELECOM.exists():
        return [Row(part="replays", what="../shared/data/replay: telecom", measured="not there", verdict=Verdict.SKIPPED)]
    posts = [post for post in read(TELECOM) if post["at"] < PAGE_BY + timedelta(minutes=15)]
    runs = [("none", 0), ("unsure", 0), *(("noise", seed) for seed in range(_NOISES if plan.weeks > 1 else 3))]
    found: dict[str, list[list[Signal]]] = {}
    for number, (kind, seed) in enumerate(runs):
        say("telecom", number, len(runs))
        found.setdefault(kind, []).append(heard(posts, labels(kind, len(posts), seed)))
    say("telecom", len(runs), len(runs))
    return [row for kind, heard_in in found.items() for row in _telecom_rows(kind, heard_in)]


def _telecom_rows(kind: str, runs: list[list[Signal]]) -> list[Row]:
    """The latest, where there are several runs."""
    notices = [_first(signals, SignalLevel.NOTICE, SignalLevel.PAGE) for signals in runs]
    pages = [_first(signals, SignalLevel.PAGE) for signals in runs]
    early = [one for signals in runs for one in signals if one.kind is SignalKind.ONSET and one.event_time < ONSET]
    told = f"telecom, labels: {kind}" + (f", the latest of {len(runs)} runs" if len(runs) > 1 else "")
    return [
        judged("replays", f"{told}: first signal", _clock(max(notices)), "by 14:08", max(notices) <= NOTICE_BY),
        judged("replays", f"{told}: page", _clocks(pages), "by 14:14", max(pages) <= PAGE_BY, [_clock(page) for page in pages]),
        judged("replays", f"{told}: before 13:59", f"{len(early)} signals", "none", not early, [str(one.event_time) for one in early]),
    ]  # fmt: skip


def _first(signals: list[Signal], *levels: SignalLevel) -> datetime:
    """The first onset after the earthquake; never is the end of time."""
    onsets = (one.event_time for one in signals if one.kind is SignalKind.ONSET and one.level in levels)
    return min((time for time in onsets if time >= ONSET), default=datetime.max.replace(tzinfo=UTC))


def _clocks(times: list[datetime]) -> str:
    late = sum(time > PAGE_BY for time in times)
    return _clock(max(times)) if len(times) == 1 else f"{_clock(max(times))}; {late} of {len(times)} later than 14:14"


def _clock(time: datetime) -> str:
    return "never" if time.year == datetime.max.year else f"{time.astimezone(UTC) + TURKIYE:%H:%M:%S}"


# -- universities ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rise:
    """A page or notice of one institution, at the close of a minute."""

    institution: str
    at: datetime
    series: str
    level: SignalLevel
    mentions_60m: int
    labels: dict[str, int]
    excerpts: tuple[str, ...]


def universities(plan: Plan, say: Say) -> list[Row]:
    """One watch an institution, each day of six years, with the labels of the bundled model; three series that might page."""
    if not UNIVERSITIES.exists():
        return [Row(part="replays", what="../shared/data/replay: universities", measured="not there", verdict=Verdict.SKIPPED)]
    until = _SHORT if plan.weeks == 1 else datetime(2027, 1, 1, tzinfo=UTC)
    posts = [post for post in read(UNIVERSITIES) if post["at"] < until]
    _label(posts, say)
    rises = _rises(posts, say)
    years = (posts[-1]["at"] - posts[0]["at"]).days / 365.25
    rows = _crisis_rows([rise for rise in rises if _counts(rise)], until)
    for name in SERIES:
        pages = [rise for rise in rises if rise.series == name and rise.level is SignalLevel.PAGE]
        within = [crisis for crisis in CRISES if any(_in(rise, crisis) for rise in pages)]
        beside = [rise for rise in pages if not any(_in(rise, crisis) for crisis in CRISES)]
        measured = (
            f"{len(pages)} pages in {years:.1f} years of 14 watches; {len(within)} of {len(CRISES)} named crises; beside them: "
            + "; ".join(f"{rise.institution} {rise.at + TURKIYE:%Y-%m-%d %H:%M}" for rise in beside)
        )
        what = (
            f"universities: {name} as the series that pages; its pages beside the crises are to be judged (--json has the posts)"
        )
        rows.append(Row(part="replays", what=what, measured=measured, values=[_value(rise) for rise in pages]))
    notices = [rise for rise in rises if rise.series == "all" and rise.level is SignalLevel.NOTICE]
    rows.append(Row(part="replays", what="universities: notices of all mentions", measured=f"{len(notices)} in {years:.1f} years",
                    values=[_value(rise) for rise in notices]))  # fmt: skip
    return [*rows, _typical_row(posts)]


ORDINARY: Final = 30  # posts of one institution in a day at most


def _typical_row(posts: list[dict[str, Any]]) -> Row:
    """What `processors.spikes.typical` was measured on."""
    local = [(post["institution"], post["at"] + TURKIYE) for post in posts]
    days = Counter((institution, at.date()) for institution, at in local)
    told = [at for institution, at in local if days[institution, at.date()] <= ORDINARY]
    hours, weekdays = Counter(at.hour for at in told), Counter(at.weekday() for at in told)
    found = [hours[hour] * 24 / len(told) for hour in range(24)], [weekdays[day] * 7 / len(told) for day in range(7)]
    measured = (
        f"{len(told)} posts; {' '.join(f'{share:.2f}' for share in found[0])}; Monday to Sunday "
        f"{' '.join(f'{share:.2f}' for share in found[1])}"
    )
    what = f"universities: rate of each hour and weekday over the mean rate, on days with at most {ORDINARY} posts"
    values = {"hours": found[0], "weekdays": found[1]}
    if posts[-1]["at"] < _SHORT:
        return Row(part="replays", what=what, measured=measured, values=values)
    stored = (*typical.MEASURED_HOURS, *typical.MEASURED_WEEKDAYS)
    same = tuple(round(share, 2) for shares in found for share in shares) == stored
    return judged("replays", what, measured, "what the detector takes for typical", same, values)


def _crisis_rows(rises: list[Rise], until: datetime) -> list[Row]:
    rows = []
    for crisis in CRISES:
        name, institution, first, _ = crisis
        if datetime(first.year, first.month, first.day, tzinfo=UTC) >= until:
            rows.append(Row(part="replays", what=f"universities: {name}", measured="beyond --quick", verdict=Verdict.SKIPPED))
            continue
        within = [rise for rise in rises if _in(rise, crisis)]
        said = ", ".join(f"{rise.level} {rise.at + TURKIYE:%d %H:%M}" for rise in within) or "nothing"
        rows.append(judged("replays", f"universities: {institution}, {name}", said, "found: a notice or a page", bool(within)))
    return rows


def _counts(rise: Rise) -> bool:
    """As the product has it: concern pages, all mentions give notices."""
    return rise.series == ("concern" if rise.level is SignalLevel.PAGE else "all")


def _value(rise: Rise) -> dict[str, Any]:
    return {"institution": rise.institution, "at": rise.at.isoformat(), "series": rise.series, "level": str(rise.level),
            "mentions_60m": rise.mentions_60m, "labels": rise.labels, "posts": rise.excerpts}  # fmt: skip


def _label(posts: list[dict[str, Any]], say: Say) -> None:
    """By the bundled model: minutes."""
    classifier = Classifier(BUNDLED_MODEL, threads=2)
    for start in range(0, len(posts), 500):
        say("universities: labels", start, len(posts))
        part = posts[start : start + 500]
        for post, found in zip(part, classifier.predict([post["text"] for post in part]), strict=True):
            post["label"] = found.label
    say("universities: labels", len(posts), len(posts))


def _in(rise: Rise, crisis: tuple[str, str, date, date]) -> bool:
    _, institution, first, last = crisis
    return rise.institution == institution and first <= (rise.at + TURKIYE).date() <= last


class _Listener:
    """What each series of one institution takes its posts for."""

    def __init__(self) -> None:
        self._damping = {name: Damping() for name in SERIES}
        self._owed, self._last = 0.0, 0

    def weights(self, bucket: int, posts: list[dict[str, Any]]) -> tuple[dict[str, float], dict[str, int]]:
        """Weight and voices of a minute with posts; a text stands in for its author, so of copies one is a voice."""
        weights, voices = dict.fromkeys(SERIES, 0.0), dict.fromkeys(SERIES, 0)
        for post in posts:
            for name in SERIES:
                if _is_of(name, post["label"]):
                    self._damping[name].forget(bucket - WINDOW_MINUTES + 1)
                    weight = weigh(self._damping[name], bucket, None, signature(post["text"]))
                    weights[name] += weight
                    voices[name] += weight > 0
        owed = self._owed * math.exp(-max(0, bucket - self._last - 1) / WINDOW_MINUTES)
        positive = max(0.0, weights["all"] - weights["concern"])
        weights["concern"], self._owed = without_misread(weights["concern"], positive, owed)
        self._last = bucket
        return weights, voices


def _is_of(name: str, label: Label) -> bool:
    return name == "all" or (label is Label.NEGATIVE if name == "negative only" else label is not Label.POSITIVE)


def _rises(posts: list[dict[str, Any]], say: Say) -> list[Rise]:
    names = sorted({post["institution"] for post in posts})
    columns = [(institution, name) for institution in names for name in SERIES]
    first = int(posts[0]["at"].timestamp()) // 60
    minutes: dict[int, dict[str, list[dict[str, Any]]]] = {}
    for post in posts:
        minutes.setdefault(int(post["at"].timestamp()) // 60, {}).setdefault(post["institution"], []).append(post)
    fleet, voices_60m = Fleet(len(columns), first), Past(len(columns), longest_minutes=60)
    listeners = {institution: _Listener() for institution in names}
    pages, last = Pages(), max(minutes)
    nothing = np.zeros(len(columns))
    for bucket in range(first, last + 61):
        if (bucket - first) % 10_000 == 0:
            say("universities", bucket - first, last - first)
        weights, voices, heard_now = nothing, nothing, minutes.get(bucket)
        if heard_now:
            weights, voices = np.zeros(len(columns)), np.zeros(len(columns))
            for institution, told in heard_now.items():
                place = len(SERIES) * names.index(institution)
                found, counted = listeners[institution].weights(bucket, told)
                weights[place : place + len(SERIES)] = [found[name] for name in SERIES]
                voices[place : place + len(SERIES)] = [counted[name] for name in SERIES]
        voices_60m.push(voices)
        scores = fleet.tick(weights)
        pages.push(bucket, scores, fleet.observed_60m, voices_60m.total(60))
    found_rises = []
    for level in SignalLevel:
        for place, buckets in pages.onsets(Policy(), _LEVELS[level]).items():
            found_rises += [_rise(*columns[place], bucket, level, minutes) for bucket in buckets]
    return sorted(found_rises, key=lambda rise: rise.at)


def _rise(
    institution: str, series: str, bucket: int, level: SignalLevel, minutes: dict[int, dict[str, list[dict[str, Any]]]]
) -> Rise:  # fmt: skip
    told = [post for minute in range(bucket - 59, bucket + 1) for post in minutes.get(minute, {}).get(institution, [])]
    labels_60m = dict(sorted(Counter(str(post["label"]) for post in told).items()))
    excerpts = tuple(post["text"][:140] for post in told[:5])
    return Rise(institution, datetime.fromtimestamp(bucket * 60, UTC), series, level, len(told), labels_60m, excerpts)
