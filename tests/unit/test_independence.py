"""What must not depend on what, beyond the directions of imports that `make check` knows."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOADED = "import pipeline.roles.{role}, sys; print([name for name in {names!r} if name in sys.modules])"


def loaded_by(role: str, *names: str) -> str:
    code = LOADED.format(role=role, names=names)
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    return found.stdout.strip()


def test_the_way_to_an_alert_knows_no_elasticsearch() -> None:
    """Not even its client: alerts work when the index is down, which is when everybody searches."""
    for role in ("enrich", "detect", "alert"):
        assert loaded_by(role, "elasticsearch", "connectors.elasticsearch") == "[]", role


def test_only_enrich_loads_the_model_s_libraries() -> None:
    """Every other role starts in a second and stays small."""
    for role in ("index", "detect", "alert"):
        assert loaded_by(role, "transformers", "torch", "onnxruntime") == "[]", role
