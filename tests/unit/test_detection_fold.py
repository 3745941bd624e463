"""Detection is a function of the log alone: what counts, when it counts, and what is said about it."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.detection.clocks import Clocks, bucket_of
from processors.detection.fold import DetectFold, late_mentions
from processors.detection.watch import LATE_BUCKETS, WatchState
from processors.spikes.misread import MISSED_PER_FOUND
from schemas.authors import AuthorClass
from schemas.hits import Expectation, Hit, Progress, Retract, WatchChanged
from schemas.labels import Label
from schemas.records import NotARecord, UnknownKind
from schemas.signals import Series, SignalKind, SignalLevel
from schemas.watches import WatchLevel
from tests.unit.detection_log import (
    EVERYWHERE,
    START,
    Log,
    apply,
    at,
    bytes_of,
    minutes,
    progress,
    saved,
    signals,
    story,
    tone,
    watch,
    with_history,
)  # fmt: skip

FIRST = bucket_of(START)
seeds = st.integers(0, 2**32)


def announced(*watches_: object) -> DetectFold:
    fold = DetectFold()
    apply(fold, *(WatchChanged(watch=each) for each in watches_ or (watch(),)))
    return fold


# -- the watermark ------------------------------------------------------------------------------------------------------


def open_minute(*reports: Progress) -> int | None:
    clocks = Clocks()
    for report in reports:
        clocks.progress(report)
    found = clocks.open_from()
    return None if found is None else found - FIRST


def test_a_minute_is_closed_two_minutes_after_the_slowest_source_has_passed_it() -> None:
    """So much disorder a source may have."""
    assert open_minute() is None
    assert open_minute(progress(10)) == 8
    assert open_minute(progress(10), progress(5.5, source="akış")) == 3
    assert open_minute(progress(10), progress(4, partitions=[7])) == 8


def test_a_source_holds_the_watermark_until_it_was_heard_of_in_every_partition() -> None:
    """A hit may still be under way through the partition that has not reported."""
    assert open_minute(progress(10, partitions=range(11))) is None
    assert open_minute(progress(10), progress(10, source="akış", partitions=[0])) is None
    assert open_minute(progress(10, partitions=range(11)), progress(7, partitions=[11])) == 5


def test_a_source_that_has_ended_holds_nothing_and_one_that_speaks_again_does() -> None:
    """In each partition on its own."""
    ended = progress(10, finished=True)
    assert open_minute(ended) == 11
    assert open_minute(ended, progress(30, source="akış")) == 28
    assert open_minute(ended, progress(30, source="akış"), progress(20)) == 18
    assert open_minute(progress(10), progress(30, source="akış"), progress(10, partitions=range(6), finished=True)) == 8


@given(
    st.lists(
        st.builds(progress, st.integers(0, 60), source=st.sampled_from("ab"), partitions=st.sets(st.sampled_from(EVERYWHERE)))
    )
)
def test_the_order_of_reports_is_of_no_matter(reports: list[Progress]) -> None:
    """The highest clock counts, so that a report that is sent again changes nothing."""
    assert open_minute(*reports) == open_minute(*reversed(reports)) == open_minute(*reports, *reports)


# -- what counts --------------------------------------------------------------------------------------------------------


def test_listening_begins_with_the_first_report_however_many_are_told_of_as_one() -> None:
    """`enrich` tells of a batch's reports as one, the last: which ones came in a batch must not change what is usual."""
    log, one_by_one, at_once = Log(), DetectFold(), DetectFold()
    hits = [log.hit(100), *log.burst(120, 40)]
    apply(one_by_one, WatchChanged(watch=watch()), *(progress(minute) for minute in range(91)))
    together = progress(90).model_copy(update={"since": at(0)})
    apply(at_once, WatchChanged(watch=watch()), together)
    told = [apply(fold, *hits, progress(200)) for fold in (one_by_one, at_once)]
    assert [output.value for output in told[0]] == [output.value for output in told[1]]
    assert signals(told[0])


