"""One role in one process: the Faust app with the settings that were measured to be safe, and its end.

The process dies with its parent: the supervisor holds the other end of standard input. A bug ends it before the commit;
the supervisor starts it again, and the cursor or the fold goes on where the log says.
"""

import asyncio
import inspect
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, Final

import faust
from faust.worker import Worker

from connectors.kafka import KafkaSettings

log = logging.getLogger(__name__)

SESSION_TIMEOUT_SECS: Final = 15.0
MAX_POLL_SECS: Final = 7 * 24 * 3600.0
STOP_SECS: Final = 15.0  # less than the supervisor waits
SAY_SECS: Final = 2.0
HEARTBEAT_SECS: Final = 5.0
REPEAT_SECS: Final = 10.0
_KNOWN_COMPLAINTS: Final = 500
EXIT_BUG: Final = 70  # sysexits.h: EX_SOFTWARE

OURS: Final = ("pipeline", "connectors", "processors")

Role = Callable[..., Awaitable[None]]


def make_app(kafka: KafkaSettings, role: str, worker: int, data: Path) -> faust.App:
    """A Faust app that does group membership, fetching, batching and timers, and nothing else. See TRAPS.md."""
    data.mkdir(parents=True, exist_ok=True)
    return faust.App(
        kafka.prefix + role,
        broker=[f"kafka://{address}" for address in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        store="memory://",
        datadir=data,
        key_serializer="raw",
        value_serializer="raw",
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,
        stream_buffer_maxsize=4096,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{kafka.prefix}{role}-{worker}",
        consumer_max_fetch_size=4 * 1024 * 1024,
        broker_session_timeout=SESSION_TIMEOUT_SECS,
        broker_heartbeat_interval=3.0,
        broker_request_timeout=40.0,
        broker_rebalance_timeout=30.0,
        # A sink may be away for longer than any interval; a worker that was put out of its group meanwhile never rejoins.
        broker_max_poll_interval=MAX_POLL_SECS,
        web_enabled=False,
    )


def _credentials(kafka: KafkaSettings) -> Any:
    context = kafka.ssl_context()
    if kafka.sasl_mechanism:
        client = kafka.client()
        return faust.SASLCredentials(
            username=client["sasl_plain_username"], password=client["sasl_plain_password"], mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )  # fmt: skip
    return faust.SSLCredentials(context=context) if context else None


def guard(body: Role) -> Role:
    """End the process on any error that the body did not handle.

    Faust would restart the agent and acknowledge what it held, which loses it; an agent that has lost its footing must
    not commit. The one place in the project where every exception is caught.
    """

    @wraps(body)
    async def guarded(*arguments: Any) -> None:
        try:
            await body(*arguments)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            log.critical("%s: %s", type(error).__name__, error, exc_info=error)
            logging.shutdown()
            os._exit(EXIT_BUG)

    return guarded


class Repeats(logging.Filter):
    """Lets the same complaint of a library through once in ten seconds, with the number of those that were left out.

    While Kafka is away its client complains a thousand times a second: an outage of an hour must not fill the disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """By the message without its arguments."""
        key = (record.name, str(record.msg))
        if record.name.partition(".")[0] in OURS:
            return True
        told_at, left_out = self._told.get(key, (0.0, 0))
        if record.created - told_at < REPEAT_SECS:
            self._told[key] = (told_at, left_out + 1)
            return False
        if len(self._told) >= _KNOWN_COMPLAINTS:
            self._told.clear()
        self._told[key] = (record.created, 0)
        if left_out:
            record.msg = f"{record.msg} (and {left_out} times since it was last told)"
        return True


def log_to_stderr(role: str) -> None:
    """Lines for the supervisor's log file: warnings of libraries, information of ours. No text of a post, ever."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format=f"%(asctime)s %(levelname)s {role} %(name)s: %(message)s", force=True
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(Repeats())
    for ours in OURS:
        logging.getLogger(ours).setLevel(logging.INFO)
    # Kafka's retriable answer to a transactional produce while a partition is being added; retried by aiokafka.
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)


def die_with_parent() -> None:
    """Stop when standard input closes: the supervisor is gone. Without a pipe (a terminal, /dev/null) do nothing."""
    if not _is_pipe(sys.stdin.fileno()):
        return
    threading.Thread(target=_watch_stdin, name="stdin-watch", daemon=True).start()


def _is_pipe(descriptor: int) -> bool:
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink()).startswith("pipe:")
    except OSError:
        return False


def _watch_stdin() -> None:
    while os.read(0, 1024):
        pass
    _after(STOP_SECS, os._exit, 1)  # an orphan must not live on because its event loop hangs
    os.kill(os.getpid(), signal.SIGTERM)


def touch_regularly(app: faust.App, file: Path) -> None:
    """Give `file` a new time every few seconds while the event loop turns: what a container's health check looks at.

    It says that the process works, not that its servers answer: a role waits for those, and a restart would not help.
    """

    async def heartbeat() -> None:
        file.touch()  # noqa: ASYNC240 - an inode, not a disk: microseconds

    app.timer(interval=HEARTBEAT_SECS)(guard(heartbeat))


class _BoundedWorker(Worker):  # type: ignore[misc]
    """Ends STOP_SECS after it was asked to, at the latest.

    A stop of Faust's may wait for what never comes. Nothing is lost by force: what is not committed comes again.
    """

    def install_signal_handlers(self) -> None:
        super().install_signal_handlers()
        for number, stop in ((signal.SIGINT, self._on_sigint), (signal.SIGTERM, self._on_sigterm)):
            self.loop.add_signal_handler(number, self._stop_in_time, stop)

    def _stop_in_time(self, stop: Callable[[], None]) -> None:
        _after(STOP_SECS, _end_by_force, self.loop)
        stop()


def _after(secs: float, act: Callable[..., object], argument: object) -> None:
    """In a thread of its own, unless the process has ended by then."""
    timer = threading.Timer(secs, act, (argument,))
    timer.daemon = True
    timer.start()


def _end_by_force(loop: asyncio.AbstractEventLoop) -> None:
    """Say what waits, if that can be said: whoever reads standard error may be what hangs, with the log's lock held."""
    _after(SAY_SECS, os._exit, EXIT_BUG)
    try:  # the loop may turn meanwhile: that its tasks could not be named must not keep the process
        waiting = "\n".join(" > ".join(_awaited(task.get_coro())) for task in asyncio.all_tasks(loop))
        log.error("not stopped within %.0f s, ended by force; what waited:\n%s", STOP_SECS, waiting)
        logging.shutdown()
    finally:
        os._exit(EXIT_BUG)


def _awaited(coroutine: Any) -> Iterator[str]:
    """Names from a task's coroutine to the one that it waits in."""
    while inspect.iscoroutine(coroutine):
        yield coroutine.__qualname__
        coroutine = coroutine.cr_await


def run(app: faust.App) -> None:
    """Run until SIGTERM or SIGINT; does not return."""
    _BoundedWorker(app, loglevel="WARNING", override_logging=False, redirect_stdouts=False, quiet=True).execute_from_commandline()
