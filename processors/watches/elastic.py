"""A watch's query for Elasticsearch: the same expression that the matcher evaluates, so that a search finds the same posts.

The field `text` must be analysed like `processors.text.tokens` (analyzer `nabiz_text`), the others must be keywords.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from processors.watches.expression import And, Everything, Expression, FieldIs, FieldStarts, Not, Or, Prefix, Words

TEXT_FIELD: Final = "text"
DEFAULT_OPERATOR: Final = "AND"  # what a space means; Elasticsearch's own default is OR
_NOT_PLAIN: Final = re.compile(r"([^\w])")


def query_dsl(expression: Expression) -> dict[str, Any]:
    """The expression as query DSL. Words are folded already and are looked up as they are."""
    match expression:
        case Everything():
            return {"match_all": {}}
        case Words((word,)):
            return {"term": {TEXT_FIELD: word}}
        case Words(words):
            return {"match_phrase": {TEXT_FIELD: {"query": " ".join(words), "analyzer": "whitespace"}}}
        case Prefix(start):
            return {"prefix": {TEXT_FIELD: start}}
        case FieldIs(field, value):
            return {"term": {str(field): value}}
        case FieldStarts(field, start):
            return {"prefix": {str(field): start}}
        case And(parts):
            return {"bool": {"filter": [query_dsl(part) for part in parts]}}
        case Or(parts):
            return {"bool": {"should": [query_dsl(part) for part in parts], "minimum_should_match": 1}}
        case Not(part):
            return {"bool": {"must_not": [query_dsl(part)]}}


def watch_dsl(query: Expression, exclusions: Iterable[Expression]) -> dict[str, Any]:
    """What a watch takes: its query without its exclusions."""
    return {"bool": {"filter": [query_dsl(query)], "must_not": [query_dsl(excluded) for excluded in exclusions]}}


def query_string(expression: Expression) -> dict[str, Any]:
    """The expression as a `query_string` query, as Kibana's search bar takes it."""
    return {"query_string": {"query": lucene(expression), "default_field": TEXT_FIELD, "default_operator": DEFAULT_OPERATOR}}


def lucene(expression: Expression) -> str:
    """The expression in Lucene syntax with every operator and parenthesis written out: it means the same under any default."""
    match expression:
        case Everything():
            return "*:*"
        case Words(words):
            return f"{TEXT_FIELD}:{_quoted(' '.join(words))}"
        case Prefix(start):
            return f"{TEXT_FIELD}:{_escaped(start)}*"
        case FieldIs(field, value):
            return f"{field}:{_quoted(value)}"
        case FieldStarts(field, start):
            return f"{field}:{_escaped(start)}*"
        case And(parts):
            return f"({' AND '.join(map(lucene, parts))})"
        case Or(parts):
            return f"({' OR '.join(map(lucene, parts))})"
        case Not(part):
            return f"(*:* AND NOT {lucene(part)})"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(start: str) -> str:
    return _NOT_PLAIN.sub(r"\\\1", start)
