"""Turkish text as the index sees it: case, folding, words, copies, language."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.text import turkish
from processors.text.characters import visible
from processors.text.language import detect
from processors.text.signature import near, signature
from processors.text.tokens import MAX_TOKEN_CHARACTERS, fold, folded, folded_tokens, tokenise

# What Lucene 9.12.2 gave: StandardTokenizer alone, and followed by ApostropheFilter, TurkishLowerCaseFilter,
# ASCIIFoldingFilter. The second part of the list is random.
LUCENE = json.loads((Path(__file__).parent / "golden" / "lucene_words.json").read_text())
WORDS = st.sampled_from("su kesintisi Kadıköy'de ÇÖP yol İETT otobüs gelmedi rezalet ışıklar bozuk".split())  # noqa: SIM905


@pytest.mark.parametrize("case", LUCENE, ids=lambda case: ascii(case["text"])[:40])
def test_words_are_cut_and_folded_as_lucene_does(case: dict) -> None:
    """A watch and the index agree on what a word is."""
    assert [token.text for token in tokenise(case["text"])] == case["words"]
    assert folded_tokens(case["text"]) == case["folded"]


@pytest.mark.parametrize(("upper", "lower"), [("IŞIK", "ışık"), ("İZMİR", "izmir"), ("ÇĞÖŞÜ", "çğöşü"), ("I\u0307", "i")])
def test_turkish_case(upper: str, lower: str) -> None:
    """İ and i, I and ı are pairs."""
    assert turkish.lower(upper) == lower


def test_turkish_upper_case_is_the_way_back() -> None:
    """Both i's come back as themselves."""
    assert turkish.upper("ilık ışık") == "İLIK IŞIK"
    assert turkish.lower(turkish.upper("ilık ışık")) == "ilık ışık"


def test_folding_takes_latin_letters_to_ascii_and_leaves_other_scripts() -> None:
    """ASCIIFoldingFilter's table, with its letters of two characters."""
    assert turkish.ascii_fold("kâğıt şöför Ærø ẞ ５") == "kagit sofor AEro SS 5"
    assert turkish.ascii_fold("Москва سلام") == "Москва سلام"


@pytest.mark.parametrize(("word", "stem"), [("İzmir'den", "İzmir"), ("Ankara’ya", "Ankara"), ("yol", "yol"), ("O'nun'da", "O")])
def test_apostrophe_ends_the_word(word: str, stem: str) -> None:
    """Whatever follows the first apostrophe is a suffix."""
    assert turkish.before_apostrophe(word) == stem


def test_positions_count_words_and_offsets_point_into_the_text() -> None:
    """An emoji is a word too: the phrase "metro durağı" does not match across it, nor does it in the index."""
    text = "Metro 🚇 İzmir'de durdu"
    tokens = list(folded(text))
    assert [(token.text, token.position) for token in tokens] == [("metro", 0), ("🚇", 1), ("izmir", 2), ("durdu", 3)]
    assert [text[token.start : token.end] for token in tokens] == ["Metro", "🚇", "İzmir'de", "durdu"]


@settings(deadline=None)
@given(st.text())
def test_folded_words_are_found_again_by_their_own_text(text: str) -> None:
    """Offsets are in order and never overlap; folding a token's text gives the token."""
    end = 0
    for position, token in enumerate(folded(text)):
        assert token.position == position
        assert end <= token.start < token.end
        assert fold(text[token.start : token.end]) == token.text
        end = token.end


