"""An alert opens once, rises, and ends once; nobody is told twice, no page is lost, no deleted post stays."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from processors.alerting.fold import AlertFold
from processors.alerting.on_call import OnCallList
from schemas.alerts import Alert, AlertStatus, Notification
from schemas.outputs import Output
from schemas.records import NotARecord, UnknownKind, decode
from schemas.signals import FirstArticle, Series, Signal, SignalKind, SignalLevel, SilentSource
from tests.unit.alerting_samples import ONSET, POSTS, WATCH, evidence, signal

NIGHT = OnCallList(name="nobetci", language="tr", channels=("telefon",))
PRESS_OFFICE = OnCallList(name="basin", language="en", channels=("posta", "arsiv"))

ONSET_OF, GROWTH, CONFIRMED, EVIDENCE, END = (
    SignalKind.ONSET,
    SignalKind.GROWTH,
    SignalKind.CONFIRMED,
    SignalKind.EVIDENCE,
    SignalKind.END,
)
ARTICLE = FirstArticle()
SILENCE = SilentSource(source="rss:ornek", last_heard=ONSET, silent_hours=11, usual_hours=6.2, once_in=14_204)
NOTICE, PAGE = SignalLevel.NOTICE, SignalLevel.PAGE
ALL, CONCERN = Series.ALL, Series.CONCERN


class Run:
    """A fold with what it wrote, as a reader of the topics sees it."""

    def __init__(self, fold: AlertFold | None = None) -> None:
        self.fold = fold or AlertFold([NIGHT, PRESS_OFFICE])
        self.state: dict[str, bytes] = {}
        self.outputs: list[Output] = []

    def take(self, *signals: Signal) -> "Run":
        for each in signals:
            self.fold.apply(each.encode())
            self.outputs += self.fold.outputs()
            self.state |= {key: value for key, value in self.fold.changes() if value is not None}
        return self

    @property
    def alerts(self) -> list[Alert]:
        """The compacted topic: the last record of each key."""
        last = {output.key: output.value for output in self.outputs if output.topic.name == "alerts"}
        return [decode(Alert, value) for value in last.values()]

    @property
    def told(self) -> list[Notification]:
        return [decode(Notification, output.value) for output in self.outputs if output.topic.name == "notifications"]

    @property
    def kinds(self) -> list[tuple[SignalKind, SignalLevel]]:
        return [(each.kind, each.level) for each in self.told]


def test_a_page_from_onset_to_end() -> None:
    """One alert, a message for onset, growth and end; confirmation goes into the history only."""
    run = Run().take(signal(), signal(CONFIRMED, minute=18), signal(GROWTH, minute=40), signal(END, minute=90))
    [alert] = run.alerts
    assert alert.alert_id == f"{WATCH}/2025-07-02T23:14Z"
    assert (alert.status, alert.level) == (AlertStatus.ENDED, PAGE)
    assert [step.kind for step in alert.history] == [ONSET_OF, CONFIRMED, GROWTH, END]
    assert run.kinds == [(ONSET_OF, PAGE), (GROWTH, PAGE), (END, PAGE)]
    assert {each.channels for each in run.told} == {("telefon",)}


def test_a_notice_becomes_a_page_of_the_same_alert() -> None:
    """The page is told, and says that a notice came before."""
    run = Run().take(signal(ONSET_OF, NOTICE, ALL), signal(ONSET_OF, NOTICE), signal(ONSET_OF, PAGE, minute=25))
    [alert] = run.alerts
    assert (alert.status, alert.level) == (AlertStatus.OPEN, PAGE)
    assert run.kinds == [(ONSET_OF, NOTICE), (ONSET_OF, PAGE)]
    assert "bildirimden yükseldi" in run.told[1].subject


def test_the_alert_ends_with_its_last_series() -> None:
    """Both series feed one alert, which one of them cannot end alone."""
    run = Run().take(signal(ONSET_OF, NOTICE, ALL), signal(), signal(END))
    assert run.alerts[0].status is AlertStatus.OPEN
    run.take(signal(END, NOTICE, ALL))
    assert run.alerts[0].status is AlertStatus.ENDED
    assert run.kinds == [(ONSET_OF, NOTICE), (ONSET_OF, PAGE), (END, PAGE)]


def test_a_page_after_the_page_has_ended_is_told_again() -> None:
    """While the quiet series keeps the alert open, a second paging rise must wake somebody."""
    run = Run().take(signal(ONSET_OF, NOTICE, ALL), signal(), signal(END), signal(minute=300, onset=ONSET + timedelta(hours=5)))
    assert run.kinds == [(ONSET_OF, NOTICE), (ONSET_OF, PAGE), (ONSET_OF, PAGE)]


def test_a_series_that_begins_anew_without_an_end_is_told() -> None:
    """The end of the first rise never came: the second one is no repeat of it."""
    run = Run().take(signal(), signal(minute=300, onset=ONSET + timedelta(hours=5)))
    assert run.kinds == [(ONSET_OF, PAGE), (ONSET_OF, PAGE)]


def test_the_other_series_at_the_same_level_is_silent() -> None:
    """Two series of one rise are one piece of news; growth is told of the one that leads."""
    run = Run().take(signal(ONSET_OF, NOTICE, ALL), signal(ONSET_OF, NOTICE), signal(GROWTH, NOTICE), signal(GROWTH, NOTICE, ALL))
    assert run.kinds == [(ONSET_OF, NOTICE), (GROWTH, NOTICE)]
    assert [step.kind for step in run.alerts[0].history] == [ONSET_OF, ONSET_OF, GROWTH, GROWTH]


def test_a_rise_whose_start_was_never_read_is_told() -> None:
    """Growth at page level that raises the alert is an onset for those who are told."""
    assert Run().take(signal(GROWTH)).kinds == [(ONSET_OF, PAGE)]
    assert Run().take(signal(ONSET_OF, NOTICE), signal(GROWTH)).kinds == [(ONSET_OF, NOTICE), (ONSET_OF, PAGE)]


@pytest.mark.parametrize("kind", [CONFIRMED, EVIDENCE, END])
def test_what_follows_no_onset_opens_nothing(kind: SignalKind) -> None:
    """An end or a deletion without an alert says nothing to anybody."""
    assert Run().take(signal(kind)).outputs == []


def test_repeated_signals_change_nothing() -> None:
    """detect may send again after a crash: the same id is the same signal."""
    signals = [signal(), signal(GROWTH), signal(END)]
    once, twice = Run().take(*signals), Run().take(*(each for each in signals for _ in range(2)), *signals)
    assert twice.outputs == once.outputs
    assert twice.state == once.state


def test_two_alerts_with_one_onset_have_two_ids() -> None:
    """The second series may see late what the first has ended; its messages must not pass for repeats."""
    run = Run().take(signal(ONSET_OF, NOTICE, ALL), signal(END, NOTICE, ALL), signal())
    assert [alert.alert_id for alert in run.alerts] == [f"{WATCH}/2025-07-02T23:14Z", f"{WATCH}/2025-07-02T23:14Z/2"]
    assert len({each.notification_id for each in run.told}) == 3


def test_a_drill_never_touches_a_real_alert() -> None:
    """Its signals open and end an alert of their own, and its messages say what they are."""
    run = Run().take(signal(), signal(is_drill=True), signal(END, is_drill=True))
    real, drill = run.alerts
    assert (real.status, real.is_drill) == (AlertStatus.OPEN, False)
    assert (drill.status, drill.is_drill) == (AlertStatus.ENDED, True)
    assert [each.is_drill for each in run.told] == [False, True, True]
    assert all(each.subject.startswith("*** TATBİKAT ***") for each in run.told[1:])


def test_marks_keep_receivers_from_taking_one_for_the_other() -> None:
    """The same signal, real, as a drill and in a replay: three deduplication keys."""
    first = signal(signal_id="x")
    replay = AlertFold([NIGHT], is_replay=True)
    runs = [Run().take(first), Run().take(first.model_copy(update={"is_drill": True})), Run(replay).take(first)]
    assert [run.told[0].notification_id for run in runs] == ["x/nobetci", "x/nobetci/drill", "x/nobetci/replay"]
    assert runs[2].told[0].is_replay
    assert runs[2].told[0].subject.startswith("*** TEKRAR OYNATMA ***")


def test_a_list_that_nobody_knows_is_every_list() -> None:
    """A mistake in the settings must not lose a message; the message says why it came."""
    run = Run().take(signal(on_call="nöbet"))
    assert [(each.language, each.channels) for each in run.told] == [("en", ("posta", "arsiv")), ("tr", ("telefon",))]
    assert all("nöbet" in each.body.split("\n\n")[0] for each in run.told)
    assert len({each.notification_id for each in run.told}) == 2


def test_without_a_list_a_notice_is_silent_and_a_page_is_not() -> None:
    """Nobody asked to hear of the notice; the page is nevertheless never lost."""
    run = Run().take(signal(ONSET_OF, NOTICE, on_call=None))
    assert (len(run.alerts), run.told) == (1, [])
    assert len(run.take(signal(on_call=None)).told) == 2


def test_the_default_language_is_the_deployments() -> None:
    """A list without a language speaks the deployment's."""
    fold = AlertFold([OnCallList(name="nobetci", channels=("telefon",))], language="en")
    assert Run(fold).take(signal()).told[0].language == "en"


