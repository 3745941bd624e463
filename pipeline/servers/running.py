"""Servers for the length of a `with` block, for tests. The running system has its own supervisor."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from pipeline.servers.embedded import Server
from pipeline.servers.ports import require_free

START_TIMEOUT_SECS = 120.0
"""Ten times what a start takes on two idle cores."""

STOP_TIMEOUT_SECS = 20.0


@contextmanager
def running(*servers: Server, timeout_secs: float = START_TIMEOUT_SECS) -> Iterator[tuple[subprocess.Popen[bytes], ...]]:
    """Start the servers side by side, give the block their processes once all are ready, stop them at its end.

    Raises PortTaken and ServerNotReady; stops what it started then, too.
    """
    deadline = time.monotonic() + timeout_secs
    with ExitStack() as started:
        processes: list[subprocess.Popen[bytes]] = []
        for server in servers:
            process = start(server)
            started.callback(stop, process)
            processes.append(process)
        for server, process in zip(servers, processes, strict=True):
            server.wait_ready(deadline, partial(_is_alive, process))
        yield tuple(processes)


def start(server: Server) -> subprocess.Popen[bytes]:
    """Start and do not wait: the shortest correct use of `Server`. Raises PortTaken. `stop` ends it."""
    require_free(server.ports)
    server.data_dir.mkdir(parents=True, exist_ok=True)
    with server.console_log.open("ab") as console:
        return subprocess.Popen(
            server.command(),
            env=server.environment(),
            stdin=subprocess.PIPE,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: the server is stopped in its turn, not by the terminal
        )


def stop(process: subprocess.Popen[bytes]) -> int:
    """SIGTERM, wait, then SIGKILL; gives the exit code. Nothing happens when it has ended already."""
    process.terminate()
    try:
        return process.wait(STOP_TIMEOUT_SECS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
    finally:
        if process.stdin is not None:
            process.stdin.close()


def _is_alive(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None
