"""Sealed boxes: only the day's private key opens them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.privacy.sealing import (
    CannotUnseal,
    InvalidKey,
    SealedFields,
    new_key_pair,
    public_key,
    seal,
    seal_bytes,
    unseal,
    unseal_bytes,
)

KEYS = new_key_pair()
ANYTHING = st.none() | st.text(st.characters(codec=None))


@settings(deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_fields_come_back_as_they_were(handle: str | None, native_id: str | None, link: str | None, author: str | None) -> None:
    """Whatever a platform puts into them."""
    fields = SealedFields(handle=handle, native_id=native_id, permalink=link, native_author=author)
    assert unseal(KEYS.private, seal(KEYS.public, fields)) == fields


@settings(deadline=None)
@given(st.binary())
def test_bytes_come_back_as_they_were(payload: bytes) -> None:
    """Dead letters are sealed as they came."""
    assert unseal_bytes(KEYS.private, seal_bytes(KEYS.public, payload)) == payload


def test_what_is_sealed_cannot_be_read_or_compared() -> None:
    """Two posts of one author do not look alike."""
    fields = SealedFields(handle="ahmet_ornek")
    first, second = seal(KEYS.public, fields), seal(KEYS.public, fields)
    assert "ahmet" not in first
    assert first != second


def test_another_key_does_not_open_it() -> None:
    """Nor does the public half."""
    sealed = seal(KEYS.public, SealedFields(handle="ahmet"))
    for key in (new_key_pair().private, KEYS.public):
        with pytest.raises(CannotUnseal):
            unseal(key, sealed)


NO_FIELDS = [pytest.param(seal_bytes(KEYS.public, payload), id=payload.decode()) for payload in (b"no fields", b"[]")]


@pytest.mark.parametrize("sealed", ["", "kısa", "AAAA", "!" * 80, *NO_FIELDS])
def test_damaged_input_is_told(sealed: str) -> None:
    """Never another error, and never empty fields."""
    with pytest.raises(CannotUnseal):
        unseal(KEYS.private, sealed)


@pytest.mark.parametrize("key", [b"", b"short", bytes(33)])
def test_what_is_no_key_is_told(key: bytes) -> None:
    """A fault of the configuration, not of the message."""
    for use in (lambda: seal(key, SealedFields()), lambda: unseal(key, "AAAA"), lambda: public_key(key)):
        with pytest.raises(InvalidKey):
            use()


def test_fields_of_a_newer_version_are_left_out() -> None:
    """An old `nabiz reveal` reads what a newer connector sealed."""
    assert unseal(KEYS.private, seal_bytes(KEYS.public, b'{"handle": "ahmet", "later": 1}')) == SealedFields(handle="ahmet")


def test_the_public_half_follows_from_the_private_and_the_private_is_not_shown() -> None:
    """A pair may end up in a traceback."""
    assert public_key(KEYS.private) == KEYS.public
    assert KEYS.private.hex() not in repr(KEYS)
    assert repr(KEYS.private) not in repr(KEYS)
