"""A story for the end-to-end tests: a quiet day and a burst water main, told by people who do not exist.

Whatever could lead to one of them (handle, ids, link, phone, national id, address, plate) stands in `private`, so that a
test can look for it wherever the system writes.
"""

import csv
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Final

TURKIYE: Final = timezone(timedelta(hours=3))
QUIET_FROM: Final = datetime(2026, 3, 10, 6, tzinfo=TURKIYE)
SURGE_FROM: Final = datetime(2026, 3, 11, 14, tzinfo=TURKIYE)
QUIET_POSTS: Final = 96
SURGE_POSTS: Final = 290
TWO_DAYS: Final = 5  # the author with this number speaks on both days
CSV_POSTS: Final = 40

_WHO = ("Komşularla", "Bugün yine", "Sabahtan beri", "Çocuklarla", "Annemle", "Öğleden beri", "İşyerinde", "Yine")
_WHERE = ("Çınarlı", "Yıldıztepe", "Gülbahçe", "Şirinevler", "Ilıca", "Örnekköy", "Bağlar", "Tepeüstü", "Dereboyu", "İstasyon")
_WHAT = (
    "sular akmıyor", "su kesintisi bitmedi", "musluktan çamur geliyor", "ana boru patlamış", "su tankeri gelmedi",
    "su basıncı çok düşük", "sular gelince haber verin", "su faturası yüksek geldi",
)  # fmt: skip
_END = (
    "ne zaman düzelecek",
    "kimse bilgi vermiyor",
    "ekip bekliyoruz",
    "rezalet",
    "lütfen yardım",
    "teşekkürler",
    "mağdur olduk",
)


@dataclass
class Story:
    """The lines of a file, and what a correct system makes of them."""

    lines: list[bytes] = field(default_factory=list)
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)  # by native id, in order of time
    deleted: set[str] = field(default_factory=set)
    dead: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)

    @property
    def kept(self) -> set[str]:
        """Native ids that stand in the index at the end."""
        return self.posts.keys() - self.deleted

    def of_author(self, number: int) -> list[str]:
        """Native ids of an author's posts."""
        return [native for native, post in self.posts.items() if post["author"]["id"] == _person(number)["id"]]

    def csv(self) -> bytes:
        """The first posts once more, as a spreadsheet program of a Turkish Windows writes them, with one row too short."""
        file = io.StringIO()
        rows = csv.writer(file, delimiter=";", lineterminator="\r\n")
        rows.writerow(["id", "tarih", "platform", "metin", "author_id", "handle", "url"])
        for post in list(self.posts.values())[:CSV_POSTS]:
            author = post["author"]
            time = datetime.fromisoformat(post["published_at"]).strftime("%d.%m.%Y %H:%M:%S")
            rows.writerow([post["id"], time, post["platform"], post["text"], author["id"], author["handle"], post["url"]])
        rows.writerow(["kisa", "10.03.2026 09:00", _person(1)["handle"]])
        return file.getvalue().encode("windows-1254")


def story() -> Story:
    """The same at every call."""
    told, rng = Story(), random.Random(26)
    for number in range(QUIET_POSTS):
        time = QUIET_FROM + timedelta(minutes=20 * number, seconds=rng.randrange(600))
        _post(told, rng, number, author=number, time=time)
    for number in range(QUIET_POSTS, QUIET_POSTS + SURGE_POSTS):
        time = SURGE_FROM + timedelta(seconds=4 * (number - QUIET_POSTS) + rng.randrange(4))
        _post(told, rng, number, author=TWO_DAYS if number == QUIET_POSTS + 50 else number, time=time)
    _delete(told, _native(10), QUIET_FROM + timedelta(hours=20))
    _bad_lines(told)
    _refused_lines(told)
    return told


