"""`detect` is a function of the records in `hits` alone: the same log, read again by one, two and four workers, with kills."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from connectors.kafka import KafkaSettings, create_topics
from pipeline.configuration import Configuration, Workers
from pipeline.deployment import Deployment
from pipeline.lag import LagReader
from pipeline.launch import role_spec
from pipeline.replay import remove_topics
from pipeline.supervisor.run_state import RunFolder
from pipeline.supervisor.supervisor import Supervisor
from schemas.topics import BUCKETS, HITS, SIGNALS
from tests.campaigns.faults import Fault, at, freeze, kill
from tests.campaigns.outcomes import Violation
from tests.campaigns.site import Scene, Site, Stuck

STEPS: Final = 200  # the log is written in so many steps of a tenth of a second
LONGEST_SECS: Final = 180.0

Said = Mapping[str, Sequence[bytes]]
Told = tuple[str, list[Violation], str]


@dataclass(frozen=True)
class Reading:
    """One way to read the log."""

    name: str
    workers: int
    steps: int = 1
    faults: tuple[Fault, ...] = ()


READINGS: Final = (
    Reading("hits-1", 1),
    Reading("hits-1-kills", 1, STEPS, (Fault(at(0.3), kill("detect-0")), Fault(at(0.7), kill("detect-0")))),
    Reading("hits-2-kills", 2, STEPS, (Fault(at(0.3), kill("detect-1")), Fault(at(0.6), freeze("detect-0")))),
    Reading("hits-4-kills", 4, STEPS, tuple(Fault(at(0.2 * n), kill(f"detect-{n % 4}")) for n in range(1, 5))),
)


def read_again(site: Site, configuration: Configuration, name: str) -> Iterator[Told]:
    """Read the log of the finished run `name` in every way; yields name, violations and what was done."""
    original = site.deployment(configuration, name)
    log, expected = records(original.kafka), said(original.kafka)
    for reading in READINGS:
        started = time.monotonic()
        workers = Workers(detect=reading.workers)
        deployment = site.deployment(configuration.model_copy(update={"workers": workers}), reading.name)
        violations, fired = [], []
        try:
            fired = read(site, deployment, reading, log)
        except Stuck as stuck:
            violations.append(Violation("lost", f"{stuck}; logs in {deployment.logs}"))
        else:
            violations += list(compare(said(deployment.kafka), expected))
        if len(fired) < len(reading.faults):
            violations.append(Violation("wrong", f"only {len(fired)} of {len(reading.faults)} faults fired"))
        if not violations:
            remove_topics(deployment.kafka)
        counts = ", ".join(f"{len(values)} {topic}" for topic, values in expected.items())
        what = f"{len(log)} hits in {time.monotonic() - started:.0f} s, {counts}"
        yield reading.name, violations, "; ".join([what, *fired])


def records(kafka: KafkaSettings) -> list[Any]:
    """The log in the order in which it was written; within a partition that is the order of offsets."""
    with kafka.reader([HITS]) as reader:
        return sorted(reader.rest(), key=lambda record: record.timestamp)


def said(kafka: KafkaSettings) -> Said:
    """Signals and closed minutes, byte for byte, in an order of their own: partitions of `hits` share one topic."""
    with kafka.reader([SIGNALS, BUCKETS]) as reader:
        found = reader.rest()
    return {topic.name: sorted(r.value for r in found if r.topic == kafka.topic(topic)) for topic in (SIGNALS, BUCKETS)}


def compare(found: Said, expected: Said) -> Iterator[Violation]:
    """Byte for byte."""
    for topic, values in expected.items():
        missing, extra = set(values) - set(found[topic]), set(found[topic]) - set(values)
        if missing:
            yield Violation("lost", f"{len(missing)} {topic} are missing, e.g. {min(missing)[:300]!r}")
        if extra:
            yield Violation("wrong", f"{len(extra)} {topic} too many, e.g. {min(extra)[:300]!r}")
        if len(found[topic]) > len(set(found[topic])):
            yield Violation("doubled", f"{len(found[topic]) - len(set(found[topic]))} {topic} stand twice")


def read(site: Site, deployment: Deployment, reading: Reading, log: Sequence[Any]) -> list[str]:
    """Write the log into a fresh topic while workers read it, faults on the way. Raises `Stuck`."""
    create_topics(deployment.kafka)
    deployment.save()
    with Supervisor(RunFolder(deployment.folder / "run"), site.log) as roles:
        for worker in range(reading.workers):
            roles.start_role(role_spec(deployment, "detect", worker))
        scene = Scene(site, deployment, roles)
        going = [fault.run(scene) for fault in reading.faults]
        with closing(deployment.kafka.producer()) as producer, LagReader(deployment.kafka) as lag:
            if reading.faults:  # those that are to be killed must be at work
                _write(producer, deployment.kafka, log[:1])
                scene.wait(lambda: lag.group("detect", HITS) == 0, LONGEST_SECS, "the first hit")
            left = iter(_steps(log[1:] if reading.faults else log, reading.steps))

            def over() -> bool:
                step = next(left, None)
                if step is not None:
                    scene.share += 1 / reading.steps
                    _write(producer, deployment.kafka, step)
                going[:] = [act for act in going if next(act, StopIteration) is not StopIteration]
                return step is None and not going and lag.group("detect", HITS) == 0

            scene.wait(over, LONGEST_SECS, f"the end of {reading.name}")
    return scene.fired


def _steps(log: Sequence[Any], steps: int) -> list[Sequence[Any]]:
    size = -(-len(log) // steps)
    return [log[start : start + size] for start in range(0, len(log), size)]


def _write(producer: Any, kafka: KafkaSettings, step: Sequence[Any]) -> None:
    for record in step:
        producer.send(kafka.topic(HITS), value=record.value, key=record.key, partition=record.partition)
    producer.flush(timeout=60)
