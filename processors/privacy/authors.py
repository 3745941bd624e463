"""Who is public and who is private, by lists that the institution keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.authors import AuthorClass, ReachBand

__all__ = ["AuthorClass", "PublicAccounts", "ReachBand", "normalise_handle", "reach_band"]

ANY_PLATFORM = "*"

_BANDS = (
    (100, ReachBand.UNDER_100),
    (1_000, ReachBand.UNDER_1K),
    (10_000, ReachBand.UNDER_10K),
    (100_000, ReachBand.UNDER_100K),
)


def reach_band(followers: int | None) -> ReachBand | None:
    """The band, or None when the source tells no number (some platforms say -1 for hidden)."""
    if followers is None or followers < 0:
        return None
    return next((band for limit, band in _BANDS if followers < limit), ReachBand.FROM_100K)


def normalise_handle(handle: str) -> str:
    """A handle as it is compared: without "@" and blanks around it, lower case (handles are ASCII, so plain `lower`)."""
    return handle.strip().lstrip("@").lower()


@dataclass(frozen=True)
class PublicAccounts:
    """Accounts that may be named, per class and platform: {OWN: {"x": {"ornekbelediye"}, "*": {...}}}.

    The platform "*" stands for all. An account in two classes gets the first in the order of `AuthorClass`. `PRIVATE`
    and `UNKNOWN` are conclusions and cannot be listed.
    """

    by_class: Mapping[AuthorClass, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    def classify(self, platform: str, handle: str | None) -> AuthorClass:
        """`UNKNOWN` without a handle, `PRIVATE` for whoever is on no list."""
        raise NotImplementedError

    def handles(self, platform: str) -> frozenset[str]:
        """All handles that may stay readable on the platform, for `masking.mask`."""
        raise NotImplementedError
