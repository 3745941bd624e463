"""Keyed pseudonyms: the same post or author gives the same key, and nobody without the secret can go back.

HMAC-SHA256, cut to 130 bits. What a key is for is part of what is hashed, so that no key of one purpose can be computed,
or recognised, from a key of another.
"""

import hmac
import re
from base64 import b32encode
from datetime import date
from hashlib import sha256

KEY_CHARACTERS = 26
MIN_SECRET_BYTES = 16
_PLACE = re.compile("[a-z0-9.-]+")


def mention_id(secret: bytes, platform: str, instance: str, native_id: str) -> str:
    """ "platform:instance:" and 26 base32 characters. Raises `ValueError` for a platform or instance beyond [a-z0-9.-]."""
    return _placed_key(secret, "mention", platform, instance, native_id)


def author_key(secret: bytes, platform: str, instance: str, native_author: str) -> str:
    """Like `mention_id`, for an author; the two never coincide, also for equal native ids."""
    return _placed_key(secret, "author", platform, instance, native_author)


def day_watch_key(secret: bytes, author_key: str, day: date, watch_id: str) -> str:
    """26 base32 characters: what the index carries instead of the author, good for one watch on one day."""
    return _key(secret, "author-day-watch", author_key, day.isoformat(), watch_id)


def _placed_key(secret: bytes, purpose: str, platform: str, instance: str, native: str) -> str:
    for part in (platform, instance):
        if not _PLACE.fullmatch(part):
            raise ValueError(f"platform and instance consist of a-z, 0-9, dot and dash: {part!r}")
    return f"{platform}:{instance}:{_key(secret, purpose, platform, instance, native)}"


def _key(secret: bytes, *parts: str) -> str:
    """Parts are hashed with their lengths: "a", "bc" is not "ab", "c". Lone surrogates pass: a native id may be anything."""
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"the secret is shorter than {MIN_SECRET_BYTES} bytes")
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    message = b"".join(len(part).to_bytes(8) + part for part in encoded)
    return b32encode(hmac.digest(secret, message, sha256)).decode("ascii").lower()[:KEY_CHARACTERS]
