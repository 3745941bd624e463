"""What somebody waits for is written at once; everything else waits for the next snapshot."""

from processors.alerting.fold import AlertFold
from processors.alerting.on_call import OnCallList
from processors.detection.fold import DetectFold
from schemas.signals import Series, SignalKind, SignalLevel
from schemas.topics import ALERTS, SIGNALS
from tests.unit.alerting_samples import signal
from tests.unit.detection_log import Log, minutes, progress, with_history


def test_a_signal_is_urgent_until_it_is_taken() -> None:
    """It may wake somebody."""
    log = Log()
    fold = with_history(log=log)
    assert not fold.urgent
    for hit in log.burst(120, 60):
        fold.apply(hit.encode())
    assert fold.urgent
    assert any(output.topic is SIGNALS for output in fold.outputs())
    assert not fold.urgent


def test_a_closed_minute_can_wait() -> None:
    """Nobody is called for it."""
    log = Log()
    fold: DetectFold = with_history(log=log)
    fold.apply(log.hit(121).encode())
    fold.apply(progress(125).encode())
    assert not fold.urgent
    assert minutes(fold.outputs())


def test_a_message_is_urgent_and_an_alert_that_tells_nobody_is_not() -> None:
    """A confirmed onset changes the alert's history and nothing else."""
    fold = AlertFold([OnCallList(name="nobetci", channels=("telefon",))])
    fold.apply(signal(SignalKind.ONSET, SignalLevel.NOTICE, Series.ALL, minute=3, provisional=True).encode())
    assert fold.urgent
    assert len(list(fold.outputs())) == 2
    fold.apply(signal(SignalKind.CONFIRMED, SignalLevel.NOTICE, Series.ALL, minute=4).encode())
    assert not fold.urgent
    assert [output.topic for output in fold.outputs()] == [ALERTS]
