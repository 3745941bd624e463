"""What a query means, and what is refused with a query that works instead."""

import pytest

from processors.watches.elastic import DEFAULT_OPERATOR, lucene, query_dsl, query_string, watch_dsl
from processors.watches.expression import Everything, Prefix, Words
from processors.watches.query import MAX_CHARACTERS, MAX_DEPTH, InvalidQuery, parse

MEANINGS = {
    "su": 'text:"su"',
    "  su  ": 'text:"su"',
    "SU KESİNTİSİ": '(text:"su" AND text:"kesintisi")',
    "su\nkesintisi": '(text:"su" AND text:"kesintisi")',
    '"Su Kesintisi"': 'text:"su kesintisi"',
    "“su kesintisi”": 'text:"su kesintisi"',
    "„su kesintisi‟": 'text:"su kesintisi"',
    "su-kesintisi": 'text:"su kesintisi"',
    "7/24": 'text:"7 24"',
    "İSTANBUL'DA": 'text:"istanbul"',
    "ISPARTA’nın": 'text:"isparta"',
    "otobüs": 'text:"otobus"',
    "otobu\u0308s": 'text:"otobus"',
    "oto\u00adbüs": 'text:"otobus"',
    "#susuzKaldık": 'text:"susuzkaldik"',
    "@CinarliBB": 'text:"cinarlibb"',
    '"12:30"': 'text:"12 30"',
    "1.250,00": 'text:"1.250,00"',
    "belediye*": "text:belediye*",
    "Çınarlı*": "text:cinarli*",
    "#çınarlı*": "text:cinarli*",
    r"yıldız\*": 'text:"yildiz"',
    "a AND b": '(text:"a" AND text:"b")',
    "a b AND c": '(text:"a" AND text:"b" AND text:"c")',
    "a AND b c": '(text:"a" AND text:"b" AND text:"c")',
    "+a +b": '(text:"a" AND text:"b")',
    "+a b": '(text:"a" AND text:"b")',
    "a OR b OR c": '(text:"a" OR text:"b" OR text:"c")',
    "a AND b OR c": '((text:"a" AND text:"b") OR text:"c")',
    "a OR b AND c": '(text:"a" OR (text:"b" AND text:"c"))',
    "a AND b OR c AND d": '((text:"a" AND text:"b") OR (text:"c" AND text:"d"))',
    "(a OR b) c": '((text:"a" OR text:"b") AND text:"c")',
    "a (b OR c) d": '(text:"a" AND (text:"b" OR text:"c") AND text:"d")',
    "a AND (b OR c) -d": '(text:"a" AND (text:"b" OR text:"c") AND (*:* AND NOT text:"d"))',
    "((a))": 'text:"a"',
    "a -b": '(text:"a" AND (*:* AND NOT text:"b"))',
    "a NOT b": '(text:"a" AND (*:* AND NOT text:"b"))',
    "a AND NOT b": '(text:"a" AND (*:* AND NOT text:"b"))',
    "a AND -b": '(text:"a" AND (*:* AND NOT text:"b"))',
    "NOT a b": '((*:* AND NOT text:"a") AND text:"b")',
    "a NOT (b OR c)": '(text:"a" AND (*:* AND NOT (text:"b" OR text:"c")))',
    'a -"b c"': '(text:"a" AND (*:* AND NOT text:"b c"))',
    "(a OR NOT b) c": '((text:"a" OR (*:* AND NOT text:"b")) AND text:"c")',
    "platform:bluesky": 'platform:"bluesky"',
    "platform:BlueSky": 'platform:"bluesky"',
    "platform:(bluesky OR mastodon) su": '((platform:"bluesky" OR platform:"mastodon") AND text:"su")',
    "platform:(mast* -mastodon)": '(platform:mast* AND (*:* AND NOT platform:"mastodon"))',
    "language:tr su": '(language:"tr" AND text:"su")',
    "author_class:(press OR official)": '(author_class:"press" OR author_class:"official")',
    'place:"Yeni Mahalle"': 'place:"Yeni Mahalle"',
    r"place:Yeni\ Mahalle": 'place:"Yeni Mahalle"',
    "place:Çınar*": "place:Çınar*",
    "su -source:forum": '(text:"su" AND (*:* AND NOT source:"forum"))',
    "source:rss-*": r"source:rss\-*",
    "*:*": "*:*",
    "*:* -su": '(*:* AND (*:* AND NOT text:"su"))',
    '"ve"': 'text:"ve"',
    '"or"': 'text:"or"',
    "TO": 'text:"to"',
    "yangın!": 'text:"yangin"',
    "🔥": 'text:"🔥"',
}