@pytest.mark.parametrize("series", list(Series))
def test_a_deleted_post_leaves_alert_and_state(series: Series) -> None:
    """Whichever series says so. The alert goes on: a deletion never cancels an alarm."""
    run = Run().take(signal(ONSET_OF, NOTICE, ALL), signal())
    gone = POSTS[0].excerpt
    assert gone in run.alerts[0].encode().decode()
    run.take(signal(EVIDENCE, PAGE if series is CONCERN else NOTICE, series, evidence=evidence(first_posts=POSTS[1:])))
    [alert] = run.alerts
    assert gone not in alert.encode().decode()
    assert all(gone not in value.decode() for value in run.state.values())
    assert (alert.status, len(alert.evidence.first_posts)) == (AlertStatus.OPEN, 3)
    assert len(run.told) == 2, "evidence is silent"


def test_no_excerpt_stays_when_nobody_would_tell_of_its_deletion() -> None:
    """After the end no signal comes any more, and clusters are forgotten by detect after an hour."""
    run = Run().take(signal())
    assert 'İki saattir su yok"' not in run.alerts[0].encode().decode()
    assert all(not cluster.excerpt for cluster in run.alerts[0].evidence.clusters)
    run.take(signal(END))
    [alert] = run.alerts
    assert [found.excerpt for found in alert.evidence.first_posts] == [""] * len(POSTS)
    assert [found.mention_id for found in alert.evidence.first_posts] == [found.mention_id for found in POSTS]
    assert all(found.excerpt not in value.decode() for found in POSTS for value in run.state.values())


