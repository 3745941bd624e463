"""What every command shares: --json, --config, --data, and how a mistake of the user's is answered."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click
import orjson
from kafka.errors import KafkaError

from connectors.day_keys import KeyDestroyed
from connectors.elasticsearch import ElasticsearchRefused, ElasticsearchUnreachable
from connectors.file_replay import FileUnusable
from connectors.kafka import KafkaUnreachable, TopicMismatch
from connectors.runner import DeliveryFailed
from connectors.secrets import SecretMissing
from pipeline.audit import AuditBroken
from pipeline.cli.foreign_text import writable
from pipeline.configuration import Configuration, ConfigurationError, load
from pipeline.dead_letter_box import UnknownLetter
from pipeline.model_evaluation import EvaluationUnavailable
from pipeline.reveal import CannotReveal
from pipeline.secrets import SecretsRefused
from pipeline.servers.build import ServersUnavailable
from pipeline.servers.embedded import ServerNotReady
from pipeline.servers.ports import PortTaken
from pipeline.spike_series import SeriesUnusable
from pipeline.supervisor.disk import DiskFull
from pipeline.supervisor.run_state import AlreadyRunning
from pipeline.supervisor.supervisor import KeepsFailing, Stopped
from pipeline.tone import StoredLabelsUnusable
from pipeline.watch_registry import WatchRefused
from processors.sentiment.classifier import ModelUnusable
from processors.sentiment.labelled import LabelledUnusable
from processors.watches.files import InvalidWatch
from processors.watches.query import InvalidQuery

F = TypeVar("F", bound=Callable[..., Any])

EXIT_MISTAKE: Final = 2
EXIT_INTERRUPTED: Final = 130


class NothingRuns(Exception):
    """There are no servers to ask, or nothing of this namespace on them; the message says what to do."""


#: Errors whose message already says what to do: shown as one message, never as a traceback.
MISTAKES: Final = (
    AlreadyRunning, AuditBroken, CannotReveal, ConfigurationError, DeliveryFailed, DiskFull, ElasticsearchRefused,
    ElasticsearchUnreachable, EvaluationUnavailable, FileUnusable, InvalidQuery, InvalidWatch, KafkaUnreachable, KeepsFailing,
    KeyDestroyed, LabelledUnusable, ModelUnusable, NothingRuns, PortTaken, SecretMissing, SecretsRefused, SeriesUnusable,
    ServerNotReady, ServersUnavailable, StoredLabelsUnusable, TopicMismatch, UnknownLetter, WatchRefused,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """The options that every command takes."""

    config_file: Path | None
    data: Path
    as_json: bool

    def configuration(self) -> Configuration:
        """Raises `ConfigurationError`."""
        return load(self.config_file)

    def say(self, line: str) -> None:
        """A line for a person. With --json it goes to standard error, so that standard output is one JSON value."""
        click.echo(line, err=self.as_json)

    def answer(self, value: Any, text: str) -> None:
        """The command's result: JSON for scripts, text for a person."""
        click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str) if self.as_json else text)


def common_options(command: F) -> F:
    """Adds the shared options, passes them as the first argument, and answers mistakes with a message and exit code 2."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for scripts.")
    @click.option("--config", "config_file", type=click.Path(path_type=Path, dir_okay=False), help="Configuration file (YAML).")
    @click.option(
        "--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"), show_default=True,
        help="Folder for everything that Nabız keeps.",
    )  # fmt: skip
    @wraps(command)
    def wrapped(*arguments: Any, as_json: bool, config_file: Path | None, data: Path, **options: Any) -> Any:
        context = Context(config_file, data.absolute(), as_json)
        try:
            return command(context, *arguments, **options)
        except MISTAKES as error:
            fail(context, str(error))
        except KafkaError as error:
            fail(context, f"Kafka could not answer ({error}): nothing is lost; look with 'nabiz status', and try again")
        except OSError as error:
            fail(context, explain_os_error(error))
        except (KeyboardInterrupt, Stopped):
            stopped(context)

    return wrapped  # type: ignore[return-value]


def power_language(command: F) -> F:
    """Adds --lang: in which language the detection power is told."""
    return click.option(
        "--lang", type=click.Choice(["en", "tr"]), default="en", show_default=True,
        help="Language in which is told how soon a rise is found.",
    )(command)  # fmt: skip


def fail(context: Context, message: str) -> NoReturn:
    """Say what is wrong and end with exit code 2."""
    if context.as_json:
        click.echo(orjson.dumps({"error": writable(message)}))
    click.echo(f"nabiz: {writable(message)}", err=True)
    sys.exit(EXIT_MISTAKE)


def stopped(context: Context, message: str = "stopped before everything was done") -> NoReturn:
    """The user asked to stop: say where things stand and end with exit code 130."""
    if context.as_json:
        click.echo(orjson.dumps({"error": writable(message)}))
    click.echo(f"nabiz: {writable(message)}", err=True)
    sys.exit(EXIT_INTERRUPTED)


def explain_os_error(error: OSError, option: str = "--data") -> str:
    """What to do about it. `option`: the one that names where was to be written."""
    where = f" ({error.filename})" if error.filename else ""
    remedies = {
        28: f"the disk is full: make room, or choose another folder with {option}",
        13: f"no permission: run as the user who owns the file, or choose another folder with {option}",
        17: f"something else is there already: choose another folder with {option}",
        20: f"there is a file where a folder is needed: choose another folder with {option}",
        30: f"the file system is read-only: choose another folder with {option}",
    }
    return remedies.get(error.errno or 0, error.strerror or str(error)) + where
