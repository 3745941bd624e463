"""A child process that is started again when it dies."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FIRST_BACKOFF_SECS: Final = 0.5
LONGEST_BACKOFF_SECS: Final = 30.0
STEADY_SECS: Final = 60.0  # whoever ran as long starts with the first back-off again
FAILURES_IN_A_ROW: Final = 5  # so many ends soon after the start are no accident: the next start will end like them
LAST_WORDS_CHARACTERS: Final = 500
LAST_WORDS_BYTES: Final = 64 * 1024
#: An end by these comes from outside and says nothing about the next start.
_FROM_OUTSIDE: Final = (-signal.SIGKILL, -signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run. Standard input is a pipe that the supervisor holds: the child ends when it closes."""

    name: str
    command: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] | None = None  # None: the supervisor's own
    stop_secs: float = 20.0
    once: bool = False  # exit code 0 means that its work is done


@dataclass(slots=True)
class Child:
    """A running, stopping or waiting process. Not thread-safe: the supervisor's loop alone touches it."""

    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started_at: float = 0.0
    wait_until: float = 0.0
    last_exit: int | None = None
    problem: str | None = None  # why it ended, in its own words; None after a steady run
    failures: int = 0  # ends in a row, each soon after a start
    _backoff: float = field(default=FIRST_BACKOFF_SECS)
    _log_start: int = 0

    def start(self) -> None:
        """Start the process; its output goes to the log."""
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        with self.spec.log.open("ab") as log:
            self._log_start = log.tell()
            self.process = subprocess.Popen(
                self.spec.command, env=self.spec.environment, stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the rest in order
            )  # fmt: skip
        self.started_at = time.monotonic()

    @property
    def pid(self) -> int | None:
        """None while it is down."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    @property
    def done(self) -> bool:
        """It has ended and said that there is nothing more to do."""
        return self.spec.once and self.process is None and self.last_exit == 0

    def tend(self, now: float) -> str | None:
        """Start again what has died, after a pause that doubles. A line for the log when something happened."""
        if self.process is None:
            return None if self.done or now < self.wait_until else self._start_again(now)
        code = self.process.poll()
        if code is None:
            return None
        self._release()
        self.last_exit = code
        if self.done:
            return f"{self.spec.name}: done"
        if now - self.started_at > STEADY_SECS:
            self._backoff, self.failures = FIRST_BACKOFF_SECS, 0
        self.failures += code not in _FROM_OUTSIDE
        self.problem = f"{describe_exit(code)}: {self._last_words()}"
        return self._pause(now, f"ended with {self.problem}")

    @property
    def keeps_failing(self) -> bool:
        """It has ended again and again soon after its start."""
        return self.failures >= FAILURES_IN_A_ROW

    def _start_again(self, now: float) -> str:
        try:
            self.start()
        except OSError as error:  # no room for its log, or no memory for a process
            self.failures += 1
            self.problem = error.strerror or str(error)
            return self._pause(now, f"cannot be started: {self.problem}")
        self.restarts += 1
        return f"{self.spec.name}: started again (restart {self.restarts})"

    def _pause(self, now: float, what: str) -> str:
        self.wait_until = now + self._backoff
        again = f" ({self.failures} times in a row)" if self.keeps_failing else ""
        line = f"{self.spec.name}: {what}{again}; next start in {self._backoff:g} s; see {self.spec.log}"
        self._backoff = min(2 * self._backoff, LONGEST_BACKOFF_SECS)
        return line

    def _last_words(self) -> str:
        """The last line that it wrote since its start and that is no part of a stack."""
        try:
            with self.spec.log.open("rb") as log:
                log.seek(max(self._log_start, log.seek(0, 2) - LAST_WORDS_BYTES))
                lines = log.read().decode("utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        telling = [line for line in lines if line.strip() and not line[0].isspace()]
        return telling[-1][:LAST_WORDS_CHARACTERS] if telling else "it wrote nothing"

    def terminate(self) -> None:
        """Ask it to stop."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_stopped(self) -> None:
        """Wait for the end; by force when its time is over."""
        if self.process is None:
            return
        try:
            self.process.wait(self.spec.stop_secs)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._release()

    def _release(self) -> None:
        assert self.process is not None
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


def describe_exit(code: int) -> str:
    """Exit code or signal, as a person reads it."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
