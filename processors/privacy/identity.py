"""Keyed pseudonyms: the same post or author gives the same key, and nobody without the secret can go back."""

from datetime import date


def mention_id(secret: bytes, platform: str, instance: str, native_id: str) -> str:
    """"platform:instance:" and 26 base32 characters. Raises `ValueError` for a platform or instance beyond [a-z0-9.-]."""
    raise NotImplementedError


def author_key(secret: bytes, platform: str, instance: str, native_author: str) -> str:
    """Like `mention_id`, for an author; the two never coincide, also for equal native ids."""
    raise NotImplementedError


def day_watch_key(secret: bytes, author_key: str, day: date, watch_id: str) -> str:
    """26 base32 characters: what the index carries instead of the author, good for one watch on one day."""
    raise NotImplementedError
