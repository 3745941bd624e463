"""The gate that every post passes before the first record, the spool and the log.

Behind it there is no handle, native id, link with a handle, phone number or national id of a private person in the
clear: the text is masked, ids are keyed hashes, and the rest is sealed to the day's public key.
"""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from connectors.day_keys import DayKeys
from connectors.posts import Post, Removal
from processors.mention_time import event_time
from processors.privacy.authors import PublicAccounts, reach_band
from processors.privacy.identity import author_key, mention_id
from processors.privacy.masking import mask
from processors.privacy.sealing import SealedFields, seal, seal_bytes
from schemas.mentions import Deletion, Mention

SEALED_ORIGINAL_BYTES: Final = 2 * 1024 * 1024


class PrivacyGate:
    """Turns foreign posts into mentions."""

    def __init__(self, secret: bytes, accounts: PublicAccounts, keys: DayKeys, today: Callable[[], date]) -> None:
        self._secret, self._accounts, self._keys, self._today = secret, accounts, keys, today

    def mention(self, post: Post, *, source: str, position: int | None, observed_at: datetime) -> Mention:
        """The record of a post. Raises `ValueError` for a platform or instance that cannot be part of an id."""
        day = self._today()
        text = unicodedata.normalize("NFC", post.text)
        public = self._accounts.handles(post.platform)
        # the author's own key stands for the id where the platform gives none
        author = post.author_id or post.handle
        return Mention(
            mention_id=mention_id(self._secret, post.platform, post.instance, post.native_id),
            source=source, source_position=position, platform=post.platform, instance=post.instance,
            published_at=post.published_at and post.published_at.astimezone(UTC), observed_at=observed_at.astimezone(UTC),
            event_time=event_time(post.published_at, observed_at).astimezone(UTC),
            text=mask(text, public).text, language_hint=post.language,
            author_key=author_key(self._secret, post.platform, post.instance, author) if author else None,
            author_class=self._accounts.classify(post.platform, post.handle), reach=reach_band(post.followers),
            place=mask(post.place, public).text if post.place else None,  # a free text on many platforms
            sealed=seal(self._keys.public(day), _sealed_fields(post)), sealed_day=day, revision=_revision(observed_at),
        )  # fmt: skip

    def deletion(self, removal: Removal, *, source: str, observed_at: datetime) -> Deletion:
        """The record of a removal."""
        return Deletion(
            mention_id=mention_id(self._secret, removal.platform, removal.instance, removal.native_id), source=source,
            observed_at=observed_at.astimezone(UTC), revision=_revision(observed_at),
        )  # fmt: skip

    def sealed_original(self, original: bytes) -> tuple[str, date]:
        """Input that could not be understood may name anyone: it is kept sealed, up to 2 MiB of it."""
        day = self._today()
        return seal_bytes(self._keys.public(day), original[:SEALED_ORIGINAL_BYTES]), day


def _sealed_fields(post: Post) -> SealedFields:
    return SealedFields(handle=post.handle, native_id=post.native_id, permalink=post.link, native_author=post.author_id)


def _revision(observed_at: datetime) -> int:
    return int(observed_at.timestamp() * 1000)
