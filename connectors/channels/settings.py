"""The channels of the configuration, and how one is opened."""

import ssl
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator

from connectors.channels.channel import Channel
from connectors.channels.console import ConsoleChannel
from connectors.channels.file import FileChannel
from connectors.channels.webhook import TIMEOUT_SECS, WebhookChannel
from connectors.secrets import SecretReference, resolve

ChannelName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", description="what on-call lists refer to; a part of the consumer group's name")
]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ChannelName


class ConsoleSettings(_Settings):
    """Standard output of the role `alert`."""

    type: Literal["console"] = "console"


class FileSettings(_Settings):
    """Lines of JSON."""

    type: Literal["file"] = "file"
    path: Path = Field(description="is created with its folder; holds excerpts of posts, nothing deletes them from it")


class WebhookSettings(_Settings):
    """A signed HTTP POST per message; see connectors.channels.webhook for the headers."""

    type: Literal["webhook"] = "webhook"
    url: HttpUrl
    secret: SecretReference = Field(description="key of the signature: 'file:…' or 'env:…'; 'whsec_' and base64, or plain text")
    ca_file: Path | None = Field(default=None, description="CA certificate, if the receiver's is not a public one")
    proxy: HttpUrl | None = None
    timeout_secs: float = Field(default=TIMEOUT_SECS, gt=0, le=60, description="for the whole exchange; then it is tried again")

    @field_validator("url", "proxy")
    @classmethod
    def _no_secret_in_url(cls, url: HttpUrl | None) -> HttpUrl | None:
        if url is not None and (url.username or url.password):
            raise ValueError("a URL must not hold a user or a password: the signature proves who sends")
        return url


ChannelSettings = Annotated[ConsoleSettings | FileSettings | WebhookSettings, Field(discriminator="type")]


def open_channel(settings: ChannelSettings, *, clock: Callable[[], datetime]) -> Channel:
    """Ready to send. Connects to nothing yet. Raises `SecretMissing`, and ValueError for a secret that cannot be one."""
    match settings:
        case ConsoleSettings():
            return ConsoleChannel(sys.stdout)
        case FileSettings():
            return FileChannel(settings.path)
        case WebhookSettings():
            return WebhookChannel(
                str(settings.url), resolve(settings.secret), clock=clock, timeout_secs=settings.timeout_secs,
                tls=ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else None,
                proxy=str(settings.proxy) if settings.proxy else None,
            )  # fmt: skip
