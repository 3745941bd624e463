"""The configuration file: the settings of all components in one place. Nothing else reads it.

Each component defines its own settings; this module composes them, and turns what pydantic finds wrong into lines that
name the key, the value and the remedy.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from connectors.channels.settings import ChannelSettings, ConsoleSettings
from connectors.elasticsearch import ElasticsearchSettings
from connectors.kafka import KafkaSettings
from connectors.secrets import SecretReference
from pipeline.tone import SentimentSettings
from processors.alerting.on_call import OnCallList
from processors.privacy.authors import PublicAccounts
from schemas.authors import AuthorClass

DEFAULT_ON_CALL: Final = "nobetci"
_SECRET_KEYS: Final = frozenset({"secret", "password", "sasl_password", "api_key"})


class ConfigurationError(Exception):
    """The configuration cannot be used; the message lists every problem with its remedy."""


class Workers(BaseModel):
    """Processes per role. `alert` is always one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enrich: int = Field(default=1, ge=1, le=12)
    index: int = Field(default=1, ge=1, le=12)
    detect: int = Field(default=1, ge=1, le=12)


class Configuration(BaseModel):
    """Everything an institution sets. Every key has a default that works on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    institution: str = Field(default="Nabız", description="name in messages")
    kafka: KafkaSettings | None = Field(default=None, description="your own Kafka; default: the embedded one")
    elasticsearch: ElasticsearchSettings | None = Field(
        default=None, description="your own Elasticsearch; default: the embedded one"
    )
    workers: Workers = Workers()
    sentiment: SentimentSettings = SentimentSettings()
    on_call: dict[str, OnCallList] = Field(default_factory=dict, description="who is called, by name of the list")
    channels: dict[str, ChannelSettings] = Field(default_factory=dict, description="how they are reached, by name")
    replay_channels: tuple[str, ...] = Field(
        default=(), description="channels that a replay may use; default: none, only its own file"
    )
    public_accounts: dict[AuthorClass, dict[str, tuple[str, ...]]] = Field(
        default_factory=dict,
        description="accounts that may be named: class → platform (or *) → handles; the first negative mention or call for help "
        "of a story by press or official gives a notice",
    )
    secret: SecretReference | None = Field(
        default=None, description="the HMAC key; default: made by 'nabiz secrets init' in the data folder"
    )
    watches: tuple[Path, ...] = Field(default=(), description="watch files, applied at every start; relative to this file")

    @field_validator("on_call", "channels", mode="before")
    @classmethod
    def _names(cls, entries: Any) -> Any:
        """The name of a list or a channel is its key."""
        if not isinstance(entries, Mapping):
            return entries
        return {name: {"name": name, **entry} if isinstance(entry, Mapping) else entry for name, entry in entries.items()}

    @field_validator("public_accounts")
    @classmethod
    def _classes_can_be_listed(cls, accounts: dict[AuthorClass, Any]) -> dict[AuthorClass, Any]:
        PublicAccounts({listed: {} for listed in accounts})  # what it refuses is refused here, with the name of the key
        return accounts

    @model_validator(mode="after")
    def _channels_exist(self) -> "Configuration":
        for name, entry in self.on_call.items():
            for channel in entry.channels:
                if channel not in self.channels and channel != "console":
                    raise ValueError(f"on_call.{name} uses the channel {channel!r}, which is not under channels")
        for channel in self.replay_channels:
            if channel not in self.all_channels():
                raise ValueError(f"replay_channels names {channel!r}, which is not under channels")
        return self

    def all_channels(self) -> dict[str, ChannelSettings]:
        """The configured ones, and the console, which needs no configuration."""
        return {"console": ConsoleSettings(name="console"), **self.channels}

    def all_on_call(self) -> dict[str, OnCallList]:
        """The configured lists; without any, one that writes to the console."""
        return self.on_call or {DEFAULT_ON_CALL: OnCallList(name=DEFAULT_ON_CALL, channels=("console",))}


def load(file: Path | None) -> Configuration:
    """The configuration of a file, or the defaults. Raises `ConfigurationError`."""
    if file is None:
        return Configuration()
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror}): name the file with --config FILE") from error
    return parse(text, name=str(file), folder=file.parent)


def parse(text: str, *, name: str, folder: Path) -> Configuration:
    """Raises `ConfigurationError`."""
    try:
        fields = yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigurationError(f"{name}, line {line}: not YAML: {error.problem}") from error
    except (
        yaml.YAMLError,
        RecursionError,
        ValueError,
    ) as error:  # a character that no YAML may have; too deep; the 99th of a month
        why = error.reason if isinstance(error, yaml.reader.ReaderError) else str(error) or type(error).__name__
        raise ConfigurationError(f"{name}: not YAML: {why}") from error
    if not isinstance(fields, dict):
        raise ConfigurationError(f"{name}: expected keys such as 'on_call:' and 'watches:', found a {type(fields).__name__}")
    try:
        configuration = Configuration.model_validate(fields)
    except ValidationError as error:
        problems = "\n".join(f"  {line}" for line in explain(error, Configuration))
        raise ConfigurationError(f"{name} cannot be used:\n{problems}") from error
    tone = configuration.sentiment
    files = {name: (folder / path).absolute() for name in ("model", "stored_labels") if (path := getattr(tone, name)) is not None}
    return configuration.model_copy(
        update={
            "watches": tuple(folder / watch for watch in configuration.watches),
            "sentiment": tone.model_copy(update=files),
        }
    )


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line per problem: key, what is wrong, and the remedy where there is one."""
    lines = []
    for found in error.errors(include_url=False):
        key = ".".join(str(part) for part in found["loc"]) or "the file"
        if found["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key{_nearest(str(found['loc'][-1]), model, found['loc'][:-1])}")
        elif found["type"] == "union_tag_not_found":
            lines.append(f"{key}: the key 'type' is missing, which says what kind of entry this is")
        else:
            lines.append(f"{key}: {found['msg'].removeprefix('Value error, ')}{_shown(found)}")
    return lines


def _shown(found: ErrorDetails) -> str:
    """The value at fault, unless it may be a secret that somebody wrote into the file: messages end in logs."""
    value = found["input"]
    is_ours = found["type"] == "value_error"  # our own messages tell enough, and their value may be a URL with a password
    if is_ours or _SECRET_KEYS & set(map(str, found["loc"])) or not isinstance(value, str | int | float | bool):
        return ""
    return f", got {value!r}"


def _nearest(key: str, model: type[BaseModel], path: tuple[int | str, ...]) -> str:
    """A hint at the key that was meant."""
    known = _keys(model, path)
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known here: {', '.join(sorted(known))}" if known else "; remove it"


def _keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys that are known at a path of nested settings; nothing where a path leaves the models."""
    for part in path:
        field = model.model_fields.get(str(part))
        candidates = [t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)] if field else []
        if len(candidates) != 1:
            return []
        model = candidates[0]
    return list(model.model_fields)


def _types(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", None) or (annotation,)
