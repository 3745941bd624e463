"""The supervisor's loop."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from pipeline.servers.embedded import Server
from pipeline.servers.ports import require_free
from pipeline.supervisor.children import FAILURES_IN_A_ROW, Child, ChildSpec
from pipeline.supervisor.disk import DiskWatch
from pipeline.supervisor.run_state import LIVE_COMMAND, RunFolder, RunState

TEND_SECS: Final = 0.2
SERVERS_READY_SECS: Final = 180.0

Say = Callable[[str], None]


class Stopped(Exception):
    """The user asked to stop while something was being waited for."""


class KeepsFailing(Exception):
    """A process ends soon after each start, so that waiting for its work would be waiting for ever."""

    def __init__(self, child: Child, shortage: str | None) -> None:
        super().__init__(
            f"{child.spec.name} ended {FAILURES_IN_A_ROW} times in a row soon after its start, the last time with {child.problem}\n"
            + (f"{shortage}\n" if shortage else "")
            + f"Correct this and start again: what is done stays done. Its log: {child.spec.log}"
        )


class Supervisor:
    """Use as a context manager: whatever was started is stopped at the end, roles before servers.

    `gives_up`: raise `KeepsFailing` when a process cannot be kept alive, for a run that has an end. The live system tries
    on and says so.
    """

    def __init__(self, run: RunFolder, say: Say, *, command: str = LIVE_COMMAND, gives_up: bool = False) -> None:
        self._run, self._say, self._command, self._gives_up = run, say, command, gives_up
        self._disk = DiskWatch(run.folder)
        self._ready = False
        self._unpublished = False
        self._servers: dict[str, Child] = {}
        self._roles: dict[str, Child] = {}
        self._addresses = {"kafka": "", "elasticsearch": ""}
        self.stopping = threading.Event()

    def __enter__(self) -> Self:
        self._run.lock()
        self._run.write(self._state())  # from here on others see that somebody is at work
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- starting ---------------------------------------------------------------------------------------------------

    def start_servers(self, servers: list[Server]) -> None:
        """Start embedded servers and wait until they answer. Raises PortTaken, ServerNotReady, `Stopped`."""
        for server in servers:
            require_free(server.ports)
        for server in servers:
            server.data_dir.mkdir(parents=True, exist_ok=True)
            spec = ChildSpec(
                name=server.name, command=tuple(server.command()), environment=server.environment(), log=server.console_log
            )
            self._servers[server.name] = Child(spec)
            self._servers[server.name].start()
            self.use(server.name, server.address)
        deadline = time.monotonic() + SERVERS_READY_SECS
        for server in servers:
            server.wait_ready(deadline, lambda name=server.name: self._still_starting(name))  # type: ignore[misc]
        self._ready = True
        self._publish()

    def _still_starting(self, name: str) -> bool:
        if self.stopping.is_set():
            raise Stopped
        return self._servers[name].pid is not None

    def use(self, name: str, address: str) -> None:
        """Remember where a server is, also one that is not ours."""
        self._addresses[name] = address

    @property
    def addresses(self) -> dict[str, str]:
        """Where the servers are, by name."""
        return dict(self._addresses)

    def start_role(self, spec: ChildSpec) -> None:
        """Start a role; it is kept alive from now on."""
        child = self._roles[spec.name] = Child(spec)
        child.start()
        self._ready = True
        self._publish()

    # -- running ----------------------------------------------------------------------------------------------------

    def tend(self) -> None:
        """Start again whatever has died. To be called several times a second. Raises `KeepsFailing` if it `gives_up`."""
        changed = self._unpublished
        for child in [*self._servers.values(), *self._roles.values()]:
            line = child.tend(time.monotonic())
            if line is not None:
                self._say(line)
                changed = True
        if changed:
            self._publish()
        shortage = self._disk.change(time.monotonic())
        if shortage is not None:
            self._say(shortage)
        self._judge_failures()

    def _judge_failures(self) -> None:
        if any(server.pid is None for server in self._servers.values()):
            for role in self._roles.values():  # a role may fail for want of its server
                role.failures = 0
        for child in [*self._servers.values(), *self._roles.values()]:
            if self._gives_up and child.keeps_failing and child.pid is None:
                raise KeepsFailing(child, self._disk.shortage())

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Tend until `until()` or until the user asks to stop."""
        while not self.stopping.wait(TEND_SECS):
            self.tend()
            if until():
                return

    def owns(self, server: str) -> bool:
        """Whether the server is one of ours, and running or waiting to."""
        return server in self._servers

    def pids(self) -> dict[str, int | None]:
        """Process ids by name; the supervisor's own is among them."""
        return {"supervisor": os.getpid(), **{name: child.pid for name, child in (self._servers | self._roles).items()}}

    def child(self, name: str) -> Child:
        """For tests and the demo, which stop a server on purpose."""
        return (self._servers | self._roles)[name]

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """A child is stopped for the length of the block, and started again after it."""
        child = self.child(name)
        owner = self._servers if name in self._servers else self._roles
        del owner[name]
        child.terminate()
        child.wait_stopped()
        try:
            yield
        finally:
            child.start()
            owner[name] = child
            self._publish()

    def _publish(self) -> None:
        try:
            self._run.write(self._state())
        except OSError as error:  # a full disk: what runs goes on, and the state is written when there is room again
            if not self._unpublished:
                self._say(f"the state for 'nabiz status' cannot be written: {error.strerror}")
            self._unpublished = True
        else:
            self._unpublished = False

    def _state(self) -> RunState:
        children = {
            name: {
                "pid": child.pid,
                "restarts": child.restarts,
                "log": str(child.spec.log),
                "problem": child.problem if child.pid is None or child.keeps_failing else None,
            }
            for name, child in (self._servers | self._roles).items()
        }
        return RunState(
            os.getpid(),
            self._addresses["kafka"],
            self._addresses["elasticsearch"],
            children,
            ready=self._ready,
            command=self._command,
        )

    # -- stopping ---------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop roles, then servers; each gets its time."""
        self.stopping.set()
        for group in (self._roles, self._servers):
            for child in group.values():
                child.terminate()
            for child in group.values():
                child.wait_stopped()
            group.clear()
        self._run.clear()

    @contextmanager
    def until_asked_to_stop(self) -> Iterator[None]:
        """SIGTERM, SIGINT and SIGHUP set `stopping` instead of ending the process where it stands.

        To be entered before the supervisor itself, so that another Ctrl-C during the stop does not break it off.
        """

        def ask(*_: Any) -> None:
            self.stopping.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
