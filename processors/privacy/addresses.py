"""Finds e-mail addresses and handles: whatever is written around an "@", or around what people write for it."""

import re
from collections.abc import Iterator

from processors.privacy.spans import MaskedKind, Span

_MAX_LOCAL_CHARACTERS = 64
_PROVIDERS = "gmail|googlemail|hotmail|outlook|yahoo|icloud|yandex|live|msn|windowslive|mynet|protonmail|proton|gmx"
_AT_PROVIDER = re.compile(rf"(?:{_PROVIDERS})(?:\..*)?", re.IGNORECASE)
_LOCAL_SIGNS = "._+%-"
_NAME = re.compile(r"[\w.\-]++(?:@[\w.\-]++)*+")
_SPACED_NAME = re.compile(r"[ \t\u00a0]{1,2}([^\W\d][\w.\-]*+)")
_PATH = re.compile(r"[/\\]\S*")
_SPELLED_AT = re.compile(
    r"[ \t]{0,2}(?:[(\[{](?:at|et|@)[)\]}][ \t]{0,2}[\w.\-]++|\bat[ \t]{1,2}(?:" + _PROVIDERS + r")\b)"
    r"(?:[ \t]{0,2}(?:\.|[(\[{](?:dot|nokta|\.)[)\]}]|\b(?:dot|nokta)\b)[ \t]{0,2}[a-z]{2,6}\b){0,3}",
    re.IGNORECASE,
)


def find_spelled(text: str) -> Iterator[Span]:
    """Addresses that avoid the sign: "ahmet (at) ornek.com", "ahmet at gmail nokta com"."""
    free = 0
    for found in _SPELLED_AT.finditer(text):
        start = _local_start(text, found.start(), free)
        if start < found.start():
            yield Span(start, found.end(), MaskedKind.EMAIL)
            free = found.end()


def find(text: str, public_handles: frozenset[str]) -> Iterator[Span]:
    """E-mail addresses, and handles that are not among `public_handles` (lower case, without "@")."""
    free = 0
    at = text.find("@")
    while at >= 0:
        name, end = _name_after(text, at)
        span = _span(text, at, name, end, free) if name else None
        if span and name.lower() in public_handles and (span.kind is MaskedKind.PERSON or "." not in name):
            free = end
        elif span:
            yield span
            free = span.end
        at = text.find("@", max(at + 1, free))


def _name_after(text: str, at: int) -> tuple[str, int]:
    """What stands after the sign, up to two blanks away, without the full stop of the sentence; and where it ends."""
    found = _NAME.match(text, at + 1)
    if found:
        name = found[0].rstrip(".-")
        return name, found.start() + len(name)
    spaced = _SPACED_NAME.match(text, at + 1)
    if spaced:
        name = spaced[1].rstrip(".-")
        return name, spaced.start(1) + len(name)
    return "", at


def _span(text: str, at: int, name: str, end: int, free: int) -> Span:
    local = _local_start(text, at, free)
    is_adjacent = end - len(name) == at + 1
    is_provider = _AT_PROVIDER.fullmatch(name) is not None
    if is_provider and local == at:
        before = _before_blanks(text, at)
        spaced = _local_start(text, before, free)
        local = spaced if spaced < before else at
    if local < at and (is_adjacent or is_provider or "." in name):
        return Span(local, end, MaskedKind.EMAIL)
    path = _PATH.match(text, end)
    return Span(at, end + len(path[0].rstrip(".,;:!?…)")) if path else end, MaskedKind.PERSON)


def _local_start(text: str, end: int, free: int) -> int:
    """Where the word begins that ends at `end`; `end` itself if there is none."""
    start = end
    limit = max(free, end - _MAX_LOCAL_CHARACTERS)
    while start > limit and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_SIGNS):
        start -= 1
    while start < end and not text[start].isalnum() and text[start] != "_":
        start += 1
    return start


def _before_blanks(text: str, end: int) -> int:
    while end > 0 and text[end - 1] in " \t\u00a0":
        end -= 1
    return end
