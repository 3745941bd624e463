"""`nabiz reveal`: the one way back from a post to who wrote it."""

import click

from pipeline.audit import Action
from pipeline.cli.auditing import as_option, audit_log, reason_option
from pipeline.cli.common import Context, common_options
from pipeline.cli.foreign_text import printable
from pipeline.cli.servers_address import namespace_option, running_deployment
from pipeline.reveal import find_sealed, open_sealed
from pipeline.secrets import day_keys


@click.command()
@click.argument("mention_id")
@reason_option
@as_option
@namespace_option
@common_options
def reveal(context: Context, mention_id: str, reason: str, name: str | None, namespace: str) -> None:
    """Show who wrote a post: handle, native id, link. Written to the audit log before it is shown.

    It works as long as the private key of the post's day exists: 7 days, unless it is destroyed earlier.

    \b
    Examples:
      nabiz reveal x:main:k3j5… --reason "threat against staff, file 2026/118"
      nabiz reveal x:main:k3j5… --reason "answer to the citizen's request" --as "Ayşe Yılmaz"
    """
    deployment = running_deployment(context, namespace)
    fields = open_sealed(day_keys(context.data), find_sealed(deployment.elasticsearch, mention_id))
    audit_log(context, name).write(Action.REVEAL, [mention_id], reason)
    shown = {"handle": fields.handle, "native id": fields.native_id, "link": fields.permalink}
    context.answer(
        {"mention_id": mention_id, "handle": fields.handle, "native_id": fields.native_id, "permalink": fields.permalink},
        "\n".join(f"{label:<10}{printable(value) if value else 'not named by the source'}" for label, value in shown.items()),
    )
