"""Files of labelled texts: JSON lines with `text`, `label` and, optionally, `source`; packed with gzip where the name says so."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from processors.sentiment.labels import CLASSES, Label

_PACKED: Final = b"\x1f\x8b"
_FORM: Final = 'needed is one object a line, as in {"text": "Sular yine kesik", "label": "negative"}'


class LabelledUnusable(Exception):
    """A file of labelled texts cannot be used; the message names file, line, key and remedy."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with the label that a person gave it."""

    text: str
    label: Label
    source: str


def read_labelled(file: Path) -> list[Labelled]:
    """The texts in the order of the file; without `source` the file's name stands in. Raises `LabelledUnusable`, OSError."""
    found = list(_parse(read_text(file), file))
    if not found:
        raise LabelledUnusable(f"{file}: holds no text: {_FORM}")
    return found


def read_text(file: Path) -> str:
    """The file's text, unpacked. Raises `LabelledUnusable`, OSError."""
    content = file.read_bytes()
    try:
        if file.suffix.lower() == ".gz" or content.startswith(_PACKED):
            content = gzip.decompress(content)
        return str(content, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelledUnusable(f"{file}: not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LabelledUnusable(
            f"{file}: is no complete gzip file: pack it again, or give it unpacked, named without .gz"
        ) from error


def whole(text: str) -> str:
    """The text without halves of characters, which JSON and YAML can name and nothing can write."""
    return text.encode("utf-8", "replace").decode()


def unusable(file: Path | str, line: int, problem: str) -> LabelledUnusable:
    """The error for a line."""
    return LabelledUnusable(f"{file}, line {line}: {problem}")


def _parse(text: str, file: Path) -> Iterator[Labelled]:
    default_source = file.name.removesuffix(".gz").rpartition(".")[0] or file.name
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: a text may hold U+2028
        if line.strip():
            yield _labelled(_object(line, file, number), default_source, file, number)


def _object(line: str, file: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise unusable(file, number, f"is no JSON: {_FORM}") from error
    if not isinstance(row, dict):
        raise unusable(file, number, f"is no JSON object: {_FORM}")
    return row


def _labelled(row: dict[str, Any], default_source: str, file: Path, number: int) -> Labelled:
    for key in ("text", "label"):
        if row.get(key) is None:
            raise unusable(file, number, f"key '{key}' is missing: {_FORM}")
    if not isinstance(row["text"], str):
        raise unusable(file, number, f"key 'text': {_shown(row['text'])} is not text: put it between quotation marks")
    if row["label"] not in CLASSES:
        raise unusable(file, number, f"key 'label': {_shown(row['label'])} is no label: use {', '.join(CLASSES)}")
    source = row.get("source")
    if source is not None and not isinstance(source, str):
        raise unusable(file, number, f"key 'source': {_shown(source)} is not text: put it between quotation marks")
    return Labelled(whole(row["text"]), Label(row["label"]), whole(source or default_source))


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
