"""What people say to the detector is a record of its log: expectations, verdicts; and a prize is no crisis."""

from random import Random

import pytest

from processors.detection.fold import DetectFold
from processors.spikes.misread import MISSED_PER_FOUND, without_misread
from schemas.hits import Expectation, Hit, Verdict
from schemas.labels import Label
from schemas.outputs import Output
from schemas.records import NotARecord
from schemas.signals import Series, Signal, SignalKind, SignalLevel
from tests.unit.detection_log import Log, apply, at, minutes, progress, saved, signals, tone, with_history

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


def onsets(found: list[Signal]) -> set[tuple[Series, SignalLevel]]:
    return {(signal.series, signal.level) for signal in found if signal.kind is SignalKind.ONSET}


def history(log: Log) -> DetectFold:
    return with_history(log=log, hours=HOURS)


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
        found = told(fold, log, 40)
        assert (Series.CONCERN, SignalLevel.PAGE) in onsets(found)
        assert {signal.evidence.announced for signal in found} == {("duyurulan bakım",)}

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
        assert again._watches["su"].expectations == fold._watches["su"].expectations != {}
        apply(fold, log.hit(60 * 48), progress(60 * 48 + 3))
        assert fold._watches["su"].expectations == {}

    @pytest.mark.parametrize("changes", [{"factor": 0.5}, {"factor": 21.0}, {"end": at(0)}, {"reason": ""}])
    def test_one_that_would_mute_is_refused(self, changes: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=r"factor|ends|reason"):
            expectation(**changes)

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
        assert weight == pytest.approx(5 - 3 * 0.98347, abs=1e-4)
        assert owed == 0
        assert without_misread(2.0, 0.0, 0.0) == (2.0, 0.0)

    def test_minutes_say_what_the_statistic_took_them_for(self) -> None:
        log = Log()
        fold = history(log)
        found = minutes(apply(fold, *rise(log, 8, (Label.POSITIVE, Label.NEUTRAL)), progress(RISE + 30)))
        assert sum(minute.weights[Series.CONCERN] for minute in found) < sum(minute.mentions for minute in found) / 2
