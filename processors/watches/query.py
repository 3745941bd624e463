"""The query language of watches: the part of Lucene's syntax that both the matcher and Elasticsearch follow exactly.

    su kesintisi                     both words, anywhere: a space means AND (as default_operator AND in Elasticsearch)
    "su kesintisi"                   side by side, in this order
    belediye*                        a word that begins like this: Turkish suffixes
    su AND (kesinti* OR arıza*)      AND, OR, NOT, +, - and parentheses; AND binds closer than OR
    platform:bluesky, place:(…)      fields: platform, language, author_class, place, source
    *:*                              everything

Words are compared in Turkish lower case, without diacritics and without what follows an apostrophe. Everything else that
Lucene knows is refused, and so is what can be read in two ways: a query that silently means something else misses a crisis.
"""

import difflib
import re
from enum import Enum, auto
from typing import Any, Final

# luqum has no types; its nodes are looked at by class only.
from luqum import tree
from luqum.exceptions import ParseError
from luqum.thread import parse as luqum_parse

from processors.text.characters import visible
from processors.text.tokens import folded_tokens
from processors.watches.expression import (
    Everything,
    Expression,
    Field,
    FieldIs,
    FieldStarts,
    Not,
    Prefix,
    Words,
    conjunction,
    disjunction,
    only_excludes,
)
from schemas.authors import AuthorClass

MAX_CHARACTERS: Final = 10_000
MAX_DEPTH: Final = 12  # a level takes up to two in Elasticsearch, which refuses more than 30
MIN_PREFIX: Final = 2


class InvalidQuery(ValueError):
    """The query is refused. `position` counts characters from 0; `example` is a query that is taken."""

    def __init__(self, problem: str, position: int, example: str) -> None:
        super().__init__(f"{problem} (at character {position + 1}); this works: {example}")
        self.problem, self.position, self.example = problem, position, example


def parse(text: str) -> Expression:
    """Raises `InvalidQuery`."""
    query = visible(text).translate(_STRAIGHT_QUOTES)
    if not query.strip():
        raise InvalidQuery("the query is empty", 0, "su kesintisi")
    if len(query) > MAX_CHARACTERS:
        raise InvalidQuery(
            f"the query is longer than {MAX_CHARACTERS} characters: make it several watches", MAX_CHARACTERS, "belediye*"
        )
    _check_pairs(query)
    expression = _level(_parsed(query), None, 0)
    if only_excludes(expression):
        raise InvalidQuery("the query only says what is not wanted; say what is", 0, "su -reklam")
    return expression


class _Join(Enum):
    """What stands between a part and the one before it."""

    NOTHING = auto()
    SPACE = auto()
    AND = auto()
    OR = auto()


_JOINS: Final = {tree.UnknownOperation: _Join.SPACE, tree.AndOperation: _Join.AND, tree.OrOperation: _Join.OR}
_STRAIGHT_QUOTES: Final = str.maketrans("“”„‟", '""""')
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_PAIR: Final = re.compile(r'\\.|["()]', re.DOTALL)
_WILDCARD: Final = re.compile(r"\\.|([*?])", re.DOTALL)
_QUOTE: Final = re.compile(r'\\.|(")', re.DOTALL)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}\Z")
_WRONG_OPERATORS: Final = {
    "and": "AND", "&&": "AND", "ve": "AND", "or": "OR", "||": "OR", "veya": "OR", "not": "NOT",
}  # fmt: skip
_UNSUPPORTED: Final = {
    tree.Fuzzy: ('"~" (similar words) is not supported; list the spellings', "kesinti* OR kesnti*"),
    tree.Proximity: ('"~" (words near each other) is not supported; ask for both words', "su AND kesinti*"),
    tree.Boost: ('"^" (weight) has no meaning in a watch: a post matches or not', "su kesintisi"),
    tree.Range: ("ranges are not supported", "su kesintisi"),
    tree.From: ('">" (ranges) is not supported', "su kesintisi"),
    tree.To: ('"<" (ranges) is not supported', "su kesintisi"),
    tree.Regex: ("patterns between slashes are not supported; use the beginning of the word", "kesinti*"),
}
_MISPLACED: Final = {
    "~": ('"~" is not supported; put it between quotation marks if it belongs to the text', '"~ 5 saat"'),
    "^": ('"^" is not supported; put it between quotation marks if it belongs to the text', '"su ^ elektrik"'),
    "'": ("a word cannot begin with an apostrophe; a phrase stands between double quotation marks", '"su kesintisi"'),
    "/": ('"/" cannot begin a word; put it between quotation marks if it belongs to the text', '"/ duyuru"'),
    "\\": ('"\\" must be followed by the character that it makes literal', r"C\\D"),
    ":": ('":" needs a field before it', "platform:bluesky"),
    ")": ("there is nothing between the parentheses", "su AND (kesinti* OR arıza*)"),
    "[": ("ranges are not supported", "su kesintisi"),
    "]": ("ranges are not supported", "su kesintisi"),
    "{": ("ranges are not supported", "su kesintisi"),
    "}": ("ranges are not supported", "su kesintisi"),
}


