"""Nothing reports home: the runtime of the model would, unless it is told not to before it is imported."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
from pipeline.tone import SentimentSettings, open_tone
open_tone(SentimentSettings()).judge(["Sular yine kesildi"])
"""


def test_the_model_s_runtime_leaves_no_identifier(tmp_path: Path) -> None:
    """It writes one into the home folder before it sends anything; with our package imported first the folder stays empty."""
    # Where these are set it keeps still by itself, and the test would prove nothing.
    hushing = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in hushing} | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True)
    assert list(tmp_path.iterdir()) == []
