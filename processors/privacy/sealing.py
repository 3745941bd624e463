"""Sealing: what leads back to a person is encrypted to the day's public key before it leaves the connector."""

from dataclasses import dataclass


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


class SealingError(ValueError):
    """Base of the errors of this module."""


class InvalidKey(SealingError):
    """The bytes are not a key: a fault of the configuration."""


class CannotUnseal(SealingError):
    """The sealed text is damaged, or belongs to another key."""


def new_key_pair() -> KeyPair:
    """A fresh pair."""
    raise NotImplementedError


def seal(public_key: bytes, fields: SealedFields) -> str:
    """Base64. Raises `InvalidKey`."""
    raise NotImplementedError


def unseal(private_key: bytes, sealed: str) -> SealedFields:
    """Raises `InvalidKey` or `CannotUnseal`."""
    raise NotImplementedError


def seal_bytes(public_key: bytes, payload: bytes) -> str:
    """Base64 of the sealed bytes (dead letters). Raises `InvalidKey`."""
    raise NotImplementedError


def unseal_bytes(private_key: bytes, sealed: str) -> bytes:
    """Raises `InvalidKey` or `CannotUnseal`."""
    raise NotImplementedError
