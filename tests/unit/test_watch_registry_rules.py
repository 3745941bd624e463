"""What applying watches comes to: versions, on-call lists and budgets, without any server."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiokafka.partitioner
import kafka.partitioner.default
import pytest

from pipeline.watch_registry import Applied, Change, WatchRefused, plan, plan_disable, refuse_other_query
from processors.alerting.on_call import OnCallList
from processors.watches.files import WatchSpec
from schemas.topics import HITS_PARTITIONS
from schemas.watches import DEFAULT_BUDGET_WEEKS, Watch, WatchLevel

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
LISTS = {
    "nobetci": OnCallList(name="nobetci", channels=("console",), budget_weeks=12),
    "basin": OnCallList(name="basin", channels=("console",), budget_weeks=4),
}


def spec(watch_id: str, **changes: Any) -> WatchSpec:
    fields = {
        "id": watch_id, "title": "Su kesintisi", "query": "su AND kesinti*", "level": "page", "on_call": "nobetci",
        "purpose": "kesintileri erken görmek", "legal_basis": "KVKK m.5/2-ç", "owner": "Basın", "expires": date(2027, 12, 31),
    }  # fmt: skip
    return WatchSpec.model_validate({**fields, **changes})


def standing(applied: Iterable[Applied]) -> dict[str, Watch]:
    return {found.watch.watch_id: found.watch for found in applied}


def test_a_new_watch_is_version_1() -> None:
    """With its list's budget, since it is the only one that pages it."""
    [found] = plan({}, [spec("su")], LISTS, NOON)
    assert (found.change, found.watch.version, found.watch.budget_weeks) == (Change.NEW, 1, 12)
    assert found.watch.updated_at == NOON


def test_the_same_watch_again_is_not_written() -> None:
    """Neither the time nor the place of a key in a file makes a version."""
    current = standing(plan({}, [spec("su"), spec("yol")], LISTS, NOON))
    again = plan(current, [spec("yol"), spec("su")], LISTS, LATER)
    assert [found.change for found in again] == [Change.UNCHANGED, Change.UNCHANGED]
    assert [found.watch for found in again] == [current["yol"], current["su"]]


@pytest.mark.parametrize(
    "change",
    [{"query": "su"}, {"title": "Sular"}, {"exclude": ["spor"]}, {"expires": date(2028, 1, 1)}, {"level": "notice"}],
)
def test_a_change_is_the_next_version(change: dict[str, Any]) -> None:
    """Whatever part of it differs."""
    current = standing(plan({}, [spec("su")], LISTS, NOON))
    [found] = plan(current, [spec("su", **change)], LISTS, LATER)
    assert (found.change, found.watch.version, found.watch.updated_at) == (Change.CHANGED, 2, LATER)


@pytest.mark.parametrize(
    ("change", "fits"), [({"query": "su"}, False), ({"exclude": ["spor"]}, False), ({"title": "Sular"}, True)]
)
def test_what_was_learnt_for_another_query_is_refused(change: dict[str, Any], fits: bool) -> None:
    """Somebody may have changed the watch while a long file was read."""
    current = standing(plan({}, [spec("su")], LISTS, NOON))
    [changed] = plan(current, [spec("su", **change)], LISTS, LATER)
    if fits:
        refuse_other_query(current["su"], changed.watch)
    else:
        with pytest.raises(WatchRefused, match="chooses other posts since version 2, and what was learnt is of version 1"):
            refuse_other_query(current["su"], changed.watch)


def test_a_budget_is_shared_among_the_paging_watches_of_a_list() -> None:
    """Three watches that page one list: each may be wrong a third as often. Others have no part in it."""
    silent = [spec("d", level="notice"), spec("e", level="count", on_call=None)]
    found = plan({}, [spec("a"), spec("b"), spec("c"), *silent, spec("f", on_call="basin")], LISTS, NOON)
    budgets = {applied.watch.watch_id: applied.watch.budget_weeks for applied in found}
    assert budgets == {"a": 36, "b": 36, "c": 36, "d": DEFAULT_BUDGET_WEEKS, "e": DEFAULT_BUDGET_WEEKS, "f": 4}


def test_watches_that_are_not_named_get_their_new_share() -> None:
    """A second paging watch makes a new version of the first; the watch of another list stays."""
    current = standing(plan({}, [spec("a"), spec("f", on_call="basin")], LISTS, NOON))
    found = plan(current, [spec("b")], LISTS, LATER)
    assert [(one.watch.watch_id, one.change, one.watch.version, one.watch.budget_weeks) for one in found] == [
        ("b", Change.NEW, 1, 24),
        ("a", Change.BUDGET, 2, 24),
    ]


