"""`nabiz doctor`: can this machine run it, and what is missing."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from pipeline.cli.common import MISTAKES, Context, common_options
from pipeline.launch import needs_embedded
from pipeline.servers.build import built, find_jdk, find_maven
from pipeline.servers.ports import Ports, require_free
from pipeline.supervisor.run_state import RunFolder
from pipeline.tone import ModelTone

NEEDED_DISK_GIB: Final = 2.0
NEEDED_MEMORY_GIB: Final = 3.0
GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One check."""

    check: str
    ok: bool
    detail: str


@click.command()
@common_options
def doctor(context: Context) -> None:
    """Check configuration, Java, Maven, ports, disk, memory and model, and say what is missing. Exit code 1 if something is.

    \b
    Example:
      nabiz doctor --config institution.yaml
    """
    findings = list(_findings(context))
    lines = [f"{'ok      ' if finding.ok else 'MISSING '}{finding.check:<16}{finding.detail}" for finding in findings]
    context.answer([asdict(finding) for finding in findings], "\n".join(lines))
    sys.exit(0 if all(finding.ok for finding in findings) else 1)


def _findings(context: Context) -> Iterator[Finding]:
    yield _checked("configuration", lambda: f"{context.configuration().institution}")
    try:
        embedded = needs_embedded(context.configuration())
    except MISTAKES:
        embedded = True
    if embedded:
        yield _checked("Java", lambda: str(find_jdk()))
        yield _checked("Maven", lambda: str(find_maven()))
        yield _checked("servers", lambda: "built" if built() else "not built yet: 'make setup' or 'nabiz up' does it")
        yield _ports(context.data)
    yield _checked("model", _model)
    yield _disk(context.data)
    yield _memory()


def _checked(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, detail=look())
    except MISTAKES as error:
        return Finding(name, ok=False, detail=str(error))


def _model() -> str:
    from pipeline.tone import SentimentSettings

    return ModelTone(SentimentSettings()).version


def _ports(data: Path) -> Finding:
    if RunFolder(data / "run").locked():
        return Finding("ports", ok=True, detail="in use by the Nabız that runs here")
    ports = Ports()

    def look() -> str:
        require_free((ports.kafka, ports.kafka_controller, ports.elasticsearch, ports.elasticsearch_transport))
        return "free"

    return _checked("ports", look)


def _disk(data: Path) -> Finding:
    folder = next(parent for parent in (data, *data.parents) if parent.exists())
    free = shutil.disk_usage(folder).free / GIB
    detail = f"{free:.1f} GiB free at {folder}"
    if free >= NEEDED_DISK_GIB:
        return Finding("disk", ok=True, detail=detail)
    return Finding("disk", ok=False, detail=f"{detail}; {NEEDED_DISK_GIB:g} GiB are needed: choose another folder with --data")


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    detail = f"{total:.1f} GiB"
    if total >= NEEDED_MEMORY_GIB:
        return Finding("memory", ok=True, detail=detail)
    return Finding(
        "memory", ok=False, detail=f"{detail}; {NEEDED_MEMORY_GIB:g} GiB are needed for servers and roles on one machine"
    )
