"""`nabiz dead-letters`: what could not be used."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from pipeline.audit import Action
from pipeline.cli.auditing import as_option, audit_log, reason_option
from pipeline.cli.common import Context, common_options, fail
from pipeline.cli.foreign_text import printable
from pipeline.cli.servers_address import existing_deployment, namespace_option
from pipeline.dead_letter_box import Retry, Tried, Verdict, content, letters, pick
from pipeline.deployment import Deployment, wall_clock
from pipeline.secrets import day_keys
from pipeline.wiring import privacy_gate
from schemas.deadletters import DeadLetter

SHOWN_IDS: Final = 20
_WORDS: Final = {
    Verdict.SENT: "sent again",
    Verdict.REFUSED: "understood now, and legally refused",
    Verdict.STILL_UNUSABLE: "still unusable",
    Verdict.KEY_DESTROYED: "lost: the key of their day is destroyed",
    Verdict.NOT_POSSIBLE: "cannot be sent again",
}


@click.group("dead-letters")
def dead_letters() -> None:
    """Records and input that could not be used; kept for 7 days."""


@dead_letters.command("list")
@namespace_option
@common_options
def list_(context: Context, namespace: str) -> None:
    """All that were not retried, by reason.

    \b
    Examples:
      nabiz dead-letters list
      nabiz dead-letters list --namespace replay-depo-20261124-0300 --json
    """
    by_reason: dict[str, list[DeadLetter]] = {}
    for letter in letters(existing_deployment(context, namespace).kafka).values():
        by_reason.setdefault(letter.reason, []).append(letter)
    value = [
        {"reason": reason, "count": len(found), "letters": [_summary(letter) for letter in found]}
        for reason, found in sorted(by_reason.items())
    ]
    context.answer(value, "\n".join(_group(reason, found) for reason, found in sorted(by_reason.items())) or "no dead letters")


def _summary(letter: DeadLetter) -> dict[str, Any]:
    return {"id": letter.letter_id, "role": letter.role, "problem": letter.problem, "at": letter.at.isoformat()}


def _group(reason: str, found: Sequence[DeadLetter]) -> str:
    lines = [f"{reason}: {len(found)}"]
    lines += [f"  {letter.letter_id:<40}{letter.role}: {printable(letter.problem)}" for letter in found[:SHOWN_IDS]]
    if len(found) > SHOWN_IDS:
        lines.append(f"  … and {len(found) - SHOWN_IDS} more: --json names them all")
    return "\n".join(lines)


@dead_letters.command()
@click.argument("letter_id", metavar="ID")
@reason_option
@as_option
@namespace_option
@common_options
def show(context: Context, letter_id: str, reason: str, name: str | None, namespace: str) -> None:
    """Show what is in a dead letter: our own record, masked, or the input as it came from outside. Audited before.

    \b
    Example:
      nabiz dead-letters show file:4be1c0a7d2f9:17 --reason "the provider changed its export"
    """
    [letter] = pick(letters(existing_deployment(context, namespace).kafka), [letter_id])
    text = content(letter, day_keys(context.data)).decode("utf-8", errors="backslashreplace")
    audit_log(context, name).write(Action.SHOW_DEAD_LETTER, [letter_id], reason)
    facts = [f"{letter.letter_id}, put aside by {letter.role} at {letter.at:%Y-%m-%d %H:%M:%S} UTC"]
    facts.append(f"{letter.reason}: {printable(letter.problem)}")
    context.answer({**_summary(letter), "reason": letter.reason, "content": text}, "\n".join([*facts, "", printable(text)]))


@dead_letters.command()
@click.argument("ids", nargs=-1, metavar="ID...")
@click.option("--all", "everything", is_flag=True, help="All that are listed.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of lines that were not UTF-8, e.g. windows-1254.")
@as_option
@namespace_option
@common_options
def retry(context: Context, *, ids: tuple[str, ...], everything: bool, encoding: str, name: str | None, namespace: str) -> None:
    """Try again, after an upgrade or a correction: records of ours go to their topic, lines of files through the gate.

    A post whose minute is closed is indexed and no longer counted, like every late post.

    \b
    Examples:
      nabiz dead-letters retry hits:4:118 file:4be1c0a7d2f9:17
      nabiz dead-letters retry --all --encoding windows-1254
    """
    if bool(ids) == everything:
        fail(context, "name the ids of dead letters, or --all: see 'nabiz dead-letters list'")
    deployment = existing_deployment(context, namespace)
    available = letters(deployment.kafka)
    chosen = list(available.values()) if everything else pick(available, ids)
    tried = _retry(context, deployment, chosen, encoding, name) if chosen else []
    counts = Counter(found.verdict for found in tried)
    value = {
        "counts": {str(verdict): count for verdict, count in counts.items()},
        "letters": [{"id": found.letter.letter_id, "verdict": found.verdict, "why": found.why} for found in tried],
    }
    context.answer(value, _tried_text(tried, counts))


def _retry(
    context: Context, deployment: Deployment, chosen: Sequence[DeadLetter], encoding: str, name: str | None
) -> list[Tried]:
    keys = day_keys(context.data)
    retrying = Retry(deployment.kafka, privacy_gate(deployment), keys, wall_clock, encoding=encoding)
    audit_log(context, name).write(Action.RETRY_DEAD_LETTER, [letter.letter_id for letter in chosen], "nabiz dead-letters retry")
    return retrying.run(chosen)


def _tried_text(tried: Sequence[Tried], counts: Mapping[Verdict, int]) -> str:
    lines = [f"{counts[verdict]} {words}" for verdict, words in _WORDS.items() if counts.get(verdict)]
    stayed = [found for found in tried if found.verdict is not Verdict.SENT]
    lines += [f"  {found.letter.letter_id:<40}{found.verdict}: {printable(found.why)}" for found in stayed[:SHOWN_IDS]]
    if len(stayed) > SHOWN_IDS:
        lines.append(f"  … and {len(stayed) - SHOWN_IDS} more: --json names them all")
    return "\n".join(lines) or "no dead letters"
