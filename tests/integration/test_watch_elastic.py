"""A watch and a search find the same posts: matcher and Elasticsearch are asked the same and must answer the same.

All texts are invented. The index is the product's own: its analyzer and its mapping.
"""

import random
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from typing import Any, Final
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from processors.text.tokens import folded_tokens
from processors.watches.elastic import query_dsl, query_string, watch_dsl
from processors.watches.matcher import Candidate, CompiledWatch
from processors.watches.query import MAX_DEPTH, parse
from schemas.documents import ANALYSIS, MENTION_MAPPINGS
from tests.servers_fixture import Servers
from tests.unit.test_watch_matcher import NOT_TAKEN, TAKEN, watch

WRITTEN: Final = [
    "Kavaklı'da su kesintisi var mı?",
    "KAVAKLI’DA SU KESİNTİSİ VAR MI",
    "kavaklida su kesintisi bitti",
    "Sular kesik, kesinti ne zaman biter",
    "su-kesintisi haberi",
    "su/kesintisi, su_kesintisi, su.kesintisi, su:kesintisi",
    "#suKesintisi #susuz_kaldık #SuKesintisi",
    "@CinarliBB su yok! @cinarlibb",
    "İSTANBUL Istanbul istanbul ISTANBUL İstanbul’un",
    "Isparta ISPARTA ısparta İsparta isparta'dan",
    "IŞIKLAR söndü, ışıklar yok, isiklar yok",
    "Iğdır IĞDIR iğdır igdir İĞDIR",
    "otobüs OTOBÜS otobus ŞOFÖR soför",
    "otobu\u0308s ayrışık yazılmış",
    "I\u0307zmir ayrışık noktalı, I\u0308 de var",
    "kâğıt hâlâ rüzgâr KÂĞIT",
    "saat 12:30'da, 12.30'da, 12,30 ya da 1230",
    "fatura 1.250,00 TL geldi, 1250 değil",
    "7/24 hizmet, 7 24",
    "ankara.bel.tr ve www.ankara.bel.tr'den bakın, https://ankara.bel.tr/su?x=1",
    "bilgi@cinarli.example adresine yazdım",
    "rock'n'roll gecesi, O'nun, 'tırnaklı' söz, ''çift''",
    "“kıvrık tırnak” «köşeli» ‘tek’",
    "su… su... su!!! su???",
    "a b c d e f",
    "su su su",
    "su su elektrik su su su",
    "yangın 🔥🔥 çok büyük 🔥",
    "👨‍👩‍👧 ailece bekliyoruz 🇹🇷 👍🏽",
    "❤️ teşekkürler ☎️ 153",
    "su\u200bkesintisi su\u200ckesintisi su\u00adkesintisi su\u2060kesintisi",
    "ﬁyat ﬂaş ８ Ｓｕ ①",
    "ẞ ß STRASSE straße",
    "Ǆ ǅ Œuvre ÆØÅ ñandú Łódź",
    "مياه су вода νερό ΝΕΡΟΣ νερός",
    "水道 断水 すいどう カタカナ 한국어",
    "x²+y² 5m² 10℃ ½",
    "C++ C# .NET R&D A.Ş. T.C.",
    "#",
    "",
    "   ",
    "!!!",
    "ve veya or and not AND OR NOT",
    "_su_ __kesinti__ _ su__yok",
    "su-yok--kesinti su—yok su–yok",
    "KESİNTİSİZ kesintisi kesintiye kesintiler KESINTI",
    "belediyemizden beledi BELEDİYE belediye'nin belediyespor",
    "Çınarlıspor maçı 2-1 bitti, gool",
    "çınarlı'da maç yok, su yok",
    "cinarlı ÇINARLI ÇİNARLI Çinarli",
    "tab\tile\tayrılmış\nsatır\r\nsonu",
    "tr/tr\\tr|tr",
    "k" * 300 + " uzun",
    "1. 2. 3.madde 3a a3 3.a",
    "e\u0301 \u0301 é",
    "su\ufe0f 1\ufe0f\u20e3 #\ufe0f\u20e3 *\u20e3",
    "Σίσυφος ΟΔΟΣ",
    "\u2126 \u212b \u212a",
    "५ ٣ ௩",
    "ŉ ĳ Ĳ ſ İI ıi",
]
SUBJECTS: Final = ["su", "SU", "Elektriğin", "elektrik", "DOĞALGAZ", "otobüs"]
EVENTS: Final = ["kesintisi", "KESİNTİSİ", "arızası", "ariza", "kesildi"]
PLACES: Final = ["Kavaklı'da", "SÖĞÜTLÜ", "#Esentepe"]
TEXTS: Final = [
    *WRITTEN,
    *(text for _, text in TAKEN + NOT_TAKEN),
    *(f"{place} {subject} {event} #susuz" for subject, event, place in product(SUBJECTS, EVENTS, PLACES)),
]  # fmt: skip

