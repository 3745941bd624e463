"""Sets watches: from the specifications that people write to versions in the topics.

Order of durable steps: first `watch.changed` into `hits`, with the key, and so in the partition, of that watch's hits;
then, when Kafka has acknowledged it, the version into `watches`, which `enrich` follows. So `detect` knows a watch before
its first hit. After a crash in between, the next apply writes the same version again, which readers take as it is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from kafka.errors import KafkaError

from connectors.kafka import KafkaSettings, create_topics
from connectors.runner import DeliveryFailed
from processors.alerting.on_call import OnCallList
from processors.watches.files import WatchSpec, parse_watch_file
from schemas.hits import Expectation, History, Verdict, WatchChanged
from schemas.records import NotARecord, Record, decode
from schemas.topics import HITS, WATCHES, Topic
from schemas.watches import DEFAULT_BUDGET_WEEKS, Watch, WatchLevel

ACKNOWLEDGE_SECS: Final = 60.0
_NOT_CONTENT: Final = frozenset({"version", "updated_at"})  # what may differ between two versions that say the same


class WatchRefused(Exception):
    """The watches cannot be set as asked; the message says what to do. Nothing was written."""


class Change(StrEnum):
    """What becomes of a watch."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    BUDGET = "budget"  # not named, but its list's false-alarm budget is shared among another number of watches now


@dataclass(frozen=True, slots=True)
class Applied:
    """A watch as it stands afterwards, and what was done to it."""

    watch: Watch
    change: Change

    @property
    def is_written(self) -> bool:
        """Whether there is a new version."""
        return self.change is not Change.UNCHANGED


