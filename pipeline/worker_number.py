"""Which worker of its role a process is, where nobody numbers them: copies of one container, started alike.

The number is a part of the name under which a worker is known to its consumer group, so no two may have the same, and
a worker that comes back should have the one it had. Both follow from a lock on a file in the data folder, which all
copies share and which the kernel gives back when a process ends, however it ends.
"""

import fcntl
import os
from pathlib import Path


class NumbersTaken(Exception):
    """As many workers as the role can have run already."""


def claim_number(folder: Path, role: str, most: int) -> int:
    """The lowest number that no other process holds; held until this process ends. Raises `NumbersTaken`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(most):
        if _locked(folder / f"{role}-{number}.lock"):
            return number
    raise NumbersTaken(f"{most} of {role} run on {folder.parent} already, and the role can have no more: start fewer copies")


def _locked(file: Path) -> bool:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True  # the open descriptor is the lock: it is closed by the end of the process
