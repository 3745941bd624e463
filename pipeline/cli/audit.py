"""`nabiz audit`: read the log, and check that nobody changed it."""

from typing import Any

import click

from pipeline.audit import AuditEntry, Verdict, audit_file, read
from pipeline.audit import verify as verify_file
from pipeline.cli.common import Context, common_options, fail
from pipeline.cli.foreign_text import printable


@click.group()
def audit() -> None:
    """Who looked at what, who changed what, and why."""


@audit.command("list")
@click.option("--last", type=click.IntRange(min=1), default=50, show_default=True, help="How many entries, from the end.")
@common_options
def list_(context: Context, last: int) -> None:
    """The latest entries, the newest last.

    \b
    Examples:
      nabiz audit list
      nabiz audit list --last 1000 --json
    """
    entries = list(read(audit_file(context.data)))[-last:]
    values = [entry.model_dump(mode="json", exclude={"previous"}) for entry in entries]
    context.answer(values, "\n".join(map(_line, entries)) or "the audit log is empty")


def _line(entry: AuditEntry) -> str:
    more = f" and {len(entry.subject) - 3} more" if len(entry.subject) > 3 else ""
    subject = ", ".join(entry.subject[:3]) + more
    return f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {printable(entry.who)}  {entry.action}  {subject}  {printable(entry.reason)}"


@audit.command()
@click.option("--holds", metavar="HASH", default=None, help="A last hash that was noted earlier: it must still be in the log.")
@common_options
def verify(context: Context, holds: str | None) -> None:
    """Follow the chain of hashes; exit code 2 and the first broken line when the log is not what was written.

    A tail that was cut off leaves a whole chain behind: note the last hash elsewhere from time to time, and ask for it.

    \b
    Examples:
      nabiz audit verify
      nabiz audit verify --holds 5f0c…
    """
    file = audit_file(context.data)
    found = verify_file(file)
    if found.broken is not None:
        fail(
            context,
            f"{file}, line {found.broken.number}: {found.broken.problem}. The {found.entries} entries before it are whole. "
            "Keep the file as it is, tell whoever answers for data protection, and compare it with your backup",
        )
    if holds is not None and all(entry.hash != holds for entry in read(file)):
        fail(context, f"{file} holds no entry with the hash {holds}: lines were cut off at the end, or this is another log")
    context.answer(_value(found), f"the log is whole: {found.entries} entries, last hash {found.last_hash}")


def _value(found: Verdict) -> dict[str, Any]:
    return {"whole": True, "entries": found.entries, "last_hash": found.last_hash}
