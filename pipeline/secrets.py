"""The installation's own secrets: the HMAC key and the day keys, in the data folder unless configured elsewhere."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

from connectors.day_keys import DayKeys
from connectors.secrets import SecretMissing, resolve
from pipeline.configuration import Configuration

HMAC_BYTES: Final = 32
_SHORTEST: Final = 16


class SecretsRefused(Exception):
    """The key does not fit the data; the message says what to do."""


def secrets_folder(data: Path) -> Path:
    """Readable by this user only."""
    return data / "secrets"


def day_keys(data: Path) -> DayKeys:
    """The key pairs that seal who wrote what."""
    return DayKeys(secrets_folder(data) / "day-keys")


def hmac_file(data: Path) -> Path:
    """Where the HMAC key is, unless the configuration names another place."""
    return secrets_folder(data) / "hmac.key"


def hmac_key(configuration: Configuration, data: Path) -> bytes:
    """The key behind every id. Raises `SecretMissing`."""
    reference = configuration.secret or f"file:{hmac_file(data)}"
    key = resolve(reference).encode()
    if len(key) < _SHORTEST:
        raise SecretMissing(
            f"the HMAC key behind {reference} is shorter than {_SHORTEST} characters: make one with 'nabiz secrets init'"
        )
    return key


def init(data: Path) -> bool:
    """Make the HMAC key; False when there is one already, which stays."""
    folder = secrets_folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        descriptor = os.open(hmac_file(data), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(HMAC_BYTES))
    return True


def require_same_key(configuration: Configuration, data: Path) -> None:
    """Refuse a key under which the existing data was not written: every id would change, and nothing would be found again.

    The first start on a data folder makes the key and remembers its fingerprint. Raises `SecretsRefused`, `SecretMissing`.
    """
    remembered = data / "hmac.fingerprint"
    if not remembered.exists():
        if configuration.secret is None:
            init(data)
        data.mkdir(parents=True, exist_ok=True)
        remembered.write_text(_fingerprint(hmac_key(configuration, data)), encoding="ascii")
        return
    try:
        key = hmac_key(configuration, data)
    except SecretMissing as error:
        raise SecretsRefused(
            f"{data} holds data, but the HMAC key under which it was written is missing ({error}): "
            "put the key back from your backup, or start on another folder with --data"
        ) from error
    if _fingerprint(key) != remembered.read_text(encoding="ascii"):
        raise SecretsRefused(
            f"the data in {data} was written under another HMAC key: put that key back, or start on another folder with --data"
        )


def _fingerprint(key: bytes) -> str:
    return hashlib.blake2b(key, key=b"nabiz hmac fingerprint", digest_size=8).hexdigest()