@pytest.mark.parametrize(("query", "meaning"), MEANINGS.items())
def test_a_query_means(query: str, meaning: str) -> None:
    """A space is AND, AND binds closer than OR, words are folded; written out in full, the meaning parses to itself."""
    assert lucene(parse(query)) == meaning


REFUSED = {
    "": ("empty", 0),
    " \n ": ("empty", 0),
    "\u200b": ("empty", 0),
    "kesinti~": ('"~"', 0),
    "su kesinti~2": ('"~"', 3),
    '"su kesintisi"~5': ('"~"', 0),
    "su^2": ('"^"', 0),
    "(su kesinti*)^2": ('"^"', 0),
    "[a TO b]": ("ranges", 0),
    "{a TO b}": ("ranges", 0),
    "su [": ("breaks off", 3),
    "su ]": ("ranges", 3),
    ">5": ("ranges", 0),
    "su <=5": ("ranges", 3),
    "/kesin.*/": ("slashes", 0),
    "su /yol": ('"/"', 3),
    "*kesinti": ("beginning", 0),
    "*": ("*:*", 0),
    "su *": ("*:*", 3),
    "kes*ti": ("only at the end", 3),
    "su*kes*": ("only at the end", 2),
    "kesint?": ('"?"', 6),
    "?": ('"?"', 0),
    '"su kesinti*"': ("no effect", 11),
    "s*": ("at least 2", 0),
    "#ç*": ("at least 2", 0),
    "su-kesinti*": ("exactly one word", 0),
    "#*": ("exactly one word", 0),
    "İstanbul'd*": ("apostrophe", 0),
    "İstanbul’*": ("apostrophe", 0),
    "label:negative": ("tone", 0),
    "su sentiment:negative": ("tone", 3),
    "text:su": ("anyway", 0),
    "platfrom:bluesky": ('did you mean "platform"', 0),
    "saat 12:30": ("between quotation marks", 5),
    "https://ornek.example/su": ("between quotation marks", 0),
    "su:*": ("unknown field", 0),
    "*:su": ("unknown field", 0),
    "place:*": ("whole value", 6),
    "author_class:citizen": ("no class of author", 13),
    "author_class:pre*": ("whole value", 13),
    "language:türkçe": ("no code of a language", 9),
    "language:t*": ("whole value", 9),
    'platform:""': ("needs a value", 9),
    "platform:blu?": ('"?"', 12),
    "platform:(bluesky mastodon)": ("use OR", 10),
    "platform:(bluesky AND mastodon)": ("use OR", 10),
    "platform:(language:tr)": ("inside another field", 10),
    "platform:bluesky~": ('"~"', 9),
    '"su kesintisi': ("never closed", 0),
    'su "kesintisi" "': ("never closed", 15),
    "su (kesinti*": ("never closed", 3),
    "su) kesinti*": ("closes nothing", 2),
    "su ()": ("nothing between", 4),
    '""': ("no letter or digit", 0),
    '" "': ("no letter or digit", 0),
    "#": ("no letter or digit", 0),
    "su & elektrik": ("no letter or digit", 3),
    "su && elektrik": ("operator is AND", 3),
    "su || elektrik": ("operator is OR", 3),
    "su or elektrik": ("operator is OR", 3),
    "su veya elektrik": ("operator is OR", 3),
    "su VE elektrik": ("operator is AND", 3),
    "su not elektrik": ("operator is NOT", 3),
    "!su": ('"!"', 0),
    'su"kesintisi"': ("quotation mark inside", 0),
    'place:a"b"': ("quotation mark inside", 6),
    "'su kesintisi'": ("apostrophe", 0),
    "NOT su": ("not wanted", 0),
    "-su": ("not wanted", 0),
    "-su -elektrik": ("not wanted", 0),
    "su OR NOT elektrik": ("not wanted", 0),
    "su OR -elektrik": ("not wanted", 0),
    "NOT (NOT su)": ("not wanted", 0),
    "-platform:bluesky": ("not wanted", 0),
    "su kesintisi OR elektrik": ("two ways", 3),
    "su OR elektrik kesintisi": ("two ways", 15),
    "su OR elektrik -reklam": ("two ways", 15),
    "su AND ışık OR elektrik kesintisi": ("two ways", 24),
    "+su OR elektrik": ("two ways", 0),
    "su AND": ("breaks off", 5),
    "su OR  ": ("breaks off", 4),
    "AND su": ("something must stand before", 0),
    "su OR OR elektrik": ("something must stand before", 6),
    "su -": ("breaks off", 3),
    "platform:": ("breaks off", 8),
    '"su":kesinti': ("needs a field", 4),
    "su \\": ('"\\"', 3),
    "~ su": ('"~"', 0),
    "su " * MAX_CHARACTERS: ("longer", MAX_CHARACTERS),
    "(" * (MAX_DEPTH + 1) + "su" + ")" * (MAX_DEPTH + 1): ("levels", MAX_DEPTH + 1),
    "su " + "NOT " * 1000 + "elektrik": ("levels", 3 + 4 * (MAX_DEPTH + 1)),
}


