"""One key pair a day, readable by this user only, and an end to each."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from connectors.day_keys import DayKeys, KeyDestroyed
from processors.privacy.sealing import public_key, seal_bytes, unseal_bytes

DAY = date(2025, 11, 24)


@pytest.fixture
def keys(tmp_path: Path) -> DayKeys:
    return DayKeys(tmp_path / "day-keys")


def test_a_day_has_one_pair(keys: DayKeys) -> None:
    """What the public half seals, the private half opens, also for the next process."""
    public = keys.public(DAY)
    assert keys.public(DAY) == public == public_key(keys.private(DAY))
    assert unseal_bytes(keys.private(DAY), seal_bytes(public, b"kim")) == b"kim"
    assert keys.public(date(2025, 11, 25)) != public


def test_of_two_processes_at_midnight_one_makes_the_pair(tmp_path: Path) -> None:
    """The slower one takes it over: nothing is sealed to a key that nobody keeps."""
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        for number in range(1, 25):
            keys, day = DayKeys(tmp_path / "day-keys"), date(2025, 11, number)
            assert set(pool.map(keys.public, [day] * 4)) == {public_key(keys.private(day))}
    assert len(list((tmp_path / "day-keys" / "private").iterdir())) == 24


def test_only_this_user_reads_the_private_half(keys: DayKeys, tmp_path: Path) -> None:
    """The folder and the file."""
    keys.public(DAY)
    private = tmp_path / "day-keys" / "private"
    assert private.stat().st_mode & 0o077 == 0
    assert (private / "2025-11-24").stat().st_mode & 0o077 == 0
    assert [path.name for path in private.iterdir()] == ["2025-11-24"]


def test_a_destroyed_key_is_gone_and_says_so(keys: DayKeys) -> None:
    """Nobody can read any more what it sealed, and it cannot be destroyed twice."""
    keys.public(DAY)
    keys.destroy(DAY)
    assert keys.days() == []
    for again in (keys.private, keys.destroy):
        with pytest.raises(KeyDestroyed, match="the key of 2025-11-24 has been destroyed: nobody can read any more"):
            again(DAY)


def test_the_last_seven_days_can_be_read(keys: DayKeys) -> None:
    """Older keys have expired; the days are told in order."""
    for number in reversed(range(14, 25)):
        keys.public(date(2025, 11, number))
    assert keys.days() == [date(2025, 11, number) for number in range(14, 25)]
    assert keys.expired(DAY) == [date(2025, 11, number) for number in (14, 15, 16)]


def test_without_a_folder_there_are_no_days(keys: DayKeys) -> None:
    """Nothing was sealed yet."""
    assert keys.days() == []
