"""The contracts: stored examples stay readable, and what is exported is what the models say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from processors.alerting.fold import AlertFold
from processors.alerting.on_call import OnCallList
from processors.detection.fold import DetectFold
from schemas import export
from schemas.compatibility import breaking_changes_of_all
from schemas.records import NotARecord, Record, Union, decode
from schemas.topics import ALERT_STATE, DETECTOR_STATE, TOPICS

EXAMPLES = export.FOLDER / "examples"
PRIVATE = {DETECTOR_STATE.name, ALERT_STATE.name}
MODELS = {export.file_name(model): model for records in [*export.RECORDS.values(), export.DOCUMENTS] for model in records}
SHARED = [file for file in sorted(EXAMPLES.glob("*/*.json")) if file.parent.name not in PRIVATE]
FULL = [file for file in SHARED if file.stem in MODELS]
MINIMAL = [file for file in SHARED if file.stem.endswith("-minimal")]

examples = pytest.mark.parametrize("file", SHARED, ids=[f"{file.parent.name}/{file.stem}" for file in SHARED])
full = pytest.mark.parametrize("file", FULL, ids=[f"{file.parent.name}/{file.stem}" for file in FULL])
minimal = pytest.mark.parametrize("file", MINIMAL, ids=[f"{file.parent.name}/{file.stem}" for file in MINIMAL])


def model_of(file: Path) -> type[Record]:
    return MODELS[file.stem.removesuffix("-minimal").removesuffix("-nulls")]


def optional(model: type[Record]) -> set[str]:
    """Fields that an older record may lack; `type` is always there."""
    return {name for name, field in model.model_fields.items() if not field.is_required()} - {"type"}


# -- examples -----------------------------------------------------------------------------------------------------------


def test_every_topic_is_in_the_table_of_records() -> None:
    """A new topic says what stands in it."""
    assert set(export.RECORDS) == {topic.name for topic in TOPICS}
    assert {name for name, records in export.RECORDS.items() if not records} == PRIVATE


def test_every_kind_of_record_has_its_examples() -> None:
    """With all optional fields, and, where there are any, without them; nothing lies about that belongs to none."""
    found = {f"{file.parent.name}/{file.stem}" for file in SHARED if not file.stem.endswith("-nulls")}
    places = {**export.RECORDS, "documents": export.DOCUMENTS}
    expected = {f"{topic}/{export.file_name(model)}" for topic, models in places.items() for model in models}
    expected |= {
        f"{topic}/{export.file_name(model)}-minimal" for topic, models in places.items() for model in models
        if optional(model) or model.__name__ == "WatchChanged"
    }  # fmt: skip
    assert found == expected


@examples
def test_every_example_is_read(file: Path) -> None:
    """By our models, and by whoever holds the exported JSON Schema."""
    decode(model_of(file), file.read_bytes())
    jsonschema.validate(json.loads(file.read_bytes()), export.committed()[export.file_name(model_of(file))])


@full
def test_a_full_example_sets_every_field_and_is_what_we_write(file: Path) -> None:
    """Byte for byte in meaning: no field is renamed or lost on the way."""
    record = decode(model_of(file), file.read_bytes())
    assert record.model_fields_set == set(model_of(file).model_fields)
    assert orjson.loads(record.encode()) == orjson.loads(file.read_bytes())


@minimal
def test_a_record_of_an_older_producer_is_read(file: Path) -> None:
    """It lacks whatever has a default."""
    record = decode(model_of(file), file.read_bytes())
    assert not record.model_fields_set & optional(model_of(file))


@full
def test_a_field_of_a_newer_producer_is_ignored_and_counted(file: Path) -> None:
    """The record is used as far as it is known."""
    model = model_of(file)
    newer = orjson.dumps({**orjson.loads(file.read_bytes()), "invented_later": 1})
    assert decode(model, newer) == decode(model, file.read_bytes())
    if "type" in model.model_fields:
        assert Union(model).decode(newer).unknown == 1
        assert Union(model).decode(file.read_bytes()).unknown == 0


@full
def test_a_record_without_what_it_needs_is_none(file: Path) -> None:
    """The problem names the field and quotes nothing."""
    model, fields = model_of(file), orjson.loads(file.read_bytes())
    for name in set(model.model_fields) - optional(model) - {"type"}:
        with pytest.raises(NotARecord, match=rf"^{name}: Field required$|^: Value error, {name} missing: "):
            decode(model, orjson.dumps({key: value for key, value in fields.items() if key != name}))


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"null", b'"text"', b"\xff", b"{}"])
def test_foreign_bytes_are_no_record(value: bytes | None) -> None:
    """Of any kind."""
    for model in MODELS.values():
        with pytest.raises(NotARecord):
            decode(model, value)


def test_stored_state_of_an_older_release_is_loaded() -> None:
    """It is private to its role, but a restart after an update must understand it."""
    detect = DetectFold()
    detect.load({key: json.dumps(value).encode() for key, value in state_of(DETECTOR_STATE.name).items()})
    assert list(detect.outputs()) == []
    alert = AlertFold([OnCallList(name="nobetci", channels=("console",))])
    alert.load({key: json.dumps(value).encode() for key, value in state_of(ALERT_STATE.name).items()})
    assert list(alert.outputs()) == []


def state_of(topic: str) -> dict[str, Any]:
    """Stored records by key, without the position, which belongs to pipeline.fold."""
    keys = {"clocks": "@clocks", "watch": "su-kesintisi"}
    files = [file for file in (EXAMPLES / topic).glob("*.json") if file.stem != "position"]
    return {
        keys.get(file.stem) or f"su-kesintisi@{file.stem.removeprefix('minute-')}": json.loads(file.read_bytes())
        for file in files
    }


# -- export -------------------------------------------------------------------------------------------------------------


def test_what_is_exported_is_what_is_committed() -> None:
    """Schemas and the page of topics; the message says how to mend it."""
    assert export.drift() == []


def test_no_model_breaks_what_is_committed() -> None:
    """Records in the topics, and readers of the last release."""
    assert breaking_changes_of_all(export.committed(), export.schemas()) == []


@pytest.mark.parametrize("record", sorted(MODELS))
def test_a_lost_field_of_any_record_would_be_found(record: str) -> None:
    """So would one that is required all at once."""
    agreed = export.committed()[record]
    for name in agreed["properties"]:
        fields = {key: value for key, value in agreed["properties"].items() if key != name}
        assert breaking_changes_of_all({record: agreed}, {record: {**agreed, "properties": fields}})
        if name not in agreed["required"]:
            strict = {**agreed, "required": [*agreed["required"], name]}
            assert breaking_changes_of_all({record: agreed}, {record: strict})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Exports into a folder of the test's own."""
    monkeypatch.setattr(export, "FOLDER", tmp_path / "schemas")
    (tmp_path / "schemas").mkdir()
    assert export.main([]) == 0
    return tmp_path / "schemas"


def test_the_check_finds_what_has_drifted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A changed page, a forgotten file; the export mends both."""
    assert export.main(["--check"]) == 0
    (folder / "TOPICS.md").write_text("", encoding="utf-8")
    (folder / "json" / "tombstone.json").unlink()
    assert export.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"schemas/{name} is not what the models say: run 'python -m schemas.export'"
        for name in ("TOPICS.md", "json/tombstone.json")
    ]
    assert export.main([]) == 0
    assert export.main(["--check"]) == 0


def test_the_export_does_not_overwrite_an_agreement_that_it_breaks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it is told that this is meant."""
    file = folder / "json" / "tombstone.json"
    agreed = json.loads(file.read_bytes())
    file.write_text(
        json.dumps({**agreed, "properties": {**agreed["properties"], "reason": {"type": "string"}}}), encoding="utf-8"
    )
    before = file.read_bytes()
    assert export.main([]) == 1
    assert capsys.readouterr().err == "tombstone.reason: the field is gone\n"
    assert file.read_bytes() == before
    assert export.main(["--breaking"]) == 0
    assert export.main(["--check"]) == 0


def test_an_unknown_argument_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written."""
    assert export.main(["--chek"]) == 2
    assert "usage" in capsys.readouterr().err
