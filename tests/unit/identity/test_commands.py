"""People's actions: what each changes, and why it may be refused."""

from __future__ import annotations

import pytest

from leocdp.domain.decisions import Command, SnapshotIncomplete
from leocdp.domain.events import Address, Envelope
from leocdp.domain.profiles.consent import person_consent
from leocdp_processor.decide.batch import decide, load_request
from tests.fakes.invariants import check, without_links
from tests.fakes.world import RULES, START, World, key, keys


def two_people() -> World:
    world = World()
    world.see("a1 u1", "a2", "a2 u1 x1", "d1 u2 p1", type="identify", traits={"name": "Lan"})
    return world


def test_a_merge_by_hand_stands_above_limits() -> None:
    world = two_people()
    answer = world.command("merge", profile=world.root("u1"), with_=world.root("u2"))
    assert answer.state == "applied"
    assert world.people() == keys("a1 a2 d1 u1 u2 x1 p1")
    check(world.store, RULES)
    record = world.store.merges[answer.result["merge_id"]]
    assert (record.by, record.actor, record.into, record.source) == (
        "user",
        "usr_1",
        answer.result["into"],
        answer.result["from"],
    )


def test_merge_and_unmerge_leave_everything_as_before() -> None:
    world = two_people()
    kept = without_links(world.store)
    answer = world.command("merge", profile=world.root("u1"), with_=world.root("u2"))
    assert without_links(world.store) != kept
    undone = world.command("unmerge", merge_id=answer.result["merge_id"], identifier="keep")
    assert without_links(world.store) == kept
    assert undone.result == {"profiles": [world.root("u1"), world.root("u2")]}
    record = world.store.merges[answer.result["merge_id"]]
    assert (record.undone_by, record.undone_at) == ("usr_1", undone_at(world))
    check(world.store, RULES)


def undone_at(world: World) -> int:
    return START + world.number * 1000


def test_what_came_after_the_merge_stays_with_its_leaf() -> None:
    world = World()
    world.see("a1 x1", "p1", "a1 p1", "a1", "p1", "a1 u1")
    (record,) = world.store.merges.values()
    world.command("unmerge", merge_id=record.id, identifier="keep")
    assert world.people() == keys("a1 x1 u1", "p1")
    totals = {world.store.profiles[world.root(token)].folded.total for token in ("x1", "p1")}
    assert totals == {3}
    check(world.store, RULES)


def test_an_unmerge_in_the_middle_of_a_tree() -> None:
    """Three people under one root; the second pointer is cleared, and what hangs below goes with it."""
    world = World()
    world.see("x1", "x2", "p1", "x2 p1", "x1 x2")
    lower = next(one for one in world.store.merges.values() if one.identifier == key("p1"))
    upper = next(one for one in world.store.merges.values() if one.id != lower.id)
    assert world.command("unmerge", merge_id=upper.id).state == "applied"
    assert world.people() == keys("x1", "x2 p1")
    check(world.store, RULES)
    assert world.command("unmerge", merge_id=lower.id).state == "applied"
    assert world.people() == keys("x1", "x2", "p1")
    check(world.store, RULES)


def test_a_cannot_link_holds_against_events_until_it_is_lifted() -> None:
    world = World()
    world.see("x1", "p1", "x1 p1")
    (record,) = world.store.merges.values()
    world.command("unmerge", merge_id=record.id)
    world.see("x1 p1")
    assert world.people() == keys("x1", "p1")
    assert {one.reason for one in world.store.refusals.values()} == {"cannot_link"}
    assert not world.store.reviews
    lifted = world.command("lift_cannot_link", profile=world.root("p1"), with_=world.root("x1"))
    assert lifted.state == "applied"
    world.see("x1 p1")
    assert world.people() == keys("x1 p1")


def test_a_cannot_link_is_inherited_by_whom_its_sides_are_merged_into() -> None:
    world = World()
    world.see("a1", "x1", "p1", "x1 p1")
    (record,) = world.store.merges.values()
    world.command("unmerge", merge_id=record.id)
    world.see("a1 p1", "a1 x1")
    assert world.people() == keys("p1", "a1 x1")
    assert world.root("p1") != record.source


