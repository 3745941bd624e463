"""What breaks readers or records of yesterday is found, and what does not is let through: on made-up schemas."""

from typing import Any

import pytest

from schemas.compatibility import breaking_changes, breaking_changes_of_all

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}


def record(required: tuple[str, ...] = ("id",), **fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"id": TEXT, **fields}, "required": list(required)}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}], "default": None}


def with_level(*values: str) -> dict[str, Any]:
    definition = {"type": "string", "enum": list(values)}
    return {**record(level={"$ref": "#/$defs/Level"}), "$defs": {"Level": definition}}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (record(text=TEXT), record(), [".text: the field is gone"]),
        (record(text=TEXT), record(body=TEXT), [".text: the field is gone"]),
        (record(), record(("id", "text"), text=TEXT), [".text: the field is required, which older records do not hold"]),
        (record(text=TEXT), record(("id", "text"), text=TEXT), [".text: the field is required, which older records do not hold"]),
        (record(text=TEXT), record(text=NUMBER), [".text: was string, is integer"]),
        (record(text=maybe(TEXT)), record(text=TEXT), [".text: was null, is string"]),
        (record(n={"type": "number"}), record(n=NUMBER), [".n: was number, is integer"]),
        (record(text=TEXT), record(text={**TEXT, "format": "date-time"}), [".text: format is date-time, was without"]),
        (record(text={**TEXT, "maxLength": 9}), record(text={**TEXT, "maxLength": 5}), [".text: maxLength is 5, was 9"]),
        (record(text=TEXT), record(text={**TEXT, "enum": ["a"]}), [".text: takes only a now"]),
        (record(kind={**TEXT, "const": "a"}), record(kind={**TEXT, "const": "b"}), [".kind: does not take a any more"]),
        (with_level("page", "notice"), with_level("page"), [".level: does not take notice any more"]),
        (
            record(list={"type": "array", "items": TEXT}),
            record(list={"type": "array", "items": NUMBER}),
            [".list[]: was string, is integer"],
        ),
        (
            record(by={"type": "object", "additionalProperties": TEXT}),
            record(by={"type": "object", "additionalProperties": NUMBER}),
            [".by{}: was string, is integer"],
        ),
        (record(inner=record(a=TEXT)), record(inner=record()), [".inner.a: the field is gone"]),
    ],
)
def test_what_breaks_is_named(old: dict[str, Any], new: dict[str, Any], found: list[str]) -> None:
    """With the place and what was there before."""
    assert breaking_changes(old, new) == found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (record(text=TEXT), record(text={**TEXT, "title": "Text", "description": "a text", "default": "x"})),
        (record(), record(text=TEXT)),
        (record(text=TEXT), record(text=maybe(TEXT))),
        (record(n=NUMBER), record(n={"type": "number"})),
        (record(("id", "text"), text=TEXT), record(text=TEXT)),
        (record(text={**TEXT, "maxLength": 9}), record(text=TEXT)),
        (record(text=TEXT), record(text={})),
        (with_level("page"), with_level("page", "notice")),
        (record(level={**TEXT, "enum": ["page"]}), with_level("page")),
        (with_level("page"), with_level("page")),
    ],
)
def test_what_only_adds_is_let_through(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A field, a type, a value of a closed list, a word of description."""
    assert breaking_changes(old, new) == []


def test_over_all_records_each_line_names_its_record() -> None:
    """A record that is gone is a line of its own; a new one is none."""
    old = {"a": record(text=TEXT), "b": record()}
    assert breaking_changes_of_all(old, {"a": record(), "c": record()}) == ["b: the record is gone", "a.text: the field is gone"]
