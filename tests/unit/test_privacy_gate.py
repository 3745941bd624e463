"""Behind the gate nobody can be told: not in the text, not in an id, not in a field that the platform filled."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.day_keys import DayKeys
from connectors.posts import Post, Removal
from connectors.privacy_gate import SEALED_ORIGINAL_BYTES, PrivacyGate
from processors.privacy.authors import PublicAccounts
from processors.privacy.sealing import SealedFields, unseal, unseal_bytes
from schemas.authors import AuthorClass, ReachBand

SECRET = b"an invented secret of some length"
NOW = datetime(2025, 11, 24, 9, 0, tzinfo=UTC)
TODAY = date(2025, 11, 24)
OFFICE = PublicAccounts({AuthorClass.OWN: {"*": frozenset({"cinarli_bel"})}})


class Gate(PrivacyGate):
    """A gate with keys of its own, to look into what it sealed."""

    def __init__(self, folder: Path) -> None:
        self.keys = DayKeys(folder / "day-keys")
        super().__init__(SECRET, OFFICE, self.keys, lambda: TODAY)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def post(**changes: Any) -> Post:
    fields: dict[str, Any] = {
        "native_id": "998877", "platform": "kus", "instance": "ornek", "text": "Sular akmıyor", "published_at": NOW,
        "author_id": "u-4711", "handle": "ayse_ornek", "followers": 250, "link": "https://kus.example/ayse_ornek/998877",
    }  # fmt: skip
    return Post(**{**fields, **changes})


def passed(gate: Gate, found: Post) -> Any:
    return gate.mention(found, source="dosya", position=3, observed_at=NOW + timedelta(minutes=1))


def test_nothing_that_names_the_author_is_readable(gate: Gate) -> None:
    """Handle, native ids, link, and what stands in the text about private people."""
    text = "@ayse_ornek ve @komsu_ornek: 0532 123 45 67, ayse@ornek.example, TC 10000000146, TR33 0006 1005 1978 6457 8413 26"
    written = passed(gate, post(text=text, place="@ayse_ornek, Çınarlı")).encode()
    for secret in ("ayse_ornek", "komsu_ornek", "532", "ayse@", "10000000146", "6457", "998877", "4711", "kus.example"):
        assert secret.encode() not in written


def test_the_office_s_own_name_stays(gate: Gate) -> None:
    """It is on the list of public accounts, and what it says is its own."""
    found = passed(gate, post(text="@cinarli_bel su nerede? @komsu_ornek", handle="Cinarli_Bel"))
    assert "@cinarli_bel" in found.text
    assert "komsu_ornek" not in found.text
    assert found.author_class is AuthorClass.OWN


def test_what_is_sealed_opens_with_the_day_s_key_alone(gate: Gate) -> None:
    """All that `nabiz reveal` shows."""
    found = passed(gate, post())
    assert found.sealed_day == TODAY
    assert unseal(gate.keys.private(TODAY), found.sealed) == SealedFields(
        handle="ayse_ornek", native_id="998877", permalink="https://kus.example/ayse_ornek/998877", native_author="u-4711"
    )


def test_the_same_post_has_the_same_id_and_another_one_has_not(gate: Gate) -> None:
    """So has its removal, which can overtake it."""
    found = passed(gate, post())
    assert found.mention_id == passed(gate, post(text="geändert")).mention_id
    assert found.mention_id != passed(gate, post(native_id="998878")).mention_id
    assert found.mention_id != passed(gate, post(platform="baska")).mention_id
    removal = Removal(native_id="998877", platform="kus", instance="ornek")
    gone = gate.deletion(removal, source="dosya", observed_at=NOW + timedelta(hours=1))
    assert gone.mention_id == found.mention_id
    assert gone.revision > found.revision


def test_one_author_is_one_key_by_id_or_else_by_handle(gate: Gate) -> None:
    """Without either there is none, and the class says that nothing is known."""
    by_id = passed(gate, post())
    assert by_id.author_key == passed(gate, post(handle="new_name", native_id="2")).author_key
    assert by_id.author_key != passed(gate, post(author_id=None)).author_key is not None
    nobody = passed(gate, post(author_id=None, handle=None))
    assert (nobody.author_key, nobody.author_class) == (None, AuthorClass.UNKNOWN)


@pytest.mark.parametrize(
    ("followers", "band"),
    [(None, None), (-1, None), (0, ReachBand.UNDER_100), (250, ReachBand.UNDER_1K), (10**9, ReachBand.FROM_100K)],
)
def test_reach_is_a_band(gate: Gate, followers: int | None, band: ReachBand | None) -> None:
    """The number alone can name somebody."""
    assert passed(gate, post(followers=followers)).reach is band


def test_times_are_in_utc_and_only_a_fresh_stamp_counts(gate: Gate) -> None:
    """See processors.mention_time."""
    turkiye = NOW.astimezone(datetime.strptime("+0300", "%z").tzinfo)
    assert passed(gate, post(published_at=turkiye)).event_time.utcoffset() == timedelta(0)
    old = passed(gate, post(published_at=NOW - timedelta(days=3)))
    assert old.event_time == NOW + timedelta(minutes=1)
    assert old.published_at == NOW - timedelta(days=3)


def test_letters_are_composed_before_anything_looks_at_them(gate: Gate) -> None:
    """A phone and a tablet may write one letter as one or two characters."""
    assert passed(gate, post(text="Su kesildi: C\u0327\u0131narl\u0131")).text == "Su kesildi: Çınarlı"


def test_a_platform_that_cannot_be_part_of_an_id_is_a_fault_of_the_connector(gate: Gate) -> None:
    """Connectors give names of a-z, 0-9, dot and dash."""
    with pytest.raises(ValueError, match="platform and instance consist of"):
        passed(gate, post(platform="Kuş"))


def test_what_could_not_be_understood_is_sealed_as_it_came(gate: Gate) -> None:
    """Up to 2 MiB of it."""
    sealed, day = gate.sealed_original(b"\xffayse_ornek" * 300_000)
    assert day == TODAY
    opened = unseal_bytes(gate.keys.private(day), sealed)
    assert len(opened) == SEALED_ORIGINAL_BYTES
    assert opened.startswith(b"\xffayse_ornek")
