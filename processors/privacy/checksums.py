"""Check digits of the numbers that name a person, so that a price or a reference number is not taken for one."""


def is_national_id(digits: str) -> bool:
    """Turkish national id (TCKN), also of foreigners (99...): eleven digits, the last two computed from the others."""
    if len(digits) != 11 or digits[0] == "0":
        return False
    d = [int(digit) for digit in digits]
    tenth = (7 * sum(d[0:9:2]) - sum(d[1:8:2])) % 10
    return d[9] == tenth and d[10] == sum(d[:10]) % 10


def is_turkish_iban(digits: str) -> bool:
    """The 24 digits after "TR", by the remainder of ISO 13616: country and check digits go last, T is 29 and R is 27."""
    return len(digits) == 24 and int(digits[2:] + "2927" + digits[:2]) % 97 == 1


def passes_luhn(digits: str) -> bool:
    """Payment cards: every second digit from the right doubled, the sum a multiple of ten."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
