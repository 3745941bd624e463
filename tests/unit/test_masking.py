"""Masking: no identifier of a private person stays readable, and what is none stays. All examples are invented."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.privacy.checksums import is_national_id, is_turkish_iban, passes_luhn
from processors.privacy.masking import MaskedKind, mask

PUBLIC = frozenset({"OrnekBelediye", "belediye@ornek.social", "belediye.ornek.tr"})


def _masked(text: str) -> str:
    return mask(text, PUBLIC).text


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        *(
            (MaskedKind.NATIONAL_ID, text)
            for text in ("10000000146", "100 000 001 46", "1 0 0 0 0 0 0 0 1 4 6", "100-000-001-46")
        ),
        *((MaskedKind.NATIONAL_ID, text) for text in ("１００００００0146", "1000\u200b0000146")),
        *(
            (MaskedKind.PHONE, text)
            for text in (
                "0532 123 45 67", "05321234567", "0 532 123 45 67", "0(532) 123 45 67", "(0532) 123 45 67", "(0532)1234567",
                "+90 532 123 45 67", "+905321234567", "90 532 123 45 67", "0090 532 123 45 67", "+90 (0) 532 123 45 67",
                "+90 (532) 123 45 67", "0532.123.45.67", "0532-123-45-67", "0532 1234567", "0532 12 34 567",
                "532 123 45 67",
                "5321234567", "532-123-4567", "532 1234567", "0212 345 67 89", "0212-345 67 89", "02123456789",
                "(212) 345 67 89",
                "212 345 67 89", "0850 222 33 44", "0 5 3 2 1 2 3 4 5 6 7", "0-5-3-2-1-2-3-4-5-6-7", "05 32 123 45 67",
                "０５３２ １２３ ４５ ６７", "⓪⑤③② ①②③ ④⑤ ⑥⑦", "0️⃣5️⃣3️⃣2️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣", "05\u200d32 1\u200b23 45\u00ad67",
                "0\u200b\u200d\u200b532 123 45 67",
                "٠٥٣٢١٢٣٤٥٦٧", "+49 151 23456789", "0049 151 23456789", "+1 (202) 555-0100",
                "0532\u00a0123\u00a045\u00a067",
                "0532 – 123 – 45 – 67", "221 10 10",
            )
        ),
        *(
            (MaskedKind.IBAN, text)
            for text in (
                "TR330006100519786457841326", "TR33 0006 1005 1978 6457 8413 26", "tr33-0006-1005-1978-6457-8413-26",
                "TR99 0006 1005 1978 6457 8413 26", "33 0006 1005 1978 6457 8413 26", "330006100519786457841326",
            )
        ),
        *(
            (MaskedKind.CARD, text)
            for text in ("4111 1111 1111 1111", "4111111111111111", "5555-5555-5555-4444", "378282246310005")
        ),
        *(
            (MaskedKind.EMAIL, text)
            for text in (
                "ahmet.ornek@ornek.com", "AHMET+1@mail.ornek.com.tr", "ahmet (at) ornek.com", "ahmet at gmail nokta com",
                "ahmet @gmail.com", "ahmet@ gmail.com", "ahmet@gmail", "ahmet＠ornek.com", "ayşe@örnek.com",
                "ahmet[at]ornek[dot]com",
            )
        ),
        *(
            (MaskedKind.PLATE, text)
            for text in ("34 ABC 123", "34ABC123", "34abc123", "06 A 1234", "06-AB-123", "35.AB.1234", "01 abc 12")
        ),
        *(
            (MaskedKind.PERSON, text)
            for text in ("@ahmet", "＠ahmet", "@ ahmet", "@\u200bahmet", "@ahmet_1987", "@ahmet.ornek", "@ali@baska.social",
                         "@ahmet.bsky.social", "@belediye@baska.social", "@OrnekBelediye.ahmet", "@x.com/ahmet", "@５ahmet")
        ),
        *(
            (MaskedKind.LINK, text)
            for text in (
                "https://x.com/ahmet/status/1", "http://www.instagram.com/ahmet?igsh=1", "x.com/ahmet", "t.co/Abc",
                "https://t.co/Abc",
                "https://wa.me/905321234567", "whatsapp://send?phone=905321234567", "tg://resolve?domain=ahmet",
                "www.facebook.com/ahmet",
                "ahmet.bsky.social", "https://ahmet.tumblr.com/post", "m.facebook.com/ahmet", "https://ahmet@ornek.com/a",
                "http://05321234567.com/", "http://34abc123.com", "http://ahmet/", "https://10.1.2.3/ahmet",
                "user@x.com/ahmet",
                "ｘ．ｃｏｍ／ahmet", "https://X.com/AHMET",
            )
        ),
    ],
)  # fmt: skip
def test_identifiers_are_replaced_by_their_kind(kind: MaskedKind, written: str) -> None:
    """Alone, in a sentence, and with a suffix."""
    for before, after in (("", ""), ("Lütfen ", " hemen bakın"), ("Tel:", ", teşekkürler."), ("(", ")"), ("Bkz.\n", "\n")):
        masked = mask(before + written + after, PUBLIC)
        assert masked.text == f"{before}[{kind}]{after}"
        assert masked.kinds == {kind: 1}


@pytest.mark.parametrize(
    "text",
    [
        "Fatura 1.250,00 TL geldi", "12 500 TL, 3.500.000 TL, 350.000.000 TL ve 1.250.000,50 TL", "05.06.2024 günü 9.30",
        "05.06.2024 100 TL",
        "500T ile 34BZ geç kaldı", "500T 2024'te kalktı", "15F 2024", "2024-2025 bütçesi 250.000 2025",
        "#SuKesintisi #500T", "#34Numara",
        "444 1 234", "444 12 34", "4441234", "0 444 1 234", "112, 155, 153 ve 110", "Alo 153",
        "10000000147 numaralı başvuru",
        "12345678901", "10 bin 500 lira", "10 BİN 500", "20 KM 100", "20 km 500", "34 ile 55", "12 MAR 24",
        "12 MAY 2024", "10 ve 1500",
        "3-1 yendik, 2-0", "saat 14.30-15.30", "kapı no 12/3 D:4", "100 m² park, 5⁄10", "+10.000.000 TL", "%50 zam",
        "2 + 2 = 4",
        "ornek.bel.tr adresinde", "geldim.gittim/kaldım", "ve/veya", "T.C. Sağlık", "@OrnekBelediye'ye teşekkürler",
        "@ornekbelediye, bakın!",
        "@belediye@ornek.social", "@belediye.ornek.tr", "5 @ 10", "fiyat @ 50", "👨\u200d👩\u200d👧 çok iyi 🇹🇷", "",
        "[telefon] [kişi] [bağlantı: ornek.bel.tr]", "Kadıköy'de su yok!\nNe zaman gelecek?", "4111 1111 1111 1112",
        "1 2 3 4 5 6 7 8 9 10",
    ],
)  # fmt: skip
def test_what_names_nobody_stays(text: str) -> None:
    """Prices, dates, bus lines, years, hashtags, counts, emergency numbers, public accounts."""
    assert mask(text, PUBLIC).text == text
    assert not mask(text, PUBLIC).kinds


def test_in_doubt_a_word_is_lost_and_no_person_is_shown() -> None:
    """A word after a lone sign could be a handle, and so could a word glued to one."""
    assert _masked("bkz @ Kızılay") == "bkz [kişi]"
    assert _masked("selam@ahmet") == "[e-posta]"
    assert _masked("@ahmet/@veli") == "[kişi]"


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("https://www.ornek.bel.tr/haber?id=@ahmet", "ornek.bel.tr"),
        ("http://Haber.Ornek.com.tr:8080/ahmet-yilmaz", "haber.ornek.com.tr"),
        ("haber.com/ahmet", "haber.com"),
        ("www.ornek.edu.tr", "ornek.edu.tr"),
        ("https://ornek.social/@ahmet", "ornek.social"),
        ("https://fox.com/a", "fox.com"),
    ],
)
def test_other_links_keep_their_host(written: str, host: str) -> None:
    """Path and query can carry names; punctuation of the sentence stays."""
    assert _masked(f"Bakın ({written}).") == f"Bakın ([bağlantı: {host}])."


# ---- properties ----

DIGITS = st.text("0123456789", min_size=7, max_size=7)


@st.composite
def national_ids(draw: st.DrawFn) -> str:
    """By the official rule: the tenth digit from odd and even places, the eleventh from the sum."""
    digits = [draw(st.integers(1, 9)), *draw(st.lists(st.integers(0, 9), min_size=8, max_size=8))]
    odd, even = sum(digits[0::2]), sum(digits[1::2])
    digits.append((odd * 7 - even) % 10)
    digits.append((odd + even + digits[9]) % 10)
    written = "".join(map(str, digits))
    return draw(st.sampled_from((written, f"{written[:3]} {written[3:6]} {written[6:9]} {written[9:]}")))


@st.composite
def phones(draw: st.DrawFn) -> str:
    """Turkish numbers in the ways that people write them."""
    number = draw(st.sampled_from(("532", "505", "551", "212", "312", "850"))) + draw(DIGITS)
    area, first, second, third = number[:3], number[3:6], number[6:8], number[8:]
    gap = draw(st.sampled_from((" ", "-", ".", "")))
    prefix = draw(st.sampled_from(("0", "+90", "0 ", "+90 ", "0(", "(0")))
    closing = ")" if "(" in prefix else ""
    return f"{prefix}{area}{closing}{gap}{first}{gap}{second}{gap}{third}"


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """With the right check digits, in one piece or in fours."""
    account = "00" + draw(st.text("0123456789", min_size=20, max_size=20))
    check = 98 - int(account + "292700") % 97
    written = f"TR{check:02}{account}"
    assert is_turkish_iban(written[2:])
    return draw(st.sampled_from((written, " ".join(re.findall(".{1,4}", written)))))


@st.composite
def cards(draw: st.DrawFn) -> str:
    """With the right check digit."""
    start = draw(st.sampled_from(("4", "5", "9792"))) + draw(st.text("0123456789", min_size=14, max_size=14))
    number = next(number for digit in "0123456789" if passes_luhn(number := start[:15] + digit))
    return draw(st.sampled_from((number, " ".join(re.findall(".{4}", number)))))


NAMES = st.text("abcdefghijklmnoprstuvyz", min_size=5, max_size=12).map(lambda name: f"zq{name}")
PLATES = st.builds("{:02} {} {:03}".format, st.integers(1, 81), st.text("FHJPVZ", min_size=3, max_size=3), st.integers(0, 999))
IDENTIFIERS = st.one_of(
    national_ids(),
    phones(),
    ibans(),
    cards(),
    PLATES,
    NAMES.map(lambda name: f"@{name}"),
    NAMES.map(lambda name: f"https://x.com/{name}/status/1"),
    NAMES.map(lambda name: f"instagram.com/{name}"),
    NAMES.map(lambda name: f"{name}@ornek.com.tr"),
)
PROSE = st.sampled_from(
    ["", "su yok", "Lütfen arayın:", "Kadıköy'de", "#rezalet", "👍🏽", "TC kimlik", "ve", "(acil)", "nerede?", "\n"]
)
DISGUISES = st.sampled_from(
    [
        lambda text: text,
        lambda text: text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
        "\u200b".join,
        lambda text: text.replace("@", "＠"),
        lambda text: text.upper(),
    ]
)


def _readable(text: str) -> set[str]:
    """What someone could read in the text: runs of five digits whatever stands between, and the invented names."""
    plain = unicodedata.normalize("NFKC", text).replace("\u200b", "").lower()
    digits = re.sub("[^0-9]", "", plain)
    runs = {digits[at : at + 5] for at in range(len(digits) - 4)}
    return runs | set(re.findall("zq[a-z]+|[fhjpvz]{3}", plain))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(PROSE, IDENTIFIERS, DISGUISES), min_size=1, max_size=5), PROSE)
def test_nothing_injected_can_be_read(parts: list, end: str) -> None:
    """Side by side, in prose, disguised."""
    text = " ".join((*(f"{prose} {disguise(identifier)}" for prose, identifier, disguise in parts), end))
    assert not _readable(_masked(text))


@settings(max_examples=400, deadline=None)
@given(st.text(st.sampled_from("ab1250 .@/:-()+[]TRxçı\n\u200b０²")) | st.text())
def test_masking_twice_masks_no_more(text: str) -> None:
    """A masked text can pass the gate again, as an excerpt or in a replay."""
    once = mask(text, PUBLIC)
    assert mask(once.text, PUBLIC).text == once.text
    assert sum(once.kinds.values()) <= len(text)


@pytest.mark.parametrize(
    "piece",
    [
        "0 ",
        "a@",
        "1 ",
        "5 3 2 ",
        "a.",
        "x.com/",
        "@",
        "(",
        "_",
        "at ",
        "TR12 ",
        "http://",
        "+",
        "34 A ",
        "\u0301",
        "a",
        "a-",
        "[at] ",
    ],
)
def test_a_megabyte_of_bait_is_masked(piece: str) -> None:
    """The work grows with the text and not faster: each of these would never end if it were squared."""
    assert mask(piece * (1_000_000 // len(piece)), PUBLIC).text


@settings(deadline=None)
@given(national_ids(), st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_no_national_id(written: str, place: int, shift: int) -> None:
    """The check digits find every single slip, as they were made to."""
    digits = written.replace(" ", "")
    assert is_national_id(digits)
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    assert not is_national_id(wrong)
