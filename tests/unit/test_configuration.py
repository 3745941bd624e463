"""One good file, and one file per mistake: its first lines hold the exact message that it gets."""

from pathlib import Path

import pytest

from pipeline.configuration import DEFAULT_ON_CALL, Configuration, ConfigurationError, load
from processors.alerting.on_call import OnCallList
from schemas.authors import AuthorClass

FOLDER = Path(__file__).parent / "configurations"
BAD = sorted(FOLDER.glob("bad_*.yaml"))


def test_a_good_file_says_everything() -> None:
    """Relative paths of watches start at the file."""
    found = load(FOLDER / "good.yaml")
    assert found.institution == "Çınarlı Büyükşehir Belediyesi"
    assert found.kafka is not None
    assert (found.kafka.prefix, found.kafka.replication) == ("cinarli-", 3)
    assert found.elasticsearch is not None
    assert found.elasticsearch.replicas == 1
    assert found.workers.detect == 3
    assert found.on_call["nobetci"] == OnCallList(name="nobetci", language="tr", channels=("telefon", "console"), budget_weeks=12)
    assert set(found.all_channels()) == {"console", "telefon", "arsiv"}
    assert found.public_accounts[AuthorClass.OWN]["*"] == ("cinarlibelediyesi",)
    assert found.watches == (FOLDER / "watches" / "su.yaml", Path("/etc/nabiz/watches/yol.yaml"))


def test_a_good_file_sets_every_key() -> None:
    """So that the test above meets each of them."""
    assert load(FOLDER / "good.yaml").model_fields_set == set(Configuration.model_fields)


@pytest.mark.parametrize("file", [None, FOLDER / "good_empty.yaml"], ids=["none", "empty"])
def test_every_key_has_a_default_that_works_on_one_machine(file: Path | None) -> None:
    """Alerts go to the console."""
    found = load(file)
    assert found == Configuration()
    assert found.all_on_call() == {DEFAULT_ON_CALL: OnCallList(name=DEFAULT_ON_CALL, channels=("console",))}
    assert set(found.all_channels()) == {"console"}


@pytest.mark.parametrize("file", BAD, ids=[file.stem for file in BAD])
def test_a_mistake_gets_one_message_with_key_value_and_remedy(file: Path) -> None:
    """All mistakes of a file at once; a value that may be a secret is not shown."""
    lines = file.read_text(encoding="utf-8").splitlines()
    expected = "\n".join(line.removeprefix("# ") for line in lines if line.startswith("# "))
    with pytest.raises(ConfigurationError) as refused:
        load(file)
    assert str(refused.value).replace(str(file), "FILE") == expected


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """It is missing, or in the encoding of an old editor."""
    with pytest.raises(
        ConfigurationError, match=r"missing.yaml: cannot be read \(No such file or directory\): name the file with --config FILE"
    ):
        load(tmp_path / "missing.yaml")
    old = tmp_path / "old.yaml"
    old.write_bytes("institution: Çınarlı".encode("windows-1254"))
    with pytest.raises(ConfigurationError, match=r"old.yaml: not UTF-8 at byte 13: save it as UTF-8"):
        load(old)
