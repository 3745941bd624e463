"""What the pages name exists, and what exists is named."""

import ast
import re
from functools import cache
from pathlib import Path

import click
import pytest

from pipeline.cli.main import main
from schemas.topics import TOPICS

ROOT = Path(__file__).parents[2]
PAGES = ("pipeline/INVARIANTS.md", "pipeline/TRAPS.md", "schemas/GLOSSARY.md", "schemas/TOPICS.md", "CHANGELOG.md", "README.md")
_QUOTED = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#:\s]+)\)")
_IS_PATH = re.compile(r"(connectors|deploy|pipeline|processors|schemas|tests)/[\w./-]*")

pages = pytest.mark.parametrize("page", PAGES)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def quoted(page: str) -> list[str]:
    return _QUOTED.findall(text_of(page))


@cache
def functions_of(file: str) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(text_of(file))) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pages
def test_every_file_that_a_page_names_exists(page: str) -> None:
    """In code marks or as a link."""
    named = {found.partition("::")[0] for found in quoted(page)}
    missing = {path for path in named if _IS_PATH.fullmatch(path) and not (ROOT / path).exists()}
    links = {link for link in _LINK.findall(text_of(page)) if not (ROOT / page).parent.joinpath(link).exists()}
    assert missing | links == set()


@pages
def test_every_test_that_a_page_names_exists(page: str) -> None:
    """A promise whose test was renamed or removed is no promise."""
    for found in quoted(page):
        file, mark, test = found.partition("::")
        if mark:
            assert test.rpartition("::")[2] in functions_of(file), found


def test_every_invariant_is_guarded() -> None:
    """By a test, a campaign or a check."""
    rows = [
        line
        for line in text_of("pipeline/INVARIANTS.md").splitlines()
        if line.startswith("| ") and not line.startswith("| what holds")
    ]
    unguarded = [row for row in rows if not re.search(r"`(tests/[^`]+|make check)`[^|]*\|$", row)]
    assert len(rows) > 30
    assert unguarded == []


def test_every_topic_is_explained() -> None:
    """On the page that is made of the table."""
    assert [topic.name for topic in TOPICS if f"| `{topic.name}` |" not in text_of("schemas/TOPICS.md")] == []


def test_every_term_of_the_glossary_stands_once() -> None:
    """In both languages, with a place or a dash."""
    rows = [line.strip("| ").split(" | ") for line in text_of("schemas/GLOSSARY.md").splitlines() if line.startswith("| ")][1:]
    assert {len(row) for row in rows} == {4}
    assert all(all(cell.strip() for cell in row) for row in rows)
    terms = [row[0] for row in rows]
    assert len(terms) == len(set(terms))


def test_every_command_is_named_in_the_readme() -> None:
    """Also each command of a group; not those that are for the supervisor alone."""
    section = re.search(r"^## Commands$(.*?)(?=^## |\Z)", text_of("README.md"), re.MULTILINE | re.DOTALL)
    if section is None:
        pytest.skip("the README has no section on commands yet")
    words = set(re.findall(r"[a-z-]+", " ".join(_QUOTED.findall(section[1].replace("\\|", " ")))))
    names = [name for command in visible(main) for name in (command.name, *(inner.name for inner in visible(command)))]
    assert len(names) > 20
    assert [name for name in names if name not in words] == []


def visible(group: click.Command) -> list[click.Command]:
    """The commands of a group that `--help` lists."""
    if not isinstance(group, click.Group):
        return []
    context = click.Context(group)
    found = [group.get_command(context, name) for name in group.list_commands(context)]
    return [command for command in found if command is not None and not command.hidden]
