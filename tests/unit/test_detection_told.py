"""What people say to the detector is a record of its log: expectations, verdicts, history; and a prize is no crisis."""

import base64
import math
import struct
from random import Random

import pytest

from processors.detection.clocks import bucket_of
from processors.detection.expectations import EXPECTATIONS
from processors.detection.fold import DetectFold
from processors.spikes import Surge
from processors.spikes.misread import MISSED_PER_FOUND, without_misread
from processors.spikes.surge import _HEAD, _VALUES
from schemas.hits import LONGEST_REASON, Expectation, History, Hit, Verdict, WatchChanged
from schemas.labels import Label
from schemas.outputs import Output
from schemas.records import NotARecord
from schemas.sentiments import NO_MODEL, Sentiment
from schemas.signals import Series, Signal, SignalKind, SignalLevel
from schemas.topics import LARGE_MESSAGE_BYTES
from tests.unit.detection_log import START, Log, apply, at, minutes, progress, saved, signals, tone, watch, with_history

HOURS = 6
RISE = 60 * HOURS + 5


def expectation(**changes: object) -> Expectation:
    fields: dict[str, object] = {
        "expectation_id": "bakim", "watch_id": "su", "start": at(60 * HOURS), "end": at(60 * HOURS + 120), "factor": 20.0,
        "reason": "duyurulan bakım", "who": "basin",
    }  # fmt: skip
    return Expectation(**{**fields, **changes})


def rise(log: Log, a_minute: int, labels: tuple[Label, ...] = (Label.NEGATIVE,)) -> list[Hit]:
    """Ten minutes of posts; the tones take turns."""
    dice = Random(1)
    return [
        log.hit(RISE + (number + 0.5) / a_minute, sentiment=tone(dice.choice(labels)), observed_at=at(RISE + 20))
        for number in range(10 * a_minute)
    ]


def told(fold: DetectFold, log: Log, a_minute: int, labels: tuple[Label, ...] = (Label.NEGATIVE,)) -> list[Signal]:
    return signals(apply(fold, *rise(log, a_minute, labels), progress(RISE + 30)))


def announced_rise(log: Log, *, times: int) -> list[Signal]:
    """Half an hour of so many times what was announced: a post a minute."""
    fold, posts = history(log), 30 * times
    usual = fold._watches["su"].surges[Series.CONCERN].level
    apply(fold, expectation(factor=1 / usual))
    hits = [log.hit(60 * HOURS + (number + 0.5) / times, observed_at=at(RISE + 60)) for number in range(posts)]
    return signals(apply(fold, *hits, progress(60 * HOURS + 31)))


def onsets(found: list[Signal]) -> set[tuple[Series, SignalLevel]]:
    return {(signal.series, signal.level) for signal in found if signal.kind is SignalKind.ONSET}


def history(log: Log) -> DetectFold:
    return with_history(log=log, hours=HOURS)


@pytest.mark.parametrize("floor", [{"page_mentions": 200}, {"page_authors": 200}])
def test_a_page_needs_as_many_mentions_and_authors_as_the_watch_says(floor: dict[str, int]) -> None:
    """The rise gives a notice all the same."""
    log = Log()
    fold = history(log)
    apply(fold, WatchChanged(watch=watch(version=2, **floor)))
    found = onsets(told(fold, log, 5))
    assert {level for _, level in found} == {SignalLevel.NOTICE}


