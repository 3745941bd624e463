"""Secrets come from a file or from the environment, never from the configuration itself."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


class SecretMissing(Exception):
    """A reference to a secret leads nowhere; the message says what to do."""


def _reference(value: str) -> str:
    if not value.startswith(("file:", "env:")):
        raise ValueError("a secret is a reference, 'file:/path/to/file' or 'env:NAME', never the secret itself")
    return value


SecretReference = Annotated[str, AfterValidator(_reference)]


def resolve(reference: SecretReference) -> str:
    """The secret behind a reference. Raises `SecretMissing`."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name)
        if not value:
            raise SecretMissing(f"the environment variable {name} is not set; set it, or refer to a file with 'file:…'")
        return value
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SecretMissing(
            f"cannot read the secret in {name}: {error.strerror}; create the file, readable by this user only"
        ) from error
