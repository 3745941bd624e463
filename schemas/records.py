"""How a record is written and read: JSON bytes, validated, unknown fields ignored and counted.

A reader meets three kinds of trouble and has to tell them apart: bytes that are no record at all (`NotARecord`), a kind
that this version does not know yet (`UnknownKind`: skip and count), and a field that it does not know (`Decoded.unknown`:
use the record and count).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError


class Record(BaseModel):
    """Base of every record: frozen, and tolerant of fields that a newer producer added."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def encode(self) -> bytes:
        """The record as it stands in the topic."""
        return self.model_dump_json(exclude_none=True).encode()


class NotARecord(ValueError):
    """The bytes are not a record of this topic; `problem` says why without quoting the content."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class UnknownKind(ValueError):
    """A well-formed record whose `type` this version does not know: a newer producer is at work."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"unknown kind of record: {kind!r}")
        self.kind = kind


R_co = TypeVar("R_co", bound=Record, covariant=True)
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Decoded(Generic[R_co]):
    """A record and how many of its top-level fields this version does not know."""

    record: R_co
    unknown: int


class Union(Generic[R]):
    """A tagged union of records: the field `type` tells the kind. A union of one kind needs no tag in the bytes."""

    def __init__(self, *kinds: type[R]) -> None:
        self.kinds: Mapping[str, type[R]] = {kind.model_fields["type"].default: kind for kind in kinds}

    def decode(self, value: bytes | None) -> Decoded[R]:
        """Raises `NotARecord` or `UnknownKind`."""
        if value is None:
            raise NotARecord("empty")
        fields = _json_object(value)
        kind = fields.get("type")
        if not isinstance(kind, str):
            raise NotARecord("no type")
        model = self.kinds.get(kind)
        if model is None:
            raise UnknownKind(kind)
        return Decoded(_validate(model, fields), len(fields.keys() - model.model_fields.keys()))


def decode(model: type[R], value: bytes | None) -> R:
    """A record of a topic that holds one kind. Raises `NotARecord`."""
    if value is None:
        raise NotARecord("empty")
    return _validate(model, _json_object(value))


def _json_object(value: bytes) -> dict[str, object]:
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise NotARecord("not JSON") from error
    if not isinstance(fields, dict):
        raise NotARecord("not a JSON object")
    return fields


def _validate(model: type[R], fields: dict[str, object]) -> R:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise NotARecord(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