def test_a_change_of_the_list_s_budget_is_a_change_of_its_watches() -> None:
    """The knob is in the configuration; the next apply brings it to the watches."""
    current = standing(plan({}, [spec("a")], LISTS, NOON))
    wider = {**LISTS, "nobetci": LISTS["nobetci"].model_copy(update={"budget_weeks": 26.0})}
    [found] = plan(current, [spec("a")], wider, LATER)
    assert (found.change, found.watch.budget_weeks) == (Change.CHANGED, 26)


def test_moving_to_another_list_shares_both_budgets_anew() -> None:
    """The list that it leaves has one watch less."""
    current = standing(plan({}, [spec("a"), spec("b")], LISTS, NOON))
    found = plan(current, [spec("b", on_call="basin")], LISTS, LATER)
    assert {one.watch.watch_id: one.watch.budget_weeks for one in found} == {"b": 4, "a": 12}


def test_disabling_makes_a_version_that_hears_nothing() -> None:
    """And gives its share of the budget back."""
    current = standing(plan({}, [spec("a"), spec("b")], LISTS, NOON))
    found = plan_disable(current, "a", LISTS, LATER)
    assert [(one.watch.watch_id, one.watch.enabled, one.watch.version) for one in found] == [("a", False, 2), ("b", True, 2)]
    assert found[1].watch.budget_weeks == 12
    assert plan_disable({**current, **standing(found)}, "a", LISTS, LATER)[0].change is Change.UNCHANGED


def test_a_start_does_not_undo_a_disable() -> None:
    """Files are applied at every start; only `enable` switches on again."""
    current = standing(plan({}, [spec("a")], LISTS, NOON))
    current |= standing(plan_disable(current, "a", LISTS, NOON))
    [again] = plan(current, [spec("a")], LISTS, LATER)
    assert (again.change, again.watch.enabled) == (Change.UNCHANGED, False)
    [enabled] = plan(current, [spec("a")], LISTS, LATER, enable=True)
    assert (enabled.change, enabled.watch.enabled, enabled.watch.version) == (Change.CHANGED, True, 3)


def test_an_unknown_list_is_refused_with_the_known_ones() -> None:
    """A page that nobody would get must not be set."""
    with pytest.raises(WatchRefused, match=r"which has basin, nobetci:\n  su: on_call 'nobetciler'"):
        plan({}, [spec("su", on_call="nobetciler")], LISTS, NOON)


def test_an_id_that_stands_twice_is_refused() -> None:
    """Two files may not define one watch."""
    with pytest.raises(WatchRefused, match="more than once in the files: su"):
        plan({}, [spec("su"), spec("yol"), spec("su", query="sular")], LISTS, NOON)


def test_only_a_known_watch_can_be_disabled() -> None:
    """The message names those that there are."""
    with pytest.raises(WatchRefused, match=r"no watch 'sı' \(known: su\)"):
        plan_disable(standing(plan({}, [spec("su")], LISTS, NOON)), "sı", LISTS, NOON)


def test_a_watch_whose_list_has_gone_keeps_its_share() -> None:
    """Somebody who applies another watch does not decide on it."""
    current = standing(plan({}, [spec("a"), spec("f", on_call="basin")], LISTS, NOON))
    found = plan(current, [spec("b")], {"nobetci": LISTS["nobetci"]}, LATER)
    assert {one.watch.watch_id for one in found} == {"a", "b"}


def test_a_stored_watch_is_the_watch_that_was_planned() -> None:
    """What the topic gives back compares as unchanged."""
    [found] = plan({}, [spec("su", places=["Çınarlı"], exclude=["spor*"], on_call="basin")], LISTS, NOON)
    stored = {"su": Watch.model_validate_json(found.watch.encode())}
    [again] = plan(stored, [spec("su", places=["Çınarlı"], exclude=["spor*"], on_call="basin")], LISTS, LATER)
    assert again.change is Change.UNCHANGED
    assert found.watch.level is WatchLevel.PAGE


def test_both_clients_put_a_key_into_the_same_partition() -> None:
    """`watch.changed` (kafka-python) and the hits of the watch (aiokafka) stand in one partition, so in one order."""
    partitions = list(range(HITS_PARTITIONS))
    for number in range(2000):
        key = f"izleme-{number}".encode()
        ours = partitions[(kafka.partitioner.default.murmur2(key) & 0x7FFFFFFF) % HITS_PARTITIONS]
        assert aiokafka.partitioner.DefaultPartitioner()(key, partitions, partitions) == ours
