"""Finds numbers that lead to a person: IBAN, payment card, national id, phone, licence plate.

Each expression repeats within fixed bounds, so the work grows with the text and not faster. A candidate that fails its
check is left, and the search goes on one character later: the number may begin inside of it.
"""

import re
from collections.abc import Callable, Iterator

from processors.privacy.checksums import is_national_id, is_turkish_iban, passes_luhn
from processors.privacy.spans import MaskedKind, Span

Check = Callable[[re.Match[str]], bool]
Finder = Callable[[str], Iterator[Span]]

_ONE = "[ .\\-\u00a0]?"  # between digits of an id or a card
_ANY = "[\\s.\\-–—/_()*·•]{0,3}"  # between digits of a phone number
_SOME = "[\\s.\\-–—/_()*·•]{1,3}"
_FREE = "(?<![0-9])"  # no digit before
_END = "(?![0-9])"  # no digit after

_MOBILE = f"{_FREE}5(?:0[1-9]|[1-9][0-9])"  # 500 000 is a count, and no mobile number begins so

_LEFT = "(?:\\((?=0[2-9][0-9]{2}\\)))?"  # the "(" of "(0532)"

_IBAN = re.compile("[Tt][Rr](?:[\\s.\\-–]{0,2}[0-9]){24}[0-9]*+")
_IBAN_WITHOUT_COUNTRY = re.compile(f"{_FREE}[0-9]{{2}}(?:{_ONE}[0-9]{{4}}){{5}}{_ONE}[0-9]{{2}}{_END}")
_CARD = re.compile(
    f"{_FREE}(?:[2-69][0-9]{{3}}(?:{_ONE}[0-9]{{4}}){{3}}|3[47][0-9]{{2}}{_ONE}[0-9]{{6}}{_ONE}[0-9]{{5}}"
    f"|[2-69][0-9]{{12,18}}){_END}"
)
_NATIONAL_ID = re.compile(f"{_FREE}[1-9][0-9]{{10}}{_END}")
_NATIONAL_ID_SPACED = re.compile(f"{_FREE}[1-9](?:{_ONE}[0-9]){{10}}{_END}")

# With +90, with 0, or with the area code in parentheses.
_PREFIXED_PHONES = (
    # +90 532 ..., 0090 532 ..., 90 532 ..., 0532 ..., +90 (0) 532 ...
    f"(?:(?:\\+|{_FREE}00){_ANY}9{_ANY}0(?:{_ANY}0)?|{_FREE}90|{_LEFT}{_FREE}0){_ANY}[2-9][0-9]{{2}}(?:{_ANY}[0-9]){{7}}{_END}",
    # abroad
    f"(?:\\+|{_FREE}00) ?[1-9](?:[ .\\-()/]{{0,2}}[0-9]){{7,14}}{_END}",
    # (0532) 123 45 67, (312) 123 45 67
    f"\\((?:0{_ANY})?[2-9][0-9]{{2}}\\)(?:{_ANY}[0-9]){{7}}{_END}",
    # 0 5 3 2 1 ..., 5-3-2-1-...
    f"{_FREE}(?:0{_SOME}[2-9]|5)(?:{_SOME}[0-9]){{9}}{_END}",
    # 05 32 123 45 67
    f"{_FREE}0 ?[2-9](?: ?[0-9]){{9}}{_END}",
)
_OTHER_PHONES = (
    # 5321234567; 532 123 45 67 with one separator
    f"{_FREE}[2-5][0-9]{{9}}{_END}",
    f"{_FREE}[2-5][0-9]{{2}}([ .\\-/\u00a0])[0-9]{{3}}\\1[0-9]{{2}}\\1[0-9]{{2}}{_END}",
    # mobile without the zero, otherwise grouped
    f"{_MOBILE}[ \\-]?[0-9]{{3}}[ \\-]?[0-9]{{4}}{_END}",
    f"{_MOBILE}([ .\\-/])[0-9]{{3}}\\1[0-9]{{4}}{_END}",
    f"{_MOBILE}[ .\\-/]?[0-9]{{3}}[ .\\-/]?[0-9]{{2}}[ .\\-/]?[0-9]{{2}}{_END}",
    f"{_MOBILE}[ \\-]?[0-9]{{2}}[ \\-][0-9]{{2}}[ \\-][0-9]{{3}}{_END}",
    # 221 10 10
    f"{_FREE}(?<![0-9][ .,\\-:/])[2-9][0-9]{{2}}([ \\-])[0-9]{{2}}\\1[0-9]{{2}}(?![ .,\\-:/]?[0-9])",
)
_CORPORATE_LINE = re.compile("(?:0|90|0090)?444[0-9]{4}")
_THOUSANDS = re.compile(r"\+ ?[0-9]{1,3}(?:[.,][0-9]{3})+")

