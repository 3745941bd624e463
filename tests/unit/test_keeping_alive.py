"""A process that cannot be kept alive, a disk that is full, a build that is broken off: said, and nothing left behind."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest.mock import Mock

import pytest

from pipeline.configuration import Configuration
from pipeline.launch import preflight
from pipeline.servers import build
from pipeline.servers.build import BuildStopped, ensure_built
from pipeline.supervisor.children import FAILURES_IN_A_ROW, ChildSpec
from pipeline.supervisor.disk import ENOUGH_AGAIN, LEAST_AT_START, LEAST_AT_WORK, LOOK_SECS, DiskFull, DiskWatch, require_room
from pipeline.supervisor.run_state import RunFolder
from pipeline.supervisor.supervisor import KeepsFailing, Supervisor
from pipeline.tone import SentimentSettings, StoredLabelsUnusable
from processors.sentiment.classifier import ModelUnusable


class Usage(NamedTuple):
    free: int


FAILS = "import sys; print('starting', flush=True); sys.exit('the model is broken')"


def fail_until(supervisor: Supervisor, condition: Callable[[], object]) -> None:
    """Tend without waiting for the pauses between starts."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        supervisor.child("enrich-0").wait_until = 0.0
        supervisor.tend()
        os.sched_yield()


def spec(folder: Path, code: str) -> ChildSpec:
    return ChildSpec(name="enrich-0", command=(sys.executable, "-c", code), log=folder / "logs" / "enrich-0.log")


def test_a_run_with_an_end_gives_up_on_a_role_that_cannot_start(tmp_path: Path) -> None:
    """With its name and its last words; until then it was tried again and again."""
    with (
        Supervisor(RunFolder(tmp_path / "run"), Mock(), gives_up=True) as supervisor,
        pytest.raises(KeepsFailing, match=r"enrich-0 ended 5 times in a row .* exit code 1: the model is broken"),
    ):
        supervisor.start_role(spec(tmp_path, FAILS))
        fail_until(supervisor, lambda: False)


def test_the_live_system_tries_on_and_says_so(tmp_path: Path) -> None:
    """In its output and in the state that 'nabiz status' shows."""
    said: list[str] = []
    run = RunFolder(tmp_path / "run")
    with Supervisor(run, said.append) as supervisor:
        supervisor.start_role(spec(tmp_path, FAILS))
        fail_until(supervisor, lambda: supervisor.child("enrich-0").failures > FAILURES_IN_A_ROW)
        state = run.read()
    assert "the model is broken (5 times in a row)" in "\n".join(said)
    assert state is not None
    assert state.children["enrich-0"]["problem"] == "exit code 1: the model is broken"


def test_a_role_that_is_killed_is_no_role_that_cannot_start(tmp_path: Path) -> None:
    """However often somebody does it."""
    with Supervisor(RunFolder(tmp_path / "run"), Mock(), gives_up=True) as supervisor:
        supervisor.start_role(spec(tmp_path, "import os; os.kill(os.getpid(), 9)"))
        child = supervisor.child("enrich-0")
        fail_until(supervisor, lambda: child.restarts > FAILURES_IN_A_ROW)
        assert child.failures == 0


def test_others_see_at_once_who_starts_here(tmp_path: Path) -> None:
    """And nothing of one that was killed, whose process id may be anybody's by now."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.json").write_text('{"pid": 1, "kafka": "old:1", "elasticsearch": "", "children": {}}')
    run = RunFolder(tmp_path / "run")
    assert run.read() is None
    with Supervisor(run, Mock(), command="nabiz replay --name a"):
        state = run.read()
    assert state is not None
    assert (state.pid, state.kafka, state.ready, state.command) == (os.getpid(), "", False, "nabiz replay --name a")


def test_a_state_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and written when there is room again."""
    said: list[str] = []
    run = RunFolder(tmp_path / "run")
    with Supervisor(run, said.append) as supervisor:
        with monkeypatch.context() as full:
            full.setattr(run, "write", Mock(side_effect=OSError(28, "No space left on device")))
            supervisor.start_role(spec(tmp_path, "import sys; sys.stdin.read()"))
            supervisor.tend()
        supervisor.tend()
        state = run.read()
    assert said == ["the state for 'nabiz status' cannot be written: No space left on device"]
    assert state is not None
    assert "enrich-0" in state.children


# -- disk -----------------------------------------------------------------------------------------------------------------


def test_a_full_disk_is_told_once_and_so_is_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not be looked at, or told, at every turn."""
    free = Mock(side_effect=[Usage(LEAST_AT_WORK), *[Usage(1)] * 4, Usage(LEAST_AT_WORK), Usage(ENOUGH_AGAIN)])
    monkeypatch.setattr("shutil.disk_usage", free)
    disk = DiskWatch(tmp_path)
    told = [disk.change(LOOK_SECS * turn / 2) for turn in range(12)]
    assert [line[:20] for line in told if line] == ["the disk is full: 0 ", "there is room again "]


def test_too_little_room_is_told_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a folder that does not exist yet."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(LEAST_AT_START - 1))
    with pytest.raises(DiskFull, match="make room, or choose a folder on another disk with --data"):
        require_room(tmp_path / "a" / "b")


# -- before the start -----------------------------------------------------------------------------------------------------


def test_what_would_keep_a_role_from_starting_is_told_before_the_servers_start(tmp_path: Path) -> None:
    """A model that is not there, and labels that are not."""
    with pytest.raises(ModelUnusable, match="no model folder at"):
        preflight(Configuration(sentiment=SentimentSettings(model=tmp_path / "nowhere")))
    with pytest.raises(StoredLabelsUnusable, match=r"cannot read .*nowhere"):
        preflight(Configuration(sentiment=SentimentSettings(stored_labels=tmp_path / "nowhere")))
    (tmp_path / "labels.jsonl").write_text("{}\n")
    with pytest.raises(StoredLabelsUnusable, match=r"labels.jsonl, line 1: "):
        preflight(Configuration(sentiment=SentimentSettings(stored_labels=tmp_path / "labels.jsonl")))
    preflight(Configuration())


def test_a_build_that_is_broken_off_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Maven starts others, which end with it."""
    pid_file = tmp_path / "pid"
    maven = tmp_path / "mvn"
    maven.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {pid_file}\nwait\n")
    maven.chmod(0o755)
    monkeypatch.setattr(build, "OUTPUT", tmp_path)
    monkeypatch.setattr(build, "_LOG", tmp_path / "build.log")
    monkeypatch.setattr(build, "_STAMP", tmp_path / "stamp")
    monkeypatch.setattr(build, "find_jdk", lambda: tmp_path)
    monkeypatch.setattr(build, "find_maven", lambda: maven)
    with pytest.raises(BuildStopped):
        ensure_built(Mock(), lambda: pid_file.exists() and bool(pid_file.read_text()))
    started = int(pid_file.read_text())
    deadline = time.monotonic() + 30
    while _runs(started):
        assert time.monotonic() < deadline
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