def _post(told: Story, rng: random.Random, number: int, *, author: int, time: datetime) -> None:
    person = _person(author)
    told.private |= {value for value in person.values() if isinstance(value, str)}
    native = _native(number)
    link = f"https://x.example/{person['handle']}/status/{native}"
    told.private |= {native, link}
    text = f"{rng.choice(_WHO)} {rng.choice(_WHERE)} {rng.choice(_WHERE)} arası {rng.choice(_WHAT)} {rng.choice(_END)}"
    text += ["", " @ornekbelediye", *_asides(told, person, link)][number % 9]
    post = {
        "id": native, "platform": "x", "published_at": time.isoformat(), "text": text, "url": link,
        "author": {"id": person["id"], "handle": person["handle"], "followers": 10 * number},
    }  # fmt: skip
    told.posts[native] = post
    told.lines.append(json.dumps(post, ensure_ascii=False).encode())


def _asides(told: Story, person: dict[str, str], link: str) -> list[str]:
    """What people carelessly write about themselves and others."""
    told.private.add(person["phone"].replace(" ", ""))
    return [
        f" arayın {person['phone']}",
        f" TC {person['national_id']} adına kayıtlı",
        f" @{person['handle']} de yazmış",
        f" {person['email']} adresine yazın",
        f" {link}",
        f" araç {person['plate']} geçti",
        f" numaram {person['phone'].replace(' ', '')}",
    ]


def _person(number: int) -> dict[str, str]:
    handle = f"GizliKisi_{number:04d}"
    return {
        "id": f"gza{number:07d}",
        "handle": handle,
        "phone": f"0532 618 {number // 100:02d} {number % 100:02d}",
        "national_id": _national_id(271_600_000 + number),
        "email": f"gizli.posta{number:04d}@example.org",
        "plate": f"34 GZL {number:03d}",
    }


def _native(number: int) -> str:
    return f"gzp{number:07d}"


def _national_id(first: int) -> str:
    """Nine digits and the two that follow from them; the rule is written here anew, as an independent witness."""
    digits = [int(digit) for digit in str(first)]
    digits.append((7 * sum(digits[0::2]) - sum(digits[1::2])) % 10)
    return "".join(map(str, [*digits, sum(digits) % 10]))


def _delete(told: Story, native: str, time: datetime) -> None:
    line = {"type": "delete", "id": native, "platform": "x", "deleted_at": time.isoformat()}
    told.lines.append(json.dumps(line).encode())
    told.deleted.add(native)


def _bad_lines(told: Story) -> None:
    person, time = _person(3), QUIET_FROM.isoformat()
    told.lines += [
        b'{"id": "gzp9", "author": {"handle": "' + person["handle"].encode(),
        b'["' + person["phone"].encode() + b'"]',
        json.dumps({"id": "gzpbad1", "published_at": time, "text": "ağ ş"}, ensure_ascii=False).encode("windows-1254"),
        json.dumps({"id": "gzpbad2", "published_at": time, "author": person["handle"]}).encode(),
        json.dumps({"id": "gzpbad3", "published_at": time, "text": f"{person['email']} " * 1000}).encode(),
    ]
    told.private |= {"gzpbad1", "gzpbad2", "gzpbad3"}
    told.dead = {"not_json": 2, "not_utf8": 1, "invalid_field": 1, "text_too_long": 1}


def _refused_lines(told: Story) -> None:
    told.lines += [
        told.lines[0],
        json.dumps({"id": "gzpref1", "platform": "x", "published_at": QUIET_FROM.isoformat(), "text": "  "}).encode(),
        json.dumps({"id": "gzpref2", "platform": "x", "published_at": "1999-05-05T05:05:05Z", "text": "su"}).encode(),
    ]
    told.private |= {"gzpref1", "gzpref2"}
    told.refused = {"duplicate": 1, "no_text": 1, "implausible_time": 1}


def found_in(private: set[str], written: bytes) -> Iterator[str]:
    """What of `private` stands in what was written, also in lower case."""
    lower = written.lower()
    beginnings = {start for start in {secret[:5].lower() for secret in private} if start.encode() in lower}
    for secret in private:
        if secret[:5].lower() in beginnings and (secret.encode() in written or secret.lower().encode() in lower):
            yield secret
