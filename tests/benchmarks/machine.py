"""What the figures were measured on: without it they mean nothing."""

import os
import platform
import re
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.servers.build import find_java

PACKAGES = ("onnxruntime", "transformers", "tokenizers", "faust-streaming", "aiokafka", "kafka-python", "elasticsearch", "torch")
BUSY_LOAD = 0.5
QUIET_WITHIN_SECONDS = 240
"""The load is a mean of about a minute: whatever ran just before counts for as long as that, and longer if it was much."""


def describe() -> dict[str, str]:
    """Machine, load of others, versions, commit."""
    found = {
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {_java()}",
        "load before the start": f"{os.getloadavg()[0]:.2f}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "commit": _commit(),
    }
    if os.getloadavg()[0] > BUSY_LOAD:
        found["warning"] = "other programs run on this machine: the figures are not to be published"
    return found


def await_quiet(
    *,
    load: Callable[[], float] = lambda: os.getloadavg()[0],
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,  # noqa: TID251 - a condition with a deadline
) -> None:
    """Until a program that ended just now no longer counts in the load, which would read as if another one ran; not for ever."""
    end = now() + QUIET_WITHIN_SECONDS
    while (busy := load()) > BUSY_LOAD and now() < end:
        print(f"waiting: the load is {busy:.2f}; something runs, or ran just before", flush=True)
        pause(10)


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"model name\s*:\s*(.+)", text)
    kinds = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "amx_int8") if re.search(rf"\b{flag}\b", text)]
    return f"{name.group(1) if name else platform.machine()} ({', '.join(kinds)})"


def _java() -> str:
    said = subprocess.run([str(find_java()), "-version"], capture_output=True, text=True, check=True)
    return said.stderr.splitlines()[0].strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not there"


def _commit() -> str:
    root = Path(__file__).parents[2]

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False).stdout.strip()

    changed = " with uncommitted changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + changed