QUERIES: Final = [
    *(query for query, _ in TAKEN + NOT_TAKEN),
    "kavaklı", "KAVAKLI", "kavaklida", "kavaklı*", "söğütlü", "SOGUTLU", "esentepe", "#esentepe",
    "su", "kesinti*", "KESİNTİ*", "kesintisi", "ariza*", "arıza*", "ARIZASI",
    '"su kesintisi"', '"kesintisi su"', '"su su"', '"su su su"', '"su kesintisi susuz"', '"kavaklida su"',
    "su kesintisi -kavaklı", "su AND (kesinti* OR arıza*)", "(su kesintisi) OR (elektrik* arıza*)", "su OR elektrik AND arıza*",
    "doğalgaz NOT kesildi", "(su OR NOT susuz) kavaklı", "*:* -susuz", "*:* NOT (su OR elektrik*)", "elektrik* -elektriğin",
    "sukesintisi", "su_kesintisi", '"su kesintisi haberi"', '"su.kesintisi"', '"su:kesintisi"', "su_*", "susuz_*",
    "ısparta", "isparta", "ıspart*", "IĞDIR", "igd*", "ışık*", "şoför", "hala", "rüzgar", "izmir",
    '"12 30"', '"12.30"', "12,30", "1230", "1.250,00", "1.2*", "1250", '"7 24"', "ankara.bel.tr", "ankara*", "www.ankara.bel.tr",
    "ankara", "bel", "cinarli.example", "bilgi", '"x 1"', "rock", "roll", "tırnaklı", "onun", '"o"',
    "🔥", "👍", "👍🏽", "🇹🇷", "❤", "❤️", "☎️", '"1️⃣"',
    "fiyat", "flaş", "8", "1", "strasse", "ss", "dz", "oeuvre", "aeoa", "nandu", "lodz", "вода", "νερός", "νερός*", "οδος",
    "مياه",
    "水", "水道", '"断水"', "すいどう", "カタカナ", "カタ*", "한국어", "x2", "y2", "5m2", "10",
    "c", "net", "a.ş.", "T.C.", '"r d"', '"ve"', '"veya"', '"or"', '"not"', "belediye", "belediye*", "belediyespor", "gool",
    "go*",
    "çınarlı", "cinarli", "ÇİNARLI", "maç", "satır", "sonu", "tr", "uzun", "kk*", '"3 madde"', "3a",
    "a3", "é", "σίσυφος", "ω", "å", "k", "5", "3", "ij", "i", "ı", "s", "yok", "su__yok",
    "__kesinti__", "_su_", "aynı OR yok",
    "platform:bluesky", "platform:mastodon su", "platform:(bluesky OR mastodon) kesinti*", "*:* -platform:bluesky",
    "platform:blue*",
    "language:tr", "language:(en OR und) su", "author_class:press", "su -author_class:own",
    "author_class:(press OR official) su*",
    'place:"Yeni Mahalle"', "place:Kavaklı", "place:kavaklı", "place:Ka*", "su -place:Kavaklı", "*:* -place:K*", r"place:Yeni\ *",
    "source:rss-*", "source:forum su", "source:rss-haber (su OR elektrik)", "(source:forum OR author_class:press) -su",
]  # fmt: skip

WATCHES: Final = [
    ("çınarlı*", ["çınarlıspor*", "maç OR gool"]),
    ("su", ['"su kesintisi"', "platform:mastodon"]),
    ("kesinti* OR arıza*", ["author_class:own", "elektrik* -kesildi"]),
    ("*:*", ["su", "place:Kavaklı"]),
]

Post = tuple[str, Candidate]


def candidates() -> Iterator[Post]:
    rng = random.Random(20261124)
    for number, text in enumerate(TEXTS):
        yield (
            f"m{number}",
            Candidate(
                text=text,
                platform=rng.choice(["bluesky", "mastodon", "forum"]),
                language=rng.choice(["tr", "en", "und"]),
                author_class=rng.choice(["own", "official", "press", "private"]),
                place=rng.choice([None, "Kavaklı", "Yeni Mahalle", "Yenice"]),
                source=rng.choice(["forum", "rss-haber", "rss_2"]),
            ),
        )


POSTS: Final = list(candidates())


def random_queries(count: int) -> list[str]:
    """Trees over words, phrases, prefixes and fields, three levels deep."""
    rng = random.Random(7)
    atoms = [query for query in QUERIES if " " not in query and "-" not in query]
    atoms += ['"su kesintisi"', '"su su"', "su", "elektrik*", "kesinti*", "arıza*"] * 8

    def grown(depth: int) -> str:
        if depth == 0 or rng.random() < 0.2:
            return rng.choice(atoms)
        parts = [grown(depth - 1) for _ in range(rng.randint(2, 3))]
        operator = rng.choice([" ", " AND ", " OR ", " NOT ", " AND NOT "])
        return f"({operator.join(parts)})"

    return [grown(3) for _ in range(count)]