def test_a_watch_that_is_announced_later_begins_then() -> None:
    """Nobody listened for it before: the minutes before its announcement were not quiet, they were not heard."""
    log, fold = Log(), DetectFold()
    apply(fold, WatchChanged(watch=watch()), progress(0), progress(600), WatchChanged(watch=watch("yol")))
    told = apply(fold, *(log.hit(605 + n, watch_id=name) for n in range(3) for name in ("su", "yol")), progress(700))
    expected = {(bucket.watch_id, bucket.start): bucket.expected[Series.ALL] for bucket in minutes(told)}
    assert expected["yol", at(605)] > expected["su", at(605)]


def test_a_minute_is_told_once_it_is_closed() -> None:
    """With the distinct mentions and their weight in both series; of the one that pages, what is likely misread is taken off."""
    log, fold = Log(), announced()
    plain, happy = log.hit(3.1), log.hit(3.5, sentiment=tone(Label.POSITIVE))
    own = log.hit(3.6, author_class=AuthorClass.OWN)
    assert apply(fold, plain, happy, own, progress(5.9)) == []
    [closed] = minutes(apply(fold, progress(6)))
    assert (closed.start, closed.mentions, closed.weights) == (at(3), 3, {Series.ALL: 3.0, Series.CONCERN: 1 - MISSED_PER_FOUND})


def test_a_hit_that_is_sent_again_counts_once() -> None:
    """By its place in `mentions`, by its place in the source, and by its id within the open minutes."""
    log, fold = Log(), announced()
    first = log.hit(1, source_position=7)
    again = log.hit(1, mention_id=first.mention_id)
    resent = log.hit(1, source_position=7)
    [closed] = minutes(apply(fold, first, first, again, resent, progress(5)))
    assert closed.mentions == 1


def test_one_mention_may_hit_two_watches() -> None:
    """They share the place in `mentions`; the order of their ids tells a second watch from a repeat."""
    log, fold = Log(), announced(watch("su"), watch("yol"))
    first = log.hit(1)
    apply(fold, first, first.model_copy(update={"watch_id": "yol"}))
    assert [(each.watch_id, each.mentions) for each in minutes(apply(fold, progress(5)))] == [("su", 1), ("yol", 1)]


def test_what_comes_into_a_closed_minute_counts_for_a_quarter_of_an_hour() -> None:
    """In the statistic and the evidence; the minute is not told again."""
    log, fold = Log(), announced()
    apply(fold, log.hit(1), progress(22))
    before = state_of(fold)
    assert apply(fold, log.hit(20 - LATE_BUCKETS)) == []
    assert state_of(fold)["surges"] != before["surges"]
    assert state_of(fold)["late"] == 0


def test_what_comes_later_still_is_late_and_is_remembered_as_such() -> None:
    """Also when nothing else happens to the watch before a restart: every mention is accounted for."""
    log, fold, stored = Log(), announced(), {}
    apply(fold, log.hit(1), progress(22))
    fold = saved(fold, stored)
    apply(fold, log.hit(19 - LATE_BUCKETS), log.hit(0))
    fold = saved(fold, stored)
    assert late_mentions({key.encode(): value for key, value in stored.items()}) == 2


def test_a_repeat_alone_is_remembered_as_well() -> None:
    """Otherwise a restart would forget that it was counted as one."""
    log, fold, stored = Log(), announced(), {}
    first = log.hit(1)
    apply(fold, first)
    fold = saved(fold, stored)
    apply(fold, log.hit(1, mention_id=first.mention_id))
    saved(fold, stored)
    assert state_of(fold)["repeats"] == state_of(saved(fold, stored))["repeats"] == 1


@pytest.mark.parametrize("mark", ["is_backfill", "is_drill"])
def test_neither_the_past_nor_an_exercise_is_counted(mark: str) -> None:
    """They are for the index, and must not wake anyone."""
    log, fold = Log(), announced()
    assert apply(fold, *log.burst(1, 50, **{mark: True}), progress(10)) == []