class TestExpectation:
    def test_what_was_announced_wakes_nobody_and_what_is_far_more_does(self) -> None:
        """It raises what is usual and mutes nothing; the evidence names what was announced."""
        log = Log()
        fold = history(log)
        apply(fold, expectation())
        assert (Series.CONCERN, SignalLevel.PAGE) not in onsets(told(fold, log, 5))
        log = Log()
        fold = history(log)
        apply(fold, expectation())
        found = told(fold, log, 120)
        assert (Series.CONCERN, SignalLevel.PAGE) in onsets(found)
        assert {signal.evidence.announced for signal in found} == {("duyurulan bakım",)}

    def test_three_times_what_was_announced_gives_a_notice(self) -> None:
        """As what was announced itself does not."""
        log = Log()
        assert onsets(announced_rise(log, times=1)) == set()
        log = Log()
        assert (Series.CONCERN, SignalLevel.NOTICE) in onsets(announced_rise(log, times=3))

    def test_the_same_without_an_expectation_wakes_somebody(self) -> None:
        log = Log()
        assert (Series.CONCERN, SignalLevel.PAGE) in onsets(told(history(log), log, 5))

    def test_it_can_be_taken_back(self) -> None:
        """By the same id with the factor 1."""
        log = Log()
        fold = history(log)
        apply(fold, expectation(), expectation(factor=1.0))
        found = told(fold, log, 5)
        assert (Series.CONCERN, SignalLevel.PAGE) in onsets(found)
        assert {signal.evidence.announced for signal in found} == {()}

    def test_it_survives_a_restart_and_is_forgotten_when_it_is_long_over(self) -> None:
        log = Log()
        fold = history(log)
        apply(fold, expectation())
        stored: dict[str, bytes] = {}
        again = saved(fold, stored)
        assert bytes_of_signals(apply(again, progress(RISE))) == bytes_of_signals(apply(fold, progress(RISE)))
        assert again._watches["su"].expectations.dump() == fold._watches["su"].expectations.dump() != []
        apply(fold, log.hit(60 * 48), progress(60 * 48 + 3))
        assert fold._watches["su"].expectations.dump() == []

    @pytest.mark.parametrize("changes", [{"factor": 0.5}, {"factor": 21.0}, {"end": at(0)}, {"reason": ""}])
    def test_one_that_would_mute_is_refused(self, changes: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"factor|ends|reason"):
            expectation(**changes)

    def test_so_many_or_such_long_ones_that_the_state_could_not_be_saved_are_dead_letters(self) -> None:
        """A record of state that Kafka does not take would stop the detector for good."""
        fold = history(Log())
        with pytest.raises(NotARecord, match="a reason of more than"):
            fold.apply(expectation(reason="x" * (LONGEST_REASON + 1)).encode())
        apply(fold, *(expectation(expectation_id=f"bakim-{n}", reason="ş" * LONGEST_REASON) for n in range(EXPECTATIONS)))
        with pytest.raises(NotARecord, match="more than 256 expectations"):
            fold.apply(expectation(expectation_id="one-more").encode())
        apply(fold, expectation(expectation_id="bakim-7", factor=1.0), expectation(expectation_id="one-more"))
        assert max(len(value) for _, value in fold.changes() if value) < LARGE_MESSAGE_BYTES / 4

    def test_of_a_watch_that_nobody_announced_it_is_a_dead_letter(self) -> None:
        with pytest.raises(NotARecord, match="never announced"):
            DetectFold().apply(expectation().encode())


def bytes_of_signals(outputs: list[Output]) -> list[bytes]:
    return [output.value for output in outputs]


class TestVerdict:
    @pytest.mark.parametrize("crisis", [True, False])
    def test_a_verdict_is_kept_with_the_state_of_both_series(self, crisis: bool) -> None:
        log = Log()
        fold = history(log)
        told(fold, log, 5)
        apply(fold, Verdict(watch_id="su", crisis=crisis, who="basin", at=at(RISE + 30)))
        stored: dict[str, bytes] = {}
        again = saved(fold, stored)
        for series, surge in fold._watches["su"].surges.items():
            assert surge._verdict != 0
            assert again._watches["su"].surges[series].pack() == surge.pack()


