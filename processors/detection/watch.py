"""The state of one watch: its minutes, statistics and episodes in time, and the signals that come of them."""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from processors.detection.alone import Alone, Notice
from processors.detection.before import Before
from processors.detection.buckets import HEAD, Bucket, Counted, Entry, Sample
from processors.detection.clocks import BUCKET_SECS, bucket_of
from processors.detection.damping import WINDOW_BUCKETS, Damping, together, voice
from processors.detection.evidence import evidence_of, first_post
from processors.detection.expectations import Expectations
from processors.detection.sources import ListeningSince
from processors.detection.window import earliest, mentions_60m, rise_of, window
from processors.spikes import Episode, Level, Member, Policy, Surge, Transition, TransitionKind
from processors.spikes import Evidence as Statistic
from processors.spikes.episode import NOTICE_SCORE
from processors.spikes.evidence import BUCKETS_PER_HOUR, SCORE_FLOOR
from processors.spikes.expectations import is_day_off, limit_60m
from processors.spikes.misread import without_misread
from schemas.authors import AuthorClass
from schemas.hits import Expectation, History, Hit
from schemas.labels import Label
from schemas.sentiments import NO_MODEL
from schemas.signals import BucketClosed, Evidence, Series, Signal, SignalKind, SignalLevel
from schemas.watches import Watch, WatchLevel

LATE_BUCKETS: Final = 15  # how long a closed minute still takes mentions; what comes later is `late`
_REMEMBERED_BUCKETS: Final = 3 * BUCKETS_PER_HOUR  # more than `Before` looks back
LEARNING_BUCKETS: Final = 7 * 24 * 60
_EVERY_HIT_UP_TO: Final = 10
_NO_PAGE: Final = Policy(budget_weeks=float("inf"))
_NOTHING: Final = Statistic(SCORE_FLOOR, Member.NONE, 0.0, 0.0)

Spoken = Signal | BucketClosed


def page_policy(watch: Watch) -> Policy:
    """When a series that may page does."""
    return Policy(budget_weeks=watch.budget_weeks, min_authors=watch.page_authors, min_mentions=watch.page_mentions)


