"""Who is public and who is private, by lists that the institution keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

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
    """A handle as it is compared: without "@" and blanks around it, lower case (plain `lower`, for handles are ASCII)."""
    return handle.strip().lstrip("@").lower()


@dataclass(frozen=True)
class PublicAccounts:
    """Accounts that may be named, per class and platform: {OWN: {"x": {"ornekbelediye"}, "*": {...}}}.

    The platform "*" stands for all. An account in two classes gets the first in the order of `AuthorClass`. `PRIVATE`
    and `UNKNOWN` are conclusions and cannot be listed.
    """

    by_class: Mapping[AuthorClass, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises `ValueError` for a class that cannot be listed."""
        for author_class in (AuthorClass.PRIVATE, AuthorClass.UNKNOWN):
            if author_class in self.by_class:
                raise ValueError(f"{author_class} is no class of public accounts")

    def classify(self, platform: str, handle: str | None) -> AuthorClass:
        """`UNKNOWN` without a handle, `PRIVATE` for whoever is on no list."""
        name = normalise_handle(handle or "")
        if not name:
            return AuthorClass.UNKNOWN
        for author_class in AuthorClass:
            if name in self._listed(author_class, platform):
                return author_class
        return AuthorClass.PRIVATE

    def handles(self, platform: str) -> frozenset[str]:
        """All handles that may stay readable on the platform, for `masking.mask`; the same object at each call."""
        return self._handles.get(platform, self._handles[ANY_PLATFORM])

    def _listed(self, author_class: AuthorClass, platform: str) -> frozenset[str]:
        """The accounts of the platform, those of all platforms included."""
        by_platform = self._normalised.get(author_class, {})
        return by_platform.get(platform, frozenset()) | by_platform.get(ANY_PLATFORM, frozenset())

    @cached_property
    def _normalised(self) -> Mapping[AuthorClass, Mapping[str, frozenset[str]]]:
        return {
            author_class: {platform: frozenset(map(normalise_handle, names)) for platform, names in by_platform.items()}
            for author_class, by_platform in self.by_class.items()
        }

    @cached_property
    def _handles(self) -> Mapping[str, frozenset[str]]:
        platforms = {ANY_PLATFORM}.union(*self._normalised.values())
        return {
            platform: frozenset().union(*(self._listed(author_class, platform) for author_class in AuthorClass))
            for platform in platforms
        }