@pytest.fixture(scope="module")
def search(servers: Servers) -> Iterator["Search"]:
    with closing(Elasticsearch(servers.elasticsearch, request_timeout=60)) as client:
        index = f"watch-elastic-{uuid4().hex}"
        client.indices.create(
            index=index,
            settings={"number_of_shards": 1, "number_of_replicas": 0, "analysis": ANALYSIS},
            mappings=MENTION_MAPPINGS,
        )
        bulk(client, ({"_index": index, "_id": name, "_source": document(post)} for name, post in POSTS), refresh=True)
        yield Search(client, index)
        client.indices.delete(index=index)


def document(post: Candidate) -> dict[str, str | None]:
    return {name: getattr(post, name) for name in ("text", "platform", "language", "author_class", "place", "source")}


class Search:
    """What Elasticsearch finds."""

    def __init__(self, client: Elasticsearch, index: str) -> None:
        self._client, self._index = client, index

    def __call__(self, queries: list[dict[str, Any]]) -> list[set[str]]:
        lines: list[dict[str, Any]] = []
        for query in queries:
            lines += [{}, {"query": query, "size": len(POSTS), "_source": False}]
        answers = self._client.msearch(index=self._index, searches=lines)["responses"]
        assert not [answer["error"] for answer in answers if "error" in answer]
        return [{hit["_id"] for hit in answer["hits"]["hits"]} for answer in answers]

    def tokens(self, text: str) -> list[str]:
        answer = self._client.indices.analyze(index=self._index, analyzer="nabiz_text", text=text)
        return [token["token"] for token in answer["tokens"]]


def matched(compiled: CompiledWatch) -> set[str]:
    return {name for name, post in POSTS if compiled.matches(post)}


def differences(queries: list[str], found: list[set[str]]) -> list[str]:
    """Readable: which query, and the text that only one of the two takes."""
    texts = {name: post.text for name, post in POSTS}
    wrong: list[str] = []
    for query, there in zip(queries, found, strict=True):
        here = matched(CompiledWatch.compile(watch(query)))
        wrong += [f"{query!r} only matched here: {texts[name]!r}" for name in sorted(here - there)]
        wrong += [f"{query!r} only found there: {texts[name]!r}" for name in sorted(there - here)]
    return wrong


def test_there_is_enough_to_compare() -> None:
    """Most queries find something and none but the widest finds all: two that never match would agree on anything."""
    assert len(set(QUERIES)) >= 60
    assert len(TEXTS) >= 120
    sizes = [len(matched(CompiledWatch.compile(watch(query)))) for query in QUERIES]
    assert sum(0 < size < len(POSTS) for size in sizes) >= 0.85 * len(sizes)


def test_both_cut_the_same_words(search: Search) -> None:
    """Else agreement on the queries below would be luck."""
    assert [(text, search.tokens(text)) for text in TEXTS] == [(text, folded_tokens(text)) for text in TEXTS]


def test_matcher_and_search_agree(search: Search) -> None:
    """Each query by itself, as query DSL."""
    assert differences(QUERIES, search([query_dsl(parse(query)) for query in QUERIES])) == []


def test_the_query_written_out_agrees_where_elasticsearch_reads_it(search: Search) -> None:
    """Elasticsearch parses and analyses the words itself here."""
    assert differences(QUERIES, search([query_string(parse(query)) for query in QUERIES])) == []


def test_combinations_agree(search: Search) -> None:
    """Whatever can be built with operators, fields and parentheses."""
    queries = random_queries(400)
    assert differences(queries, search([query_dsl(parse(query)) for query in queries])) == []
    assert differences(queries, search([query_string(parse(query)) for query in queries])) == []


def test_the_deepest_query_is_taken_by_elasticsearch(search: Search) -> None:
    """What we accept, Elasticsearch accepts."""
    deepest = "(su OR yok AND " * MAX_DEPTH + "su" + ")" * MAX_DEPTH
    widest = " OR ".join(f"kelime{number}" for number in range(700))
    for query in (deepest, widest):
        search([watch_dsl(parse(query), [parse(query)]), query_string(parse(query))])


def test_watches_with_exclusions_agree(search: Search) -> None:
    found = search([watch_dsl(parse(query), map(parse, excluded)) for query, excluded in WATCHES])
    for (query, excluded), there in zip(WATCHES, found, strict=True):
        assert there == matched(CompiledWatch.compile(watch(query, *excluded))), query
        assert 0 < len(there) < len(POSTS)


def test_the_default_operator_is_ours(search: Search) -> None:
    """The same two words typed into Elasticsearch with our default operator find what the watch takes, with its own more."""
    asked = {"query": "su kesintisi", "default_field": "text"}
    ours, theirs = search([{"query_string": {**asked, "default_operator": "AND"}}, {"query_string": asked}])
    assert ours == matched(CompiledWatch.compile(watch("su kesintisi")))
    assert ours < theirs