def _check_pairs(query: str) -> None:
    """Quotation marks and parentheses come in pairs."""
    opened: list[int] = []
    quoted_from: int | None = None
    for found in _PAIR.finditer(query):
        at, sign = found.start(), found[0]
        if sign == '"':
            quoted_from = at if quoted_from is None else None
        elif quoted_from is not None or len(sign) > 1:
            continue
        elif sign == "(":
            opened.append(at)
        elif opened:
            opened.pop()
        else:
            raise InvalidQuery('")" closes nothing', at, "su AND (kesinti* OR arıza*)")
    if quoted_from is not None:
        raise InvalidQuery("the quotation mark is never closed", quoted_from, '"su kesintisi"')
    if opened:
        raise InvalidQuery('"(" is never closed', opened[-1], "su AND (kesinti* OR arıza*)")


def _parsed(query: str) -> Any:
    try:
        return luqum_parse(query)
    except ParseError as error:
        found = re.search(r"at position (\d+)", str(error))
        if found is None:
            raise InvalidQuery(
                "the query breaks off: something must follow", len(query.rstrip()) - 1, "su OR elektrik"
            ) from error
        at = int(found[1])
        problem, example = _MISPLACED.get(query[at], ("this does not fit here: something must stand before it", "su OR elektrik"))
        raise InvalidQuery(problem, at, example) from error


def _level(node: Any, field: Field | None, depth: int) -> Expression:
    """The parts between two parentheses. luqum's own precedence of spaces depends on what is around them, so only the
    order of the parts is taken from it."""
    if depth > MAX_DEPTH:
        raise InvalidQuery(f"more than {MAX_DEPTH} levels of parentheses or NOT", node.pos, "su AND (kesinti* OR arıza*)")
    parts = _in_order(node)
    _check_one_reading(parts)
    alternatives: list[list[Expression]] = []
    for join, part in parts:
        if join in (_Join.OR, _Join.NOTHING):
            alternatives.append([])
        alternatives[-1].append(_part(part, field, depth))
    if field is not None:
        _check_one_value(field, alternatives, node.pos)
    return disjunction([conjunction(parts) for parts in alternatives])


def _in_order(node: Any) -> list[tuple[_Join, Any]]:
    found: list[tuple[_Join, Any]] = []
    waiting = [(_Join.NOTHING, node)]
    while waiting:
        join, item = waiting.pop()
        if (inner := _JOINS.get(type(item))) is None:
            found.append((join, item))
            continue
        first, *others = item.children
        waiting += [(inner, other) for other in reversed(others)]
        waiting.append((join, first))
    return found