class TestPrize:
    def test_praise_of_which_some_is_misread_pages_nobody(self) -> None:
        """Seven of ten called positive, as the bundled model does; a notice of all mentions is right."""
        log = Log()
        praise = (Label.POSITIVE,) * 7 + (Label.NEUTRAL, Label.NEUTRAL, Label.NEGATIVE)
        found = onsets(told(history(log), log, 8, praise))
        assert (Series.ALL, SignalLevel.NOTICE) in found
        assert (Series.CONCERN, SignalLevel.PAGE) not in found

    def test_questions_do(self) -> None:
        log = Log()
        questions = (Label.NEUTRAL,) * 7 + (Label.NEGATIVE,) * 3
        assert (Series.CONCERN, SignalLevel.PAGE) in onsets(told(history(log), log, 8, questions))

    def test_misread_posts_are_taken_off_within_the_hour(self) -> None:
        """Nothing below nought, what is left over is owed, and forgotten."""
        weight, owed = without_misread(1.0, 10.0, 0.0)
        assert (weight, owed) == (0.0, pytest.approx(10 * MISSED_PER_FOUND - 1))
        weight, owed = without_misread(5.0, 0.0, owed)
        assert weight == pytest.approx(5 - (10 * MISSED_PER_FOUND - 1) * 0.98347, abs=1e-4)
        assert owed == 0
        assert without_misread(2.0, 0.0, 0.0) == (2.0, 0.0)

    def test_minutes_say_what_the_statistic_took_them_for(self) -> None:
        log = Log()
        fold = history(log)
        found = minutes(apply(fold, *rise(log, 8, (Label.POSITIVE, Label.NEUTRAL)), progress(RISE + 30)))
        assert sum(minute.weights[Series.CONCERN] for minute in found) < sum(minute.mentions for minute in found) / 2


def learnt(log: Log, *, days: int = 3, a_minute: float = 2.0, **changes: object) -> History:
    """What a busy watch has learnt in the days before the story begins."""
    first = bucket_of(START) - days * 24 * 60
    dice = Random(4)
    states = {}
    for series in Series:
        surge = Surge(first)
        for bucket in range(first, first + days * 24 * 60):
            surge.tick(bucket, float(sum(dice.random() < a_minute / 10 for _ in range(10))))
        states[series] = base64.b64encode(surge.pack()).decode()
    fields: dict[str, object] = {
        "watch_id": "su", "watch_version": 1, "start": at(-days * 24 * 60), "end": at(0), "mentions": 1, "model": "deneme-1",
        "states": states, "who": "basin",
    }  # fmt: skip
    return History(**{**fields, **changes})