@pytest.mark.parametrize(("query", "expected"), REFUSED.items(), ids=lambda value: repr(value)[:40])
def test_a_query_is_refused(query: str, expected: tuple[str, int]) -> None:
    """The message says what is wrong and where, and gives a query that is taken."""
    with pytest.raises(InvalidQuery) as caught:
        parse(query)
    problem, position = expected
    error = caught.value
    assert problem in error.problem
    assert error.position == position
    assert str(error) == f"{error.problem} (at character {position + 1}); this works: {error.example}"
    parse(error.example)


def test_deep_and_long_queries_are_taken_up_to_the_limit() -> None:
    """Nothing breaks before the limit is reached, and long lists of words are not deep."""
    parse("(" * MAX_DEPTH + "su" + ")" * MAX_DEPTH)
    parse(" OR ".join(f"kelime{number}" for number in range(700)))
    parse("a OR b AND c" + " OR a AND b" * 600)


def test_the_words_are_in_the_tree_as_they_are_in_the_index() -> None:
    assert parse("“IŞIK Yok”") == Words(("isik", "yok"))
    assert parse("Kesinti*") == Prefix("kesinti")
    assert parse("*:*") == Everything()


def test_query_dsl() -> None:
    """Folded words are looked up as they are; nothing is left to a default operator."""
    assert query_dsl(parse('su "su yok" kesinti* -platform:bluesky')) == {
        "bool": {
            "filter": [
                {"term": {"text": "su"}},
                {"match_phrase": {"text": {"query": "su yok", "analyzer": "whitespace"}}},
                {"prefix": {"text": "kesinti"}},
                {"bool": {"must_not": [{"term": {"platform": "bluesky"}}]}},
            ]
        }
    }
    assert query_dsl(parse("su OR *:*")) == {
        "bool": {"should": [{"term": {"text": "su"}}, {"match_all": {}}], "minimum_should_match": 1}
    }


def test_a_watch_without_its_exclusions() -> None:
    assert watch_dsl(parse("su"), [parse("maç*")]) == {
        "bool": {"filter": [{"term": {"text": "su"}}], "must_not": [{"prefix": {"text": "mac"}}]}
    }


def test_the_default_operator_is_told_to_elasticsearch() -> None:
    """Elasticsearch's own default is OR: a query typed there would take every post with one of the words."""
    assert query_string(parse("su"))["query_string"]["default_operator"] == DEFAULT_OPERATOR == "AND"
