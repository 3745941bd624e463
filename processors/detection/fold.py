"""The fold over one partition of `hits`. Implements the Fold protocol of pipeline.fold without knowing it."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from processors.detection.alone import RECORDS
from processors.detection.buckets import Bucket
from processors.detection.clocks import BUCKET_SECS, LAG_SECS, Clocks
from processors.detection.sources import settled_hours
from processors.detection.watch import LATE_BUCKETS, Spoken, WatchState
from schemas.hits import HITS, Expectation, History, Hit, HitRecord, Progress, Retract, Verdict, WatchChanged
from schemas.outputs import Output
from schemas.records import NotARecord
from schemas.signals import Signal
from schemas.topics import BUCKETS, SIGNALS
from schemas.watches import Watch

CLOCKS_KEY: Final = "@clocks"
RETRACTED_IDS: Final = 10_000  # deletions remembered, so that one that overtakes its post still counts
_EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_BUCKET_MARK: Final = "@"
_PART_MARK: Final = "/"


class DetectFold:
    """State of one partition: clocks, how far each origin has been applied, and the watches."""

    def __init__(self) -> None:
        self._clocks = Clocks()
        self._applied: dict[str, tuple[int, str]] = {}  # partition of `mentions` → offset and watch of its last hit
        self._positions: dict[str, tuple[int, str]] = {}  # source and partition → position in the source, likewise
        self._retracted: OrderedDict[str, None] = OrderedDict()
        self._watches: dict[str, WatchState] = {}
        self._open_from: int | None = None
        self._complete_before: int | None = None
        self._outputs: list[Output] = []
        self._changed: set[str] = set()
        self._aside: set[str] = set()  # watches of which what stands alone has changed
        self._clocks_changed = False

    # -- records ----------------------------------------------------------------------------------------------------

    def apply(self, value: bytes | None) -> None:
        """Apply the next record. Raises `NotARecord` or `UnknownKind`."""
        record = HITS.decode(value).record
        _refuse_impossible(record)
        match record:
            case Hit():
                self._hit(record)
            case Progress():
                self._progress(record)
            case WatchChanged():
                self._watch_changed(record)
            case Retract():
                self._retract(record)
            case Expectation() | Verdict() | History():
                self._told(record)

    def _hit(self, hit: Hit) -> None:
        state = self._watches.get(hit.watch_id)
        if state is None:
            raise NotARecord(f"a hit of the watch {hit.watch_id}, which was never announced")
        if hit.is_backfill or hit.is_drill or self._is_repeat(hit):
            return  # neither the past nor an exercise may count as what people say now
        hidden = hit.mention_id in self._retracted
        self._emit(state, state.heard(hit, self._settled_hours(), self._clocks.listening_since))
        self._emit(state, state.take(hit, self._open_from, self._complete_before, hidden=hidden))

    def _is_repeat(self, hit: Hit) -> bool:
        """Whether this hit was applied before: `enrich` and the sources send again after a restart, in order."""
        self._clocks_changed = True
        origin = str(hit.origin_partition)
        mark = (hit.origin_offset, hit.watch_id)
        if mark <= self._applied.get(origin, (-1, "")):
            return True
        self._applied[origin] = mark
        if hit.source_position is None:
            return False
        origin = f"{hit.source}@{hit.origin_partition}"
        mark = (hit.source_position, hit.watch_id)
        if mark <= self._positions.get(origin, (-1, "")):
            return True
        self._positions[origin] = mark
        return False

    def _progress(self, record: Progress) -> None:
        self._clocks_changed = True
        self._clocks.progress(record)
        open_from, complete_before = self._clocks.open_from(), self._clocks.complete_before()
        if open_from is None or complete_before is None:
            return
        settled = self._settled_hours()
        open_from = max(open_from, self._open_from or open_from)
        whole = range(max(open_from, self._complete_before or open_from), complete_before)
        if open_from == self._open_from and not whole:
            return
        self._open_from, self._complete_before = open_from, max(complete_before, self._complete_before or complete_before)
        self._advance(open_from, whole)
        if settled != self._settled_hours():
            self._miss()

    def _settled_hours(self) -> int | None:
        return None if self._open_from is None else settled_hours(self._open_from, LATE_BUCKETS)

    def _miss(self) -> None:
        """An hour is over, in which a source that usually speaks may have been silent."""
        before_hour, now = self._settled_hours(), self._now()
        assert before_hour is not None
        assert now is not None
        for watch_id in sorted(self._watches):
            state = self._watches[watch_id]
            if state.alone.watchful:
                self._emit(state, state.miss(before_hour, now, self._clocks.listening_since))

    def _advance(self, open_from: int, whole: range) -> None:
        """Close the minutes before `open_from`, and judge those that have become whole."""
        heard_from = self._clocks.heard_from()
        closed_at = datetime.fromtimestamp(open_from * BUCKET_SECS + LAG_SECS, UTC)
        for watch_id in sorted(self._watches):
            state = self._watches[watch_id]
            if state.since is None:
                state.since = heard_from
            if state.active:
                self._emit(state, state.settle(open_from, closed_at))
                self._emit(state, state.judge(whole, datetime.fromtimestamp(whole.stop * BUCKET_SECS, UTC)))

    def _now(self) -> datetime | None:
        """When a live system knows that the last minute is closed, by the sources' clocks."""
        if self._open_from is None:
            return None
        return datetime.fromtimestamp(self._open_from * BUCKET_SECS + LAG_SECS, UTC)

    def _watch_changed(self, record: WatchChanged) -> None:
        watch = record.watch
        state = self._watches.get(watch.watch_id)
        if state is None:
            self._watches[watch.watch_id] = WatchState(watch, since=self._open_from)
        elif watch.version >= state.watch.version:
            state.change(watch, self._open_from)
        self._changed.add(watch.watch_id)
        self._aside.add(watch.watch_id)

    def _told(self, record: Expectation | Verdict | History) -> None:
        state = self._watches.get(record.watch_id)
        if state is None:
            raise NotARecord(f"said of the watch {record.watch_id}, which was never announced")
        if isinstance(record, Expectation):
            state.expect(record)
        elif isinstance(record, Verdict):
            state.take_verdict(crisis=record.crisis)
        else:
            self._take_history(state, record)
        self._changed.add(record.watch_id)

    def _take_history(self, state: WatchState, record: History) -> None:
        try:
            state.take_history(record)
        except (KeyError, ValueError) as error:
            raise NotARecord(f"a history that cannot be used: {error}") from error

    def _retract(self, record: Retract) -> None:
        self._clocks_changed = True
        self._retracted[record.mention_id] = None
        while len(self._retracted) > RETRACTED_IDS:
            self._retracted.popitem(last=False)
        for watch_id in sorted(self._watches):
            state = self._watches[watch_id]
            self._emit(state, state.retract(record.mention_id, self._now()))

    # -- outputs ----------------------------------------------------------------------------------------------------

    def _emit(self, state: WatchState, spoken: Iterator[Spoken]) -> None:
        before, watch_id = (state.open_from, state.late, state.repeats), state.watch.watch_id
        count = len(self._outputs)
        for record in spoken:
            topic = SIGNALS if isinstance(record, Signal) else BUCKETS
            self._outputs.append(Output(topic, watch_id, record.encode()))
        after = (state.open_from, state.late, state.repeats)
        if len(self._outputs) > count or state.touched or state.dropped or before != after:
            self._changed.add(watch_id)
        if state.alone.changed:
            self._aside.add(watch_id)

    @property
    def urgent(self) -> bool:
        """A signal waits: it may wake somebody. A closed minute can wait."""
        return any(output.topic is SIGNALS for output in self._outputs)

    def outputs(self) -> Iterable[Output]:
        """Signals and closed minutes since the last call."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # -- storage ----------------------------------------------------------------------------------------------------

    def changes(self) -> Iterable[tuple[str, bytes | None]]:
        """State records since the last call."""
        for watch_id in sorted(self._changed):
            state = self._watches[watch_id]
            for number, parts in sorted(state.dropped.items()):
                for part in parts:
                    yield _bucket_key(watch_id, number, part), None
            for number in sorted(state.touched):
                bucket = state.buckets[number]
                for part in sorted(bucket.changed):
                    stored = bucket.dump(part)
                    value = None if stored is None else orjson.dumps(stored, option=orjson.OPT_NON_STR_KEYS)
                    yield _bucket_key(watch_id, number, part), value
                bucket.is_stored()
            state.touched.clear()
            state.dropped.clear()
            yield watch_id, orjson.dumps(state.dump(), option=orjson.OPT_NON_STR_KEYS)
        self._changed.clear()
        yield from self._changes_aside()
        if self._clocks_changed:
            self._clocks_changed = False
            yield CLOCKS_KEY, orjson.dumps(self._dump_clocks())

    def _changes_aside(self) -> Iterator[tuple[str, bytes]]:
        """In records of their own: they change less often than the watch itself."""
        for watch_id in sorted(self._aside):
            for name, value in self._watches[watch_id].alone.changes():
                yield f"{watch_id}{_BUCKET_MARK}{name}", orjson.dumps(value)
        self._aside.clear()

    def _dump_clocks(self) -> dict[str, Any]:
        return {
            "sources": self._clocks.dump(),
            "since": self._clocks.since,
            "open_from": self._open_from,
            "complete_before": self._complete_before,
            "applied": self._applied,
            "positions": self._positions,
            "retracted": list(self._retracted),
        }

    def load(self, records: Mapping[str, bytes]) -> None:
        """Take over the stored records."""
        if CLOCKS_KEY in records:
            self._load_clocks(orjson.loads(records[CLOCKS_KEY]))
        minutes: dict[tuple[str, int], dict[str, Any]] = {}
        aside: dict[tuple[str, str], Any] = {}
        for key, value in records.items():
            watch_id, mark, place = key.partition(_BUCKET_MARK)
            if watch_id and mark:
                number, _, part = place.partition(_PART_MARK)
                if number in RECORDS:
                    aside[watch_id, number] = orjson.loads(value)
                    continue
                minutes.setdefault((watch_id, int(number)), {})[part] = orjson.loads(value)
            elif watch_id:
                stored = orjson.loads(value)
                state = self._watches[watch_id] = WatchState(Watch.model_validate(stored["watch"]))
                state.restore(stored)
        for (watch_id, bucket_number), parts in sorted(minutes.items()):
            self._watches[watch_id].restore_bucket(bucket_number, Bucket.restore(parts))
        for (watch_id, name), stored in aside.items():
            self._watches[watch_id].alone.restore(name, stored)

    def _load_clocks(self, stored: dict[str, Any]) -> None:
        self._clocks.restore(stored["sources"], stored.get("since"))
        self._open_from, self._complete_before = stored["open_from"], stored.get("complete_before")
        self._applied = {origin: (offset, watch) for origin, (offset, watch) in stored["applied"].items()}
        self._positions = {origin: (position, watch) for origin, (position, watch) in stored["positions"].items()}
        self._retracted = OrderedDict.fromkeys(stored["retracted"])


def _refuse_impossible(record: HitRecord) -> None:
    """Times that no source can mean and no state can hold: they would end the process at each attempt. Raises `NotARecord`."""
    match record:
        case Hit():
            times: tuple[datetime, ...] = (record.event_time, record.observed_at)
        case Progress():
            times = (*record.clocks.values(), *(time for time in (record.since, record.listening_since) if time))
        case Expectation() | History():
            times = (record.start, record.end)
        case _:
            return
    if not all(_EARLIEST <= time < _LATEST for time in times):
        raise NotARecord(f"a time outside the years {_EARLIEST.year} to {_LATEST.year - 1}")


def _bucket_key(watch_id: str, number: int, part: str) -> str:
    return f"{watch_id}{_BUCKET_MARK}{number}" + (f"{_PART_MARK}{part}" if part else "")


def late_mentions(state: Mapping[bytes, bytes | None]) -> int:
    """Mentions that came too late to be counted, over the state records of all partitions."""
    late = 0
    for key, value in state.items():
        name = key.decode()
        if value is not None and name and _BUCKET_MARK not in name:
            late += int(orjson.loads(value)["late"])
    return late
