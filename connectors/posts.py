"""What a source delivers: foreign content, not yet admitted, masked or sealed. Never written anywhere as it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.reasons import DeadLetterReason, RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A public post as the platform gives it."""

    native_id: str
    platform: str
    text: str
    instance: str = "main"
    published_at: datetime | None = None
    author_id: str | None = None
    handle: str | None = None
    followers: int | None = None
    link: str | None = None
    place: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The platform says that a post is gone."""

    native_id: str
    platform: str
    instance: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Legal input that is not taken."""

    reason: RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Input that cannot be understood; `original` is sealed before it is put aside."""

    reason: DeadLetterReason
    problem: str
    original: bytes


Content = Post | Removal | Refused | Unusable


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of input with its place in the source and the source's clock at it."""

    position: int
    clock: datetime
    content: Content


class Source(Protocol):
    """Where posts come from. `items` may block; it is left between two items when the process stops."""

    @property
    def name(self) -> str:
        """Stable: checkpoints and progress are kept under it."""

    @property
    def fingerprint(self) -> str:
        """What positions refer to; another fingerprint starts from the beginning."""

    @property
    def total(self) -> int | None:
        """Number of items, where it is known."""

    def items(self, after: int) -> Iterator[Item]:
        """Items behind a position, in order of position, which is also the order of the clock."""