def test_a_hit_of_a_watch_that_was_never_announced_is_refused_and_changes_nothing() -> None:
    """So are foreign bytes; a kind of a newer version is another matter."""
    fold = DetectFold()
    before = dict(fold.changes())
    with pytest.raises(NotARecord, match="never announced"):
        fold.apply(Log().hit(1).encode())
    with pytest.raises(NotARecord):
        fold.apply(None)
    with pytest.raises(UnknownKind):
        fold.apply(b'{"type":"rumour","watch_id":"su"}')
    assert dict(fold.changes()) == before


def state_of(fold: DetectFold, watch_id: str = "su") -> dict[str, object]:
    return fold._watches[watch_id].dump()


# -- order and storage --------------------------------------------------------------------------------------------------


def closed_minutes(seed: int, shuffle: int) -> list[object]:
    """Of posts that arrive in an order of their own between two reports."""
    rng = Random(seed)
    posts = [
        {
            "minute": rng.uniform(0, 6), "mention_id": f"kus:ornek:{number:026d}", "signature": f"metin{rng.randrange(12)}",
            "author_key": rng.choice((None, *(f"kus:ornek:yazar{author:021d}" for author in range(15)))),
            "sentiment": tone(rng.choice(list(Label))),
        }
        for number in range(60)
    ]  # fmt: skip
    log, fold = Log(), with_history(log=Log(), hours=1)
    apply(fold)
    Random(shuffle).shuffle(posts)
    outputs = apply(fold, *(log.hit(60 + post.pop("minute"), partition=1, **post) for post in posts), progress(70))
    return minutes(outputs)


@settings(max_examples=30, deadline=None)
@given(seeds, seeds, seeds)
def test_the_order_of_arrival_changes_no_count_no_weight_and_no_score(seed: int, one: int, other: int) -> None:
    """Between two progress records, whose order is the log's."""
    found = closed_minutes(seed, one)
    assert len(found) == 6
    assert found == closed_minutes(seed, other)


@settings(max_examples=25, deadline=None)
@given(seeds, st.sets(st.integers(0, 1500), max_size=40))
def test_a_restart_at_any_record_changes_no_byte(seed: int, restarts: set[int]) -> None:
    """The same log gives the same signals: invariant 2."""
    straight, restarted, stored = DetectFold(), DetectFold(), {}
    spoken = 0
    for number, record in enumerate(story(seed)):
        expected = apply(straight, record)
        assert bytes_of(apply(restarted, record)) == bytes_of(expected), f"record {number}"
        spoken += len(signals(expected))
        if number in restarts:
            restarted = saved(restarted, stored)
    assert spoken > 0
    unsaved: dict[str, bytes] = {}
    saved(straight, unsaved)
    saved(restarted, stored)
    assert stored == unsaved


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_two_workers_with_a_watch_each_say_what_one_says(seed: int) -> None:
    """Watches do not touch each other."""
    both, su, yol = DetectFold(), DetectFold(), DetectFold()
    records = story(seed)
    together = apply(both, *records)
    alone = {
        watch_id: apply(fold, *(each for each in records if _concerns(each, watch_id)))
        for watch_id, fold in (("su", su), ("yol", yol))
    }
    for watch_id, outputs in alone.items():
        assert bytes_of(outputs) == bytes_of([each for each in together if each.key == watch_id])


