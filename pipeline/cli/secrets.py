"""`nabiz secrets`: make the installation's key, and end a day's."""

from datetime import date, datetime

import click

from pipeline.audit import Action
from pipeline.cli.auditing import as_option, audit_log, reason_option
from pipeline.cli.common import Context, common_options, fail
from pipeline.secrets import day_keys, hmac_file, require_same_key


@click.group()
def secrets() -> None:
    """The installation's keys."""


@secrets.command()
@common_options
def init(context: Context) -> None:
    """Make the HMAC key behind every id; one that is there stays.

    \b
    Examples:
      nabiz secrets init --data /srv/nabiz
      nabiz secrets init --config institution.yaml     (the key that the configuration names is checked)
    """
    configuration = context.configuration()
    file = hmac_file(context.data)
    where = configuration.secret or f"file:{file}"
    there = configuration.secret is not None or file.exists()
    require_same_key(configuration, context.data)
    done = "the key is there already and stays" if there else "made the key"
    context.answer(
        {"made": not there, "key": where},
        f"{done}: {where}\nKeep a copy apart from this machine: without this key no post is recognised again.",
    )


@secrets.command("destroy-day")
@click.argument("day", type=click.DateTime(formats=["%Y-%m-%d"]), metavar="DATE")
@reason_option
@as_option
@common_options
def destroy_day(context: Context, day: datetime, reason: str, name: str | None) -> None:
    """Destroy the key of a day: nobody can find out any more who wrote the posts that were sealed on it. No way back.

    \b
    Example:
      nabiz secrets destroy-day 2026-11-24 --reason "erasure request 2026/31"
    """
    keys, wanted = day_keys(context.data), day.date()
    left = keys.days()
    if wanted not in left:
        fail(context, f"there is no key of {wanted}: it was destroyed already, or nothing was sealed on that day; {_named(left)}")
    audit_log(context, name).write(Action.KEY_DESTROYED, [wanted.isoformat()], reason)
    keys.destroy(wanted)
    context.answer(
        {"destroyed": wanted.isoformat()},
        f"the key of {wanted} is destroyed, here; destroy its copies in your backups as well ({_named(keys.days())})",
    )


def _named(days: list[date]) -> str:
    return f"keys that are left: {', '.join(map(str, days)) or 'none'}"
