"""Which watches take a mention: words as people write them, and the index that must not change the answer."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.text.characters import visible
from processors.watches.matcher import Candidate, CompiledWatch, WatchSet
from processors.watches.query import InvalidQuery
from schemas.authors import AuthorClass
from schemas.watches import Watch, WatchLevel

TODAY = date(2026, 11, 24)


def watch(query: str, *exclusions: str, watch_id: str = "su", version: int = 1, **changes: object) -> Watch:
    fields: dict[str, object] = {
        "watch_id": watch_id,
        "version": version,
        "title": "Su",
        "query": query,
        "exclusions": exclusions,
        "level": WatchLevel.COUNT,
        "purpose": "Arızaları erken öğrenmek",
        "legal_basis": "KVKK m.5/2-ç (örnek)",
        "owner": "Basın Bürosu",
        "expires": TODAY,
        "updated_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    return Watch.model_validate(fields | changes)


def candidate(
    text: str, *, platform: str = "bluesky", language: str = "tr", author_class: str = AuthorClass.PRIVATE,
    place: str | None = None, source: str = "forum",
) -> Candidate:  # fmt: skip
    return Candidate(text=text, platform=platform, language=language, author_class=author_class, place=place, source=source)


def takes(query: str, text: str, **fields: str) -> bool:
    return CompiledWatch.compile(watch(query)).matches(candidate(text, **fields))


TAKEN = [
    ("istanbul", "İstanbul'da sular kesik"),
    ("istanbul", "İSTANBUL’DAKİ arıza"),
    ("İSTANBUL", "istanbulda değil, istanbul"),
    ("ısparta", "ISPARTA'da trafik"),
    ("isparta", "Isparta merkezde yağmur"),
    ("ısparta", "isparta diye yazan da var"),
    ("ışık", "ISIK yok, her yer karanlık"),
    ("IŞIK", "işik yok"),
    ("otobüs", "otobus gelmedi yine"),
    ("otobus", "OTOBÜS gelmedi"),
    ("otobu\u0308s", "otobüs gelmedi"),
    ("belediye*", "belediyemizden hâlâ ses yok"),
    ("belediye*", "BELEDİYENİN aracı"),
    ("Çınarlı*", "cinarlida yol kapalı"),
    ("Çınarlı*", "#ÇınarlıSuYok"),
    ("#susuz*", "susuzluk bitsin"),
    ("susuzKaldık", "Yeter artık #SUSUZKALDIK"),
    ("#su", "su nerede"),
    ("@CinarliBB", "cinarlibb cevap ver"),
    ('"su kesintisi"', "yine SU KESİNTİSİ var"),
    ('"su kesintisi"', "su\n\nkesintisi"),
    ('"su kesintisi"', "su-kesintisi, #su #kesintisi"),
    ('"su su su"', "su su, su su su dedik"),
    ("su kesintisi", "kesintisi bitmeyen su"),
    ('"12:30"', "saat 12:30'da kesildi"),
    ("7/24", "7/24 hizmet diyorlardı"),
    ("kağıt", "kâğıt toplama aracı"),
    ("su -reklam", "su yok"),
    ("(su OR elektrik) kesinti*", "elektrik kesintisi uzadı"),
    ("*:*", ""),
    ("🔥", "yangın var 🔥🔥"),
]

NOT_TAKEN = [
    ("istanbul", "İstanbullular bekliyor"),
    ("belediye", "belediyemiz"),
    ("belediye*", "beledi"),
    ('"su kesintisi"', "kesintisi su"),
    ('"su kesintisi"', "su ve kesintisi"),
    ('"su su su"', "su su, elektrik su"),
    ("su kesintisi", "su yok"),
    ("su -reklam", "su filtresi reklam"),
    ("su NOT (reklam OR ilan)", "su ilan"),
    ("(su OR elektrik) kesinti*", "gaz kesintisi"),
    ("su", ""),
]


@pytest.mark.parametrize(("query", "text"), TAKEN)
def test_taken(query: str, text: str) -> None:
    assert takes(query, text)


@pytest.mark.parametrize(("query", "text"), NOT_TAKEN)
def test_not_taken(query: str, text: str) -> None:
    assert not takes(query, text)


@pytest.mark.parametrize(
    ("query", "fields", "expected"),
    [
        ("platform:bluesky", {}, True),
        ("platform:(mastodon OR bsky*)", {}, False),
        ("platform:(mastodon OR blue*)", {}, True),
        ("su -platform:bluesky", {}, False),
        ("language:(en OR und)", {"language": "und"}, True),
        ("author_class:(press OR official)", {"author_class": AuthorClass.PRESS}, True),
        ("su -author_class:own", {"author_class": AuthorClass.OWN}, False),
        ("place:Kavaklı", {"place": "Kavaklı"}, True),
        ("place:Kavaklı", {"place": "kavaklı"}, False),
        ("place:Kavaklı", {}, False),
        ("su -place:Kavaklı", {}, True),
        ("place:Kav*", {"place": "Kavaklı"}, True),
        ("place:Kav*", {}, False),
        ('place:"Yeni Mahalle" su', {"place": "Yeni Mahalle"}, True),
        ("source:rss-*", {"source": "rss-gazete"}, True),
    ],
)
def test_fields(query: str, fields: dict[str, str], expected: bool) -> None:
    """Fields are compared as keywords, and a field without a value has none of them."""
    assert takes(query, "su yok", **fields) is expected


def test_exclusions_remove() -> None:
    """Each exclusion removes on its own."""
    compiled = CompiledWatch.compile(watch("çınarlı*", "çınarlıspor*", '"ilk yarı" OR gol'))
    assert compiled.matches(candidate("Çınarlı'da su yok"))
    assert not compiled.matches(candidate("Çınarlıspor'un maçı, Çınarlı"))
    assert not compiled.matches(candidate("çınarlı ilk yarı önde"))


def test_expired_and_disabled_watches_hear_nothing() -> None:
    """The last day counts in full."""
    watches = [
        watch("su", watch_id="last-day", expires=TODAY),
        watch("su", watch_id="expired", expires=TODAY - timedelta(days=1)),
        watch("su", watch_id="disabled", enabled=False),
    ]
    found = WatchSet.build(watches, TODAY)
    assert found.matching(candidate("su yok")) == ["last-day"]
    assert len(found) == 1
    nothing = WatchSet.build(watches, TODAY + timedelta(days=1))
    assert not nothing.admits("su yok")
    assert nothing.matching(candidate("su yok")) == []


def test_the_highest_version_counts_whatever_the_order() -> None:
    """Also when that version is disabled: an older one does not come back."""
    old, new = watch("su", version=1), watch("elektrik", version=2)
    for versions in ([old, new], [new, old]):
        found = WatchSet.build(versions, TODAY)
        assert (found.matching(candidate("su")), found.matching(candidate("elektrik"))) == ([], ["su"])
    off = watch("su", version=3, enabled=False)
    assert len(WatchSet.build([off, old], TODAY)) == 0


def test_a_watch_that_is_not_understood_is_named_and_the_others_work() -> None:
    """A newer version may have written what this one cannot read: it must be seen, and must not silence the rest."""
    found = WatchSet.build([watch("su~", watch_id="new"), watch("su", "gol~", watch_id="other"), watch("su")], TODAY)
    assert found.matching(candidate("su")) == ["su"]
    assert sorted(found.unusable) == ["new", "other"]
    assert all(isinstance(error, InvalidQuery) for error in found.unusable.values())


def test_ids_are_sorted() -> None:
    watches = [watch("su", watch_id=f"w-{number}") for number in (3, 1, 2)]
    assert WatchSet.build(watches, TODAY).matching(candidate("su")) == ["w-1", "w-2", "w-3"]


@pytest.mark.parametrize(
    ("query", "text", "admitted"),
    [
        ("su kesintisi", "kesintisi olan su", True),
        ("su kesintisi", "su", False),
        ('"su kesintisi"', "kesintisi su", True),
        ("su -reklam", "su reklam", True),
        ("platform:bluesky", "", True),
        ("platform:bluesky su", "elektrik", False),
        ("belediye*", "bele\u00addiye\u200bmiz", True),
        ("otobüs", "otobu\u0308s", True),
        ("izmir", "ＩZMIR", True),
        ("izmir", "IZMIR", True),
    ],
)
def test_admission_looks_at_the_raw_text(query: str, text: str, admitted: bool) -> None:
    """Coarse: words anywhere, fields and NOT unknown, and the text as it will be once invisible signs are gone."""
    assert CompiledWatch.compile(watch(query)).may_match(text) is admitted
    assert WatchSet.build([watch(query)], TODAY).admits(text) is admitted


WORDS = [
    "su",
    "Su'yu",
    "SUSUZ",
    "kesinti",
    "kesintisi",
    "KESİNTİ",
    "ışık",
    "ISIK",
    "yok",
    "#suyok",
    "otobu\u0308s",
    "oto\u00adbüs",
]
ATOMS = [
    "su", "kesinti*", "kesintisi", '"su kesintisi"', '"ışık yok"', "otobüs", "susuz*", "suyok", "platform:bluesky",
    "platform:mast*", "place:Kavaklı", "author_class:press", "*:*",
]  # fmt: skip

texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=20)
atoms = st.sampled_from(ATOMS)


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, min_size=2, max_size=3)
    return (
        several.map(lambda parts: f"({' '.join(parts)})")
        | several.map(lambda parts: f"({' OR '.join(parts)})")
        | st.tuples(atoms, inner).map(lambda pair: f"({pair[0]} NOT {pair[1]})")
    )


queries = st.recursive(atoms, _deeper, max_leaves=6)
candidates = st.builds(
    candidate,
    texts,
    platform=st.sampled_from(["bluesky", "mastodon"]),
    author_class=st.sampled_from([AuthorClass.PRESS, AuthorClass.PRIVATE]),
    place=st.sampled_from([None, "Kavaklı"]),
)


@st.composite
def watch_lists(draw: st.DrawFn) -> list[Watch]:
    pairs = draw(st.lists(st.tuples(queries, st.lists(queries, max_size=1)), max_size=6))
    return [watch(query, *excluded, watch_id=f"w-{number}") for number, (query, excluded) in enumerate(pairs)]


@given(watch_lists(), candidates)
def test_the_index_changes_no_answer(watches: list[Watch], post: Candidate) -> None:
    """Held against a set, a mention matches the watches that it matches one by one."""
    one_by_one = [each.watch_id for each in watches if CompiledWatch.compile(each).matches(post)]
    assert WatchSet.build(watches, TODAY).matching(post) == sorted(one_by_one)


@given(watch_lists(), candidates)
def test_what_matches_was_admitted(watches: list[Watch], post: Candidate) -> None:
    """Admission never loses a mention: neither the text as it came, nor as it is stored."""
    raw = post.text
    found = WatchSet.build(watches, TODAY)
    for stored in (raw, visible(raw)):
        as_stored = candidate(stored, platform=post.platform, author_class=post.author_class, place=post.place)
        for compiled in found:
            assert compiled.may_match(raw) or not compiled.matches(as_stored)
        assert found.admits(raw) or not found.matching(as_stored)


@given(watch_lists(), st.lists(candidates, max_size=3))
def test_admission_is_the_same_for_the_set(watches: list[Watch], posts: list[Candidate]) -> None:
    found = WatchSet.build(watches, TODAY)
    for post in posts:
        assert found.admits(post.text) is any(compiled.may_match(post.text) for compiled in found)
