"""The alert role on a real Kafka: each message is written exactly once and delivered at least once, whatever dies when."""

import asyncio
import json
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from connectors.channels import ChannelRefused, ChannelUnavailable, ConsoleSettings, FileSettings
from connectors.kafka import KafkaSettings, create_topics
from pipeline.cursor import sequence_header
from pipeline.delivery import DeliveryLoop, Patience
from pipeline.roles.alert import AlertRole, UnknownChannel
from pipeline.worker import STOP_SECS, make_app
from processors.alerting.fold import AlertFold
from processors.alerting.on_call import OnCallList
from schemas.alerts import Alert, AlertStatus, Delivery, Notification
from schemas.deadletters import DeadLetter
from schemas.records import decode
from schemas.signals import Series, Signal, SignalKind, SignalLevel
from schemas.topics import ALERTS, DEAD_LETTERS, DELIVERIES, NOTIFICATIONS, SIGNALS, Topic
from tests.servers_fixture import Servers
from tests.unit.alerting_samples import ONSET, POSTS, evidence, notification, signal

ROOT = Path(__file__).parents[2]
PROCESS = "tests.integration.alert_process"
NIGHT = OnCallList(name="nobetci", language="tr", channels=("telefon", "arsiv"))
PRODUCERS = 3
WATCHES = 12
MESSAGES_OF_A_LIFE = 5
IMPATIENT = Patience(first_secs=0.05, longest_secs=0.1)

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def kafka(servers: Servers) -> KafkaSettings:
    """A namespace that nobody else uses, with its topics."""
    settings = KafkaSettings(bootstrap=servers.kafka, prefix=f"t{uuid.uuid4().hex[:10]}-")
    create_topics(settings)
    return settings


def life(watch: str) -> list[Signal]:
    """Two rises of one watch, with everything that can happen to one."""
    about: dict[str, Any] = {"watch_id": watch, "title": f"İzleme {watch}"}
    later: dict[str, Any] = {**about, "onset": ONSET + timedelta(hours=9)}
    notice, page, both = SignalLevel.NOTICE, SignalLevel.PAGE, (Series.ALL, Series.CONCERN)
    found = [
        signal(SignalKind.ONSET, notice, both[0], minute=3, provisional=True, **about),  # told
        signal(SignalKind.CONFIRMED, notice, both[0], minute=4, **about),
        signal(SignalKind.ONSET, page, both[1], minute=9, **about),  # told
        signal(SignalKind.EVIDENCE, page, both[1], minute=12, evidence=evidence(first_posts=POSTS[1:]), **about),
        signal(SignalKind.GROWTH, page, both[1], minute=20, **about),  # told
        signal(SignalKind.END, page, both[1], minute=90, **about),
        signal(SignalKind.END, notice, both[0], minute=95, **about),  # told
        signal(SignalKind.ONSET, page, both[1], minute=545, **later),  # told
    ]
    return [each.model_copy(update={"signal_id": f"{watch}/{number}"}) for number, each in enumerate(found)]


class Detect:
    """Writes signals as detect does: one transactional producer per partition of its input, each numbering its records."""

    def __init__(self, kafka: KafkaSettings, number: int, signals: list[Signal], rng: random.Random) -> None:
        self._kafka, self._number, self._left, self._rng = kafka, number, signals, rng
        self._sent = 0
        self.aborted = 0

    async def run(self) -> None:
        """Every third transaction is aborted first; its records are sent again under the same numbers."""
        producer = AIOKafkaProducer(
            **self._kafka.client(), transactional_id=f"{self._kafka.prefix}detect-{self._number}", linger_ms=0
        )
        async with producer:
            while self._left:
                batch, self._left = self._left[: (size := self._rng.randint(1, 4))], self._left[size:]
                if self._rng.random() < 1 / 3:
                    await producer.begin_transaction()
                    await self._send(producer, batch)
                    await producer.flush()
                    await producer.abort_transaction()
                    self.aborted += len(batch)
                async with producer.transaction():
                    await self._send(producer, batch)
                self._sent += len(batch)
                await asyncio.sleep(self._rng.uniform(0.1, 0.6))

    async def _send(self, producer: Any, batch: list[Signal]) -> None:
        for number, each in enumerate(batch, start=self._sent):
            header = sequence_header(str(self._number), number)
            await producer.send(self._kafka.topic(SIGNALS), each.encode(), key=each.watch_id.encode(), headers=header)