def _check_one_reading(parts: list[tuple[_Join, Any]]) -> None:
    if all(join is not _Join.OR for join, _ in parts):
        return
    for join, part in parts:
        if join is _Join.SPACE:
            problem = "OR beside a space can be read in two ways; use parentheses"
            raise InvalidQuery(problem, part.pos, "(su kesintisi) OR (elektrik arızası)")
        if isinstance(part, tree.Plus):
            raise InvalidQuery(
                '"+" beside OR can be read in two ways; use AND and parentheses', part.pos, "su AND (kesinti* OR arıza*)"
            )


def _check_one_value(field: Field, alternatives: list[list[Expression]], position: int) -> None:
    for parts in alternatives:
        if sum(not isinstance(part, Not) for part in parts) > 1:
            raise InvalidQuery(f"a post has only one {field}; use OR", position, _FIELD_EXAMPLES[field])


def _part(part: Any, field: Field | None, depth: int) -> Expression:
    match part:
        case tree.BaseGroup():
            return _level(part.children[0], field, depth + 1)
        case tree.Not() | tree.Prohibit():
            return Not(_level(part.children[0], field, depth + 1))
        case tree.Plus():
            return _level(part.children[0], field, depth + 1)
        case tree.SearchField():
            return _field(part, field, depth)
        case tree.Phrase():
            return _phrase(part) if field is None else FieldIs(field, _value(field, part, _unescaped(part.value[1:-1])))
        case tree.Word():
            return _word(part) if field is None else _field_word(field, part)
    problem, example = _UNSUPPORTED[type(part)]
    raise InvalidQuery(problem, part.pos, example)


def _phrase(part: Any) -> Words:
    if star := _wildcards(part.value, "*"):
        problem = "a wildcard between quotation marks has no effect; ask for the words one by one"
        raise InvalidQuery(problem, part.pos + star[0], "su AND kesinti*")
    return _words(part, part.value[1:-1])


def _words(part: Any, written: str) -> Words:
    folded = tuple(folded_tokens(_unescaped(written)))
    if not folded:
        raise InvalidQuery("there is no letter or digit to look for", part.pos, "su kesintisi")
    return Words(folded)


def _word(part: Any) -> Expression:
    written = part.value
    _check_word(part)
    stars = _wildcards(written, "*?")
    if not stars:
        return _words(part, written)
    if written == "*":
        raise InvalidQuery("a lone wildcard: everything is written *:*", part.pos, "*:*")
    _check_wildcards(part, stars)
    return _prefix(part, _unescaped(written[:-1]))


def _check_word(part: Any) -> None:
    written, lower = part.value, part.value.lower()
    if any(found[1] for found in _QUOTE.finditer(written)):
        raise InvalidQuery(
            "a quotation mark inside a word; put a space before and after the phrase", part.pos, 'ankara "su kesintisi"'
        )
    if operator := _WRONG_OPERATORS.get(lower):
        problem = f'"{written}" would be looked for as a word: the operator is {operator}, the word goes between quotation marks'
        raise InvalidQuery(problem, part.pos, f"su {operator} elektrik")
    if written.startswith("!"):
        raise InvalidQuery('"!" is not supported; use NOT or -', part.pos, "su NOT reklam")


def _check_wildcards(part: Any, wildcards: list[int]) -> None:
    written, first = part.value, wildcards[0]
    if written[first] == "?":
        raise InvalidQuery(
            '"?" (any letter) is not supported; put a question between quotation marks',
            part.pos + first,
            '"su ne zaman gelecek?"',
        )
    if first == 0:
        raise InvalidQuery(
            "a wildcard at the beginning of a word is not supported; list the words", part.pos, "kesinti* OR elektrikkesinti*"
        )
    if first != len(written) - 1:
        raise InvalidQuery("a wildcard is possible only at the end of a word", part.pos + first, "belediye*")


