"""One pair of servers for a whole campaign, and the namespaces of its runs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.configuration import Configuration
from pipeline.deployment import Deployment, resolve
from pipeline.launch import embedded_servers, prepare, start_roles
from pipeline.secrets import require_same_key
from pipeline.supervisor.children import Child
from pipeline.supervisor.run_state import RunFolder
from pipeline.supervisor.supervisor import Supervisor

SERVERS: Final = ("kafka", "elasticsearch")


class Stuck(Exception):
    """A condition did not come true in its time."""


@dataclass
class Log:
    """What the supervisors said, with the time since the campaign began."""

    file: Path
    started: float = field(default_factory=time.monotonic)

    def __call__(self, line: str) -> None:
        """Append a line."""
        with self.file.open("a", encoding="utf-8") as log:
            log.write(f"{time.monotonic() - self.started:8.1f} {line}\n")


@dataclass
class Site:
    """A data folder with running servers, tended by whoever waits on it."""

    data: Path
    servers: Supervisor
    log: Log
    say: Callable[[str], None]

    def deployment(self, configuration: Configuration, name: str) -> Deployment:
        """A namespace of its own."""
        return resolve(configuration, self.data, namespace=f"replay-{name}", **self.servers.addresses)

    @contextmanager
    def running(self, deployment: Deployment) -> Iterator["Scene"]:
        """The roles of a namespace, for the length of the block."""
        require_same_key(deployment.configuration, deployment.data)
        prepare(deployment)
        with Supervisor(RunFolder(deployment.folder / "run"), self.log) as roles:
            start_roles(roles, deployment)
            yield Scene(self, deployment, roles)


@dataclass
class Scene:
    """A run on its way: what a fault may lay hands on."""

    site: Site
    deployment: Deployment
    roles: Supervisor
    share: float = 0.0  # of the file, as far as Kafka has acknowledged it
    fired: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def owner(self, name: str) -> Supervisor:
        """Who keeps a process alive."""
        return self.site.servers if name in SERVERS else self.roles

    def child(self, name: str) -> Child:
        """A server by its name, a role by name and number."""
        return self.owner(name).child(name)

    def tend(self) -> None:
        """Start again what has died."""
        self.site.servers.tend()
        self.roles.tend()

    def seconds(self) -> float:
        """Since the roles were started."""
        return time.monotonic() - self.started

    def wait(self, done: Callable[[], bool], longest_secs: float, what: str) -> None:
        """Tend until `done`. Raises `Stuck`."""
        deadline = time.monotonic() + longest_secs
        while not done():
            if time.monotonic() > deadline:
                raise Stuck(f"{what} did not come within {longest_secs:g} s")
            if self.site.servers.stopping.wait(0.1):
                raise KeyboardInterrupt
            self.tend()


@contextmanager
def opened(data: Path, say: Callable[[str], None]) -> Iterator[Site]:
    """Servers with empty data on free ports; they stop at the end of the block."""
    data.mkdir(parents=True, exist_ok=True)
    log = Log(data / "supervisor.log")
    with Supervisor(RunFolder(data / "run"), log) as servers, servers.until_asked_to_stop():
        servers.start_servers(embedded_servers(Configuration(), data, "auto", say, servers.stopping))
        yield Site(data, servers, log, say)