def _concerns(record: object, watch_id: str) -> bool:
    if isinstance(record, Hit):
        return record.watch_id == watch_id
    return not isinstance(record, WatchChanged) or record.watch.watch_id == watch_id


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 20))
def test_a_quiet_watch_may_be_settled_as_late_as_one_likes(seed: int, every: int) -> None:
    """Its empty minutes give nothing, so that a watch that nobody mentions costs nothing: the outputs are the same."""
    lazy, eager = DetectFold(), DetectFold()
    for number, record in enumerate(story(seed)):
        outputs = apply(lazy, record)
        eager_outputs = apply(eager, record)
        assert bytes_of(outputs) == bytes_of(eager_outputs), f"record {number}"
        if isinstance(record, Progress) and number % every == 0:
            for state in eager._watches.values():
                assert list(state.settle(eager._open_from, START)) == []


def test_years_of_silence_are_closed_at_once_and_as_minute_by_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leap of a clock must not hold up the process for longer than its group waits for it."""
    at_once, by_minute = (_before_a_long_silence() for _ in range(2))
    three_weeks = 3 * 7 * 24 * 60
    outputs = apply(at_once, progress(three_weeks), Log().hit(three_weeks + 1, origin_offset=10**6))
    with monkeypatch.context() as patched:
        patched.setattr(WatchState, "_skip_silence", lambda *_: None)
        assert bytes_of(apply(by_minute, progress(three_weeks), Log().hit(three_weeks + 1, origin_offset=10**6))) == bytes_of(
            outputs
        )
    state = at_once._watches["su"]
    assert state.dump() == by_minute._watches["su"].dump()
    closed: list[int] = []
    monkeypatch.setattr(WatchState, "_remember_usual", lambda self: closed.append(self.open_from))
    apply(at_once, progress(60 * 24 * 365 * 70))
    assert state.open_from == at_once._open_from
    assert len(closed) < 2 * three_weeks


def _before_a_long_silence() -> DetectFold:
    log = Log()
    fold = with_history(log=log)
    apply(fold, *(log.hit(121 + number / 50, sentiment=tone(Label.POSITIVE)) for number in range(40)), progress(240))
    expected = {"expectation_id": "bakim", "watch_id": "su", "factor": 2.0, "reason": "duyurulan bakım", "who": "basin"}
    days = 24 * 60
    apply(fold, Expectation(start=at(2 * days), end=at(3 * days), **expected))
    return fold


@pytest.mark.parametrize("year", [1, 1969, 1970, 2200, 9999])
def test_an_impossible_time_is_a_dead_letter_and_changes_nothing(year: int) -> None:
    """It would end the process, and again when the record is read again."""
    then = datetime(year, 12, 30, tzinfo=UTC)
    log = Log()
    fold = with_history(log=log)
    stored: dict[str, bytes] = {}
    saved(fold, stored)
    hit = log.hit(121)
    for record in (
        hit.model_copy(update={"event_time": then}),
        hit.model_copy(update={"observed_at": then}),
        Progress(source="dosya", clocks=dict.fromkeys(EVERYWHERE, then)),
        Progress(source="dosya", clocks=dict.fromkeys(EVERYWHERE, at(121)), listening_since=then),
        Expectation(
            expectation_id="x", watch_id="su", start=then, end=then + timedelta(hours=2), factor=2, reason="bakım", who="basin"
        ),
    ):
        with pytest.raises(NotARecord, match="a time outside"):
            fold.apply(record.encode())
    assert (list(fold.outputs()), list(fold.changes())) == ([], [])


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_evidence_agrees_with_itself(seed: int) -> None:
    """Labels, platforms and classes add up to the mentions, and nobody speaks without a mention."""
    for each in signals(apply(DetectFold(), *story(seed))):
        found = each.evidence
        assert sum(found.labels.values()) == sum(found.platforms.values()) == found.mentions
        assert sum(found.sources.values()) == sum(found.author_classes.values()) == found.mentions
        assert found.authors <= found.mentions
        assert 0 <= found.copies < max(found.mentions, 1)
        assert len(found.first_posts) <= 5
        assert len(found.clusters) <= 10


# -- what is said -------------------------------------------------------------------------------------------------------


def test_a_surge_fires_inside_its_minute_and_is_confirmed_at_its_close() -> None:
    """Provisional first: nobody waits for the clock when the evidence suffices."""
    log = Log()
    fold = with_history(log=log)
    apply(fold)
    early = signals(apply(fold, *log.burst(120, 80)))
    assert {(each.kind, each.series, each.level) for each in early} >= {
        (SignalKind.ONSET, Series.ALL, SignalLevel.NOTICE),
        (SignalKind.ONSET, Series.CONCERN, SignalLevel.PAGE),
    }
    assert all(each.provisional and each.event_time < at(121) and each.onset == at(120) for each in early)
    confirmed = signals(apply(fold, progress(123)))
    assert [each.kind for each in confirmed if not each.provisional].count(SignalKind.CONFIRMED) == 2
    assert all(each.event_time == at(121) for each in confirmed)
    assert len({each.signal_id for each in early + confirmed}) == len(early + confirmed)


def test_an_hour_without_evidence_ends_it() -> None:
    """With an end for each series, and a quiet watch afterwards."""
    log = Log()
    fold = with_history(log=log)
    apply(fold, *log.burst(120, 80), progress(123))
    ends = [each for each in signals(apply(fold, progress(900))) if each.kind is SignalKind.END]
    assert {each.series for each in ends} == set(Series)
    assert signals(apply(fold, progress(1500))) == []


def test_the_first_posts_are_those_of_the_rise_that_concern() -> None:
    """In order of time; what is happy or the institution's own stands back."""
    log = Log()
    fold = with_history(log=log)
    own = log.hit(120, author_class=AuthorClass.OWN, excerpt="Ekiplerimiz sahada")
    found = signals(apply(fold, own, *log.burst(120.1, 80), progress(123)))
    page = next(each for each in found if each.level is SignalLevel.PAGE)
    assert len(page.evidence.first_posts) == 5
    times = [post.event_time for post in page.evidence.first_posts]
    assert times == sorted(times)
    assert "Ekiplerimiz sahada" not in {post.excerpt for post in page.evidence.first_posts}


