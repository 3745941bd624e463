"""A worker that is ended by force is gone, even if nobody reads what it says."""

import subprocess
import sys
from pathlib import Path

from pipeline.worker import EXIT_BUG

NOBODY_READS = """
import asyncio
import logging
import threading
import pipeline.worker

pipeline.worker.SAY_SECS = 0.2
pipeline.worker.log_to_stderr("hangs")
loop = asyncio.new_event_loop()
threading.Timer(0.5, pipeline.worker._end_by_force, (loop,)).start()
print("full", flush=True)
while True:
    logging.getLogger("pipeline").error("x" * 1000)
"""


def test_a_worker_whose_log_nobody_reads_is_ended_all_the_same() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", NOBODY_READS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == b"full\n"
        assert process.wait(timeout=20) == EXIT_BUG
    finally:
        process.kill()
        process.communicate()
