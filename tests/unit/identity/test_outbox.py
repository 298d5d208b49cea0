"""What other systems are told about people: kinds, ids that a repeated decision gives again, and no values."""

from __future__ import annotations

from leocdp.domain.decisions import Changes, OutboxRecord
from leocdp_processor.decide.batch import decide, load_request
from tests.fakes.world import RULES, START, World, key


def kinds(changes: Changes) -> list[str]:
    return [record.kind for record in changes.outbox]


def only(changes: Changes, kind: str) -> OutboxRecord:
    (record,) = (one for one in changes.outbox if one.kind == kind)
    return record


def test_one_change_per_person_and_batch_with_the_names_of_traits() -> None:
    world = World()
    changes = world.see("u1", "u1", type="identify", traits={"plan": "pro", "name": "Lan"})
    record = only(changes, "profile_changed")
    assert kinds(changes) == ["profile_changed"]
    assert record.changed == ("name", "plan")
    assert (record.profile_id, record.all_ids, record.version) == (world.root("u1"), (world.root("u1"),), 1)
    assert (record.cause, record.occurred_at) == ("event", START + 1000)
    assert world.store.profiles[record.profile_id].revision == record.version


def test_an_event_alone_and_a_trait_said_again_are_no_change() -> None:
    world = World()
    world.see("u1", type="identify", traits={"plan": "pro"})
    assert kinds(world.see("u1")) == []
    assert kinds(world.see("u1", type="identify", traits={"plan": "pro"})) == []
    assert only(world.see("u1", type="identify", traits={"plan": None}), "profile_changed").changed == ("plan",)
    assert kinds(world.see("u1", type="identify", traits={"plan": "old"}, timestamp=START)) == []
    assert kinds(world.see("u1 a1")) == ["profile_changed"]


def test_a_merge_carries_all_ids_of_both() -> None:
    world = World()
    world.see("x1", "p1")
    ids = {world.root("x1"), world.root("p1")}
    record = only(world.see("x1 p1"), "profiles_merged")
    assert set(record.all_ids) == ids
    assert (record.profile_id, record.cause) == (min(ids), "merge")


def test_an_unmerge_is_told_for_both_sides() -> None:
    world = World()
    world.see("x1", "p1", "x1 p1")
    (merge,) = world.store.merges.values()
    world.command("unmerge", merge_id=merge.id)
    told = [one.record for one in world.store.outbox if one.record.kind == "profile_unmerged"]
    assert {record.profile_id for record in told} == {world.root("x1"), world.root("p1")}
    assert {record.cause for record in told} == {"unmerge"}
    assert all(len(record.all_ids) == 2 for record in told)


def test_switches_are_told_once_a_day_to_both() -> None:
    world = World()
    world.see("a1 u1")
    first = world.see("a1 u2")
    told = [record.profile_id for record in first.outbox if record.kind == "identifier_switched"]
    assert sorted(told) == sorted([world.root("u1"), world.root("u2")])
    assert "identifier_switched" not in kinds(world.see("a1 u1", "a1 u2"))


def test_refusals_and_shared_identifiers_are_told() -> None:
    world = World()
    refused = world.see("u1 x1", "u2 x1")
    assert only(refused, "identifier_refused").profile_id == world.root("u2")
    blocked = world.command("identifier_state", identifier=key("x1"), state="shared")
    assert blocked.state == "applied"
    assert world.store.outbox[-1].record.kind == "identifier_shared"
    assert world.store.outbox[-1].record.cause == "command"


def test_a_consent_is_told_when_the_person_changes_their_mind() -> None:
    world = World()
    first = world.see("u1", consent={"marketing": True, "analytics": True})
    assert only(first, "consent_changed").changed == ("analytics", "marketing")
    assert kinds(world.see("u1", consent={"marketing": True})) == []
    assert only(world.see("u1", consent={"marketing": False}), "consent_changed").changed == ("marketing",)


def test_a_repeated_decision_gives_the_same_ids() -> None:
    world = World()
    events = [world.event(text) for text in ("a1 u1 x1", "a1 u2", "u2 x1", "p1", "u1 p1")]
    request = load_request(events, RULES)
    once, again = (decide(events, world.store.load_now(request), RULES, START + n) for n in (0, 1))
    assert once.outbox == again.outbox
    assert len({record.id for record in once.outbox}) == len(once.outbox)


def test_records_hold_no_identifier_and_no_value() -> None:
    world = World()
    world.see("a1 u1 x1", "a1 u2 x2", "u2 x1", type="identify", traits={"name": "Lan"})
    text = repr(world.store.outbox)
    assert "Lan" not in text
    assert key("x1").partition(":")[2] not in text