@pytest.mark.parametrize("piece", ["_", "a", "a.", "1,", "a@", "\u0301", "a\u0301", "🚇", "' "])
def test_a_megabyte_of_anything_is_cut(piece: str) -> None:
    """The work is linear, and no word is longer than the index takes."""
    words = folded_tokens(piece * (1_000_000 // len(piece)))
    assert all(len(word) <= MAX_TOKEN_CHARACTERS for word in words)


def test_what_is_not_seen_goes_and_digits_are_digits() -> None:
    """Zero-width characters, full-width signs and the digits of other scripts; emoji keep their joiners."""
    assert visible("a\u200bh\u00admet\ufeff ０５３２ ٣ ＠ayşe") == "ahmet 0532 3 @ayşe"
    assert visible("s\u0327u 1\ufe0f\u20e3 👨\u200d👩") == "şu 1 👨\u200d👩"
    assert visible("satır\nsatır") == "satır\nsatır"
    assert visible("\ud83d broken") == "\ufffd broken"


@pytest.mark.parametrize(
    "run", ["\u200b\u200d\u200b", "\x00\u200d\x00", "\u20e3\u200d\u20e3", "\ufe0f\u20e3\ufe0f\u200d", "\u200d\ufe0f\u200b"]
)
def test_joiners_hide_behind_nothing(run: str) -> None:
    """Between digits they break a number, whatever other invisible signs stand around them."""
    assert visible(f"05{run}32") == "0532"


TANGLED = st.lists(st.sampled_from([*"aç5@_ 😀👩\u0301\u0327\u200d\u200b\x00\u20e3\ufe0f\u00ad", "🏽"]), max_size=9).map("".join)


@settings(deadline=None)
@given(st.text() | TANGLED)
def test_visible_twice_is_visible_once(text: str) -> None:
    """Nothing comes to light by looking twice."""
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("piece", ["\u200d", "a\u200d", "\u200d\u200b", "\ufe0f\u200d", "😀\u200d", "a\u0301\u200d"])
def test_a_megabyte_of_joiners_is_looked_through(piece: str) -> None:
    """The work is linear: by squares, this would take the privacy gate hours."""
    visible(piece * (1_000_000 // len(piece)))


ADDITIONS = st.sampled_from(["👍", "!!!", "", "https://ornek.bel.tr/a?b=1", "@baskasi", "42"])


@settings(deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=30), ADDITIONS)
def test_copies_have_the_same_signature(words: list[str], addition: str) -> None:
    """Another link, user name, number, case, emoji or mark of masking makes no other text."""
    text = " ".join(words)
    copies = (f"RT @biri: {text} {addition}", f"{addition} {turkish.upper(text)}", f"[kişi] {text} [bağlantı: ornek.bel.tr]")
    assert {signature(copy) for copy in copies} == {signature(text)}


@settings(deadline=None)
@given(st.lists(WORDS, min_size=2, max_size=11, unique=True))
def test_another_word_is_another_text(words: list[str]) -> None:
    """Signatures are 16 hex characters, and tell texts apart that share all words but one."""
    text = " ".join(words)
    assert len(signature(text)) == 16
    assert signature(text) != signature(text + " teşekkürler")


def test_texts_without_words_are_not_all_copies() -> None:
    """An emoji is told from another."""
    assert signature("👍") != signature("😡")
    assert signature("@ahmet 👍") == signature("👍 @veli")


def test_near_counts_differing_bits() -> None:
    """Three by default."""
    assert near("000000000000000f", "0000000000000008")
    assert not near("000000000000000f", "0000000000000000")
    assert near("000000000000000f", "0000000000000000", bits=4)


TURKISH = """cok kotu hizmet|su yok|sular kesik|otobus gelmedi yine|yeter artik|tesekkurler|rezalet|Elinize saglik
metro durdu mahsur kaldik|allah razi olsun|helal olsun baskan|doktor yok, randevu yok|yangin var|kim bu adam|super|bravo
adamlar bakmiyor|metroda klima calismiyor|app calismiyor, login olmuyor|Yol çalışması ne zaman bitecek?|Ankara|on numara
IŞIKLAR YANMIYOR|@ornek https://ornek.bel.tr/en/this-is-the-page su yok|#sukesintisi yine""".replace("\n", "|").split("|")


@pytest.mark.parametrize("text", TURKISH)
def test_short_turkish_without_diacritics_is_turkish(text: str) -> None:
    """In doubt it is Turkish."""
    assert detect(text) == "tr"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The service was terrible today", "en"),
        ("Der Bus kommt heute nicht", "de"),
        ("خدمة سيئة جدا في المدينة", "ar"),
        ("сегодня нет воды", "ru"),
        ("Îro av tune, şaredarî çi dike", "ku"),
        ("avtobus gəlmədi bu gün", "az"),
        ("", "und"),
        ("42 👍 @ahmet https://x.com/a", "und"),
    ],
)
def test_other_languages_need_to_be_sure(text: str, language: str) -> None:
    """High confidence, or another script; and nothing to read is no language."""
    assert detect(text) == language


def test_a_hint_decides_what_is_open_and_nothing_else() -> None:
    """The platform's claim helps a short foreign text and cannot make a Turkish one foreign."""
    assert detect("Good morning Ankara") == "tr"
    assert detect("Good morning Ankara", "en-GB") == "en"
    assert detect("nerede kaldi bu otobus", "en") == "tr"
    assert detect("👍", "tr") == "tr"
    assert detect("👍", "qme") == "und"
