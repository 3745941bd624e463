"""Copies of one container find out which worker they are: no two have one number, and a number outlives no process."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from pipeline.configuration import Configuration
from pipeline.deployment import resolve
from pipeline.worker_number import NumbersTaken, claim_number

CLAIM = """
import sys
from pathlib import Path
from pipeline.worker_number import claim_number
print(claim_number(Path(sys.argv[1]), sys.argv[2], 12), flush=True)
sys.stdin.read()
"""


def claimant(folder: Path, role: str) -> tuple[subprocess.Popen[str], int]:
    """A process with a number, which it holds until it ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(folder), role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_killed_worker_gives_its_number_to_the_next(tmp_path: Path) -> None:
    """Three copies are 0, 1 and 2; after kill -9 of the second its successor is 1 again; another role counts for itself."""
    folder = tmp_path / "workers"
    copies = [claimant(folder, "enrich") for _ in range(3)]
    killed(copies[1][0])
    copies += [claimant(folder, "enrich"), claimant(folder, "detect")]
    numbers = [number for _, number in copies]
    for process, _ in copies:
        killed(process)
    assert numbers == [0, 1, 2, 1, 0]


def test_there_are_no_more_workers_than_partitions(tmp_path: Path) -> None:
    """A second `alert` is told so."""
    process, _ = claimant(tmp_path / "live" / "workers", "alert")
    with pytest.raises(NumbersTaken, match="start fewer copies"):
        claim_number(tmp_path / "live" / "workers", "alert", 1)
    deployment = resolve(Configuration(), tmp_path, kafka="127.0.0.1:9", elasticsearch="http://127.0.0.1:9")
    deployment.save()
    result = CliRunner().invoke(main, ["role", "alert", "--deployment", str(deployment.file), "--worker", "auto"])
    killed(process)
    assert result.exit_code == 1
    assert "1 of alert run on" in result.output


@pytest.mark.parametrize("value", ["-1", "first", "1.5", ""])
def test_a_worker_is_a_number_or_auto(tmp_path: Path, value: str) -> None:
    """Anything else is refused with what is possible."""
    result = CliRunner().invoke(main, ["role", "enrich", "--deployment", str(tmp_path), "--worker", value])
    assert result.exit_code == 2
    assert "a number from 0, or 'auto'" in result.output


def test_prepare_needs_servers_of_its_own(tmp_path: Path) -> None:
    """Embedded ones belong to `nabiz up`; nothing is made, not even a key."""
    config = tmp_path / "nabiz.yaml"
    config.write_text("kafka: {bootstrap: '127.0.0.1:9'}\n")
    result = CliRunner().invoke(main, ["prepare", "--config", str(config), "--data", str(tmp_path / "data")])
    assert result.exit_code == 2
    assert "name both kafka and elasticsearch" in result.output
    assert not (tmp_path / "data").exists()
