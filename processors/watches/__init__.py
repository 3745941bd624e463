"""Watches: what the institution listens for, as a file that people write and as a test that a mention passes or not.

Owns the query language (`query`), matching (`matcher`), the same queries for Elasticsearch (`elastic`) and the file format
(`files`). Knows nothing of detection, alerts or Kafka, and never reads the clock: today's date is an argument.
"""

from processors.watches.files import InvalidWatch, WatchSpec, parse_watch_file
from processors.watches.matcher import Candidate, CompiledWatch, WatchSet
from processors.watches.query import InvalidQuery, parse

__all__ = [
    "Candidate",
    "CompiledWatch",
    "InvalidQuery",
    "InvalidWatch",
    "WatchSet",
    "WatchSpec",
    "parse",
    "parse_watch_file",
]
