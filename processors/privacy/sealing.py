"""Sealing: what leads back to a person is encrypted to the day's public key before it leaves the connector.

The connector holds public keys only and cannot read what it sealed. Destroying a day's private key destroys all that was
sealed on that day. A sealed box draws a fresh key for every message, so equal input gives different output: with
`new_key_pair`, this is the one module of processors/ that draws randomness, and it cannot do without.

    SealingError
    ├── InvalidKey      a fault of the configuration: stop
    └── CannotUnseal    this message: skip it, say so
"""

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, fields

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox


@dataclass(frozen=True, slots=True)
class SealedFields:
    """What `nabiz reveal` shows."""

    handle: str | None = None
    native_id: str | None = None
    permalink: str | None = None
    native_author: str | None = None


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A day's keys, 32 raw bytes each. The connector gets the public one only."""

    public: bytes
    private: bytes

    def __repr__(self) -> str:
        """Without the private key: it must not reach a log."""
        return f"KeyPair(public={self.public.hex()})"


class SealingError(ValueError):
    """Base of the errors of this module."""


class InvalidKey(SealingError):  # the name says what is wrong; so do the other errors here
    """The bytes are not a key: a fault of the configuration."""


class CannotUnseal(SealingError):
    """The sealed text is damaged, or belongs to another key."""


def new_key_pair() -> KeyPair:
    """A fresh pair, from the operating system's randomness."""
    private = PrivateKey.generate()
    return KeyPair(public=bytes(private.public_key), private=bytes(private))


def public_key(private_key: bytes) -> bytes:
    """The public half of a private key. Raises `InvalidKey`."""
    return bytes(_private(private_key).public_key)


def seal(public_key: bytes, fields: SealedFields) -> str:
    """Base64. Raises `InvalidKey`."""
    known = {name: value for name, value in asdict(fields).items() if value is not None}
    return seal_bytes(public_key, json.dumps(known).encode("ascii"))


def unseal(private_key: bytes, sealed: str) -> SealedFields:
    """Raises `InvalidKey` or `CannotUnseal`. Fields that a newer version sealed are left out."""
    opened = unseal_bytes(private_key, sealed)
    try:
        values = json.loads(opened)
    except ValueError as error:
        raise CannotUnseal("what was sealed are no fields") from error
    if not isinstance(values, dict):
        raise CannotUnseal("what was sealed are no fields")
    return SealedFields(**{field.name: values.get(field.name) for field in fields(SealedFields)})


def seal_bytes(public_key: bytes, payload: bytes) -> str:
    """Base64 of the sealed bytes (dead letters). Raises `InvalidKey`."""
    try:
        box = SealedBox(PublicKey(public_key))
    except CryptoError as error:
        raise InvalidKey("a public key has 32 bytes") from error
    return b64encode(box.encrypt(payload)).decode("ascii")


def unseal_bytes(private_key: bytes, sealed: str) -> bytes:
    """Raises `InvalidKey` or `CannotUnseal`."""
    box = SealedBox(_private(private_key))
    try:
        return box.decrypt(b64decode(sealed, validate=True))
    except (ValueError, CryptoError) as error:
        raise CannotUnseal("damaged, or sealed to another key") from error


def _private(private_key: bytes) -> PrivateKey:
    try:
        return PrivateKey(private_key)
    except CryptoError as error:
        raise InvalidKey("a private key has 32 bytes") from error