def read_watch_files(files: Iterable[Path]) -> list[WatchSpec]:
    """The watches of all files. Raises `WatchRefused`, InvalidWatch."""
    return [spec for file in files for spec in parse_watch_file(_text(file), name=str(file))]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise WatchRefused(f"{file}: not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except OSError as error:
        raise WatchRefused(f"{file}: cannot be read ({error.strerror}): name a file with watches") from error


# -- rules --------------------------------------------------------------------------------------------------------------


def plan(
    current: Mapping[str, Watch],
    specs: Sequence[WatchSpec],
    on_call: Mapping[str, OnCallList],
    now: datetime,
    *,
    enable: bool = False,
) -> list[Applied]:
    """What applying the specifications comes to: the named watches in their order, then those whose budget changes.

    A watch that is not named stays as it is. A disabled one stays disabled unless `enable`: files are applied at every
    start, and a start must not undo what somebody switched off on purpose. Raises `WatchRefused`.
    """
    _refuse_repeats(specs)
    _refuse_unknown_lists(specs, on_call)
    wanted = {spec.id: spec.watch(version=1, budget_weeks=DEFAULT_BUDGET_WEEKS, updated_at=now) for spec in specs}
    if not enable:
        disabled = {watch_id for watch_id in wanted if watch_id in current and not current[watch_id].enabled}
        wanted |= {watch_id: wanted[watch_id].model_copy(update={"enabled": False}) for watch_id in disabled}
    return _versions(current, wanted, on_call, now)


def plan_disable(current: Mapping[str, Watch], watch_id: str, on_call: Mapping[str, OnCallList], now: datetime) -> list[Applied]:
    """The watch stops listening; the budget of its list is shared among fewer. Raises `WatchRefused`."""
    watch = _known(current, watch_id)
    return _versions(current, {watch_id: watch.model_copy(update={"enabled": False})}, on_call, now)


def _known(watches: Mapping[str, Watch], watch_id: str) -> Watch:
    if watch_id not in watches:
        known = f"known: {', '.join(sorted(watches))}" if watches else "there are none"
        raise WatchRefused(f"there is no watch {watch_id!r} ({known}): look with 'nabiz watch list'")
    return watches[watch_id]


def _refuse_repeats(specs: Sequence[WatchSpec]) -> None:
    repeated = sorted(watch_id for watch_id, count in Counter(spec.id for spec in specs).items() if count > 1)
    if repeated:
        raise WatchRefused(
            f"named more than once in the files: {', '.join(repeated)}: an id stands for one watch, choose another"
        )


def _refuse_unknown_lists(specs: Sequence[WatchSpec], on_call: Mapping[str, OnCallList]) -> None:
    unknown = [spec for spec in specs if spec.on_call is not None and spec.on_call not in on_call]
    if unknown:
        lines = "\n".join(f"  {spec.id}: on_call {spec.on_call!r}" for spec in unknown)
        raise WatchRefused(
            f"these on-call lists are not in the configuration, which has {', '.join(sorted(on_call))}:\n{lines}\n"
            "correct the watch, add the list under on_call, or name the right configuration with --config FILE"
        )


def _versions(
    current: Mapping[str, Watch], wanted: Mapping[str, Watch], on_call: Mapping[str, OnCallList], now: datetime
) -> list[Applied]:
    after = {**current, **wanted}
    budgets = shared_budgets(after, on_call)
    named = [_version(current.get(watch_id), watch, budgets[watch_id], now) for watch_id, watch in wanted.items()]
    others = [
        _version(watch, watch, budgets[watch_id], now) for watch_id, watch in sorted(current.items()) if watch_id not in wanted
    ]
    return named + [Applied(found.watch, Change.BUDGET) for found in others if found.is_written]


def shared_budgets(watches: Mapping[str, Watch], on_call: Mapping[str, OnCallList]) -> dict[str, float]:
    """Weeks per false call of each watch: its list's, times the number of watches that page this list.

    A watch whose list has left the configuration keeps its share: it is not this apply that decides on it.
    """
    paging = Counter(watch.on_call for watch in watches.values() if _pages(watch))
    return {watch_id: _budget(watch, paging, on_call) for watch_id, watch in watches.items()}


def _budget(watch: Watch, paging: Mapping[str | None, int], on_call: Mapping[str, OnCallList]) -> float:
    if not _pages(watch):
        return DEFAULT_BUDGET_WEEKS
    told = on_call.get(watch.on_call or "")
    return watch.budget_weeks if told is None else told.budget_weeks * paging[watch.on_call]


def _pages(watch: Watch) -> bool:
    return watch.enabled and watch.level is WatchLevel.PAGE


def _version(before: Watch | None, wanted: Watch, budget_weeks: float, now: datetime) -> Applied:
    watch = wanted.model_copy(update={"budget_weeks": budget_weeks, "updated_at": now})
    if before is None:
        return Applied(watch.model_copy(update={"version": 1}), Change.NEW)
    if _content(before) == _content(watch):
        return Applied(before, Change.UNCHANGED)
    return Applied(watch.model_copy(update={"version": before.version + 1}), Change.CHANGED)


def _content(watch: Watch) -> dict[str, Any]:
    return watch.model_dump(exclude=set(_NOT_CONTENT))


# -- topics -------------------------------------------------------------------------------------------------------------


def read_watches(kafka: KafkaSettings) -> dict[str, Watch]:
    """The last version of each watch, by id. The topics must exist. Raises KafkaUnreachable, `WatchRefused`."""
    watches: dict[str, Watch] = {}
    with kafka.reader([WATCHES]) as reader:
        for record in reader.rest():
            watch_id = record.key.decode()
            if record.value is None:
                watches.pop(watch_id, None)
                continue
            try:
                watches[watch_id] = decode(Watch, record.value)
            except NotARecord as error:
                raise WatchRefused(
                    f"the watch {watch_id} in the topic {kafka.topic(WATCHES)} cannot be read ({error.problem}): "
                    "a newer version of Nabız wrote it; use that one"
                ) from error
    return watches


def known_watch(kafka: KafkaSettings, watch_id: str) -> Watch:
    """The last version of one. Raises as `read_watches`, and `WatchRefused` where there is none."""
    return _known(read_watches(kafka), watch_id)


def refuse_other_query(learnt_with: Watch, current: Watch) -> None:
    """Raises `WatchRefused` where a watch chooses other posts by now than those that something was learnt from."""
    if learnt_with.chooses != current.chooses:
        raise WatchRefused(
            f"the watch {current.watch_id} chooses other posts since version {current.version}, and what was learnt is of version "
            f"{learnt_with.version}: nothing was written; run the command again"
        )


def apply_watches(
    kafka: KafkaSettings, specs: Sequence[WatchSpec], on_call: Mapping[str, OnCallList], now: datetime
) -> list[Applied]:
    """Set the watches; those that say the same already are not written. Returns when Kafka holds them.

    A disabled watch stays disabled. Two applies at the same time on one namespace are not kept apart: the later one wins.
    Raises `WatchRefused`, KafkaUnreachable, TopicMismatch, DeliveryFailed.
    """
    create_topics(kafka)  # watches may be set before anything else runs
    applied = plan(read_watches(kafka), specs, on_call, now)
    write_watches(kafka, applied)
    return applied


def write_watches(kafka: KafkaSettings, applied: Iterable[Applied]) -> None:
    """Write what `plan` found, in the order on which `detect` relies. Raises KafkaUnreachable, DeliveryFailed."""
    watches = [found.watch for found in applied if found.is_written]
    if not watches:
        return
    producer = kafka.producer()
    try:
        _send_all(kafka, producer, HITS, [(watch.watch_id, WatchChanged(watch=watch)) for watch in watches])
        _send_all(kafka, producer, WATCHES, [(watch.watch_id, watch) for watch in watches])
    finally:
        producer.close(timeout=5)


def tell(kafka: KafkaSettings, watch_id: str, record: Expectation | Verdict | History) -> None:
    """Write what a person said of a watch to where `detect` reads it. Raises KafkaUnreachable, DeliveryFailed."""
    producer = kafka.producer()
    try:
        _send_all(kafka, producer, HITS, [(watch_id, record)])
    finally:
        producer.close(timeout=5)


def _send_all(kafka: KafkaSettings, producer: Any, topic: Topic, records: Sequence[tuple[str, Record]]) -> None:
    """By watch. Returns when all of them are acknowledged."""
    try:
        sent = [producer.send(kafka.topic(topic), key=watch_id.encode(), value=record.encode()) for watch_id, record in records]
        producer.flush(timeout=ACKNOWLEDGE_SECS)
        for future in sent:
            future.get(timeout=ACKNOWLEDGE_SECS)
    except KafkaError as error:
        raise DeliveryFailed(
            f"Kafka at {kafka.bootstrap} did not take what was said of the watches ({error}): give the command again, which does no harm"
        ) from error
