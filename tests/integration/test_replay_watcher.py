"""Whoever waits for a replay tends its processes meanwhile: a Kafka that does not answer must not hold them up."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from connectors.elasticsearch import ElasticsearchSettings
from connectors.kafka import KafkaSettings, KafkaUnreachable, create_topics
from pipeline.configuration import Configuration
from pipeline.deployment import Deployment, resolve
from pipeline.replay import ReplayProgress, ReplayWatcher
from schemas.checkpoints import SourceCounts
from schemas.topics import CHECKPOINTS
from tests.servers_fixture import Servers

PATIENCE_SECS = 30.0


@pytest.fixture(scope="module")
def deployment(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    prefix = f"t{uuid4().hex[:10]}-"
    configuration = Configuration(
        kafka=KafkaSettings(bootstrap=servers.kafka, prefix=prefix),
        elasticsearch=ElasticsearchSettings(urls=(servers.elasticsearch,), prefix=prefix),
    )
    made = resolve(configuration, Path(tmp_path_factory.mktemp("watched")), namespace="replay-watched")
    create_topics(made.kafka)
    return made


@pytest.fixture
def watcher(deployment: Deployment) -> Iterator[ReplayWatcher]:
    with ReplayWatcher(deployment) as made:
        yield made


def until(done: Callable[[], bool]) -> None:
    """Ask until the answer is yes."""
    deadline, pause = time.monotonic() + PATIENCE_SECS, threading.Event()
    while not done():
        assert time.monotonic() < deadline
        pause.wait(0.01)


def test_asking_never_waits_for_the_answer(watcher: ReplayWatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """`done` is False at once while a look takes its time, and True when the look has come to its end."""
    looking, go_on = threading.Event(), threading.Event()

    def look() -> ReplayProgress:
        looking.set()
        assert go_on.wait(PATIENCE_SECS)
        return ReplayProgress(SourceCounts(), delivered=True, left={})

    monkeypatch.setattr(watcher, "look", look)
    seen: list[ReplayProgress] = []
    until(lambda: not watcher.done(seen.append) and looking.is_set())
    started = time.monotonic()
    assert [watcher.done(seen.append) for _ in range(100)] == [False] * 100
    assert time.monotonic() - started < 1
    go_on.set()
    until(lambda: watcher.done(seen.append))
    assert len(seen) == 1


def test_a_look_that_fails_is_repeated(watcher: ReplayWatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker answers: that is no end, and no error of the replay."""
    looks: list[int] = []

    def look() -> ReplayProgress:
        looks.append(1)
        if len(looks) == 1:
            raise KafkaUnreachable("away")
        return ReplayProgress(SourceCounts(), delivered=True, left={})

    monkeypatch.setattr(watcher, "look", look)
    until(lambda: watcher.done(lambda _: None))
    assert len(looks) == 2


def test_a_reader_gives_up_when_records_stop_coming(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that Kafka does not answer, instead of asking for ever."""
    with closing(deployment.kafka.producer()) as producer:
        producer.send(deployment.kafka.topic(CHECKPOINTS), value=b"{}", key=b"k").get(timeout=PATIENCE_SECS)
    monkeypatch.setattr("connectors.kafka.STALLED_SECS", 0.2)
    with deployment.kafka.reader([CHECKPOINTS]) as reader:
        monkeypatch.setattr(reader._consumer, "poll", lambda **_: {})
        with pytest.raises(KafkaUnreachable):
            reader.rest()
