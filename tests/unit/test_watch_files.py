"""The file in which people write watches: one good file, and one per mistake with what it is answered."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from processors.watches.files import InvalidWatch, WatchSpec, parse_watch_file
from schemas.records import NotARecord, decode
from schemas.watches import DEFAULT_BUDGET_WEEKS, Watch, WatchLevel

GOOD = """\
id: su
title: Su
query: '"su kesintisi" OR #susuz'
exclude: [çınarlıspor*, maç]
places: [Kavaklı]
own_accounts: [CinarliBB]
level: page
on_call: no
plan: null
purpose: Arızaları erken öğrenmek
legal_basis: KVKK m.5/2-ç (örnek)
owner: Basın Bürosu
expires: 2027-12-31
"""


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidWatch) as caught:
        parse_watch_file(text, name="watches.yaml")
    assert str(caught.value).startswith("watches.yaml: ")
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_file() -> None:
    """What is written is text, whatever YAML would make of it: "no" is a list's name and no boolean."""
    [spec] = parse_watch_file(GOOD, name="watches.yaml")
    assert (spec.id, spec.level, spec.on_call, spec.plan) == ("su", WatchLevel.PAGE, "no", None)
    assert spec.exclude == ("çınarlıspor*", "maç")
    assert spec.expires == date(2027, 12, 31)


