"""What the audited commands share: who asks, why, and the log that hears of it first."""

from typing import Any, Final

import click

from pipeline.audit import AuditLog, audit_file, who_runs_this
from pipeline.cli.common import Context
from pipeline.deployment import wall_clock
from schemas.hits import LONGEST_REASON

SHORTEST_REASON: Final = 10


class Reason(click.ParamType):
    """A reason that tells a reader of the log something."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See the class."""
        reason = " ".join(str(value).split())
        if len(reason) < SHORTEST_REASON:
            self.fail(
                f"at least {SHORTEST_REASON} characters: say why, for whoever reads the audit log, e.g. "
                '--reason "threat against staff, file 2026/118"',
                param, ctx,
            )  # fmt: skip
        if len(reason) > LONGEST_REASON:
            self.fail(f"{len(reason):,} characters, more than {LONGEST_REASON:,}: say it shorter, and name the file", param, ctx)
        return reason


reason_option = click.option("--reason", type=Reason(), required=True, help="Why; it is written to the audit log.")
as_option = click.option("--as", "name", default=None, metavar="NAME", help="Who asks, beside the account in the audit log.")


def audit_log(context: Context, name: str | None) -> AuditLog:
    """The log of the data folder, on behalf of whoever runs the command."""
    return AuditLog(audit_file(context.data), who=who_runs_this(name), clock=wall_clock)