def test_a_merge_by_hand_lifts_the_cannot_link() -> None:
    world = World()
    world.see("x1", "p1", "x1 p1")
    (record,) = world.store.merges.values()
    world.command("unmerge", merge_id=record.id)
    assert world.command("merge", profile=world.root("x1"), with_=world.root("p1")).state == "applied"
    person = world.store.profiles[world.root("x1")]
    assert not any(link.value for link in person.folded.cannot_link.values())
    check(world.store, RULES)


def test_the_last_word_on_a_cannot_link_holds_also_within_a_millisecond() -> None:
    world = World()
    world.see("x1", "p1", "x1 p1")
    for _ in range(3):
        merge = next(one for one in world.store.merges.values() if one.undone_at is None)
        pair = {"profile": world.root("x1"), "with": merge.source}
        for number, (kind, content) in enumerate([("unmerge", {"merge_id": merge.id}), ("lift_cannot_link", pair)]):
            place = Address("commands", 0, world.number, number)
            world.apply(Command(f"cmd_{world.number}_{number}", kind, "usr_1", START, content, place))
            assert kept_apart(world) is (kind == "unmerge")
        world.see("x1 p1")
    check(world.store, RULES)


def kept_apart(world: World) -> bool:
    return any(link.value for link in world.store.profiles[world.root("x1")].folded.cannot_link.values())


def test_an_unmerge_may_make_the_identifier_shared() -> None:
    world = World()
    world.see("x1", "p1", "x1 p1")
    (record,) = world.store.merges.values()
    world.command("unmerge", merge_id=record.id, identifier="shared")
    assert record.identifier is not None
    assert world.store.owners[record.identifier].state == "shared"
    world.see("p1")
    assert world.store.events[-1].leaf is None


def test_an_identifier_is_blocked_and_freed() -> None:
    world = World()
    world.see("u1 x1")
    assert world.command("identifier_state", identifier=key("x1"), state="shared").state == "applied"
    world.see("a1 x1")
    assert world.people() == keys("u1 x1", "a1")
    world.command("identifier_state", identifier=key("x1"), state="active")
    world.see("a1 x1")
    assert world.people() == keys("a1 u1 x1")
    check(world.store, RULES)


def test_consent_speaks_for_every_identifier_and_each_keeps_its_word() -> None:
    world = World()
    world.see("x1", "p1")
    world.see("p1", consent={"marketing": False})
    world.see("x1 p1")
    (record,) = world.store.merges.values()
    person = world.store.profiles[world.root("x1")]
    assert person_consent(person.folded, "marketing").status == "denied"
    answer = world.command("consent", profile=person.id, consents={"marketing": "granted"})
    assert answer.result == {"profile_id": person.id}
    world.command("unmerge", merge_id=record.id)
    for token in ("x1", "p1"):
        side = world.store.profiles[world.root(token)].folded
        assert person_consent(side, "marketing").status == "granted"
    check(world.store, RULES)


def test_consent_also_speaks_for_an_identifier_that_left() -> None:
    world = World()
    world.see("u1 p1", consent={"marketing": False})
    world.see("u2 p1!")
    root = world.root("u1")
    world.command("consent", profile=root, consents={"marketing": "granted"})
    assert person_consent(world.store.profiles[root].folded, "marketing").status == "granted"


def test_labels_are_set_exactly() -> None:
    world = World()
    world.see("x1", "p1")
    for token in ("x1", "p1"):
        world.command("label", profile=world.root(token), labels=["vip", token])
    world.see("x1 p1")
    root = world.root("x1")
    world.command("label", profile=root, labels=["p1", "new"])
    labels = world.store.profiles[root].folded.labels
    assert {name for name, word in labels.items() if word.value} == {"p1", "new"}
    check(world.store, RULES)
    world.command("label", profile=root, labels=[])
    assert not any(word.value for word in world.store.profiles[root].folded.labels.values())


def test_a_review_is_answered() -> None:
    world = World()
    world.command("review", id="rev_1", state="rejected")
    assert world.store.review_states == {"rev_1": "rejected"}