def test_a_list_keeps_its_order() -> None:
    other = GOOD.replace("id: su", "id: elektrik")
    both = "".join("- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in (GOOD, other))
    assert [spec.id for spec in parse_watch_file(both, name="w")] == ["su", "elektrik"]


def test_what_may_be_left_out() -> None:
    """Also with the key and nothing after it."""
    short = GOOD.replace("exclude: [çınarlıspor*, maç]", "exclude:").replace("places: [Kavaklı]\n", "")
    [spec] = parse_watch_file(short, name="w")
    assert (spec.exclude, spec.places) == ((), ())


def test_the_demo_is_good() -> None:
    """The file that a newcomer copies."""
    text = (Path(__file__).parents[2] / "pipeline/demo/watches.yaml").read_text(encoding="utf-8")
    assert [spec.id for spec in parse_watch_file(text, name="demo")] == ["cinarli-belediye", "cinarli-sehir"]


GROUND = "without purpose, legal_basis, owner and expires a watch may not listen"
QUOTES = "put the query between single quotes, as in query: '\"su kesintisi\" OR #susuz'"
SHAPE = f"a watch is a list of key: value, and what begins with a quotation mark, *, [, & or ! needs quotes: {QUOTES}"
KEYS = "id, title, query, exclude, places, own_accounts, level, on_call, plan, purpose, legal_basis, owner, expires, page_authors, page_mentions"
QUERY = "query: '\"su kesintisi\" OR #susuz'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (changed("title: Su", "titel: Su\ntitle: Su"), 'line 2, su, titel: is an unknown key; did you mean "title"?'),
        (changed("title: Su", "title: Su\nqqq: 3"), f"line 3, su, qqq: is an unknown key; known keys: {KEYS}"),
        (
            changed("title: Su\n", ""),
            "line 1, su, title: is missing; add title: what the people on call read; every watch has it",
        ),
        (changed("title: Su", "title: ''"), "line 2, su, title: is empty; fill it in or remove the line"),
        (changed("title: Su", "title: [Su]"), "line 2, su, title: \"['Su']\" is not text; put it between quotation marks"),
        (changed("title: Su", "title: Su\ntitle: Su 2"), "line 3, su, title: stands twice; remove one"),
        (
            changed("id: su", "id: Su kesintisi"),
            (
                "line 1, Su kesintisi, id: 'Su kesintisi' is no id; use at most 64 lower-case letters a-z, digits and hyphens, "
                "as in su-kesintisi"
            ),
        ),
        (changed("level: page", "level: pager"), "line 7, su, level: 'pager' is no level; use page, notice, count"),
        (changed("on_call: no\n", ""), "line 1, su, on_call: is missing; name the on-call list: level page tells somebody"),
        (changed("on_call: no", "on_call:"), "line 8, su, on_call: is missing; name the on-call list: level page tells somebody"),
        (changed("exclude: [çınarlıspor*, maç]", "exclude: maç"), "line 4, su, exclude: 'maç' is not a list; write [one, two]"),
        (
            changed("purpose: Arızaları erken öğrenmek\n", ""),
            f"line 1, su, purpose: is missing; add purpose: why the institution listens; {GROUND}",
        ),
        (
            changed("legal_basis: KVKK m.5/2-ç (örnek)", "legal_basis: ' '"),
            f"line 11, su, legal_basis: is empty; add legal_basis: the ground on which it may; {GROUND}",
        ),
        (
            changed("owner: Basın Bürosu", "owner:"),
            f"line 12, su, owner: is missing; add owner: the unit that answers for the watch; {GROUND}",
        ),
        (changed("2027-12-31", "31.12.2027"), "line 13, su, expires: '31.12.2027' is no date; write it as 2027-12-31"),
        (changed("2027-12-31", "2027-13-31"), "line 13, su, expires: '2027-13-31' is no date; write it as 2027-12-31"),
        (changed("2027-12-31", "2030"), "line 13, su, expires: '2030' is no date; write it as 2027-12-31"),
        (
            changed("2027-12-31", "2027-12-31\npage_mentions: 0"),
            "line 14, su, page_mentions: '0' is too small; write 1 or more",
        ),
        (
            changed("2027-12-31", "2027-12-31\npage_mentions: 1000001"),
            "line 14, su, page_mentions: '1000001' is too large; write 1,000,000 or less",
        ),
        (
            changed("2027-12-31", "2027-12-31\npage_authors: 1" + 31 * "0"),
            "line 14, su, page_authors: '1" + 31 * "0" + "' is too large; write 1,000,000 or less",
        ),
        (
            changed("2027-12-31", "2027-12-31\npage_authors: many"),
            "line 14, su, page_authors: 'many' is no whole number; write one, as in 5",
        ),
        (
            changed(QUERY, "query: su~"),
            (
                "line 3, su, query: 'su~' at character 1: \"~\" (similar words) is not supported; list the spellings; "
                "this works: kesinti* OR kesnti*"
            ),
        ),
        (
            changed("maç]", "NOT maç]"),
            (
                "line 4, su, exclude: 'NOT maç' at character 1: the query only says what is not wanted; say what is; "
                "this works: su -reklam"
            ),
        ),
        (
            changed("maç]", "'*:*']"),
            "line 4, su, exclude: '*:*' removes everything; leave it out; a watch is stopped with nabiz watch disable",
        ),
        (
            changed(QUERY, "query: su kesintisi #susuz"),
            f'line 3, su, query: loses all from " #" on, which begins a comment in YAML; {QUOTES}',
        ),
        (changed(QUERY, "query: *:*"), f"line 3: is no YAML: expected alphabetic or numeric character, but found ':'; {SHAPE}"),
        (changed(QUERY, 'query: "su" OR x'), f"line 3: is no YAML: expected <block end>, but found '<scalar>'; {SHAPE}"),
        ("", "line 1: holds no watch; begin with - id: su-kesintisi"),
        ("[]", "line 1: holds no watch; begin with - id: su-kesintisi"),
        ("- elektrik", f"line 1: is no watch; {SHAPE}"),
        ("just text", f"line 1: is no watch; {SHAPE}"),
        ("? [a]\n: b", f"line 1: is no watch; {SHAPE}"),
        ("&a [*a]", f"line 1: is no watch; {SHAPE}"),
        ("\x07", f"line 1: is no YAML: ReaderError; {SHAPE}"),
        ("[" * 5000, f"line 1: is no YAML: RecursionError; {SHAPE}"),
    ],
)
def test_a_mistake_is_explained(text: str, message: str) -> None:
    """Line, watch, key and value, what is wrong, and the way out; one mistake gives one message."""
    assert problems(text) == [message]


