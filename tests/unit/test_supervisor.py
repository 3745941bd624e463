"""What has died is started again, what is asked to stop stops in order, and a data folder has one owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.supervisor.children import FIRST_BACKOFF_SECS, LONGEST_BACKOFF_SECS, STEADY_SECS, Child, ChildSpec, describe_exit
from pipeline.supervisor.run_state import AlreadyRunning, RunFolder, RunState
from pipeline.supervisor.supervisor import Supervisor

ROOT = Path(__file__).parents[2]
LIVES = "import sys; sys.stdin.read()"  # until its standard input closes
FOREVER = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); sys.stdin.read(); signal.pause()"
STATE = RunState(os.getpid(), "127.0.0.1:1", "http://127.0.0.1:2", {"enrich-0": {"pid": 3, "restarts": 0, "log": "x"}})


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., ChildSpec]:
    def make(code: str, name: str = "deneme", *, stop_secs: float = 20.0, once: bool = False) -> ChildSpec:
        return ChildSpec(
            name=name, command=(sys.executable, "-c", code), log=tmp_path / "log" / f"{name}.log", stop_secs=stop_secs, once=once
        )

    return make


@pytest.fixture
def started(spec: Callable[..., ChildSpec]) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def start(code: str, **settings: object) -> Child:
        child = Child(spec(code, **settings))
        children.append(child)
        child.start()
        return child

    yield start
    for child in children:
        if child.process is not None:
            child.process.kill()
            child.wait_stopped()


def ended(child: Child) -> None:
    assert child.process is not None
    child.process.wait(30)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"not within 30 s: {what}"
        os.sched_yield()


# -- one child ----------------------------------------------------------------------------------------------------------


def test_what_dies_is_started_again_after_a_pause_that_doubles(started: Callable[..., Child]) -> None:
    """So that a role that cannot start does not burn the machine; the pause has an end."""
    child = started("import sys; sys.exit(7)")
    pauses = []
    for restart in range(1, 9):
        ended(child)
        now = child.started_at
        line = child.tend(now)
        pauses.append(child.wait_until - now)
        assert line is not None
        assert line.startswith("deneme: ended with exit code 7: it wrote nothing")
        assert line.endswith(f"; next start in {pauses[-1]:g} s; see {child.spec.log}")
        assert child.pid is None
        assert child.tend(now + pauses[-1] - 0.01) is None
        assert child.tend(now + pauses[-1]) == f"deneme: started again (restart {restart})"
    assert pauses == [FIRST_BACKOFF_SECS * 2**number for number in range(6)] + [LONGEST_BACKOFF_SECS] * 2


def test_who_has_run_steadily_begins_with_the_first_pause_again(started: Callable[..., Child]) -> None:
    """An accident a week later is no series of accidents."""
    child, now = started("raise SystemExit(7)"), time.monotonic()
    for _ in range(3):
        ended(child)
        child.tend(now)
        child.tend(child.wait_until)
    ended(child)
    later = child.started_at + STEADY_SECS + 1
    child.tend(later)
    assert child.wait_until - later == FIRST_BACKOFF_SECS


def test_a_running_child_is_left_alone(started: Callable[..., Child]) -> None:
    """It has a process id."""
    child = started(LIVES)
    assert child.tend(time.monotonic()) is None
    assert child.pid == child.process.pid


def test_work_that_is_done_is_not_begun_again(started: Callable[..., Child]) -> None:
    """But one that has failed is."""
    child = started("pass", once=True)
    ended(child)
    assert child.tend(0.0) == "deneme: done"
    assert child.done
    assert child.tend(1e12) is None
    failed = started("raise SystemExit(1)", once=True)
    ended(failed)
    failed.tend(0.0)
    assert not failed.done
    assert failed.tend(1e12) == "deneme: started again (restart 1)"


def test_a_child_ends_with_its_supervisor(started: Callable[..., Child]) -> None:
    """Its standard input closes."""
    child = started(LIVES)
    assert child.process is not None
    assert child.process.stdin is not None
    child.process.stdin.close()
    ended(child)
    assert child.process.returncode == 0


def test_who_does_not_stop_is_stopped(started: Callable[..., Child]) -> None:
    """When its time is over."""
    child = started(FOREVER, stop_secs=0.2)
    until(child.spec.log.read_bytes, "the child ignores SIGTERM")
    process = child.process
    child.terminate()
    child.wait_stopped()
    assert child.pid is None
    assert process.returncode == -signal.SIGKILL


def test_the_last_words_tell_why(started: Callable[..., Child]) -> None:
    """Of this run, and no part of a stack; who fails again and again is known as such."""
    child = started("print('Kafka does not answer', flush=True); raise ValueError('invented')")
    for _ in range(8):
        ended(child)
        child.tend(0.0)
        assert child.problem == "exit code 1: ValueError: invented"
        child.tend(1e9)
    assert child.keeps_failing


def test_output_goes_to_the_log_of_the_child(started: Callable[..., Child]) -> None:
    """Of every run, one behind the other."""
    child = started("import sys; print('out'); print('err', file=sys.stderr)")
    ended(child)
    child.tend(0.0)
    child.tend(1e9)
    ended(child)
    assert sorted(child.spec.log.read_text(encoding="utf-8").split()) == ["err", "err", "out", "out"]


def test_an_exit_is_told_in_words() -> None:
    """A signal is no exit code."""
    assert (describe_exit(70), describe_exit(-9)) == ("exit code 70", "signal 9")


# -- the run folder -----------------------------------------------------------------------------------------------------


def test_a_data_folder_has_one_owner(tmp_path: Path) -> None:
    """The second one is told who it is and what to do."""
    first, second = RunFolder(tmp_path / "data" / "run"), RunFolder(tmp_path / "data" / "run")
    first.lock()
    first.write(STATE)
    with pytest.raises(AlreadyRunning) as refused:
        second.lock()
    assert str(refused.value) == (
        f"Nabız is running on {tmp_path / 'data'} already (nabiz up, process {os.getpid()}): look with 'nabiz status', "
        "stop it with 'nabiz down', or choose another folder with --data"
    )
    first.clear()
    second.lock()
    second.clear()


def test_others_read_the_state_while_its_owner_lives(tmp_path: Path) -> None:
    """And see nothing afterwards, whatever it left behind."""
    reader = RunFolder(tmp_path / "run")
    assert not reader.locked()
    assert reader.read() is None
    owner = RunFolder(tmp_path / "run")
    owner.lock()
    assert reader.locked()
    assert reader.read() is None  # nothing published yet
    owner.write(STATE)
    assert reader.read() == owner.read() == STATE
    owner.clear()
    assert reader.read() is None


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    """Also when it is killed and cleans up nothing."""
    code = (
        "import sys; from pathlib import Path; from pipeline.supervisor.run_state import *\n"
        f"folder = RunFolder(Path({str(tmp_path)!r})); folder.lock(); folder.write(RunState(1, 'k', 'e', {{}}))\n"
        "print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"locked\n"
        reader = RunFolder(tmp_path)
        assert reader.read() is not None
        owner.kill()
    assert not reader.locked()
    assert reader.read() is None
    reader.lock()
    reader.clear()


# -- the supervisor -----------------------------------------------------------------------------------------------------


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, lines: list[str]) -> Iterator[Supervisor]:
    with Supervisor(RunFolder(tmp_path / "run"), lines.append) as found:
        yield found


def state(tmp_path: Path) -> RunState:
    found = RunFolder(tmp_path / "run").read()
    assert found is not None
    return found


def test_a_killed_role_comes_back_and_the_state_says_so(
    supervisor: Supervisor, spec: Callable[..., ChildSpec], tmp_path: Path, lines: list[str]
) -> None:
    """With another process id, a count and two lines for the log."""
    supervisor.use("kafka", "127.0.0.1:1")
    supervisor.start_role(spec(LIVES, "detect-0"))
    before = supervisor.pids()["detect-0"]
    assert before is not None
    os.kill(before, signal.SIGKILL)
    supervisor.run(until=lambda: len(lines) == 2)
    after = supervisor.pids()["detect-0"]
    assert after not in (None, before)
    found = state(tmp_path)
    assert (found.pid, found.kafka) == (os.getpid(), "127.0.0.1:1")
    assert (found.children["detect-0"]["pid"], found.children["detect-0"]["restarts"]) == (after, 1)
    assert lines[0].startswith("detect-0: ended with signal 9")
    assert "; next start in 0.5 s; see " in lines[0]
    assert lines[1] == "detect-0: started again (restart 1)"


def test_a_paused_child_stays_away_until_the_end_of_the_block(
    supervisor: Supervisor, spec: Callable[..., ChildSpec], lines: list[str]
) -> None:
    """The supervisor does not start it meanwhile, and keeps it alive afterwards."""
    supervisor.start_role(spec(LIVES, "index-0"))
    before = supervisor.pids()["index-0"]
    with supervisor.paused("index-0"):
        supervisor.tend()
        assert "index-0" not in supervisor.pids()
        with pytest.raises(ProcessLookupError):
            os.kill(before, 0)
    after = supervisor.pids()["index-0"]
    assert after not in (None, before)
    assert lines == []
    os.kill(after, signal.SIGKILL)
    supervisor.run(until=lambda: len(lines) == 2)
    assert supervisor.pids()["index-0"] is not None


def test_a_failing_block_brings_the_child_back_as_well(supervisor: Supervisor, spec: Callable[..., ChildSpec]) -> None:
    """Whatever happens in it."""
    supervisor.start_role(spec(LIVES, "index-0"))

    def fail() -> None:
        with supervisor.paused("index-0"):
            raise KeyError("invented")

    with pytest.raises(KeyError):
        fail()
    assert supervisor.pids()["index-0"] is not None


def test_leaving_stops_every_child_and_gives_the_folder_back(tmp_path: Path, spec: Callable[..., ChildSpec]) -> None:
    """Also when the body fails."""
    run = RunFolder(tmp_path / "run")
    pids: dict[str, int | None] = {}

    def fail() -> None:
        with Supervisor(run, lambda _: None) as supervisor:
            for number in range(2):
                supervisor.start_role(spec(LIVES, f"enrich-{number}"))
            pids.update(supervisor.pids())
            raise KeyError("invented")

    with pytest.raises(KeyError):
        fail()
    for name, pid in pids.items():
        if name != "supervisor":
            assert pid is not None
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
    assert RunFolder(tmp_path / "run").read() is None


def test_a_signal_asks_to_stop_and_does_not_cut_off(supervisor: Supervisor) -> None:
    """The handlers of before come back afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    with supervisor.until_asked_to_stop():
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.run()
        assert supervisor.stopping.is_set()
    assert signal.getsignal(signal.SIGTERM) is before