def test_bytes_that_cannot_be_used_change_nothing() -> None:
    """See the Fold protocol."""
    run = Run().take(signal())
    for value, error in (
        (None, NotARecord),
        (b"{", NotARecord),
        (b'{"type":"signal"}', NotARecord),
        (b'{"type":"x"}', UnknownKind),
    ):
        with pytest.raises(error):
            run.fold.apply(value)
    assert (list(run.fold.outputs()), list(run.fold.changes())) == ([], [])


def test_state_is_bounded() -> None:
    """A rise that never ends does not fill the state record."""
    run = Run().take(signal(), *(signal(GROWTH, minute=20 + number) for number in range(400)))
    assert len(run.alerts[0].history) == 100
    assert run.alerts[0].history[0].kind is ONSET_OF
    assert len(run.state[WATCH]) < 40_000


def a_life() -> list[Signal]:
    return [
        signal(ONSET_OF, NOTICE, ALL),
        signal(ONSET_OF, PAGE),
        signal(EVIDENCE, PAGE, evidence=evidence(first_posts=POSTS[1:])),
        signal(GROWTH, PAGE, minute=60),
        signal(END, PAGE, minute=100),
        signal(END, NOTICE, ALL, minute=110),
        signal(ONSET_OF, PAGE, minute=500, onset=ONSET + timedelta(hours=8)),
    ]