@contextmanager
def alert_role(kafka: KafkaSettings, folder: Path, **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The role in a process of its own; killed at the end if it still runs."""
    fields = {"on_call": {}, "channels": {}, "is_replay": False, **settings}
    with (folder / "alert.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", PROCESS, kafka.bootstrap, kafka.prefix, str(folder), json.dumps(fields)],
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=ROOT,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


def committed(kafka: KafkaSettings, topic: Topic) -> list[Any]:
    """All records of a topic, in order, without those of aborted transactions."""
    with kafka.reader([topic]) as reader:
        return reader.rest()


def deliveries(kafka: KafkaSettings) -> list[Delivery]:
    return [decode(Delivery, record.value) for record in committed(kafka, DELIVERIES)]


async def until(condition: Callable[[], bool], what: str, deadline_secs: float = 90) -> None:
    end = time.monotonic() + deadline_secs
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, f"not within {deadline_secs} s: {what}"
        await asyncio.sleep(0.2)


def expected(signals: list[Signal]) -> tuple[dict[str, bytes], list[Notification]]:
    """What one fold without any crash makes of it. Watches do not touch each other, so their order is of no matter."""
    fold = AlertFold([NIGHT])
    for each in signals:
        fold.apply(each.encode())
    outputs = list(fold.outputs())
    alerts = {output.key: output.value for output in outputs if output.topic is ALERTS}
    return alerts, [decode(Notification, output.value) for output in outputs if output.topic is NOTIFICATIONS]


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_message_once_through_kills_and_aborted_transactions(kafka: KafkaSettings, tmp_path: Path, seed: int) -> None:
    """kill -9 at any moment, signals sent again, transactions aborted: the same alerts and messages, each exactly once."""
    rng = random.Random(seed)
    lives = {f"w{number}": life(f"w{number}") for number in range(WATCHES)}
    shares: list[list[Signal]] = [[] for _ in range(PRODUCERS)]
    for number, signals in enumerate(lives.values()):
        shares[number % PRODUCERS] += signals
    detects = [Detect(kafka, number, share, random.Random(seed * 10 + number)) for number, share in enumerate(shares)]
    alerts, messages = expected([each for signals in lives.values() for each in signals])
    assert len(messages) == WATCHES * MESSAGES_OF_A_LIFE
    channels = {
        "telefon": {"type": "file", "name": "telefon", "path": str(tmp_path / "telefon.jsonl")},
        "arsiv": {"type": "file", "name": "arsiv", "path": str(tmp_path / "arsiv.jsonl")},
    }
    settings = {"on_call": {"nobetci": NIGHT.model_dump()}, "channels": channels}
    ids = {each.notification_id for each in messages}

    def all_delivered() -> bool:
        found = {(each.channel, each.notification_id) for each in deliveries(kafka) if each.error is None}
        return found >= {(channel, each) for channel in channels for each in ids}

    kills = 0
    writing = asyncio.gather(*(detect.run() for detect in detects))
    while not writing.done() or kills < 3:
        before = len(committed(kafka, NOTIFICATIONS))
        with alert_role(kafka, tmp_path, **settings) as process:
            if kills % 2 == 0:  # at work
                await until(lambda before=before: writing.done() or len(committed(kafka, NOTIFICATIONS)) > before, "a message")
            await asyncio.sleep(rng.uniform(0.0, 2.5))
            process.kill()
        kills += 1
    await writing
    assert sum(detect.aborted for detect in detects) > 0, "no transaction was aborted: the test tests nothing"
    with alert_role(kafka, tmp_path, **settings):
        await until(all_delivered, "all messages delivered")

    written = [decode(Notification, record.value) for record in committed(kafka, NOTIFICATIONS)]
    assert Counter(each.notification_id for each in written) == dict.fromkeys(ids, 1)
    assert {each.notification_id: each for each in written} == {each.notification_id: each for each in messages}
    for watch in lives:
        assert [each.notification_id for each in written if each.watch_id == watch] == [
            each.notification_id for each in messages if each.watch_id == watch
        ]
    assert {record.key.decode(): record.value for record in committed(kafka, ALERTS)} == alerts
    statuses = Counter(decode(Alert, value).status for value in alerts.values())
    assert statuses == {AlertStatus.ENDED: WATCHES, AlertStatus.OPEN: WATCHES}
    assert len(committed(kafka, ALERTS)) == sum(len(signals) for signals in lives.values())
    for channel in channels:
        lines = (tmp_path / f"{channel}.jsonl").read_bytes().splitlines()
        assert {decode(Notification, line).notification_id for line in lines} == ids


async def test_a_replay_writes_only_to_its_own_file_and_stops_in_order(kafka: KafkaSettings, tmp_path: Path) -> None:
    """The people of the list hear nothing; SIGTERM ends the role at once, and a clean end repeats nothing."""
    settings = {
        "on_call": {"nobetci": NIGHT.model_dump()},
        "channels": {"replay-file": {"type": "file", "name": "replay-file", "path": str(tmp_path / "replay.jsonl")}},
        "is_replay": True,
    }
    await Detect(kafka, 0, life("w0"), random.Random(0)).run()
    for _ in range(2):
        with alert_role(kafka, tmp_path, **settings) as process:
            await until(lambda: len(deliveries(kafka)) >= MESSAGES_OF_A_LIFE, "all messages in the file")
            await asyncio.sleep(1)
            process.terminate()
            await asyncio.to_thread(process.wait, STOP_SECS + 10)
    found = [decode(Notification, line) for line in (tmp_path / "replay.jsonl").read_bytes().splitlines()]
    assert len(found) == len(deliveries(kafka)) == MESSAGES_OF_A_LIFE
    assert all(each.is_replay and each.channels == ("replay-file",) for each in found)
    assert all(each.subject.startswith("*** TEKRAR OYNATMA ***") for each in found)


async def test_a_message_does_not_wait_for_the_snapshot(kafka: KafkaSettings, tmp_path: Path) -> None:
    """It is written and committed at once; what tells nobody waits, and is written at the latest when the role stops."""
    settings = {
        "on_call": {"nobetci": NIGHT.model_dump()},
        "channels": {name: {"type": "file", "name": name, "path": str(tmp_path / name)} for name in NIGHT.channels},
        "snapshot_secs": 3600,
    }
    told, confirmed, *_ = life("w0")
    detect = Detect(kafka, 0, [told], random.Random(0))
    await detect.run()
    with alert_role(kafka, tmp_path, **settings) as process:
        await until(lambda: len(deliveries(kafka)) == 2, "the message on both channels")
        assert len(committed(kafka, ALERTS)) == 1
        detect._left = [confirmed]
        await detect.run()
        await asyncio.sleep(2)
        assert len(committed(kafka, ALERTS)) == 1
        process.terminate()
        await asyncio.to_thread(process.wait, 20)
    assert len(committed(kafka, ALERTS)) == 2
    assert len(committed(kafka, NOTIFICATIONS)) == 1


class Phone:
    """A channel whose faults the test decides."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.got: list[str] = []
        self.is_closed = False
        self.is_away = False

    async def send(self, notification: Notification) -> None:
        if self.is_away:
            raise ChannelUnavailable("away")
        if self.faults:
            raise self.faults.pop(0)
        self.got.append(notification.notification_id)

    async def close(self) -> None:
        self.is_closed = True


@asynccontextmanager
async def delivering(
    kafka: KafkaSettings, name: str, channel: Any, *, patience: Patience = IMPATIENT, clock: Callable[[], datetime] | None = None
) -> AsyncIterator[None]:
    loop = DeliveryLoop(
        kafka, name, channel, instance=f"{kafka.prefix}0", clock=clock or (lambda: datetime.now(UTC)), patience=patience
    )
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled(), task.exception()


async def write(kafka: KafkaSettings, *values: bytes | str, channels: tuple[str, ...] = ("telefon",)) -> None:
    """Notifications with these ids, or these bytes, in one transaction."""
    async with AIOKafkaProducer(**kafka.client(), transactional_id=f"{kafka.prefix}test") as producer, producer.transaction():
        for value in values:
            record = notification(notification_id=value, channels=channels).encode() if isinstance(value, str) else value
            await producer.send_and_wait(kafka.topic(NOTIFICATIONS), record)


async def test_a_stuck_channel_delays_no_other(kafka: KafkaSettings) -> None:
    """One is away and is tried on; the other one has all; when the first comes back it gets them in order."""
    stuck, well = Phone(), Phone()
    stuck.is_away = True
    await write(kafka, "1", "2", "3", channels=("telefon", "posta"))
    async with delivering(kafka, "telefon", stuck), delivering(kafka, "posta", well):
        await until(lambda: well.got == ["1", "2", "3"], "the other channel")
        assert stuck.got == []
        stuck.is_away = False
        await until(lambda: len(deliveries(kafka)) == 6, "both channels")
    assert stuck.got == ["1", "2", "3"]
    attempts = {each.notification_id: each.attempts for each in deliveries(kafka) if each.channel == "telefon"}
    assert attempts["1"] > 1
    assert (attempts["2"], attempts["3"]) == (1, 1)
    assert stuck.is_closed


async def test_a_refusal_is_recorded_and_the_next_one_goes_on(kafka: KafkaSettings) -> None:
    """So are bytes that are no notification, and what is for others is left to them."""
    phone = Phone(ChannelRefused("answered 400"))
    await write(kafka, "1", b"{", b'{"type":"newer"}', "2")
    await write(kafka, "3", channels=("posta",))
    await write(kafka, "4")
    async with delivering(kafka, "telefon", phone):
        await until(lambda: len(deliveries(kafka)) == 3, "all that are ours")
    assert phone.got == ["2", "4"]
    assert [(each.notification_id, each.error) for each in deliveries(kafka)] == [("1", "answered 400"), ("2", None), ("4", None)]
    [letter] = [decode(DeadLetter, record.value) for record in committed(kafka, DEAD_LETTERS)]
    assert (letter.role, letter.topic) == ("alert", kafka.topic(NOTIFICATIONS))


async def test_it_gives_up_after_a_day(kafka: KafkaSettings) -> None:
    """Counted from the message, so that restarts do not prolong it; but even a late message is tried once."""
    phone = Phone()
    phone.is_away = True
    tomorrow = datetime.now(UTC) + timedelta(hours=25)
    await write(kafka, "1", "2")
    async with delivering(kafka, "telefon", phone, clock=lambda: tomorrow):
        await until(lambda: len(deliveries(kafka)) == 2, "both given up")
        phone.is_away = False
        await write(kafka, "3")
        await until(lambda: len(deliveries(kafka)) == 3, "the next one")
    assert [(each.attempts, each.error) for each in deliveries(kafka)] == [(1, "given up: away")] * 2 + [(1, None)]


async def test_what_was_sent_and_not_committed_comes_again(kafka: KafkaSettings) -> None:
    """At least once: a crash after the receiver took it repeats it under the same id; what was committed is not repeated."""

    class Dying(Phone):
        async def send(self, notification: Notification) -> None:
            await super().send(notification)
            if notification.notification_id == "2":
                await asyncio.Event().wait()  # the receiver has it, and we shall never know

    dying, phone = Dying(), Phone()
    await write(kafka, "1", "2", "3")
    async with delivering(kafka, "telefon", dying):
        await until(lambda: dying.got == ["1", "2"], "the second one sent")
    async with delivering(kafka, "telefon", phone):
        await until(lambda: len(deliveries(kafka)) == 3, "all")
    assert phone.got == ["2", "3"]


async def test_an_aborted_notification_is_never_sent(kafka: KafkaSettings) -> None:
    """Only what the fold has committed is told."""
    phone = Phone()
    async with AIOKafkaProducer(**kafka.client(), transactional_id=f"{kafka.prefix}test") as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(kafka.topic(NOTIFICATIONS), notification(notification_id="aborted").encode())
        await producer.abort_transaction()
    await write(kafka, "1")
    async with delivering(kafka, "telefon", phone):
        await until(lambda: len(deliveries(kafka)) == 1, "the committed one")
    assert phone.got == ["1"]


async def test_a_broker_that_is_away_is_waited_for(unused_tcp_port: int, caplog: pytest.LogCaptureFixture) -> None:
    """The loop goes on trying, and can be stopped."""
    async with delivering(KafkaSettings(bootstrap=f"127.0.0.1:{unused_tcp_port}"), "telefon", Phone()):
        await until(lambda: "starting again" in caplog.text, "a first attempt")
    assert "Unclosed" not in caplog.text


def test_a_list_must_reach_somebody(tmp_path: Path) -> None:
    """A channel that is not configured is told at the start, with what there is."""
    kafka = KafkaSettings(bootstrap="127.0.0.1:1")
    app = make_app(kafka, "alert", 0, tmp_path)
    channels = {"telefon": FileSettings(name="telefon", path=tmp_path / "x"), "ekran": ConsoleSettings(name="ekran")}
    with pytest.raises(UnknownChannel, match="nobetci names the channel 'arsiv'; configured are: ekran, telefon"):
        AlertRole(app, kafka, on_call={"nobetci": NIGHT}, channels=channels, clock=lambda: ONSET)


def test_pauses_grow_to_their_limit() -> None:
    """Scattered between half and all of 1, 2, 4 … seconds, at most a minute, however many attempts there were."""
    patience, rng = Patience(), random.Random(1)
    for attempts, longest in ((1, 1), (2, 2), (5, 16), (7, 60), (10_000, 60)):
        pauses = [patience.pause_secs(attempts, rng) for _ in range(100)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
