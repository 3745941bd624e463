"""What may be known of an author: a class and a band of reach, never a profile."""

from enum import StrEnum


class AuthorClass(StrEnum):
    """Who speaks. Stamped by the connector, since it cannot be told from masked data later."""

    OWN = "own"  # the institution itself
    OFFICIAL = "official"  # another public body
    PRESS = "press"
    PUBLIC_FIGURE = "public_figure"  # whoever the institution listed as one: name and handle may be shown
    PRIVATE = "private"  # an account that is on no list
    UNKNOWN = "unknown"  # the source names no author


class ReachBand(StrEnum):
    """Followers, in bands so wide that nobody can be found by the number."""

    UNDER_100 = "under_100"
    UNDER_1K = "under_1k"
    UNDER_10K = "under_10k"
    UNDER_100K = "under_100k"
    FROM_100K = "from_100k"
