"""Builds the servers of deploy/embedded with Maven, once per change of their sources."""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

SOURCES = Path(__file__).resolve().parents[2] / "deploy" / "embedded"
OUTPUT = SOURCES / "target"
KAFKA_HOME = OUTPUT / "kafka-home"
ELASTICSEARCH_HOME = OUTPUT / "es-home"

OLDEST_JAVA = 17
BUILD_TIMEOUT_SECS = 20 * 60
"""A first build downloads about 140 MB: 10 s on a good line, minutes on a bad one."""

POLL_SECS = 0.2

_STAMP = OUTPUT / "sources.sha256"
_LOG = OUTPUT / "build.log"
_REMEDY = "On Debian or Ubuntu: apt-get install openjdk-17-jdk maven"
_DOWNLOAD_FAILED = re.compile(r"Could not (transfer|find|resolve)|Unknown host|Network is unreachable|timed out")


class ServersUnavailable(RuntimeError):
    """The embedded servers cannot be had on this machine; the message says what to install or to change."""


class BuildStopped(Exception):
    """The user asked to stop during the build; the next one starts anew."""


def built() -> bool:
    """Whether the homes on disk come from the sources on disk. Reads a few small files; starts nothing."""
    return (
        _STAMP.is_file()
        and _STAMP.read_text(encoding="ascii").strip() == sources_digest()
        and (KAFKA_HOME / "lib").is_dir()
        and (ELASTICSEARCH_HOME / "lib").is_dir()
    )


def ensure_built(report: Callable[[str], None] = print, stopped: Callable[[], bool] = lambda: False) -> None:
    """Build unless `built()`; blocks for seconds to minutes. `report` receives one line before and one after.

    Two processes may call this at once: the second waits and finds the work done. `stopped` is asked again and again.
    Raises ServersUnavailable, `BuildStopped`.
    """
    if not SOURCES.is_dir():
        raise ServersUnavailable(
            "The embedded servers are built from deploy/embedded of a source checkout, and this installation has none. "
            "Run from a checkout, or name a Kafka and an Elasticsearch of your own in the configuration."
        )
    if built():
        return
    with _build_lock(stopped):
        if not built():
            _build(report, stopped)