class TestHistory:
    def test_a_watch_that_has_a_history_knows_at_once_what_is_usual(self) -> None:
        """Two mentions a minute are no rise where there always were two; ten are one, in the first hour."""
        for a_minute, levels in ((2, set()), (20, {(Series.ALL, SignalLevel.NOTICE), (Series.CONCERN, SignalLevel.PAGE)})):
            log, fold = Log(), DetectFold()
            apply(fold, WatchChanged(watch=watch()), learnt(log))
            posts = [log.hit((number + 0.5) / a_minute, observed_at=at(40)) for number in range(20 * a_minute)]
            found = onsets(signals(apply(fold, progress(0), *posts, progress(40))))
            assert levels <= found
            assert bool(found) == bool(levels)

    def test_it_takes_the_place_of_what_was_learnt_and_survives_a_restart(self) -> None:
        log = Log()
        fold = history(log)
        assert fold._watches["su"].surges[Series.ALL].level < 0.2
        apply(fold, learnt(log))
        assert fold._watches["su"].surges[Series.ALL].level == pytest.approx(2, rel=0.1)
        again = saved(fold, {})
        assert again._watches["su"].surges[Series.ALL].pack() == fold._watches["su"].surges[Series.ALL].pack()

    def test_one_that_waits_for_the_first_minute_is_kept(self) -> None:
        log, fold, stored = Log(), DetectFold(), {}
        apply(fold, WatchChanged(watch=watch()), learnt(log))
        again = saved(fold, stored)
        apply(again, progress(3), log.hit(3.5), progress(6))
        assert again._watches["su"].surges[Series.ALL].level == pytest.approx(2, rel=0.1)

    @pytest.mark.parametrize(
        "changes", [{"states": {"all": "eA==", "concern": "eA=="}}, {"states": {}}, {"states": {"all": "?", "concern": "?"}}]
    )
    def test_one_that_cannot_be_read_is_a_dead_letter_and_changes_nothing(self, changes: dict[str, object]) -> None:
        log = Log()
        fold = history(log)
        before = fold._watches["su"].dump()
        with pytest.raises(NotARecord, match="history that cannot be used"):
            fold.apply(learnt(log, **changes).encode())
        assert fold._watches["su"].dump() == before

    @pytest.mark.parametrize("number", [math.nan, math.inf, -1.0, 3e38])
    def test_one_with_an_impossible_number_is_a_dead_letter(self, number: float) -> None:
        """It would end the process minutes later, and at each start again."""
        log, record = Log(), learnt(Log())
        fold = history(log)
        packed = base64.b64decode(record.states[Series.ALL])
        for start in range(_HEAD.size, _HEAD.size + _VALUES.size, 4):
            if number == -1.0 and start == _HEAD.size + 4:
                continue  # the extra variance may be negative
            wrong = base64.b64encode(packed[:start] + struct.pack("<f", number) + packed[start + 4 :]).decode()
            with pytest.raises(NotARecord, match="history that cannot be used"):
                fold.apply(record.model_copy(update={"states": {**record.states, Series.ALL: wrong}}).encode())

    @pytest.mark.parametrize("waits", [False, True])
    def test_one_whose_posts_another_query_chose_is_none(self, waits: bool) -> None:
        """The query was changed while the file was read; a version with another title chooses the same posts."""
        log, fold = Log(), DetectFold()
        apply(fold, WatchChanged(watch=watch()), *([learnt(log)] if waits else [progress(1)]))
        apply(
            fold,
            WatchChanged(watch=watch(version=2, query="su OR baraj")),
            WatchChanged(watch=watch(version=3, query="su OR baraj", title="Sular")),
        )
        again = saved(fold, {})
        with pytest.raises(NotARecord, match="version 1 of the watch, whose query is another one since version 2"):
            again.apply(learnt(log).encode())
        apply(again, log.hit(3.5), progress(6))
        assert again._watches["su"].surges[Series.ALL].level < 0.2
        apply(again, learnt(log, watch_version=2))
        assert again._watches["su"].surges[Series.ALL].level == pytest.approx(2, rel=0.1)

    def test_one_of_an_unknown_member_is_a_dead_letter(self) -> None:
        fold, record = history(Log()), learnt(Log())
        packed = base64.b64decode(record.states[Series.ALL])
        wrong = base64.b64encode(packed[:1] + b"\x03" + packed[2:]).decode()
        with pytest.raises(NotARecord, match="history that cannot be used"):
            fold.apply(record.model_copy(update={"states": {**record.states, Series.ALL: wrong}}).encode())


class TestLearningAnew:
    def test_another_query_or_model_says_that_it_is_learning(self) -> None:
        """What was usual may not be so any more; another title changes nothing."""
        log = Log()
        fold = with_history(log=log, hours=24 * 8)
        start = fold._watches["su"].started
        apply(fold, WatchChanged(watch=watch(version=2, title="Sular")))
        assert fold._watches["su"].started == start
        apply(fold, WatchChanged(watch=watch(version=3, query="su OR baraj")))
        changed = fold._watches["su"].started
        assert changed is not None
        assert start is not None
        assert changed > start
        apply(fold, progress(60 * 24 * 8 + 20))
        apply(fold, log.hit(60 * 24 * 8 + 30, sentiment=Sentiment(label=Label.NEUTRAL, confidence=0.9, model="deneme-2")))
        apply(fold, progress(60 * 24 * 8 + 40))
        assert (fold._watches["su"].started or 0) > changed

    def test_a_post_in_another_language_is_no_other_model(self) -> None:
        log = Log()
        fold = history(log)
        start = fold._watches["su"].started
        apply(
            fold,
            log.hit(RISE, sentiment=Sentiment(label=Label.UNSURE, confidence=0, model=NO_MODEL)),
            log.hit(RISE + 1),
            progress(RISE + 5),
        )
        assert fold._watches["su"].started == start
