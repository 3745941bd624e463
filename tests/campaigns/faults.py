"""What is done to a run on its way, and the proof that it was done.

An act is a generator: it is advanced several times a second while everything else goes on, and it ends when its fault is
over. It writes to `Scene.fired` only what it has seen: a process id that is gone, a process that the kernel calls stopped.
"""

import os
import signal
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from connectors.kafka import KafkaUnreachable
from schemas.topics import Topic
from tests.campaigns.site import Scene

FROZEN_SECS: Final = 20.0  # more than the session timeout of 15 s: the group gives the process up
AWAY_SECS: Final = 60.0

Act = Callable[[Scene], Generator[None, None, None]]
Moment = Callable[[Scene], bool]


@dataclass(frozen=True)
class Fault:
    """When, and what."""

    when: Moment
    act: Act

    def run(self, scene: Scene) -> Generator[None, None, None]:
        """Wait for the moment, then act."""
        while not self.when(scene):
            yield
        yield from self.act(scene)


# -- moments ------------------------------------------------------------------------------------------------------------


def at(share: float) -> Moment:
    """When this share of the file is in Kafka."""
    return lambda scene: scene.share >= share


def after(secs: float) -> Moment:
    """So long after the start of the roles."""
    return lambda scene: scene.seconds() >= secs


def written(topic: Topic, amount: int = 1) -> Moment:
    """As soon as so many records are in the topic, committed or not: asked several times a second."""
    consumers: list[Any] = []

    def seen(scene: Scene) -> bool:
        try:
            if not consumers:
                consumers.append(scene.deployment.kafka.consumer())
            partitions = [TopicPartition(scene.deployment.kafka.topic(topic), number) for number in range(topic.partitions)]
            found = sum(consumers[0].end_offsets(partitions).values()) >= amount
        except (KafkaError, KafkaUnreachable):
            return False
        if found:
            consumers.pop().close()
        return found

    return seen


# -- acts ---------------------------------------------------------------------------------------------------------------


def kill(name: str) -> Act:
    """`kill -9`; over when it has been started again."""

    def act(scene: Scene) -> Generator[None, None, None]:
        child = scene.child(name)
        while child.pid is None and not child.done:
            yield
        pid, share, before = child.pid, scene.share, child.restarts
        if pid is None:
            return  # it had done its work: the fault did not fire, and the run says so
        os.kill(pid, signal.SIGKILL)
        while child.restarts == before:
            yield
        if child.last_exit == -signal.SIGKILL and not _alive(pid):
            scene.fired.append(f"{name} {pid} killed at {share:.0%}, now {child.pid}")

    return act


def freeze(name: str, secs: float = FROZEN_SECS) -> Act:
    """SIGSTOP, and SIGCONT later: a process that believes that no time has passed."""

    def act(scene: Scene) -> Generator[None, None, None]:
        child = scene.child(name)
        while child.pid is None and not child.done:
            yield
        pid, share, until, stopped = child.pid, scene.share, time.monotonic() + secs, False
        if pid is None:
            return
        os.kill(pid, signal.SIGSTOP)
        try:
            while time.monotonic() < until:
                stopped = stopped or _kernel_state(pid) == "T"
                yield
        finally:
            if child.pid == pid:
                os.kill(pid, signal.SIGCONT)
        if stopped:
            scene.fired.append(f"{name} {pid} stood still for {secs:g} s at {share:.0%}")

    return act


def away(name: str, secs: float = AWAY_SECS) -> Act:
    """Stopped in order, and started again later."""

    def act(scene: Scene) -> Generator[None, None, None]:
        pid, share = scene.child(name).pid, scene.share
        until = time.monotonic() + secs
        with scene.owner(name).paused(name):
            gone = pid is not None and not _alive(pid)
            while time.monotonic() < until:
                yield
        if gone:
            scene.fired.append(f"{name} {pid} was away for {secs:g} s at {share:.0%}")

    return act


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _kernel_state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""