def test_a_comment_after_a_query_is_no_hashtag() -> None:
    parse_watch_file(changed(QUERY, "query: su   # yalnız su"), name="w")
    parse_watch_file(changed(QUERY, "query: >-\n  su OR #susuz\n  OR #suyok"), name="w")


def test_an_id_is_taken_once() -> None:
    twice = "".join("- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in (GOOD, GOOD))
    assert problems(twice) == ["line 14, su, id: is taken by the watch in line 1; choose another id"]


def test_all_mistakes_are_told_at_once() -> None:
    """In the order of the file."""
    text = changed("title: Su", "titel: Su").replace("level: page", "level: pge").replace("2027-12-31", "yarın")
    found = problems(text)
    assert [message.split(":")[0] for message in found] == [
        "line 1, su, title", "line 2, su, titel", "line 7, su, level", "line 13, su, expires",
    ]  # fmt: skip


def test_a_long_value_is_cut() -> None:
    [message] = problems(changed(QUERY, f"query: {'su ' * 100}su~"))
    assert len(message) < 300


def test_the_record_of_a_version() -> None:
    """Everything that was written is in the record, which comes back from its bytes."""
    [spec] = parse_watch_file(GOOD, name="w")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    record = spec.watch(version=3, budget_weeks=24.0, updated_at=now)
    assert (record.watch_id, record.version, record.exclusions, record.budget_weeks) == ("su", 3, spec.exclude, 24.0)
    assert decode(Watch, record.encode()) == record
    shared = set(WatchSpec.model_fields) & set(Watch.model_fields)
    assert shared == set(WatchSpec.model_fields) - {"id", "exclude"}
    assert all(getattr(record, name) == getattr(spec, name) for name in shared)


@pytest.fixture
def fields() -> dict[str, object]:
    [spec] = parse_watch_file(GOOD, name="w")
    record = spec.watch(version=1, budget_weeks=DEFAULT_BUDGET_WEEKS, updated_at=datetime(2026, 11, 24, tzinfo=UTC))
    return record.model_dump(mode="json")


@pytest.mark.parametrize("name", ["purpose", "legal_basis", "owner", "expires"])
@pytest.mark.parametrize("value", [None, "", " \n"])
def test_a_record_without_ground_is_refused(fields: dict[str, object], name: str, value: object) -> None:
    """Whoever wrote it: the law is not checked in the file alone."""
    with pytest.raises(ValidationError, match=f"{name} missing: a watch must say why"):
        Watch.model_validate(fields | {name: value})
    with pytest.raises(ValidationError, match=f"{name} missing"):
        Watch.model_validate({key: value for key, value in fields.items() if key != name})


@pytest.mark.parametrize("level", ["page", "notice"])
def test_a_record_that_tells_somebody_says_whom(fields: dict[str, object], level: str) -> None:
    with pytest.raises(ValidationError, match=f"on_call missing: a watch of level {level}"):
        Watch.model_validate(fields | {"level": level, "on_call": None})
    assert Watch.model_validate(fields | {"level": "count", "on_call": None}).on_call is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("watch_id", "Su"), ("watch_id", "su\n"), ("watch_id", "s" * 65), ("watch_id", ""), ("version", 0),
        ("budget_weeks", 0), ("budget_weeks", float("inf")), ("updated_at", "2026-11-24T00:00:00"), ("query", " "),
    ],
)  # fmt: skip
def test_a_record_out_of_form_is_refused(fields: dict[str, object], name: str, value: object) -> None:
    with pytest.raises(NotARecord if name == "version" else ValidationError):
        if name == "version":
            decode(Watch, Watch.model_validate(fields).encode().replace(b'"version":1', b'"version":0'))
        Watch.model_validate(fields | {name: value})


def test_a_newer_record_is_read(fields: dict[str, object]) -> None:
    """A field that this version does not know is ignored."""
    assert Watch.model_validate(fields | {"colour": "blue"}) == Watch.model_validate(fields)
