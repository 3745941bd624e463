"""Whether records of yesterday are understood by the models of today.

Pure, over two JSON Schemas as pydantic writes them. Fields are only added, and with a default: what was written must stay
readable for as long as a topic keeps it, and a reader of the last release must find what it needs. Readers are deployed
before writers, so a type or a closed list may grow; nothing may shrink.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_LIMITS: Final = (
    "exclusiveMaximum", "exclusiveMinimum", "format", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum",
    "pattern", "uniqueItems",
)  # fmt: skip


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What in `new` breaks readers or records of `old`, one line each; nothing if it may be released."""
    return list(_compare("", old, new, old, new))


def breaking_changes_of_all(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> list[str]:
    """The same over all records by name."""
    found = [f"{name}: the record is gone" for name in sorted(old.keys() - new.keys())]
    for name in sorted(old.keys() & new.keys()):
        found += [f"{name}{change}" for change in breaking_changes(old[name], new[name])]
    return found


def _compare(path: str, old: Schema, new: Schema, old_root: Schema, new_root: Schema) -> Iterator[str]:
    old_kinds, new_kinds = _alternatives(old, old_root), _alternatives(new, new_root)
    for kind, before in old_kinds.items():
        after = new_kinds.get(kind) or (new_kinds.get("number") if kind == "integer" else None)
        if after is None:
            if "" not in new_kinds:  # a field without a type takes everything
                yield f"{path}: was {kind}, is {' or '.join(sorted(new_kinds))}"
            continue
        yield from _narrower(path, before, after)
        yield from _fields(path, before, after, old_root, new_root)
        for inner, sign in (("items", "[]"), ("additionalProperties", "{}"), ("propertyNames", "{key}")):
            if isinstance(after.get(inner), Mapping):
                yield from _compare(path + sign, before.get(inner) or {}, after[inner], old_root, new_root)


def _fields(path: str, old: Schema, new: Schema, old_root: Schema, new_root: Schema) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield f"{path}.{name}: the field is gone"
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{path}.{name}: the field is required, which older records do not hold"
    for name in sorted(before.keys() & after.keys()):
        yield from _compare(f"{path}.{name}", before[name], after[name], old_root, new_root)


def _narrower(path: str, old: Schema, new: Schema) -> Iterator[str]:
    gone = sorted(set(_values(old)) - set(_values(new)))
    if "enum" in new or "const" in new:
        if not _values(old):
            yield f"{path}: takes only {', '.join(map(str, _values(new)))} now"
        elif gone:
            yield f"{path}: does not take {', '.join(map(str, gone))} any more"
    for limit in _LIMITS:
        if limit in new and new[limit] != old.get(limit):
            yield f"{path}: {limit} is {new[limit]}, was {old.get(limit, 'without')}"


def _values(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _alternatives(schema: Schema, root: Schema) -> dict[str, Schema]:
    """The types that a schema takes, with their definitions; references are followed."""
    if "$ref" in schema:
        return _alternatives(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return {kind: found for inner in schema["anyOf"] for kind, found in _alternatives(inner, root).items()}
    return {str(schema.get("type", "")): schema}
