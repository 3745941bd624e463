"""Where no supervisor runs, `nabiz housekeeping` destroys the keys of days that are over, says that it lives, and ends when asked."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from connectors.day_keys import KEPT_DAYS
from pipeline.audit import Action, audit_file, read
from pipeline.deployment import wall_clock
from pipeline.secrets import day_keys


def test_old_keys_go_and_new_ones_stay(tmp_path: Path) -> None:
    """The destruction is in the audit log."""
    data, heartbeat, today = tmp_path / "data", tmp_path / "heartbeat", wall_clock().date()
    keys, old = day_keys(data), wall_clock().date() - timedelta(days=KEPT_DAYS + 2)
    keys.public(old)
    keys.public(today)
    command = ["housekeeping", "--data", str(data), "--heartbeat", str(heartbeat)]
    process = subprocess.Popen([sys.executable, "-m", "pipeline.cli.main", *command], stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not heartbeat.exists() and time.monotonic() < deadline:
        time.sleep(0.1)  # noqa: TID251 - a condition with a deadline
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert heartbeat.exists()
    assert keys.days() == [today]
    [entry] = read(audit_file(data))
    assert (entry.action, entry.subject) == (Action.KEY_DESTROYED, (str(old),))
