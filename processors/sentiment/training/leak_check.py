"""Compares what a training was shown with what its model is measured and calibrated on: `make model-card` calls it.

python -m processors.sentiment.training.leak_check DATA FOLDER-OF-TEXTS
"""

import json
import sys
from pathlib import Path
from typing import Any

from processors.sentiment.training import texts
from processors.sentiment.training.leaks import leaks

FILE = "leaks.json"


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    data, build = map(Path, arguments)
    try:
        found = check(data, build)
    except FileNotFoundError as error:
        raise SystemExit(f"{error.filename} is missing: 'make model' gathers the texts from the collections in DATA") from error
    (build / FILE).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    leaked = {kind: count for kind, count in found["repeated"].items() if count}
    if leaked:
        told = ", ".join(f"{count} repeat one of the {kind} texts" for kind, count in leaked.items())
        raise SystemExit(f"of {found['shown']} texts that the training was shown, {told}: figures would be worth nothing")


def check(data: Path, build: Path) -> dict[str, Any]:
    """How many different texts were shown, and how many of them repeat a text of each kind, word for word or nearly so."""
    shown = texts.shown(build)
    repeated = {kind: len(leaks(shown, measured)) for kind, measured in texts.measured(data, build).items()}
    return {"shown": len(shown), "repeated": repeated}


if __name__ == "__main__":
    main(sys.argv[1:])
