"""The real servers for the length of a run, and namespaces on them that are listened to and measured."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.configuration import Configuration
from pipeline.deployment import Deployment, resolve
from pipeline.launch import embedded_servers, prepare, start_roles
from pipeline.replay import ReplayWatcher, source_spec
from pipeline.secrets import require_same_key
from pipeline.supervisor.run_state import RunFolder
from pipeline.supervisor.supervisor import Supervisor

LONGEST_SECS = 600.0


class BenchmarkFailed(Exception):
    """Something did not run as it has to for a figure to mean anything; the message says what."""


@dataclass(frozen=True)
class Installation:
    """Servers that are up."""

    data: Path
    kafka: str
    elasticsearch: str

    def deployment(self, configuration: Configuration, namespace: str) -> Deployment:
        """A namespace that is not prepared yet."""
        return resolve(configuration, self.data, namespace=namespace, kafka=self.kafka, elasticsearch=self.elasticsearch)

    @contextmanager
    def roles(self, deployment: Deployment) -> Iterator[Supervisor]:
        """All four roles run for the length of the block."""
        require_same_key(deployment.configuration, deployment.data)
        prepare(deployment)
        with Supervisor(RunFolder(deployment.folder / "run"), print) as supervisor:
            start_roles(supervisor, deployment)
            yield supervisor

    def listen_to(self, deployment: Deployment, file: Path) -> None:
        """Replay a file as fast as possible; returns when every role has done all that follows from it."""
        with self.roles(deployment) as supervisor, ReplayWatcher(deployment) as watcher:
            supervisor.start_role(source_spec(deployment, file, encoding="utf-8", speed="max"))
            run_until(supervisor, lambda: watcher.done(lambda _: None), f"the replay in {deployment.namespace}")


def run_until(supervisor: Supervisor, done: Callable[[], bool], what: str, longest_secs: float = LONGEST_SECS) -> None:
    """Tend the children until then. Raises `BenchmarkFailed` when one dies or it takes too long."""
    deadline = time.monotonic() + longest_secs

    def until() -> bool:
        died = [name for name in supervisor.pids() if name != "supervisor" and supervisor.child(name).restarts]
        if died:
            raise BenchmarkFailed(f"{', '.join(died)} died: {what}")
        if time.monotonic() > deadline:
            raise BenchmarkFailed(f"not within {longest_secs:g} s: {what}")
        return done()

    supervisor.run(until)


@contextmanager
def installed(data: Path) -> Iterator[Installation]:
    """Kafka and Elasticsearch on free ports, empty, built first if need be."""
    with Supervisor(RunFolder(data / "run"), print) as supervisor:
        supervisor.start_servers(embedded_servers(Configuration(), data, "auto", print, supervisor.stopping))
        yield Installation(data, **supervisor.addresses)