def _prefix(part: Any, written: str) -> Prefix:
    if "'" in written or "’" in written:
        problem = "what follows an apostrophe is cut off, so nothing can begin like this; the bare word takes all its suffixes"
        raise InvalidQuery(problem, part.pos, "İstanbul")
    folded = folded_tokens(written)
    if len(folded) != 1:
        raise InvalidQuery(
            "a wildcard needs exactly one word before it; ask for the words one by one", part.pos, "su AND kesinti*"
        )
    if len(folded[0]) < MIN_PREFIX:
        raise InvalidQuery(f"at least {MIN_PREFIX} letters must stand before a wildcard", part.pos, "su*")
    return Prefix(folded[0])


_FIELD_EXAMPLES: Final = {
    Field.PLATFORM: "platform:(bluesky OR mastodon)",
    Field.LANGUAGE: "language:(tr OR und)",
    Field.AUTHOR_CLASS: "author_class:(press OR official)",
    Field.PLACE: 'place:(Çınarlı OR "Yeni Mahalle")',
    Field.SOURCE: "source:(haberler OR forum)",
}
_LOWER_CASE_FIELDS: Final = {Field.PLATFORM, Field.LANGUAGE, Field.AUTHOR_CLASS}


def _field(part: Any, outer: Field | None, depth: int) -> Expression:
    if outer is not None:
        raise InvalidQuery("a field inside another field", part.pos, f"{_FIELD_EXAMPLES[outer]} AND language:tr")
    if part.name == "*" and str(part.expr).strip() == "*":
        return Everything()
    if part.name not in set(Field):
        raise _unknown_field(part)
    return _level(part.expr, Field(part.name), depth + 1)


def _unknown_field(part: Any) -> InvalidQuery:
    name, position = part.name, part.pos
    if name in ("label", "sentiment", "tone"):
        problem = f'"{name}" cannot be asked for: the tone is judged after a watch has taken the post'
        return InvalidQuery(problem, position, "su kesintisi")
    if name == "text":
        return InvalidQuery("words are looked for in the text anyway; leave out the field", position, "su kesintisi")
    if near := difflib.get_close_matches(name, list(Field), n=1):
        return InvalidQuery(f'unknown field "{name}"; did you mean "{near[0]}"?', position, _FIELD_EXAMPLES[Field(near[0])])
    problem = f'unknown field "{name}" (known: {", ".join(Field)}); a colon that belongs to the text goes between quotation marks'
    return InvalidQuery(problem, position, '"saat 12:30"')


def _field_word(field: Field, part: Any) -> Expression:
    stars = _wildcards(part.value, "*?")
    if any(found[1] for found in _QUOTE.finditer(part.value)):
        raise InvalidQuery("a quotation mark inside a word", part.pos, _FIELD_EXAMPLES[field])
    if not stars:
        return FieldIs(field, _value(field, part, _unescaped(part.value)))
    if part.value == "*" or field in (Field.AUTHOR_CLASS, Field.LANGUAGE):
        raise InvalidQuery(f"{field} needs a whole value, without wildcard", part.pos, _FIELD_EXAMPLES[field])
    _check_wildcards(part, stars)
    start = _unescaped(part.value[:-1])
    return FieldStarts(field, start.lower() if field in _LOWER_CASE_FIELDS else start)


def _value(field: Field, part: Any, written: str) -> str:
    value = written.lower() if field in _LOWER_CASE_FIELDS else written
    if not value.strip():
        raise InvalidQuery(f"{field} needs a value", part.pos, _FIELD_EXAMPLES[field])
    if field is Field.AUTHOR_CLASS and value not in set(AuthorClass):
        raise InvalidQuery(
            f'"{written}" is no class of author (known: {", ".join(AuthorClass)})', part.pos, _FIELD_EXAMPLES[field]
        )
    if field is Field.LANGUAGE and not _LANGUAGE.match(value):
        raise InvalidQuery(f'"{written}" is no code of a language', part.pos, _FIELD_EXAMPLES[field])
    return value


def _wildcards(written: str, signs: str) -> list[int]:
    return [found.start() for found in _WILDCARD.finditer(written) if found[1] and found[1] in signs]


def _unescaped(written: str) -> str:
    return _ESCAPED.sub(r"\1", written)
