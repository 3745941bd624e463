"""The folder that an import leaves: whole, or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from processors.sentiment.artefact import DESCRIPTION_FILE
from processors.sentiment.importing.refusal import ImportRefused


@dataclass(frozen=True, slots=True)
class Workplace:
    """Folders beside the target, on the same disk."""

    model: Path
    """What lies in here becomes the target."""
    scratch: Path


def require_free(target: Path, source: Path | None, *, force: bool) -> None:
    """Raises `ImportRefused` where the target is there already; `force` allows it to be a model folder, and nothing else."""
    if target.is_symlink() and not target.exists():
        raise ImportRefused(f"{target} is a link that leads nowhere: choose another folder with --out")
    if source is not None and Path(os.path.realpath(source)).is_relative_to(os.path.realpath(target)):
        raise ImportRefused(f"{target} holds the model that is to be imported: choose another folder with --out")
    if not target.exists():
        return
    if not force:
        raise ImportRefused(f"{target} is there already: choose another folder with --out, or replace it with --force")
    if not (target / DESCRIPTION_FILE).is_file():
        raise ImportRefused(f"{target} is no model folder (no {DESCRIPTION_FILE} in it), so --force does not replace it")


@contextmanager
def workplace(target: Path, *, force: bool) -> Iterator[Workplace]:
    """Gives empty folders; at the end what is in `model` becomes the target, unless anything was raised.

    Raises `ImportRefused` where another import made the target meanwhile, unless `force`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    root = target.parent / f".{target.name}.importing-{token_hex(4)}"
    place = Workplace(root / "model", root / "scratch")
    try:
        for folder in (root, place.model, place.scratch):
            folder.mkdir()
        yield place
        require_free(target, None, force=force)
        _replace(target, place.model, root / "replaced")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _replace(target: Path, new: Path, aside: Path) -> None:
    if not target.exists():
        new.rename(target)
        return
    target.rename(aside)
    try:
        new.rename(target)
    except BaseException:
        aside.rename(target)
        raise