REFUSED = [
    ("merge", {"profile": "prf_x", "with": "prf_y"}, "profile_not_found"),
    ("merge", {"with": "prf_y"}, "invalid:profile"),
    ("unmerge", {"merge_id": "mrg_x"}, "merge_not_found"),
    ("unmerge", {"merge_id": "mrg_x", "identifier": "gone"}, "invalid:identifier"),
    ("consent", {"profile": "prf_x", "consents": {"a": "granted"}}, "profile_not_found"),
    ("label", {"profile": "prf_x"}, "profile_not_found"),
    ("identifier_state", {"identifier": "email:nobody@x.vn", "state": "shared"}, "identifier_not_found"),
    ("identifier_state", {"identifier": "email:nobody@x.vn", "state": "gone"}, "invalid:state"),
    ("review", {"id": "rev_1", "state": "maybe"}, "invalid:state"),
    ("paint", {}, "unknown_command"),
]


@pytest.mark.parametrize(("kind", "content", "reason"), REFUSED)
def test_what_cannot_be_done_is_refused_with_its_reason(kind: str, content: dict[str, str], reason: str) -> None:
    answer = World().command(kind, **content)
    assert (answer.state, answer.reason) == ("refused", reason)


def test_more_reasons_to_refuse() -> None:
    world = World()
    world.see("x1 p1", "x2", "x1 x2")
    (record,) = world.store.merges.values()
    root = world.root("x1")
    assert world.command("merge", profile=root, with_=record.source).reason == "same_person"
    assert world.command("lift_cannot_link", profile=root, with_=record.source).reason == "same_person"
    assert world.command("consent", profile=root, consents={"marketing": "maybe"}).reason == "invalid:consents"
    assert world.command("consent", profile=root, consents="granted").reason == "invalid:consents"
    assert world.command("label", profile=root, labels=[1]).reason == "invalid:labels"
    world.command("unmerge", merge_id=record.id)
    assert world.command("unmerge", merge_id=record.id).reason == "already_undone"
    world.command("lift_cannot_link", profile=root, with_=record.source)
    assert world.command("lift_cannot_link", profile=root, with_=record.source).reason == "not_kept_apart"


def test_a_command_counts_once() -> None:
    world = two_people()
    content = {"profile": world.root("u1"), "with": world.root("u2")}
    command = Command("cmd_1", "merge", "usr_1", START, content, Address("commands", 0, 1, 0))
    changes = world.apply(command, command)
    assert [one.id for one in changes.commands] == ["cmd_1"]
    assert world.apply(command).commands == []


def test_replay_is_left_to_the_processor() -> None:
    world = World()
    command = Command("cmd_1", "replay", "usr_1", START, {"ids": ["1"]}, Address("commands", 0, 1, 0))
    assert world.apply(command).commands == []


def test_a_tree_that_outgrew_what_was_loaded_asks_for_a_smaller_batch() -> None:
    world = World()
    world.see("x1", "p1", "x1 p1", "x2", "p2", "x2 p2")
    first = next(one for one in world.store.merges.values() if one.identifier == key("p1"))
    unmerge = Command("cmd_1", "unmerge", "usr_1", START, {"merge_id": first.id}, Address("commands", 0, 1, 0))
    items: list[Envelope | Command] = [world.event("x1 x2"), unmerge]
    snapshot = world.store.load_now(load_request(items, RULES))
    with pytest.raises(SnapshotIncomplete):
        decide(items, snapshot, RULES, START)
    for item in items:
        world.apply(item)
    check(world.store, RULES)


def test_a_merge_of_the_same_batch_can_be_undone_in_it() -> None:
    world = World()
    world.see("x1", "p1")
    event = world.event("x1 p1")
    trial = decide([event], world.store.load_now(load_request([event], RULES)), RULES, START)
    unmerge = Command(
        "cmd_1", "unmerge", "usr_1", START, {"merge_id": trial.merges[0].id}, Address("commands", 0, 1, 0)
    )
    changes = world.apply(event, unmerge, world.event("x1"), world.event("p1"))
    assert [one.state for one in changes.commands] == ["applied"]
    assert world.people() == keys("x1", "p1")
    check(world.store, RULES)
