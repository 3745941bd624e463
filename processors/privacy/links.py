"""Finds links in a text, and tells what of a link may stay: the host, or nothing."""

import re
from collections.abc import Iterator

from processors.privacy.spans import MaskedKind, Span


def _words(words: str) -> tuple[str, ...]:
    return tuple(words.split())


# Where a link leads to a person, or through a shortener to anywhere: nothing of it stays.
_OF_PERSONS = tuple(
    f".{host}"
    for host in _words(
        "x.com twitter.com t.co instagram.com instagr.am facebook.com fb.com fb.me fb.watch tiktok.com youtube.com youtu.be"
        " t.me telegram.me telegram.org wa.me whatsapp.com linkedin.com lnkd.in threads.net threads.com bsky.app bsky.social"
        " reddit.com redd.it eksisozluk.com medium.com tumblr.com substack.com blogspot.com wordpress.com pinterest.com"
        " snapchat.com discord.gg discord.com twitch.tv kick.com linktr.ee github.com github.io mastodon.social"
        " bit.ly goo.gl tinyurl.com cutt.ly ow.ly is.gd shorturl.at rb.gy"
    )
)
# Hosts whose first part is a person's name: such a host is a link even where no path follows.
_NAMED_BY_PERSONS = _words(".bsky.social .tumblr.com .substack.com .blogspot.com .wordpress.com .github.io .medium.com")
# A host without "https://" is a link only with one of these endings: "geldim.gittim/kaldım" is none.
_ENDINGS = _words(
    "com net org edu gov bel pol tsk k12 biz info name tel mobi web gen tr tv me io co app dev ai in de uk us eu fr nl it"
    " es ru az ch at be gr cc to gg ly fm st sh am gl gd gy ee watch social online site xyz link club page blog network"
    " chat world zone space live news media website store shop pro party art cafe lol moe ist istanbul"
)
_MAX_HOST_DIGITS = 3  # a phone number and a plate have more, and must not pass as a host
_TRAILING = ".,;:!?…)]}>\"'”’»"

_WITH_SCHEME = re.compile(r"(?<!\w)\w{2,20}:/{1,3}\S+|(?<![\w.\-@])www\.\S+", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![\w.\-@])(?P<user>[\w.+%\-]{1,64}@)?(?P<host>[\w\-]{1,63}(?:\.[\w\-]{1,63})++)(?P<path>(?::\d{1,5})?[/?#\\]\S*)?"
)
_SCHEME = re.compile(r"\w+:/+")
_AUTHORITY = re.compile(r"[^/?#\\]*")
_HOST = re.compile(r"(?:www\.)?([\w\-]+(?:\.[\w\-]+)+)(?::\d+)?", re.IGNORECASE)


def find_with_scheme(text: str) -> Iterator[Span]:
    """Links that begin with "https://", "tg://", "www."."""
    for found in _WITH_SCHEME.finditer(text):
        link = found[0].rstrip(_TRAILING)
        yield Span(found.start(), found.start() + len(link), MaskedKind.LINK, _public_host(_authority(link)))


def find_bare(text: str) -> Iterator[Span]:
    """Links without a scheme: "x.com/ahmet", "ahmet.tumblr.com". A bare "ornek.bel.tr" is a name like any other."""
    for found in _BARE.finditer(text):
        host, path = found["host"].lower(), found["path"]
        if host.rpartition(".")[2] not in _ENDINGS:
            continue
        if path or (not found["user"] and host.endswith(_NAMED_BY_PERSONS)):
            link = found[0].rstrip(_TRAILING)
            yield Span(found.start(), found.start() + len(link), MaskedKind.LINK, _public_host(host))


def _authority(link: str) -> str:
    scheme = _SCHEME.match(link)
    authority = _AUTHORITY.match(link, scheme.end() if scheme else 0)
    return authority[0] if authority else ""


def _public_host(authority: str) -> str:
    """The host, or nothing where it could name a person: "ahmet@host", "ahmet.tumblr.com", a number."""
    found = _HOST.fullmatch(authority.rstrip(_TRAILING))
    if not found:
        return ""
    host = found[1].lower()
    digits = sum(character.isdigit() for character in host)
    of_persons = f".{host}".endswith(_OF_PERSONS)
    return "" if of_persons or digits > _MAX_HOST_DIGITS else host
