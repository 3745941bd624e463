"""What the code reads beside itself is in the wheel, hence in the image, and not only in a checkout."""

import tomllib
from pathlib import Path

from processors.sentiment.artefact import DESCRIPTION_FILE, WEIGHTS
from processors.text.diacritics import WEIGHTS_FILE

ROOT = Path(__file__).parents[2]
READ_AT_RUN_TIME = (
    WEIGHTS_FILE,
    ROOT / "processors/sentiment/model" / WEIGHTS,
    ROOT / "processors/sentiment/model" / DESCRIPTION_FILE,
    *(ROOT / "processors/sentiment/behaviour").glob("*.yaml"),
    *(ROOT / "pipeline/report").glob("*.j2"),
    *(ROOT / "pipeline/demo").glob("**/*.yaml"),
)


def test_data_beside_the_code_is_packed() -> None:
    """By the patterns of pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    packed = {
        file for package, patterns in settings.items() for pattern in patterns
        for file in ROOT.joinpath(*package.split(".")).glob(pattern)
    }  # fmt: skip
    assert len(READ_AT_RUN_TIME) > 10
    assert [str(file.relative_to(ROOT)) for file in READ_AT_RUN_TIME if file not in packed] == []
