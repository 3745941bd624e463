"""The HMAC key: made once, kept, and never silently another one."""

from pathlib import Path

import pytest

from connectors.secrets import SecretMissing, resolve
from pipeline.configuration import Configuration
from pipeline.secrets import SecretsRefused, hmac_file, hmac_key, init, require_same_key, secrets_folder

DEFAULT = Configuration()


def test_the_key_is_made_once_and_only_this_user_reads_it(tmp_path: Path) -> None:
    """A second call leaves it as it is."""
    assert init(tmp_path)
    key = hmac_key(DEFAULT, tmp_path)
    assert not init(tmp_path)
    assert hmac_key(DEFAULT, tmp_path) == key
    assert len(key) >= 32
    assert hmac_file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert secrets_folder(tmp_path).stat().st_mode & 0o777 == 0o700


def test_the_first_start_makes_the_key_and_later_ones_use_it(tmp_path: Path) -> None:
    """On a folder that does not exist yet."""
    data = tmp_path / "data"
    require_same_key(DEFAULT, data)
    key = hmac_key(DEFAULT, data)
    require_same_key(DEFAULT, data)
    assert hmac_key(DEFAULT, data) == key


def test_a_lost_key_is_refused_and_not_replaced(tmp_path: Path) -> None:
    """A new one would change every id, and nothing would be found again."""
    require_same_key(DEFAULT, tmp_path)
    hmac_file(tmp_path).unlink()
    with pytest.raises(
        SecretsRefused, match=r"is missing .*: put the key back from your backup, or start on another folder with --data"
    ):
        require_same_key(DEFAULT, tmp_path)
    assert not hmac_file(tmp_path).exists()


def test_another_key_is_refused(tmp_path: Path) -> None:
    """Also one that the configuration names."""
    require_same_key(DEFAULT, tmp_path)
    other = tmp_path / "other"
    other.write_text("another invented key of 32 letters", encoding="utf-8")
    with pytest.raises(SecretsRefused, match="was written under another HMAC key: put that key back"):
        require_same_key(Configuration(secret=f"file:{other}"), tmp_path)


def test_a_configured_key_is_used_and_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment or from a file."""
    monkeypatch.setenv("NABIZ_TEST_KEY", "an invented key of some length")
    configuration = Configuration(secret="env:NABIZ_TEST_KEY")
    require_same_key(configuration, tmp_path / "data")
    assert hmac_key(configuration, tmp_path / "data") == b"an invented key of some length"
    assert not hmac_file(tmp_path / "data").exists()


def test_the_fingerprint_does_not_tell_the_key(tmp_path: Path) -> None:
    """It lies beside the data."""
    require_same_key(DEFAULT, tmp_path)
    remembered = (tmp_path / "hmac.fingerprint").read_text(encoding="ascii")
    assert len(remembered) == 16
    assert remembered not in hmac_key(DEFAULT, tmp_path).decode()


def test_a_short_key_is_no_key(tmp_path: Path) -> None:
    """Whoever can guess it can undo every id."""
    (tmp_path / "short").write_text("fifteen letters\n", encoding="utf-8")
    with pytest.raises(SecretMissing, match="is shorter than 16 characters: make one with 'nabiz secrets init'"):
        hmac_key(Configuration(secret=f"file:{tmp_path / 'short'}"), tmp_path)


def test_a_reference_that_leads_nowhere_says_what_to_do(tmp_path: Path) -> None:
    """A variable that is not set, a file that is not there."""
    with pytest.raises(SecretMissing, match="the environment variable NABIZ_MISSING is not set; set it, or refer to a file"):
        resolve("env:NABIZ_MISSING")
    with pytest.raises(
        SecretMissing, match=r"cannot read the secret in .*: No such file or directory; create the file, readable by this user"
    ):
        resolve(f"file:{tmp_path / 'missing'}")
