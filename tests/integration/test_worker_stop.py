"""A worker that was asked to stop is gone soon, whatever Faust waits for."""

import subprocess
import sys
import uuid
from pathlib import Path

from connectors.kafka import KafkaSettings, create_topics
from pipeline.worker import EXIT_BUG
from tests.servers_fixture import Servers

HANGS = """
import asyncio
import sys
from pathlib import Path
import pipeline.worker
from connectors.kafka import KafkaSettings
from schemas.topics import SIGNALS

async def forever(*_, **__):
    await asyncio.Event().wait()

async def turning():
    print("turning", flush=True)

async def nothing(stream):
    async for _ in stream:
        pass

pipeline.worker.STOP_SECS = 0.5
pipeline.worker.log_to_stderr("hangs")
kafka = KafkaSettings(bootstrap=sys.argv[1], prefix=sys.argv[3])
app = pipeline.worker.make_app(kafka, "hangs", 0, Path(sys.argv[2]))
app.agent(app.topic(kafka.topic(SIGNALS)))(nothing)
app.on_before_shutdown.connect(forever, weak=False)
app.timer(0.1)(turning)
pipeline.worker.run(app)
"""


def test_a_stop_that_hangs_is_ended_by_force_and_says_what_hung(servers: Servers, tmp_path: Path) -> None:
    prefix = f"t{uuid.uuid4().hex[:10]}-"
    create_topics(KafkaSettings(bootstrap=servers.kafka, prefix=prefix))
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS, servers.kafka, str(tmp_path), prefix],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        assert process.stdout
        assert "turning" in process.stdout.readline()  # after an escape sequence of a spinner
        process.terminate()
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == EXIT_BUG
    assert "ended by force" in said
    assert "forever" in said