_PLATE = re.compile(
    r"(?<!\w)(?:0[1-9]|[1-7][0-9]|8[01])(?P<gap>[ .\-]?)(?P<letters>[A-PR-VYZa-pr-vyz]{1,3})"
    r"(?P<second_gap>[ .\-]?)(?P<digits>[0-9]{2,5})(?!\w)"
)
_PLATE_DIGITS = {1: (4, 5), 2: (3, 4), 3: (2, 3)}
_YEAR = re.compile("(?:19|20)[0-9]{2}")


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# "10 BIN 500", "20 KM 100" are no plates, nor is "34 ile 55", nor "12 MAR 24".
_UNITS = _words("TL KM KG GR LT CM MM GB MB KB KV KVA HA DK SN TON BIN MN MLN USD EUR KAT AY GUN YIL SA")
_SMALL_WORDS = _words(
    "VE ILE ILA DE DA KI MI MU BU SU KEZ NO YA EN SON ILK HER VAR YOK AZ TAM IKI BES ALTI ALT UST YER TUR HAT SOK CAD APT"
    " KAP DEN DAN TEN TAN NIN NUN IN UN YE YI YU LIK LUK ER AR LER LAR ISE AMA BIR UC DIR TIR PM AM OR TO OF AND THE FOR"
)
_MONTHS = _words("OCA SUB MAR NIS MAY HAZ TEM AGU EYL EKI KAS ARA JAN FEB APR JUN JUL AUG SEP OCT NOV DEC")


def find_ibans(text: str) -> Iterator[Span]:
    """ "TR" and 24 digits, whether or not the check digits fit; 24 digits alone only if they do."""
    yield from _scan(_IBAN, text, MaskedKind.IBAN, lambda _: True)


def find_ibans_without_country(text: str) -> Iterator[Span]:
    """24 digits that are an IBAN once "TR" is put before them."""
    yield from _scan(_IBAN_WITHOUT_COUNTRY, text, MaskedKind.IBAN, lambda found: is_turkish_iban(_digits(found)))


def find_cards(text: str) -> Iterator[Span]:
    """Payment cards by their check digit, also of the domestic scheme (9792...)."""
    yield from _scan(_CARD, text, MaskedKind.CARD, lambda found: passes_luhn(_digits(found)))


def find_national_ids(text: str) -> Iterator[Span]:
    """National ids written in one piece."""
    yield from _scan(_NATIONAL_ID, text, MaskedKind.NATIONAL_ID, lambda found: is_national_id(_digits(found)))


def find_spaced_national_ids(text: str) -> Iterator[Span]:
    """National ids with a blank, dot or dash anywhere between their digits."""
    yield from _scan(_NATIONAL_ID_SPACED, text, MaskedKind.NATIONAL_ID, lambda found: is_national_id(_digits(found)))


def prefixed_phone_finders() -> tuple[Finder, ...]:
    """One finder per way of writing a phone number that begins like one. 444 lines and emergency numbers stay."""
    return tuple(map(_phone_finder, _PREFIXED_PHONES))


def other_phone_finders() -> tuple[Finder, ...]:
    """The ways that only the grouping of the digits gives away; to be asked after all other kinds of numbers."""
    return tuple(map(_phone_finder, _OTHER_PHONES))


def find_plates(text: str) -> Iterator[Span]:
    """Licence plates: 34 ABC 123, 06 A 1234, 35ab123."""
    yield from _scan(_PLATE, text, MaskedKind.PLATE, _is_plate)


def _phone_finder(expression: str) -> Finder:
    pattern = re.compile(expression)
    return lambda text: _scan(pattern, text, MaskedKind.PHONE, _is_phone)


def _scan(pattern: re.Pattern[str], text: str, kind: MaskedKind, check: Check) -> Iterator[Span]:
    at = 0
    while found := pattern.search(text, at):
        if check(found):
            yield Span(found.start(), found.end(), kind)
            at = found.end()
        else:
            at = found.start() + 1


def _digits(found: re.Match[str]) -> str:
    return "".join(filter(str.isdecimal, found[0]))


def _is_phone(found: re.Match[str]) -> bool:
    return not (_CORPORATE_LINE.fullmatch(_digits(found)) or _THOUSANDS.fullmatch(found[0]))


def _is_plate(found: re.Match[str]) -> bool:
    letters, digits = found["letters"].upper(), found["digits"]
    if len(digits) not in _PLATE_DIGITS[len(letters)] or letters in _UNITS:
        return False
    if letters in _MONTHS and len(digits) == 2:
        return False
    if len(letters) == 1 and _YEAR.fullmatch(digits) and not found["gap"] and found["second_gap"]:
        return False  # "15F 2024": a bus line and a year
    is_small_word = found["letters"].islower() and (letters in _SMALL_WORDS or (len(letters) == 1 and found["gap"] != ""))
    return not is_small_word