def test_copies_are_one_cluster() -> None:
    """A text that many share is shown once, with its number."""
    log = Log()
    fold = with_history(log=log)
    found = signals(
        apply(fold, *log.burst(120, 20, signature="aynı", excerpt="Aynı metin"), *log.burst(120.2, 60), progress(123))
    )
    [cluster] = found[-1].evidence.clusters
    assert (cluster.signature, cluster.count, cluster.excerpt) == ("aynı", 20, "Aynı metin")
    assert found[-1].evidence.copies == 19


def surging() -> tuple[Log, DetectFold, list[Hit]]:
    log = Log()
    fold = with_history(log=log)
    posts = log.burst(120, 80)
    apply(fold, *posts, progress(123))
    return log, fold, posts


def test_a_deleted_post_leaves_the_evidence_and_an_alert_is_told() -> None:
    """The alarm stays: what was said was said."""
    _, fold, posts = surging()
    told = signals(apply(fold, Retract(mention_id=posts[0].mention_id)))
    assert {(each.kind, each.series) for each in told} == {(SignalKind.EVIDENCE, series) for series in Series}
    for each in told:
        assert posts[0].mention_id not in {post.mention_id for post in each.evidence.first_posts}
        assert each.evidence.mentions >= 30
    assert posts[0].excerpt.encode() not in b"".join(value or b"" for _, value in fold.changes())
    assert apply(fold, Retract(mention_id=posts[0].mention_id)) == []


def test_a_deletion_that_overtakes_its_post_counts_and_shows_nothing() -> None:
    """Also after a restart in between."""
    log, stored = Log(), {}
    fold = with_history(log=log)
    posts = log.burst(120, 80, excerpt="Silinecek")
    apply(fold, *(Retract(mention_id=each.mention_id) for each in posts))
    fold = saved(fold, stored)
    page = next(each for each in signals(apply(fold, *posts, progress(123))) if each.level is SignalLevel.PAGE)
    assert page.evidence.mentions >= 8
    assert b"Silinecek" not in page.encode()