def sources_digest() -> str:
    """One number for everything that the build reads: names and contents of the poms and of src/."""
    digest = hashlib.sha256()
    for path in sorted(_source_files()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(SOURCES).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def find_java() -> Path:
    """The `java` that runs the servers: of JAVA_HOME, else of PATH. A JRE is enough once they are built.

    Raises ServersUnavailable when there is none of version 17 or later.
    """
    return _find_tool("java", "running the embedded servers needs a Java runtime (17 or later).")


def find_jdk() -> Path:
    """The folder of a JDK: JAVA_HOME when it has a compiler, else where the `javac` on PATH belongs.

    Raises ServersUnavailable when there is none of version 17 or later.
    """
    javac = _find_tool("javac", "building the embedded servers needs a JDK (17 or later, with javac).")
    return javac.resolve().parent.parent


def find_maven() -> Path:
    """The `mvn` on PATH. Raises ServersUnavailable when there is none."""
    mvn = shutil.which("mvn")
    if mvn is None:
        raise ServersUnavailable(f"No mvn on PATH: building the embedded servers needs Maven. {_REMEDY}")
    return Path(mvn)


def _source_files() -> Iterator[Path]:
    yield SOURCES / "pom.xml"
    for module in sorted(SOURCES.glob("*/pom.xml")):
        yield module
        yield from (path for path in (module.parent / "src").rglob("*") if path.is_file())


@contextmanager
def _build_lock(stopped: Callable[[], bool]) -> Iterator[None]:
    try:
        OUTPUT.mkdir(exist_ok=True)
        lock = (OUTPUT / "build.lock").open("w", encoding="ascii")
    except OSError as error:
        raise ServersUnavailable(f"The embedded servers are not built, and their folder cannot be written: {error}") from error
    with lock:  # closing the file gives the lock back, however the build ends
        while not _locked(lock):
            if stopped():
                raise BuildStopped
            time.sleep(POLL_SECS)  # noqa: TID251 - until the other process has built, which has a deadline
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _build(report: Callable[[str], None], stopped: Callable[[], bool]) -> None:
    jdk, mvn = find_jdk(), find_maven()
    digest = sources_digest()  # before: a file changed during the build must lead to another one
    report("building Kafka and Elasticsearch from their published libraries (the first time downloads about 140 MB) …")
    began = time.monotonic()
    _STAMP.unlink(missing_ok=True)
    _run_maven(mvn, jdk, stopped)
    _STAMP.write_text(digest + "\n", encoding="ascii")
    report(f"… built in {time.monotonic() - began:.0f} s")


def _run_maven(mvn: Path, jdk: Path, stopped: Callable[[], bool]) -> None:
    with _LOG.open("w", encoding="utf-8") as log:
        maven = subprocess.Popen(
            [str(mvn), "-q", "-B", "package"],
            cwd=SOURCES,
            env=_maven_environment(jdk),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: Maven is ended below, with all that it started
        )
    try:
        code = _wait_for(maven, stopped)
    finally:
        if maven.poll() is None:
            os.killpg(maven.pid, signal.SIGKILL)
            maven.wait()
    if code != 0:
        raise ServersUnavailable(_failure(_LOG.read_text(encoding="utf-8", errors="replace")))


def _wait_for(maven: subprocess.Popen[bytes], stopped: Callable[[], bool]) -> int:
    deadline = time.monotonic() + BUILD_TIMEOUT_SECS
    while time.monotonic() < deadline:
        if stopped():
            raise BuildStopped
        try:
            return maven.wait(POLL_SECS)
        except subprocess.TimeoutExpired:
            continue
    raise ServersUnavailable(f"Building the embedded servers took more than {BUILD_TIMEOUT_SECS} s; see {_LOG}")


def _maven_environment(jdk: Path) -> dict[str, str]:
    # All of ours, because a proxy or a mirror may be named there. English, because Maven and its plugins
    # lower-case names by the default locale, and in Turkish "I" becomes "ı".
    english = "-Duser.language=en -Duser.country=US"
    return {
        **os.environ,
        "JAVA_HOME": str(jdk),
        "LC_ALL": "C.UTF-8",
        "MAVEN_OPTS": f"{os.environ.get('MAVEN_OPTS', '')} {english}".strip(),
    }


def _failure(log: str) -> str:
    errors = [line for line in log.splitlines() if "[ERROR]" in line and line.strip() != "[ERROR]"][:4]
    hint = (
        "Maven could not download: check the network, or name your mirror or proxy in Maven's settings.xml."
        if _DOWNLOAD_FAILED.search(log)
        else "If the build worked before, delete deploy/embedded/target and try again."
    )
    return "\n".join(["Building the embedded servers failed.", *errors, hint, f"All of Maven's output: {_LOG}"])


def _find_tool(name: str, need: str) -> Path:
    tried: list[str] = []
    for path in _candidates(name):
        version = _java_version(path)
        if version is not None and version >= OLDEST_JAVA:
            return path
        tried.append(f"{path} is " + (f"version {version}" if version else "not usable"))
    found = "; ".join(tried) or f"no {name} in JAVA_HOME or on PATH"
    raise ServersUnavailable(f"{found}: {need} {_REMEDY}")


def _candidates(name: str) -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / name).is_file():
        yield Path(home) / "bin" / name
    on_path = shutil.which(name)
    if on_path is not None:
        yield Path(on_path)


def _java_version(tool: Path) -> int | None:
    """None when it does not run: on macOS `javac` exists without a JDK and only says where to get one."""
    try:
        said = subprocess.run([str(tool), "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'(?:javac |version ")(\d+)', said.stdout + said.stderr)
    return int(match.group(1)) if match else None