class WatchState:
    """What `detect` remembers of one watch. Call `settle` before anything else when the open minute has moved."""

    def __init__(self, watch: Watch, since: int | None = None) -> None:
        self.watch = watch
        self.since = since  # the first minute in which it could be heard; None until the sources have told
        self.open_from: int | None = None  # minutes before this one are ticked
        self.started: int | None = None
        self.buckets: dict[int, Bucket] = {}
        self.surges: dict[Series, Surge] = {}
        self.episodes: dict[Series, Episode] = {series: Episode() for series in Series}
        self.damping = {series: Damping(series) for series in Series}
        self.before: dict[Series, Before] = {series: Before() for series in Series}
        self.first_posts: list[Sample] = []
        self.late = 0
        self.repeats = 0
        self.spoken = 0  # signals so far
        self.owed = 0.0  # see processors.spikes.misread
        self.expectations = Expectations()
        self.model: str | None = None  # of the last hit
        self.history: History | None = None  # waits for the first minute
        self.query_version = 0  # with which the watch began to choose as it does
        self.alone = Alone()
        self.touched: set[int] = set()
        self.dropped: dict[int, list[str]] = {}  # with the parts in which the minute was stored

    # -- mentions ---------------------------------------------------------------------------------------------------

    def take(self, hit: Hit, open_from: int | None, complete_before: int | None, *, hidden: bool) -> Iterator[Spoken]:
        """Count a hit; `hidden` when its post is deleted already. The two minutes are the partition's; see `Clocks`."""
        yield from self.settle(open_from, hit.observed_at)
        yield from self._count(hit, complete_before, hidden=hidden)
        article = None if hidden else self.alone.take(self.watch, hit)
        if article is not None:
            yield self._notice(article, hit.observed_at)

    def _count(self, hit: Hit, complete_before: int | None, *, hidden: bool) -> Iterator[Spoken]:
        number = bucket_of(hit.event_time)
        if self.open_from is not None and number < self.open_from - LATE_BUCKETS:
            self.late += 1
            return
        bucket = self.buckets.setdefault(number, Bucket())
        concern = is_concern(hit)
        if not bucket.add(hit, concern=concern):
            self.repeats += 1
            return
        self.touched.add(number)
        if hit.sentiment.model != NO_MODEL:
            if self.model not in (None, hit.sentiment.model):
                self.learn_anew()
            self.model = hit.sentiment.model
        if not hidden:
            bucket.sample(hit, concern=concern)
        if self.open_from is not None and number < self.open_from:
            self._count_late(number, bucket, Entry.of(hit, concern=concern))
        elif self._may_speak(number, bucket, complete_before):
            yield from self._speak_early(number, hit.event_time, hit.observed_at)

    def _count_late(self, number: int, bucket: Bucket, entry: Entry) -> None:
        """Into a minute that is closed already: the statistic takes it as what it is, older."""
        assert self.open_from is not None
        for series, surge in self.surges.items():
            weight = self.damping[series].late(number, entry)
            before = bucket.counted.get(series, Counted.nothing())
            copies = {**before.copies, entry.signature: before.copies.get(entry.signature, 0) + 1}
            if series is Series.ALL or entry.concern:
                authors = before.authors | {voice(entry)} if weight else before.authors
                bucket.counted[series] = Counted(before.weight + weight, authors, copies)
                bucket.changed.add(HEAD)
                surge.late(weight, self.open_from - 1 - number)

    def _may_speak(self, number: int, bucket: Bucket, complete_before: int | None) -> bool:
        """Whether the open minute is worth judging at this hit: always at first, then at each tenth more.

        Never beyond the minute that is being delivered: as long as an earlier one is not whole, a later one could seem to
        be the onset, and which one would depend on the order in which the partitions of `mentions` are read.
        """
        if self.open_from is None or complete_before is None or not self.open_from <= number <= complete_before:
            return False
        return bucket.mentions <= _EVERY_HIT_UP_TO or bucket.mentions % (bucket.mentions // _EVERY_HIT_UP_TO) == 0

    def judge(self, minutes: Iterable[int], observed_at: datetime) -> Iterator[Signal]:
        """Judge open minutes that have become whole, in their order, without waiting for what comes out of order."""
        for number in minutes:
            if self.open_from is not None and number >= self.open_from and number in self.buckets:
                end = datetime.fromtimestamp((number + 1) * BUCKET_SECS, UTC)
                yield from self._speak_early(number, end, observed_at)

    def _speak_early(self, number: int, event_time: datetime, observed_at: datetime) -> Iterator[Signal]:
        mentions = mentions_60m(self.buckets, number)
        for series, (statistic, authors) in self._ahead(number).items():
            found = self._step(series, number, statistic, mentions, authors, closed=False)
            yield from self._signals(series, found, number, statistic, authors, event_time, observed_at)

    def _ahead(self, number: int) -> dict[Series, tuple[Statistic, int]]:
        """The statistics and the authors as if the open minute `number` closed now."""
        assert self.open_from is not None
        surges = self.surges
        if number > self.open_from:
            surges = {series: surge.copy() for series, surge in surges.items()}
        between, owed = dict.fromkeys(surges, Counted.nothing()), self.owed
        for open_number in range(self.open_from, number + 1):
            counted = {
                series: self.damping[series].weigh(
                    open_number, self.buckets.get(open_number), between[series], self._left(series, open_number)
                )
                for series in surges
            }
            weights, owed = _amounts(counted, owed)
            if open_number < number:
                for series, surge in surges.items():
                    surge.tick(open_number, weights[series], self.expectations.known(open_number))
            between = {series: together(between[series], counted[series]) for series in surges}
        return {
            series: (
                surge.peek(number, weights[series], self.expectations.known(number)),
                self.damping[series].authors(number, between[series].authors),
            )
            for series, surge in surges.items()
        }

    def _left(self, series: Series, number: int) -> Counter[str]:
        """Copies in closed minutes that will have left the window when `number` closes."""
        copies: Counter[str] = Counter()
        for n, bucket in self.buckets.items():
            if n <= number - WINDOW_BUCKETS and series in bucket.counted:
                copies.update(bucket.counted[series].copies)
        return copies

    def retract(self, mention_id: str, now: datetime | None) -> Iterator[Signal]:
        """Take a deleted post out of the evidence; says so when an alert may show it."""
        dropped = False
        for number, bucket in self.buckets.items():
            if bucket.forget(mention_id):
                self.touched.add(number)
                dropped = True
        shown = [post for post in self.first_posts if post.mention_id != mention_id]
        dropped |= len(shown) < len(self.first_posts)
        self.first_posts = shown
        if not dropped or now is None or self.open_from is None:
            return
        last = self.open_from - 1
        for series, episode in self.episodes.items():
            if episode.active and series in self.surges:
                yield self._about(
                    episode, series, SignalKind.EVIDENCE, last, now, now, provisional=False,
                    statistic=self.surges[series].last, authors=self.damping[series].authors(last),
                )  # fmt: skip

    # -- what stands alone ------------------------------------------------------------------------------------------

    def heard(self, hit: Hit, before_hour: int | None, listening_since: ListeningSince) -> Iterator[Signal]:
        """A source speaks of the watch; see `miss`. Called before the hit is taken."""
        for notice in self.alone.heard(self.watch, hit, before_hour, listening_since):
            yield self._notice(notice, hit.observed_at)

    def miss(self, before_hour: int, observed_at: datetime, listening_since: ListeningSince) -> Iterator[Signal]:
        """Judge who was silent in the hours before `before_hour`."""
        for notice in self.alone.miss(self.watch, before_hour, listening_since):
            yield self._notice(notice, observed_at)

    def change(self, watch: Watch, open_from: int | None) -> None:
        """Take over another version."""
        if watch.chooses != self.watch.chooses:
            self.query_version, self.history = watch.version, None
            self.listen_anew()
        if open_from is not None:
            self.alone.change(self.watch, open_from // BUCKETS_PER_HOUR + 1)
        self.watch = watch

    def _notice(self, notice: Notice, observed_at: datetime) -> Signal:
        """It wakes nobody and touches no rise: neither its level, nor its posts, nor what is learnt."""
        series, number = Series.CONCERN if notice.article else Series.ALL, notice.minute
        statistic = self.surges[series].last if self.surges else _NOTHING
        # The damping knows who spoke last when; of a late article's hour it may count those who spoke after it, too.
        authors = min(self.damping[series].authors(number), mentions_60m(self.buckets, number))
        posts = () if notice.post is None else (first_post(notice.post),)
        told = {"first_posts": posts, "clusters": (), "article": notice.article, "silence": notice.silence}
        evidence = self._evidence(series, statistic, authors, number).model_copy(update=told)
        return self._signal(
            series, notice.kind, SignalLevel.NOTICE, number, notice.event_time, observed_at, provisional=False, evidence=evidence,
        )  # fmt: skip

    # -- time -------------------------------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether a closing minute can change anything but empty counts."""
        if any(episode.active for episode in self.episodes.values()):
            return True
        if any(surge.awaits_tick for surge in self.surges.values()):
            return True
        return self.open_from is None or any(number >= self.open_from for number in self.buckets)

    def settle(self, open_from: int | None, observed_at: datetime) -> Iterator[Spoken]:
        """Close the minutes before `open_from`. Empty minutes of a quiet watch give nothing, so the caller may be lazy."""
        if open_from is None:
            return
        if self.open_from is None:
            self._start(open_from if self.since is None else self.since)
        assert self.open_from is not None
        while self.open_from < open_from:
            self._skip_silence(open_from)
            yield from self._close(self.open_from, observed_at)

    def _skip_silence(self, open_from: int) -> None:
        """Years of it at once: their minutes, one by one, would hold up the process for longer than its group waits.

        The last hours are closed one by one all the same, since they are what is remembered as usual.
        """
        assert self.open_from is not None
        until = min([open_from, *self.buckets]) - _REMEMBERED_BUCKETS
        if until <= self.open_from or any(episode.active for episode in self.episodes.values()):
            return
        if all(surge.stands_still and surge.last.score < NOTICE_SCORE for surge in self.surges.values()):
            for surge in self.surges.values():
                surge.advance(until)
            self.open_from = until

    def _start(self, since: int) -> None:
        first = min([*self.buckets, since])
        self.open_from = self.started = first
        self.surges = {series: Surge(first, day_off=is_day_off) for series in Series}
        if self.history is not None:
            self.take_history(self.history)

    def _close(self, number: int, observed_at: datetime) -> Iterator[Spoken]:
        end = datetime.fromtimestamp((number + 1) * BUCKET_SECS, UTC)
        bucket = self.buckets.get(number)
        self.open_from = number + 1
        weights, statistics = self._tick(number, bucket)
        mentions = mentions_60m(self.buckets, number)
        for series, statistic in statistics.items():
            authors = self.damping[series].authors(number)
            found = self._step(series, number, statistic, mentions, authors, closed=True)
            yield from self._signals(series, found, number, statistic, authors, end, observed_at)
        if bucket is not None:
            self.touched.add(number)
            yield self._closed(number, bucket, weights, statistics)
        self._remember_usual()
        self._forget(number)

    def _remember_usual(self) -> None:
        for series, surge in self.surges.items():
            if not self.episodes[series].active and self.before[series].is_due(surge):
                self.before[series].keep(surge.next_bucket, surge)

    def _tick(self, number: int, bucket: Bucket | None) -> tuple[dict[Series, float], dict[Series, Statistic]]:
        counted = {series: self.damping[series].weigh(number, bucket) for series in self.surges}
        weights, self.owed = _amounts(counted, self.owed)
        if bucket is not None:
            bucket.changed.add(HEAD)
            for series, found in counted.items():
                bucket.counted[series] = found
                self.damping[series].remember(number, found)
        known_now = self.expectations.known(number)
        return weights, {series: surge.tick(number, weights[series], known_now) for series, surge in self.surges.items()}

    def _forget(self, closed: int) -> None:
        self.expectations.forget(closed)
        old = self.buckets.get(closed - LATE_BUCKETS)
        if old and old.entries:
            old.forget_entries()
            self.touched.add(closed - LATE_BUCKETS)
        leaving = closed + 1 - WINDOW_BUCKETS  # 60 minutes before the next one, and so no more in its window
        gone = self.buckets.pop(leaving, None)
        if gone:
            for series, counted in gone.counted.items():
                self.damping[series].forget(leaving, counted)
            self.touched.discard(leaving)
            self.dropped[leaving] = gone.parts

    # -- what people say beforehand and afterwards -------------------------------------------------------------------

    def expect(self, record: Expectation) -> None:
        """Take over what is known beforehand, or that it no longer is. Raises `NotARecord`, see `Expectations.take`."""
        self.expectations.take(record)

    def learn_anew(self) -> None:
        """From now on it is another count than before: what was usual may not be so any more, and signals say that."""
        self.started = self.open_from

    def listen_anew(self) -> None:
        """The query is another one: who usually spoke of the former one may have nothing to say of this one."""
        self.learn_anew()
        self.alone.listen_anew()

    def take_history(self, record: History) -> None:
        """Take over what was learnt from the past.

        Raises ValueError for states that this version does not read, and for posts that another query chose.
        """
        if record.watch_version < self.query_version:
            raise ValueError(
                f"its posts were chosen by version {record.watch_version} of the watch, whose query is another one since version "
                f"{self.query_version}: run 'nabiz backfill' again"
            )
        surges = {series: _unpacked(record.states[series]) for series in Series}
        for surge in surges.values():
            surge.check()
        if self.open_from is None:
            self.history = record
            return
        for surge in surges.values():
            surge.resume(self.open_from)
        self.before = {series: Before() for series in Series}
        self.surges, self.started, self.history = surges, bucket_of(record.start), None

    def take_verdict(self, *, crisis: bool) -> None:
        """What a person says about the rise that is going on."""
        for surge in self.surges.values():
            surge.take_verdict(crisis=crisis)

    def _closed(
        self, number: int, bucket: Bucket, weights: dict[Series, float], statistics: dict[Series, Statistic]
    ) -> BucketClosed:
        return BucketClosed(
            watch_id=self.watch.watch_id,
            start=datetime.fromtimestamp(number * BUCKET_SECS, UTC),
            mentions=bucket.mentions,
            weights=weights,
            expected={series: statistic.expected for series, statistic in statistics.items()},
            scores={series: statistic.score for series, statistic in statistics.items()},
        )

    # -- episodes ---------------------------------------------------------------------------------------------------

    def _step(
        self, series: Series, number: int, statistic: Statistic, mentions: int, authors: int, *, closed: bool
    ) -> list[Transition]:
        if self.watch.level is WatchLevel.COUNT or not self.watch.enabled:
            return self.episodes[series].stop(number, statistic) if closed else []
        pages = series is Series.CONCERN and self.watch.level is WatchLevel.PAGE
        policy = page_policy(self.watch) if pages else _NO_PAGE
        return self.episodes[series].step(
            number, statistic, policy=policy, mentions_60m=mentions, authors_60m=authors,
            closed=closed, limit_60m=limit_60m(statistic.expected, self.expectations.known(number)),
        )  # fmt: skip

    def _signals(
        self, series: Series, found: list[Transition], number: int, statistic: Statistic, authors: int, event_time: datetime,
        observed_at: datetime,
    ) -> Iterator[Signal]:  # fmt: skip
        for transition in found:
            if transition.kind is TransitionKind.ONSET:
                rise = rise_of(self.buckets, series, number, self.surges[series].last.expected)
                self.before[series].freeze(rise)
                if not self.first_posts:
                    self.first_posts = earliest(self.buckets, rise, number)
            yield self._about(
                transition, series, SignalKind(transition.kind), number, event_time, observed_at,
                provisional=transition.provisional, statistic=statistic, authors=authors,
            )  # fmt: skip
        if found and not any(episode.active for episode in self.episodes.values()):
            self.first_posts = []

    def _about(
        self, rise: Transition | Episode, series: Series, kind: SignalKind, number: int, event_time: datetime,
        observed_at: datetime, *, provisional: bool, statistic: Statistic, authors: int,
    ) -> Signal:  # fmt: skip
        assert rise.level is not Level.QUIET
        assert rise.onset_bucket is not None
        return self._signal(
            series, kind, SignalLevel(rise.level), rise.onset_bucket, event_time, observed_at, provisional=provisional,
            evidence=self._evidence(series, statistic, authors, number),
        )  # fmt: skip

    def _signal(
        self, series: Series, kind: SignalKind, level: SignalLevel, onset_bucket: int, event_time: datetime,
        observed_at: datetime, *, provisional: bool, evidence: Evidence,
    ) -> Signal:  # fmt: skip
        onset = datetime.fromtimestamp(onset_bucket * BUCKET_SECS, UTC)
        self.spoken += 1
        return Signal(
            signal_id=f"{self.watch.watch_id}/{series}/{onset:%Y-%m-%dT%H:%MZ}/{level}/{self.spoken}",
            watch_id=self.watch.watch_id, watch_version=self.watch.version, title=self.watch.title, on_call=self.watch.on_call,
            kind=kind, level=level, series=series, onset=onset, event_time=event_time, observed_at=observed_at,
            provisional=provisional, evidence=evidence,
        )  # fmt: skip

    def _evidence(self, series: Series, statistic: Statistic, authors: int, number: int) -> Evidence:
        """Of the 60 minutes up to `number`, as the statistic is; but usual is what was so before the rise."""
        usual = self.before[series].expected(number, self.expectations.known(number))
        return evidence_of(
            window(self.buckets, number), statistic, authors, self.first_posts,
            expected_60m=statistic.expected_60m if usual is None else usual * BUCKETS_PER_HOUR,
            announced=self.expectations.reasons(number),
            learning=self.started is not None and number - self.started < LEARNING_BUCKETS,
        )  # fmt: skip

    # -- storage ----------------------------------------------------------------------------------------------------

    def packed_surges(self) -> dict[Series, str]:
        """What has been learnt, in base64."""
        return {series: base64.b64encode(surge.pack()).decode() for series, surge in self.surges.items()}

    def dump(self) -> dict[str, Any]:
        """Everything but the buckets, which have records of their own."""
        return {
            "watch": self.watch.model_dump(mode="json"),
            "open_from": self.open_from,
            "started": self.started,
            "since": self.since,
            "surges": self.packed_surges(),
            "episodes": {series: episode.dump() for series, episode in self.episodes.items()},
            "before": {series: before.dump() for series, before in self.before.items()},
            "first_posts": [sample.dump() for sample in self.first_posts],
            "late": self.late,
            "repeats": self.repeats,
            "spoken": self.spoken,
            "owed": self.owed,
            "model": self.model,
            "history": self.history.model_dump(mode="json") if self.history else None,
            "query_version": self.query_version,
            "expectations": self.expectations.dump(),
        }

    def restore(self, stored: dict[str, Any]) -> None:
        """The inverse of `dump`."""
        self.watch = Watch.model_validate(stored["watch"])
        self.open_from, self.started, self.since = stored["open_from"], stored["started"], stored.get("since")
        self.surges = {Series(name): _unpacked(packed) for name, packed in stored["surges"].items()}
        self.episodes = {Series(name): Episode.restore(episode) for name, episode in stored["episodes"].items()}
        before = stored.get("before", {})  # an earlier version did not remember it
        self.before = {series: Before.restore(before.get(series, [])) for series in Series}
        self.first_posts = [Sample(*fields) for fields in stored["first_posts"]]
        self.late, self.repeats, self.spoken = stored["late"], stored["repeats"], stored["spoken"]
        self.owed = stored.get("owed", 0.0)
        self.model = stored.get("model")
        self.history = History.model_validate(stored["history"]) if stored.get("history") else None
        self.query_version = stored.get("query_version", 0)  # an earlier version did not note it: any history is taken then
        self.expectations = Expectations.restore(stored.get("expectations", []))

    def restore_bucket(self, number: int, bucket: Bucket) -> None:
        """Take over a stored minute."""
        self.buckets[number] = bucket
        for series, counted in bucket.counted.items():
            self.damping[series].remember(number, counted)


def _amounts(counted: Mapping[Series, Counted], owed: float) -> tuple[dict[Series, float], float]:
    """What each series takes a minute for, and what is owed after it; empty before the first minute."""
    weights = {series: found.weight for series, found in counted.items()}
    if weights:
        weights[Series.CONCERN], owed = without_misread(weights[Series.CONCERN], counted[Series.ALL].positive, owed)
    return weights, owed


def _unpacked(packed: str) -> Surge:
    return Surge.unpack(base64.b64decode(packed, validate=True), day_off=is_day_off)


def is_concern(hit: Hit) -> bool:
    """All but the confidently positive and the institution's own posts: many a crisis is told in questions."""
    return hit.sentiment.label is not Label.POSITIVE and hit.author_class is not AuthorClass.OWN
