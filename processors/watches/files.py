"""The file in which people write watches: YAML, one watch or a list of them. All that is wrong with it is told at once."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from processors.watches.expression import Everything
from processors.watches.query import InvalidQuery, parse
from schemas.watches import ACCOUNTABILITY, PAGE_AUTHORS, PAGE_MENTIONS, Stated, Watch, WatchId, WatchLevel

LARGEST_FLOOR: Final = 1_000_000
"""Of authors and mentions; a number too long for JSON would make a version that nobody can read again."""


class WatchSpec(BaseModel):
    """A watch as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: WatchId = Field(description="lower-case letters, digits and hyphens; never changes")
    title: Stated = Field(description="what the people on call read")
    query: Stated = Field(description="what to listen for")
    exclude: tuple[Stated, ...] = Field(default=(), description="queries: what one of them matches is not taken")
    places: tuple[Stated, ...] = ()
    own_accounts: tuple[Stated, ...] = Field(default=(), description="handles of the institution itself, without @")
    level: WatchLevel = Field(description="page (wake somebody), notice (tell somebody) or count (tell nobody)")
    on_call: Stated | None = Field(default=None, description="the on-call list; needed for page and notice")
    plan: Stated | None = Field(default=None, description="the crisis plan")
    purpose: Stated = Field(description="why the institution listens")
    legal_basis: Stated = Field(description="the ground on which it may")
    owner: Stated = Field(description="the unit that answers for the watch")
    expires: date = Field(description="last day on which the watch listens")
    page_authors: int = Field(
        default=PAGE_AUTHORS, ge=1, le=LARGEST_FLOOR, description="distinct authors in 60 minutes that a page needs"
    )
    page_mentions: int = Field(
        default=PAGE_MENTIONS, ge=1, le=LARGEST_FLOOR, description="mentions in 60 minutes that a page needs"
    )

    @field_validator("expires", mode="before")
    @classmethod
    def _is_a_calendar_day(cls, value: object) -> object:
        if isinstance(value, str) and not _CALENDAR_DAY.match(value):  # pydantic would take "0" for the first of January 1970
            raise PydanticCustomError("date_form", "not a calendar day")
        return value

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Self:
        if self.level is not WatchLevel.COUNT and self.on_call is None:
            raise ValueError(f"level {self.level} needs on_call")
        return self

    def watch(self, *, version: int, budget_weeks: float, updated_at: datetime) -> Watch:
        """The record of this version."""
        return Watch(
            watch_id=self.id, version=version, title=self.title, query=self.query, exclusions=self.exclude,
            places=self.places, own_accounts=self.own_accounts, level=self.level, on_call=self.on_call, plan=self.plan,
            purpose=self.purpose, legal_basis=self.legal_basis, owner=self.owner, expires=self.expires,
            budget_weeks=budget_weeks, page_authors=self.page_authors, page_mentions=self.page_mentions, updated_at=updated_at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where, and the way out."""

    line: int
    watch: str
    key: str
    value: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, [f"line {self.line}", self.watch, self.key]))
        value = f" {self.value!r}" if self.value else ""
        return f"{where}:{value} {self.problem}; {self.remedy}"


class InvalidWatch(ValueError):
    """A watch file is refused as a whole; the message lists every problem."""

    def __init__(self, name: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            "\n".join([f"{name}: not applied, {len(problems)} to correct", *(f"  {problem}" for problem in problems)])
        )
        self.name, self.problems = name, problems


def parse_watch_file(text: str, *, name: str) -> list[WatchSpec]:
    """The watches in the order of the file. `name` is for the message. Raises `InvalidWatch`."""
    specs: list[WatchSpec] = []
    problems: list[Problem] = []
    first_lines: dict[str, int] = {}
    for entry in _entries(text, name):
        found = list(entry.problems())
        if not found:
            spec = WatchSpec.model_validate(entry.fields)
            specs.append(spec)
            earlier = first_lines.setdefault(spec.id, entry.line)
            if earlier != entry.line:
                found = [entry.problem("id", f"is taken by the watch in line {earlier}", "choose another id")]
        problems += found
    if problems:
        raise InvalidWatch(name, tuple(sorted(problems, key=lambda problem: problem.line)))
    return specs


_QUOTING: Final = "put the query between single quotes, as in query: '\"su kesintisi\" OR #susuz'"
_QUERY_KEYS: Final = ("query", "exclude")
_REQUIRED: Final = {key: field.description for key, field in WatchSpec.model_fields.items() if field.is_required()}
_HASHTAG_AS_COMMENT: Final = re.compile(r"[ \t]+#\w")
_SHOWN_CHARACTERS: Final = 60
_REMEDIES: Final = {
    "string_type": ("is not text", "put it between quotation marks"),
    "tuple_type": ("is not a list", "write [one, two]"),
    "string_too_short": ("is empty", "fill it in or remove the line"),
    "string_pattern_mismatch": ("is no id", "use at most 64 lower-case letters a-z, digits and hyphens, as in su-kesintisi"),
    "greater_than_equal": ("is too small", "write 1 or more"),
    "less_than_equal": ("is too large", f"write {LARGEST_FLOOR:,} or less"),
    "int_parsing_size": ("is too large", f"write {LARGEST_FLOOR:,} or less"),
    "int_type": ("is no whole number", "write one, as in 5"),
    "int_parsing": ("is no whole number", "write one, as in 5"),
    "int_from_float": ("is no whole number", "write one, as in 5"),
    "enum": ("is no level", f"use {', '.join(WatchLevel)}"),
}
_CALENDAR_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_YAML_NULL: Final = "tag:yaml.org,2002:null"
_NOT_A_DATE: Final = ("is no date", "write it as 2027-12-31")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One watch of the file, with the line of each key."""

    fields: dict[str, Any]
    line: int
    lines: Mapping[str, int]
    doubtful: tuple[Problem, ...]

    @property
    def label(self) -> str:
        found = self.fields.get("id")
        return found if isinstance(found, str) else ""

    def problem(self, key: str, problem: str, remedy: str, value: object = "") -> Problem:
        shown = str(value)
        if len(shown) > _SHOWN_CHARACTERS:
            shown = f"{shown[:_SHOWN_CHARACTERS]}…"
        return Problem(self.lines.get(key, self.line), self.label, key, shown, problem, remedy)

    def problems(self) -> Iterator[Problem]:
        """Everything that is wrong with this watch."""
        yield from self.doubtful
        try:
            WatchSpec.model_validate(self.fields)
        except ValidationError as error:
            yield from (self._explained(found) for found in error.errors(include_url=False) if found["loc"])
        for key in _QUERY_KEYS:
            yield from self._query_problems(key)
        level = self.fields.get("level")
        if level in (WatchLevel.PAGE, WatchLevel.NOTICE) and self.fields.get("on_call") is None:
            yield self.problem("on_call", "is missing", f"name the on-call list: level {level} tells somebody")

    def _query_problems(self, key: str) -> Iterator[Problem]:
        given = self.fields.get(key)
        for query in given if isinstance(given, list) else [given]:
            if not isinstance(query, str) or not query.strip():
                continue
            try:
                taken = parse(query)
            except InvalidQuery as error:
                where = f"at character {error.position + 1}: {error.problem}"
                yield self.problem(key, where, f"this works: {error.example}", query)
                continue
            if key == "exclude" and isinstance(taken, Everything):
                yield self.problem(key, "removes everything", "leave it out; a watch is stopped with nabiz watch disable", query)

    def _explained(self, error: ErrorDetails) -> Problem:
        key = str(error["loc"][0])
        kind, value = error["type"], error["input"]
        if kind == "extra_forbidden":
            near = difflib.get_close_matches(key, list(WatchSpec.model_fields), n=1)
            remedy = f'did you mean "{near[0]}"?' if near else f"known keys: {', '.join(WatchSpec.model_fields)}"
            return self.problem(key, "is an unknown key", remedy)
        if kind == "missing":
            return self.problem(key, "is missing", _missing(key))
        if kind == "string_too_short" and key in ACCOUNTABILITY:
            return self.problem(key, "is empty", _missing(key))
        problem, remedy = _NOT_A_DATE if kind.startswith("date") else _REMEDIES.get(kind, (error["msg"], "correct it"))
        return self.problem(key, problem, remedy, value)


def _missing(key: str) -> str:
    reason = (
        "without purpose, legal_basis, owner and expires a watch may not listen"
        if key in ACCOUNTABILITY
        else "every watch has it"
    )
    return f"add {key}: {_REQUIRED[key]}; {reason}"


def _entries(text: str, name: str) -> Iterator[_Entry]:
    """Raises `InvalidWatch` where the file is no YAML or holds no watch."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _unreadable(name, mark.line + 1 if mark else 1, f"is no YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _unreadable(name, 1, f"is no YAML: {type(error).__name__}") from error
    if root is None or not root.value:
        raise InvalidWatch(name, (Problem(1, "", "", "", "holds no watch", "begin with - id: su-kesintisi"),))
    for node in root.value if isinstance(root, yaml.SequenceNode) else [root]:
        if not isinstance(node, yaml.MappingNode) or not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
            raise _unreadable(name, node.start_mark.line + 1, "is no watch")
        yield _entry(node, text)


def _unreadable(name: str, line: int, problem: str) -> InvalidWatch:
    remedy = f"a watch is a list of key: value, and what begins with a quotation mark, *, [, & or ! needs quotes: {_QUOTING}"
    return InvalidWatch(name, (Problem(line, "", "", "", problem, remedy),))


def _entry(node: yaml.MappingNode, text: str) -> _Entry:
    given = {key.value: _content(value) for key, value in node.value}
    fields = {key: value for key, value in given.items() if value is not None or key not in WatchSpec.model_fields}
    label, lines = str(fields.get("id") or ""), dict[str, int]()
    doubtful: list[Problem] = []
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.value in lines:
            doubtful.append(Problem(line, label, key.value, "", "stands twice", "remove one"))
        lines[key.value] = line
        if key.value in _QUERY_KEYS and any(_cut_at_hashtag(scalar, text) for scalar in _scalars(value)):
            doubtful.append(
                Problem(line, label, key.value, "", 'loses all from " #" on, which begins a comment in YAML', _QUOTING)
            )
    return _Entry(fields, node.start_mark.line + 1, lines, tuple(doubtful))


def _content(node: yaml.Node) -> object:
    """Text, None or a list of text: YAML's guesses at numbers, dates and booleans would turn a name into something else."""
    if isinstance(node, yaml.SequenceNode):
        return [item.value if isinstance(item, yaml.ScalarNode) else {} for item in node.value]
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == _YAML_NULL else node.value
    return {}


def _scalars(node: yaml.Node) -> list[yaml.ScalarNode]:
    within = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return [found for found in within if isinstance(found, yaml.ScalarNode)]


def _cut_at_hashtag(scalar: yaml.ScalarNode, text: str) -> bool:
    """A query without quotes is followed by what looks like a hashtag and was read as a comment."""
    return scalar.style is None and bool(_HASHTAG_AS_COMMENT.match(text, scalar.end_mark.index))
