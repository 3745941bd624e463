"""What happens to a machine: processes and supervisors that are killed, Ctrl-C at any moment, a disk that is full.

Minutes, with servers of its own: `make campaign-rough`.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]

POSTS = 3000
START = datetime(2026, 3, 10, 6, tzinfo=UTC)
MIB = 1024**2
WATCH = """
- {id: her-sey, title: Her şey, query: '*:*', level: page, on_call: nobetci, purpose: Kesintileri erken görmek,
   legal_basis: KVKK m.5/2-ç, owner: Basın, expires: 2099-12-31}
"""


class Machine:
    """A data folder, and the processes that work on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        (folder / "watches.yaml").write_text(WATCH, encoding="utf-8")
        (folder / "config.yaml").write_text("watches: [watches.yaml]\n", encoding="utf-8")
        self.posts = folder / "posts.jsonl"
        self.posts.write_text("".join(map(_post, range(POSTS))), encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pipeline.cli.main", *arguments, "--json", "--data", str(self.data)]
        if arguments[0] in ("up", "replay"):
            command += ["--ports", "auto", "--config", str(self.folder / "config.yaml")]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def run(self, *arguments: str, timeout_secs: float = 600) -> tuple[int, Any, str]:
        """Exit code, the one JSON value, and what was said beside it."""
        process = self.start(*arguments)
        return answer(process, timeout_secs)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run("status")[1]
        return found

    def lag(self, namespace: str) -> dict[str, int]:
        found: dict[str, int] | None = self.run("status", "--namespace", namespace)[1].get("lag")
        return found or {}

    def replay(self, name: str) -> tuple[int, Any, str]:
        return self.run("replay", str(self.posts), "--name", name)

    def processes(self) -> list[int]:
        """All whose command line names the folder, but not this one."""
        return [
            int(path.name) for path in Path("/proc").iterdir()
            if path.name.isdigit() and int(path.name) != os.getpid() and str(self.data).encode() in _command_line(path)
        ]  # fmt: skip


def answer(process: subprocess.Popen[str], timeout_secs: float = 600) -> tuple[int, Any, str]:
    output, said = process.communicate(timeout=timeout_secs)
    assert "Traceback" not in said
    return process.returncode, json.loads(output) if output else None, said


def _post(number: int) -> str:
    fields = {
        "id": f"p{number}", "published_at": (START + timedelta(seconds=10 * number)).isoformat(), "author": str(number % 300),
        "text": f"{number % 40} gündür sular akmıyor",
    }  # fmt: skip
    return json.dumps(fields) + "\n"


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def until(condition: Callable[[], object], what: str, secs: float = 120) -> None:
    deadline = time.monotonic() + secs
    while not condition():
        assert time.monotonic() < deadline, f"not within {secs:g} s: {what}"
        os.sched_yield()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.run("down")
    until(lambda: not made.processes(), "no process is left", 60)


def test_whoever_is_killed_comes_back_and_nobody_outlives_the_supervisor(machine: Machine) -> None:
    """Each role and each server in turn, then the supervisor itself; the data is there at the next start."""
    code, _, said = machine.run("up", "--detach")
    assert code == 0, said
    for name in machine.status()["processes"]:
        until(lambda name=name: _process(machine, name), f"{name} runs")  # a role may end with a server that was killed
        killed = _process(machine, name)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda name=name, killed=killed: _process(machine, name) not in (None, killed), f"{name} is back")
    assert machine.run("up")[0] == machine.run("up", "--detach")[0] == 2
    assert machine.replay("a")[1]["indexed"] == POSTS
    os.kill(machine.status()["pid"], signal.SIGKILL)
    until(lambda: not machine.processes(), "the supervisor's children have ended", 30)
    assert machine.run("status")[1]["running"] is False
    assert machine.run("down")[1] == {"stopped": False}
    assert machine.run("up", "--detach")[0] == 0
    assert machine.replay("a")[1]["indexed"] == POSTS


def _process(machine: Machine, name: str) -> int | None:
    child: dict[str, Any] = machine.status().get("processes", {}).get(name, {})
    return child.get("pid")


def test_another_key_is_refused(machine: Machine) -> None:
    """And none at all."""
    assert machine.run("up", "--detach")[0] == 0
    machine.run("down")
    key = machine.data / "secrets" / "hmac.key"
    key.write_text("x" * 40)
    assert "another HMAC key" in machine.run("up")[1]["error"]
    key.unlink()
    assert "is missing" in machine.run("up", "--detach")[1]["error"]


@pytest.mark.parametrize("again", [False, True], ids=["once", "and-again-during-the-stop"])
def test_ctrl_c_at_any_moment_loses_and_doubles_nothing(machine: Machine, again: bool) -> None:
    """During the start, while roles start, in the middle; then the run goes on to its end."""
    logs = machine.data / "replay-a" / "logs"
    moments: list[Callable[[], object]] = [
        (machine.data / "run" / "state.json").exists,
        (machine.data / "kafka" / "console.log").exists,
        (logs / "enrich-0.log").exists,
        (logs / "source-0.log").exists,
        lambda: any(machine.lag("replay-a").values()),
    ]
    for moment in moments:
        process = machine.start("replay", str(machine.posts), "--name", "a")
        until(lambda moment=moment, process=process: moment() or process.poll() is not None, "the moment has come")
        process.send_signal(signal.SIGINT)
        if again:
            process.send_signal(signal.SIGINT)
        code, told, _ = answer(process, 120)
        assert code in (0, 130, -signal.SIGINT)
        assert told is None or code == 0 or "stopped" in told["error"]
        until(lambda: not machine.processes(), "no process is left", 30)
    code, told, said = machine.replay("a")
    assert code == 0, said
    assert (told["read"], told["admitted"], told["indexed"]) == (POSTS, POSTS, POSTS)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900m", "tmpfs", str(folder)], check=False).returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_named_and_with_room_again_the_run_ends(small_disk: Path) -> None:
    """Filled in the middle of a run; nothing is lost or doubled."""
    machine = Machine(small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 700 * MIB)
    assert "make room" in machine.replay("a")[1]["error"]
    ballast.unlink()
    process = machine.start("replay", str(machine.posts), "--name", "a")
    until((machine.data / "replay-a" / "logs" / "source-0.log").exists, "the source runs")
    with ballast.open("wb") as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 65536)
            file.flush()
    code, told, said = answer(process)
    assert "the disk is full" in said
    ballast.unlink()
    if code != 0:
        assert "the disk is full" in told["error"]
        code, told, said = machine.replay("a")
    assert code == 0, said
    assert (told["read"], told["indexed"]) == (POSTS, POSTS)
    assert machine.processes() == []
