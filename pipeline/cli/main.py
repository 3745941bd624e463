"""`nabiz`: the group of all commands."""

from importlib import import_module
from typing import Any, Final

import click
import orjson

from pipeline.cli.foreign_text import writable

#: command → module and function; loaded when called, so that `nabiz --help` answers at once
COMMANDS: Final = {
    "up": ("servers", "up", "Start everything: servers and roles."),
    "down": ("servers", "down", "Stop what 'up' started."),
    "prepare": ("prepare", "prepare", "Make topics, index and watches on your own servers, for roles in containers."),
    "status": ("status", "status", "Who runs, how far behind, how much is indexed."),
    "doctor": ("doctor", "doctor", "Check this machine and say what is missing."),
    "replay": ("replay", "replay", "Listen to a file of posts, apart from the live system."),
    "demo": ("demo", "demo", "See it work: four surges, one page."),
    "watch": ("watch", "watch", "Set, list and test watches; say what is to be expected."),
    "backfill": ("backfill", "backfill", "Learn what is usual for a watch from a file of the past."),
    "model": ("model", "model", "Evaluate the sentiment model, or bring another one."),
    "spikes": ("spikes", "spikes", "Evaluate the crisis detector on a series of your own."),
    "config": ("config", "config", "Check a configuration file."),
    "dead-letters": ("dead_letters", "dead_letters", "List, show and retry what could not be used."),
    "reveal": ("reveal", "reveal", "Show who wrote a post; audited, needs a reason."),
    "audit": ("audit", "audit", "Read and verify the audit log."),
    "secrets": ("secrets", "secrets", "Make the installation's keys."),
    "housekeeping": ("housekeeping", "housekeeping", "Destroy expired day keys, for roles in containers."),
    "role": ("role", "role", "Run one role in the foreground (the supervisor does this)."),
}


EXIT_INTERRUPTED: Final = 130
_AS_JSON: Final = "nabiz.as_json"


class _Lazy(click.Group):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_AS_JSON] = "--json" in args  # looked at before anything is parsed: a mistake in the arguments is JSON, too
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            if ctx.meta[_AS_JSON]:
                click.echo(orjson.dumps({"error": writable(error.format_message())}))
            raise
        except KeyboardInterrupt:  # while the command is being loaded; later each command answers itself
            if ctx.meta[_AS_JSON]:
                click.echo(orjson.dumps({"error": "stopped"}))
            click.echo("nabiz: stopped", err=True)
            ctx.exit(EXIT_INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name in COMMANDS if name != "role"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        module, function, _ = COMMANDS[cmd_name]
        command: Any = getattr(import_module(f"pipeline.cli.{module}"), function)
        return command  # type: ignore[no-any-return]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nabiz")
def main() -> None:
    """Nabız listens to what the public says about a public institution, and wakes the right person when it turns.

    \b
    Examples:
      nabiz demo                                    see it work
      nabiz replay posts.jsonl --config my.yaml     listen to a file
      nabiz up                                      start the system
    """


if __name__ == "__main__":
    main()
