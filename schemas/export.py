"""Write down the contracts for readers that are not ours: `python -m schemas.export`, and `--check` in CI.

JSON Schema of every record and document into `schemas/json/`, and the table of topics as a page, `schemas/TOPICS.md`.
What is committed there is also the last agreement: a change that breaks it is refused (see schemas.compatibility), unless
`--breaking` says that it is meant, which needs a new version of the topic once there is a release.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from schemas import topics
from schemas.alerts import Alert, Delivery, Notification
from schemas.checkpoints import Checkpoint
from schemas.compatibility import breaking_changes_of_all
from schemas.deadletters import DeadLetter, Retried
from schemas.documents import MentionDocument, Tombstone
from schemas.enriched import EnrichedDeletion, EnrichedMention
from schemas.hits import Expectation, History, Hit, Progress, Retract, Verdict, WatchChanged
from schemas.mentions import Deletion, Mention, SourceProgress
from schemas.records import Record
from schemas.signals import BucketClosed, Signal
from schemas.topics import TOPICS, Topic
from schemas.watches import Watch

FOLDER: Final = Path(__file__).parent

# What stands in each topic. A state topic is private to the role that writes it: other readers find no promise there.
RECORDS: Final[Mapping[str, tuple[type[Record], ...]]] = {
    topics.MENTIONS.name: (Mention, Deletion, SourceProgress),
    topics.ENRICHED.name: (EnrichedMention, EnrichedDeletion),
    topics.HITS.name: (Hit, Retract, Progress, WatchChanged, Expectation, Verdict, History),
    topics.WATCHES.name: (Watch,),
    topics.CHECKPOINTS.name: (Checkpoint,),
    topics.DETECTOR_STATE.name: (),
    topics.SIGNALS.name: (Signal,),
    topics.BUCKETS.name: (BucketClosed,),
    topics.ALERT_STATE.name: (),
    topics.ALERTS.name: (Alert,),
    topics.NOTIFICATIONS.name: (Notification,),
    topics.DELIVERIES.name: (Delivery,),
    topics.DEAD_LETTERS.name: (DeadLetter, Retried),
}
DOCUMENTS: Final[tuple[type[Record], ...]] = (MentionDocument, Tombstone)

_HEAD: Final = """\
# Topics

Made by `python -m schemas.export` from `schemas/topics.py`; change that, not this.

Names stand without the deployment's prefix. Values are JSON; the records of a topic are told apart by their field `type`.
Only committed transactions count: read `signals`, `buckets`, `alerts`, `notifications` with `isolation.level=read_committed`.

| topic | records | key | partitions | kept | holds | written by | read by |
|---|---|---|---|---|---|---|---|
"""


def file_name(record: type[Record]) -> str:
    """`source-progress` for SourceProgress."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", record.__name__).lower()


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each record and document, by file name, as a reader meets it."""
    models = [model for records in RECORDS.values() for model in records]
    return {file_name(model): model.model_json_schema(mode="validation") for model in [*models, *DOCUMENTS]}


def committed() -> dict[str, dict[str, Any]]:
    """The schemas as they were agreed."""
    return {file.stem: json.loads(file.read_bytes()) for file in sorted((FOLDER / "json").glob("*.json"))}


def topics_page() -> str:
    """The table of topics for people."""
    return _HEAD + "".join(map(_row, TOPICS))


def _row(topic: Topic) -> str:
    names = [file_name(model) for model in RECORDS[topic.name]]
    records = ", ".join(f"[{name}](json/{name}.json)" for name in names) or "private to its role"
    kept = f"{topic.retention_ms // topics.DAY_MS} days" if topic.retention_ms else "the last of each key"
    cells = (
        f"`{topic.name}`", records, topic.key, str(topic.partitions), kept, topic.data, ", ".join(topic.producers), ", ".join(topic.readers),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def files() -> dict[Path, str]:
    """Everything that is exported, by its place."""
    exported = {
        FOLDER / "json" / f"{name}.json": json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    return exported | {FOLDER / "TOPICS.md": topics_page()}


def drift() -> list[str]:
    """What is not as it is committed, one line each."""
    expected = files()
    stale = [path for path, text in expected.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [path for path in (FOLDER / "json").glob("*.json") if path not in expected]
    return [
        f"{path.relative_to(FOLDER.parent)} is not what the models say: run 'python -m schemas.export'" for path in sorted(stale)
    ]


def main(arguments: Sequence[str]) -> int:
    """0 when all is well; 1 when something has drifted or would break readers; 2 for an unknown argument."""
    if set(arguments) - {"--check", "--breaking"}:
        print("usage: python -m schemas.export [--check] [--breaking]", file=sys.stderr)
        return 2
    problems = breaking_changes_of_all(committed(), schemas()) if "--breaking" not in arguments else []
    if "--check" in arguments:
        problems += drift()
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    if "--check" not in arguments:
        _write()
    return 0


def _write() -> None:
    expected = files()
    (FOLDER / "json").mkdir(exist_ok=True)
    for path, text in expected.items():
        path.write_text(text, encoding="utf-8")
    for path in (FOLDER / "json").glob("*.json"):
        if path not in expected:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