LIFE = a_life()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, len(LIFE) - 1), min_size=1, max_size=20), st.integers(0, 19))
def test_a_restart_at_any_moment_changes_nothing(order: list[int], cut: int) -> None:
    """State loaded from its records goes on as memory would, whatever came, in whatever order, repeated or not."""
    signals = [LIFE[index] for index in order]
    whole, first = Run().take(*signals), Run().take(*signals[:cut])
    second = Run()
    second.fold.load(first.state)
    second.take(*signals[cut:])
    assert first.outputs + second.outputs == whole.outputs
    assert first.state | second.state == whole.state
    assert len({each.notification_id for each in whole.told}) == len(whole.told)


def test_every_order_of_ends_closes_once() -> None:
    """Ends that come in any order among the other signals give one message of the end."""
    ends = [signal(END, PAGE), signal(END, NOTICE, ALL), signal(EVIDENCE, PAGE)]
    for order in permutations(ends):
        run = Run().take(signal(ONSET_OF, NOTICE, ALL), signal(), *order)
        assert run.kinds.count((END, PAGE)) == 1
        assert run.alerts[0].status is AlertStatus.ENDED


@pytest.mark.parametrize(
    "mistake", [{"name": "nöbetçi"}, {"channels": ()}, {"language": "de"}, {"budget_weeks": 0}, {"unknown": 1}], ids=str
)
def test_on_call_lists_refuse_mistakes(mistake: dict[str, object]) -> None:
    """A list that could reach nobody is refused before anything runs."""
    with pytest.raises(ValidationError):
        OnCallList.model_validate({"name": "nobetci", "channels": ["telefon"], **mistake})


def test_on_call_defaults() -> None:
    """Twelve weeks, and the deployment's language."""
    found = OnCallList(name="nobetci", channels=("telefon",))
    assert (found.budget_weeks, found.language) == (12.0, None)


@pytest.mark.parametrize("kind", [SignalKind.FIRST_ARTICLE, SignalKind.SOURCE_SILENT])
def test_what_stands_alone_is_told_once_and_is_over(kind: SignalKind) -> None:
    """An alert of its own that keeps no excerpt; the message shows it, and nothing follows."""
    alone = signal(kind, NOTICE, evidence=evidence(first_posts=POSTS[:1], article=ARTICLE, silence=SILENCE))
    run = Run().take(alone, alone)
    [alert] = run.alerts
    assert (alert.status, alert.is_rise, alert.alert_id) == (AlertStatus.ENDED, False, alone.signal_id)
    assert [post.excerpt for post in alert.evidence.first_posts] == [""]
    assert run.kinds == [(kind, NOTICE)]
    assert POSTS[0].excerpt.encode() not in b"".join(run.state.values())


@pytest.mark.parametrize("kind", [SignalKind.FIRST_ARTICLE, SignalKind.SOURCE_SILENT])
def test_what_stands_alone_without_saying_what_is_no_record(kind: SignalKind) -> None:
    with pytest.raises(ValidationError, match="needs evidence"):
        signal(kind, NOTICE)


def test_what_stands_alone_leaves_the_rise_as_it_is() -> None:
    """Neither raised, nor ended, nor told less."""
    told = evidence(article=ARTICLE, silence=SILENCE)
    alone = [signal(kind, NOTICE, minute=20, evidence=told) for kind in (SignalKind.FIRST_ARTICLE, SignalKind.SOURCE_SILENT)]
    rise = [signal(), signal(GROWTH, minute=40), signal(END, minute=90)]
    with_others, without = Run().take(rise[0], *alone, *rise[1:]), Run().take(*rise)
    [found], [expected] = ([alert for alert in run.alerts if alert.is_rise] for run in (with_others, without))
    assert found == expected
    assert [kind for kind, _ in with_others.kinds if kind not in {each.kind for each in alone}] == [ONSET_OF, GROWTH, END]