def test_a_watch_that_only_counts_is_silent() -> None:
    """Its minutes are told, and nothing else."""
    log = Log()
    fold = with_history(watch(level=WatchLevel.COUNT, on_call=None), log=log)
    outputs = apply(fold, *log.burst(120, 40), progress(123))
    assert signals(outputs) == []
    assert minutes(outputs)[-1].mentions == 40


def test_a_watch_of_level_notice_never_pages() -> None:
    """However many speak."""
    log = Log()
    fold = with_history(watch(level=WatchLevel.NOTICE), log=log)
    found = signals(apply(fold, *log.burst(120, 200), progress(123)))
    assert {each.level for each in found} == {SignalLevel.NOTICE}


def test_praise_and_own_posts_give_a_notice_and_wake_nobody() -> None:
    """A prize is no crisis."""
    log = Log()
    fold = with_history(log=log)
    found = signals(apply(fold, *log.burst(120, 60, sentiment=tone(Label.POSITIVE)), progress(123)))
    assert {(each.series, each.level) for each in found} == {(Series.ALL, SignalLevel.NOTICE)}


def test_one_loud_author_wakes_nobody() -> None:
    """Three hundred posts of one account are one voice."""
    log = Log()
    fold = with_history(log=log)
    found = signals(apply(fold, *log.burst(120, 300, author_key="kus:ornek:hesap"), progress(123)))
    assert SignalLevel.PAGE not in {each.level for each in found}


def test_a_newer_version_of_a_watch_takes_over_and_an_older_one_does_not() -> None:
    """Counts go on; signals name the version that gave them."""
    log, stored = Log(), {}
    fold = with_history(log=log)
    apply(fold, WatchChanged(watch=watch(version=3, title="Yeni ad")), WatchChanged(watch=watch(version=2, title="Eski ad")))
    fold = saved(fold, stored)
    found = signals(apply(fold, *log.burst(120, 80), progress(123)))
    assert {(each.watch_version, each.title) for each in found} == {(3, "Yeni ad")}


def test_switching_a_watch_off_ends_what_it_has_begun() -> None:
    """Nobody is left with an alert that can never end; afterwards the watch is silent."""
    for change in ({"enabled": False}, {"level": WatchLevel.COUNT, "on_call": None}):
        log, fold, posts = surging()
        apply(fold, WatchChanged(watch=watch(version=2, **change)))
        ends = signals(apply(fold, progress(124)))
        assert {(each.kind, each.series) for each in ends} == {(SignalKind.END, series) for series in Series}
        assert signals(apply(fold, Retract(mention_id=posts[1].mention_id), *log.burst(123, 50), progress(300))) == []


def test_a_surge_in_the_first_week_says_that_the_watch_is_learning() -> None:
    """What is usual is not known yet."""
    _, fold, posts = surging()
    assert all(each.evidence.learning for each in signals(apply(fold, Retract(mention_id=posts[0].mention_id))))


def test_what_came_late_is_judged_at_the_next_minute_even_if_nobody_speaks_then() -> None:
    """A slow source may bring a whole surge after its minutes were closed."""
    log = Log()
    fold = with_history(log=log)
    assert signals(apply(fold, *log.burst(112, 80))) == []
    assert SignalKind.ONSET in {each.kind for each in signals(apply(fold, progress(124)))}


def test_the_last_hour_has_sixty_minutes() -> None:
    """Who spoke sixty minutes ago is no voice of it, and what is still open is not part of a minute that has closed."""
    log, fold = Log(), announced()
    apply(fold, *log.burst(1, 3), progress(63))
    found = signals(apply(fold, *log.burst(61, 80), log.hit(62.5), progress(64)))
    closed = [each.evidence for each in found if not each.provisional]
    assert {(each.authors, each.mentions) for each in closed} == {(80, 80)}
