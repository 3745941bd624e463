"""Pseudonyms of posts and authors, and the classes of authors."""

from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from processors.privacy.authors import ANY_PLATFORM, PublicAccounts, reach_band
from processors.privacy.identity import author_key, day_watch_key, mention_id
from schemas.authors import AuthorClass, ReachBand

SECRET = bytes(range(32))
DAY = date(2026, 3, 1)
ANYTHING = st.text(st.characters(codec=None))  # lone surrogates too: native ids come from strangers


def test_the_form_of_an_id_is_fixed() -> None:
    """A change here would make every post of the past another post."""
    key = mention_id(SECRET, "mastodon", "ornek.social", "1234")
    assert key == "mastodon:ornek.social:" + key.rpartition(":")[2]
    assert len(key.rpartition(":")[2]) == 26
    assert key == mention_id(SECRET, "mastodon", "ornek.social", "1234")
    assert set(key.rpartition(":")[2]) <= set("abcdefghijklmnopqrstuvwxyz234567")


@settings(deadline=None)
@given(ANYTHING, ANYTHING)
def test_each_native_id_has_its_own_key_and_is_not_in_it(first: str, second: str) -> None:
    """Any character may be in a native id, also the separator."""
    assume(first != second)
    assert mention_id(SECRET, "x", "x.com", first) != mention_id(SECRET, "x", "x.com", second)


@settings(deadline=None)
@given(ANYTHING)
def test_keys_of_different_purpose_never_meet(native: str) -> None:
    """A post's key is not its author's, nor another platform's, nor another secret's."""
    keys = {
        mention_id(SECRET, "x", "x.com", native),
        author_key(SECRET, "x", "x.com", native),
        mention_id(SECRET[::-1], "x", "x.com", native),
    }
    assert len(keys) == 3
    assert mention_id(SECRET, "a", "b", native).rpartition(":")[2] != mention_id(SECRET, "b", "a", native).rpartition(":")[2]


@pytest.mark.parametrize("place", ["", "X", "a:b", "a b", "ı", "x\n", "a/b"])
def test_platform_and_instance_are_plain(place: str) -> None:
    """They stand readable in the id, between colons."""
    with pytest.raises(ValueError, match="platform and instance"):
        mention_id(SECRET, place, "x.com", "1")
    with pytest.raises(ValueError, match="platform and instance"):
        author_key(SECRET, "x", place, "1")


def test_a_short_secret_is_refused() -> None:
    """An empty file must not become a key."""
    with pytest.raises(ValueError, match="secret"):
        mention_id(b"", "x", "x.com", "1")


def test_the_index_key_links_neither_days_nor_watches() -> None:
    """One watch on one day, and back to the author only with the secret."""
    author = author_key(SECRET, "x", "x.com", "ahmet")
    keys = [
        day_watch_key(SECRET, author, DAY, "su"),
        day_watch_key(SECRET, author, date(2026, 3, 2), "su"),
        day_watch_key(SECRET, author, DAY, "metro"),
        day_watch_key(SECRET, author_key(SECRET, "x", "x.com", "veli"), DAY, "su"),
    ]
    assert len(set(keys)) == 4
    assert all(len(key) == 26 for key in keys)


ACCOUNTS = PublicAccounts(
    {
        AuthorClass.OWN: {"x": frozenset({"@OrnekBelediye"}), ANY_PLATFORM: frozenset({"ornekbld"})},
        AuthorClass.PRESS: {ANY_PLATFORM: frozenset({"OrnekHaber", "ornekbelediye"})},
    }
)


@pytest.mark.parametrize(
    ("platform", "handle", "author_class"),
    [
        ("x", "ORNEKBELEDIYE", AuthorClass.OWN),
        ("x", "@ornekbld", AuthorClass.OWN),
        ("mastodon", "ornekbelediye", AuthorClass.PRESS),
        ("mastodon", " @ornekhaber ", AuthorClass.PRESS),
        ("x", "ahmet", AuthorClass.PRIVATE),
        ("x", None, AuthorClass.UNKNOWN),
        ("x", "@", AuthorClass.UNKNOWN),
    ],
)
def test_authors_are_classed_by_lists(platform: str, handle: str | None, author_class: AuthorClass) -> None:
    """Per platform, in any case; the first class wins."""
    assert ACCOUNTS.classify(platform, handle) is author_class


def test_public_handles_of_a_platform() -> None:
    """A platform that nobody listed has the accounts of all platforms."""
    assert ACCOUNTS.handles("x") == {"ornekbelediye", "ornekbld", "ornekhaber"}
    assert ACCOUNTS.handles("bluesky") == {"ornekbelediye", "ornekbld", "ornekhaber"}
    assert PublicAccounts({AuthorClass.OWN: {"x": frozenset({"a"})}}).handles("bluesky") == frozenset()
    assert PublicAccounts().handles("x") == frozenset()


@pytest.mark.parametrize("author_class", [AuthorClass.PRIVATE, AuthorClass.UNKNOWN])
def test_nobody_is_listed_as_private(author_class: AuthorClass) -> None:
    """A list of private persons is what this system must not hold."""
    with pytest.raises(ValueError, match="no class of public accounts"):
        PublicAccounts({author_class: {"x": frozenset({"ahmet"})}})


@pytest.mark.parametrize(
    ("followers", "band"),
    [
        (None, None), (-1, None), (0, ReachBand.UNDER_100), (99, ReachBand.UNDER_100), (100, ReachBand.UNDER_1K),
        (9_999, ReachBand.UNDER_10K), (99_999, ReachBand.UNDER_100K), (100_000, ReachBand.FROM_100K),
    ],
)  # fmt: skip
def test_reach_is_a_band(followers: int | None, band: ReachBand | None) -> None:
    """Limits belong to the band above."""
    assert reach_band(followers) is band
