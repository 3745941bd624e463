"""A source that usually speaks and does not gives one notice; nights, weekends and our own pauses give none."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.detection.fold import DetectFold
from processors.detection.habit import DAYS_SPOKEN, ONCE_IN, SHORTEST_SILENCE, SOURCES, Habit, Silence
from processors.detection.sources import Sources
from schemas.hits import Progress, WatchChanged
from schemas.signals import Signal, SignalKind, SignalLevel
from schemas.watches import WatchLevel
from tests.unit.detection_log import EVERYWHERE, Log, apply, bytes_of, saved, signals, watch

MONDAY = datetime(2025, 11, 2, 21, tzinfo=UTC)  # midnight in Türkiye
HOUR = timedelta(hours=1)
DAYTIME = range(8, 22)


def clock(hour: float, *, since: float | None = 0, finished: bool = False, source: str = "haber") -> Progress:
    """Nothing was missed from `since` on up to the hour."""
    return Progress(
        source=source, clocks=dict.fromkeys(EVERYWHERE, MONDAY + hour * HOUR), finished=frozenset(EVERYWHERE if finished else ()),
        listening_since=None if since is None else MONDAY + since * HOUR,
    )  # fmt: skip


def speaks(log: Log, hour: int, **changes: Any) -> Any:
    at = MONDAY + (hour + 0.4) * HOUR
    return log.hit(0, **{"event_time": at, "observed_at": at, "source": "haber", **changes})


def days(log: Log, span: Iterable[int], *, hours: Iterable[int] = DAYTIME, **changes: Any) -> Iterator[Any]:
    """The source speaks in each of the hours, and is listened to all day."""
    for day in span:
        for hour in range(24):
            if hour in hours:
                yield speaks(log, 24 * day + hour, **changes)
            yield clock(24 * day + hour + 1)


def listened(first: int, last: int, **changes: Any) -> list[Progress]:
    return [clock(hour, **changes) for hour in range(first, last + 1)]


def announced(**changes: Any) -> DetectFold:
    fold = DetectFold()
    apply(fold, WatchChanged(watch=watch(**changes)), clock(0))
    return fold


def told(fold: DetectFold, records: Iterable[Any]) -> list[Signal]:
    return [found for found in signals(apply(fold, *records)) if found.kind is SignalKind.SOURCE_SILENT]


def later() -> Log:
    """A log that goes on behind what was heard before."""
    log = Log()
    log._offsets, log._posts = [count(10**6) for _ in EVERYWHERE], count(10**6)
    return log


FIRST_HOUR = int(MONDAY.timestamp()) // 3600


def alone(hours: Iterable[bool]) -> list[Silence]:
    """The silences of one source that speaks in these hours, from Monday midnight on, and is listened to all the time."""
    return [silence for _, silence in _settled(Sources(), hours)]


def _settled(sources: Sources, hours: Iterable[bool]) -> Iterator[tuple[str, Silence]]:
    for hour, spoke in enumerate(hours, FIRST_HOUR):
        if spoke:
            sources.heard("haber", hour * 60)
        yield from sources.settle(hour + 1, lambda _: FIRST_HOUR * 60)


def daily(span: int) -> Iterator[bool]:
    return (hour in DAYTIME for _ in range(span) for hour in range(24))


@cache
def learnt(span: int) -> dict[str, bytes]:
    """The state after so many days on which the source spoke by day. The fold itself would close each of their minutes."""
    sources, fold, stored = Sources(), DetectFold(), dict[str, bytes]()
    assert list(_settled(sources, daily(span))) == []
    apply(fold, WatchChanged(watch=watch()), clock(24 * span))
    saved(fold, stored)
    stored["su@sources"] = orjson.dumps(sources.dump())
    return stored


def habitual(span: int = 14) -> DetectFold:
    fold = DetectFold()
    fold.load(learnt(span))
    return fold


def test_a_source_that_falls_silent_by_day_is_told_once_until_it_speaks() -> None:
    """And that it speaks again is told to nobody."""
    log, fold = later(), habitual()
    [notice] = told(fold, listened(14 * 24, 18 * 24))
    assert notice.level is SignalLevel.NOTICE
    silence = notice.evidence.silence
    assert silence is not None
    assert (silence.source, silence.last_heard) == ("haber", MONDAY + (13 * 24 + 21) * HOUR)
    assert silence.once_in >= ONCE_IN
    assert silence.usual_hours >= SHORTEST_SILENCE
    assert MONDAY + (14 * 24 + 11) * HOUR <= notice.event_time <= MONDAY + (14 * 24 + 22) * HOUR
    assert told(fold, days(log, range(18, 20))) == []
    assert len(told(fold, listened(20 * 24, 23 * 24))) == 1


def test_a_quiet_night_is_no_silence() -> None:
    """Nobody speaks at night, and nobody is missed."""
    assert told(habitual(), listened(14 * 24, 14 * 24 + 8)) == []


def test_a_quiet_weekend_is_no_silence() -> None:
    """Nor is a public holiday, which is like one."""
    assert alone(day % 7 < 5 and hour in range(9, 18) for day in range(40) for hour in range(24)) == []


def test_a_source_that_skips_whole_days_has_to_be_silent_for_longer() -> None:
    """Hours that are silent together are no evidence against chance, each for itself."""
    rng = Random(5)
    spoken = [rng.random() < 0.6 for _ in range(40)] + [True]
    irregular = [spoken[day] and hour in DAYTIME for day in range(41) for hour in range(24)]
    nothing = [False] * 24
    before = len(alone(irregular))
    assert before <= 1
    assert len(alone([*irregular, *nothing])) == before
    assert len(alone([*daily(41), *nothing])) == 1


def test_who_spoke_on_few_days_is_not_missed() -> None:
    """Six days are no habit."""
    assert alone([*daily(DAYS_SPOKEN - 1), *[False] * 400]) == []
    assert len(alone([*daily(DAYS_SPOKEN), *[False] * 400])) == 1


@pytest.mark.parametrize("back", [10, 50, 24 * 9])
def test_what_was_not_listened_to_is_no_silence(back: int) -> None:
    """We stood still: time goes on with the first record, and what was missed is unknown."""
    log, fold = later(), habitual()
    resumed = 14 * 24 + back
    assert (
        told(fold, [clock(resumed, since=resumed), speaks(log, resumed), *listened(resumed + 1, resumed + 3, since=resumed)])
        == []
    )


def test_a_source_that_does_not_say_since_when_nothing_was_missed_is_never_missed() -> None:
    """Producers of before, and connections that cannot know."""
    assert told(habitual(), listened(14 * 24, 20 * 24, since=None)) == []


def test_listening_anew_begins_to_wait_anew() -> None:
    """A silence is told as soon as it alone is improbable."""
    fold, resumed = habitual(), 14 * 24 + 11
    assert told(fold, [*listened(14 * 24, resumed - 2), *listened(resumed, resumed + 3, since=resumed)]) == []
    assert len(told(fold, listened(resumed + 4, resumed + 48, since=resumed))) == 1


def test_a_source_that_has_ended_is_not_missed() -> None:
    """It said so itself; the others go on."""
    fold = habitual()
    other = [clock(hour, source="kus") for hour in range(14 * 24, 18 * 24)]
    assert told(fold, [clock(14 * 24, source="kus"), clock(14 * 24, finished=True), *other]) == []


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"level": WatchLevel.COUNT}, {"expires": date(2025, 11, 16)}, {"query": "elektrik"}]
)
def test_a_watch_that_does_not_listen_misses_nobody(change: dict[str, Any]) -> None:
    """Switched off, only counting, expired, or asking for something else."""
    fold = habitual()
    assert told(fold, [WatchChanged(watch=watch(version=2, **change)), *listened(14 * 24, 18 * 24)]) == []


def test_a_watch_listens_until_the_end_of_its_last_day() -> None:
    """As `enrich` has it."""
    last_day = (MONDAY + timedelta(days=14, hours=12)).date()
    expiring = WatchChanged(watch=watch(version=2, expires=last_day))
    assert len(told(habitual(), [expiring, *listened(14 * 24, 18 * 24)])) == 1
    expired = WatchChanged(watch=watch(version=2, expires=last_day - timedelta(days=1)))
    assert told(habitual(), [expired, *listened(14 * 24, 18 * 24)]) == []


@pytest.mark.parametrize("away", [{"enabled": False}, {"expires": date(2025, 11, 6)}])
@pytest.mark.parametrize("span", [5, 14])
def test_what_a_watch_missed_while_it_did_not_listen_is_not_learnt(away: dict[str, Any], span: int) -> None:
    """Neither is it told when the watch listens again, nor does the source seem to be one that is often silent."""
    log, fold = later(), habitual(span)
    back = span + 7
    pause = [WatchChanged(watch=watch(version=2, **away)), *listened(24 * span, 24 * back), WatchChanged(watch=watch(version=3))]
    assert told(fold, [*pause, *days(log, range(back, back + 1))]) == []
    sources = fold._watches["su"].sources
    assert sources is not None
    assert sources._habits["haber"]._longest < SHORTEST_SILENCE


def test_one_report_over_many_hours_says_what_one_an_hour_says() -> None:
    """`enrich` tells of many as one."""
    one_by_one, at_once = (told(habitual(), records) for records in (listened(14 * 24, 16 * 24), [clock(16 * 24)]))
    [first], [second] = one_by_one, at_once
    assert (first.event_time, first.evidence.silence) == (second.event_time, second.evidence.silence)


def test_a_late_mention_ends_a_silence() -> None:
    """It had spoken after all: the clock begins again."""
    log, fold = later(), habitual()
    noon = 14 * 24 + 12
    assert told(fold, [*listened(14 * 24, noon - 2), speaks(log, noon - 4), *listened(noon - 1, noon + 1)]) == []


@given(st.integers(0, 2**32))
@settings(max_examples=5, deadline=None)
def test_a_restart_between_any_two_records_changes_no_byte(seed: int) -> None:
    """With two sources, silences, breaks and late mentions."""
    rng, log = Random(seed), later()
    records: list[Any] = []
    since = 0
    for hour in range(14 * 24, 16 * 24 + 12):
        for source in ("haber", "kus"):
            if hour % 24 in DAYTIME and rng.random() < 0.8 and not (source == "haber" and hour < 15 * 24):
                records.append(speaks(log, hour - rng.choice((0, 0, 0, 1)), source=source))
            if rng.random() < 0.01:
                since = hour
            records.append(clock(hour + 1, since=since, source=source))
    whole, killed, stored = habitual(), habitual(), dict(learnt(14))
    expected, found = [], []
    for record in records:
        expected += apply(whole, record)
        found += apply(killed, record)
        if rng.random() < 0.1:
            killed = saved(killed, stored)
    assert bytes_of(found) == bytes_of(expected)


def test_chance_is_told_no_more_often_than_promised() -> None:
    """Ten source-years of a Poisson process with a day and a night: at most one silence in ONCE_IN."""
    rng, silences, notices = Random(3), 0, 0
    for _ in range(10):
        habit = Habit(0)
        for hour in range(365 * 24):
            if rng.random() < (0.75 if hour % 24 in DAYTIME else 0.04):
                habit.heard(hour)
                silences += 1
            notices += sum(1 for _ in habit.settle(hour + 1, 0))
    assert notices <= 3 * silences / ONCE_IN


def test_the_sources_of_a_watch_are_few_and_small() -> None:
    """Less than 250 bytes each; names change, and one that was long not heard of gives way."""
    sources = Sources()
    for number in range(2 * SOURCES):
        sources.heard(f"dosya-{number}", 60)
    assert len(sources.dump()) == SOURCES
    sources.heard("yeni", 30 * 24 * 60)
    assert "yeni" in sources.dump()
    assert len(repr(sources.dump())) < 250 * SOURCES


def test_a_habit_of_another_version_is_refused() -> None:
    """Guessing would miss the wrong ones."""
    with pytest.raises(ValueError, match="no habit of version"):
        Habit.restore(["AAAA", []])
