"""The behavioural suite: invented texts that each test one capability of a model, such as negation or irony.

Each YAML file of this folder holds one capability:

    capability: negation
    cases:
      - text: Sular kesik değil artık
        label: positive
        also: [neutral]         # labels that are right as well; `unsure` is wrong unless it stands here
        matter: water           # what the text speaks about, for the reader
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from processors.sentiment.labelled import LabelledUnusable, read_text, unusable, whole
from processors.sentiment.labels import Label

BUNDLED_SUITE: Final = Path(__file__).parent
_SUITE_KEYS: Final = ("capability", "cases")
_CASE_KEYS: Final = ("text", "label", "also", "matter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One text and what a model should say about it."""

    capability: str
    text: str
    label: Label
    also: frozenset[Label] = frozenset()
    matter: str | None = None

    def is_right(self, answer: Label) -> bool:
        """Whether the model's label, at its threshold, is one of those that count."""
        return answer is self.label or answer in self.also


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many cases of a capability each model got right."""

    capability: str
    cases: int
    right: tuple[int, ...]


def score(cases: Sequence[Case], answers: Sequence[Sequence[Label]]) -> list[Score]:
    """By capability, in the order in which they first occur. `answers`: one label a case, for each model."""
    capabilities = dict.fromkeys(case.capability for case in cases)
    return [_score(name, cases, answers) for name in capabilities]


def bundled_suite() -> list[Case]:
    """The cases of this folder. Raises `LabelledUnusable`."""
    files = sorted(BUNDLED_SUITE.glob("*.yaml"))
    if not files:
        raise LabelledUnusable(f"{BUNDLED_SUITE}: holds no suite: install Nabız again")
    return [case for file in files for case in read_suite(file)]


def read_suite(file: Path) -> list[Case]:
    """The cases of one file. Raises `LabelledUnusable`, OSError."""
    return list(_cases(_root(read_text(file), file), file))


def _score(capability: str, cases: Sequence[Case], answers: Sequence[Sequence[Label]]) -> Score:
    places = [place for place, case in enumerate(cases) if case.capability == capability]
    right = tuple(sum(cases[place].is_right(labels[place]) for place in places) for labels in answers)
    return Score(capability=capability, cases=len(places), right=right)


def _root(text: str, file: Path) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise unusable(file, mark.line + 1 if mark else 1, f"is no YAML ({error.problem}): put the text in quotes") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise unusable(file, 1, f"is no YAML ({type(error).__name__}): save it as UTF-8 text") from error
    if not isinstance(root, yaml.MappingNode):
        raise unusable(file, 1, "is no suite: begin with 'capability: NAME', then 'cases:' and a list")
    return root


def _cases(root: yaml.MappingNode, file: Path) -> Iterator[Case]:
    """As nodes, not as values: they know their lines, and `no` stays a word."""
    suite = _fields(root, _SUITE_KEYS, file)
    capability = _text(_required(suite, "capability", root, file), "capability", file)
    cases = _required(suite, "cases", root, file)
    if not isinstance(cases, yaml.SequenceNode) or not cases.value:
        raise unusable(file, _line(cases), "key 'cases' is no list: begin each case with '- text: …'")
    for node in cases.value:
        if not isinstance(node, yaml.MappingNode):
            raise unusable(file, _line(node), "is no case: write '- text: …' and below it 'label: …'")
        yield _case(capability, node, file)


def _case(capability: str, node: yaml.MappingNode, file: Path) -> Case:
    fields = _fields(node, _CASE_KEYS, file)
    also = fields.get("also")
    if also is not None and not isinstance(also, yaml.SequenceNode):
        raise unusable(file, _line(also), "key 'also' is no list: write [neutral, unsure]")
    return Case(
        capability=capability,
        text=_text(_required(fields, "text", node, file), "text", file),
        label=_label(_required(fields, "label", node, file), "label", file),
        also=frozenset(_label(value, "also", file) for value in also.value) if also is not None else frozenset(),
        matter=_text(fields["matter"], "matter", file) if "matter" in fields else None,
    )


def _fields(node: yaml.MappingNode, known: Sequence[str], file: Path) -> dict[str, yaml.Node]:
    for key, _ in node.value:
        if key.value not in known:
            raise unusable(file, _line(key), f"unknown key {key.value!r}: known are {', '.join(known)}")
    return {key.value: value for key, value in node.value}


def _required(fields: dict[str, yaml.Node], key: str, node: yaml.Node, file: Path) -> yaml.Node:
    if key not in fields:
        raise unusable(file, _line(node), f"key '{key}' is missing: add it")
    return fields[key]


def _text(node: yaml.Node, key: str, file: Path) -> str:
    if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
        raise unusable(file, _line(node), f"key '{key}' is no text: fill it in")
    return whole(node.value)


def _label(node: yaml.Node, key: str, file: Path) -> Label:
    try:
        return Label(_text(node, key, file))
    except ValueError as error:
        raise unusable(file, _line(node), f"key '{key}': {node.value!r} is no label: use {', '.join(Label)}") from error


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
