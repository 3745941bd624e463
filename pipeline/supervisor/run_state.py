"""What a running supervisor tells other processes: a file, replaced whole, and a lock that dies with it."""

import fcntl
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson

LIVE_COMMAND: Final = "nabiz up"


class AlreadyRunning(Exception):
    """Another supervisor owns this data folder."""

    def __init__(self, state: "RunState | None", folder: Path) -> None:
        who = f" ({state.command}, process {state.pid})" if state else ""
        super().__init__(
            f"Nabız is running on {folder} already{who}: look with 'nabiz status', stop it with 'nabiz down', "
            "or choose another folder with --data"
        )


@dataclass(frozen=True, slots=True)
class RunState:
    """Who runs here, and where its servers are. Not `ready`: the servers do not answer yet."""

    pid: int
    kafka: str
    elasticsearch: str
    children: Mapping[str, Mapping[str, Any]]
    ready: bool = True
    command: str = LIVE_COMMAND


class RunFolder:
    """The folder `run` inside a data folder, for one supervisor."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def lock(self) -> None:
        """Become the owner until this process ends. Raises `AlreadyRunning`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunning(self.read(), self.folder.parent) from None
        os.set_inheritable(lock.fileno(), False)
        self._lock = lock
        self._state.unlink(missing_ok=True)  # of one that was killed: its process id may be anybody's by now

    def locked(self) -> bool:
        """Whether some supervisor, perhaps this one, owns the folder."""
        if self._lock is not None:
            return True
        path = self.folder / "lock"
        if not path.exists():
            return False
        with path.open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def write(self, state: RunState) -> None:
        """Replace the state."""
        new = self._state.with_suffix(".new")
        new.write_bytes(orjson.dumps(asdict(state)))
        new.replace(self._state)

    def read(self) -> RunState | None:
        """The state of the supervisor that runs now; None when none does."""
        if not self.locked():
            return None
        try:
            fields = orjson.loads(self._state.read_bytes())
        except FileNotFoundError:
            return None
        return RunState(**fields)

    def clear(self) -> None:
        """Nothing runs here any more."""
        self._state.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None
