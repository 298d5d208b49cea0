"""What keeps people apart: limits, caps, the device rule, browser sources, shared identifiers; and aliases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leocdp.domain.events import SourceFacts
from leocdp.domain.identity.kinds import SharedThresholds
from leocdp.domain.identity.rules import IdentityRules
from tests.fakes.invariants import check
from tests.fakes.world import BROWSER, KIOSK, RULES, SERVER, START, World, claimed, key, keys

DAY = 86_400_000


def reasons(world: World) -> list[str]:
    return [refusal.reason for refusal in world.store.refusals.values()]


# Limits and caps


def test_a_claim_beyond_the_limit_is_refused_and_stays_unowned() -> None:
    world = World()
    world.see("u1 x1 x2 x3 x4 x5", "u1 x6")
    assert world.people() == keys("u1 x1 x2 x3 x4 x5")
    (refusal,) = world.store.refusals.values()
    assert (refusal.reason, refusal.identifier, refusal.owner) == ("limit:email", key("x6"), "")
    assert key("x6") not in world.store.owners
    assert not world.store.reviews


def test_a_merge_beyond_the_limit_is_refused() -> None:
    world = World()
    world.see("u1 x1 x2 x3", "p1 x4 x5 x6", "u1 p1")
    assert world.people() == keys("u1 x1 x2 x3", "p1 x4 x5 x6")
    assert reasons(world) == ["limit:email"]


def test_user_ids_of_two_spaces_are_counted_apart() -> None:
    world = World()
    shop, forum = (SourceFacts(name, authenticated=True, id_space=name) for name in ("shop", "forum"))
    world.apply(claimed(1, shop, user_id="1", traits={"email": "lan@x.vn"}))
    world.apply(claimed(2, forum, user_id="1", traits={"email": "lan@x.vn"}))
    world.apply(claimed(3, forum, user_id="2", traits={"email": "lan@x.vn"}))
    assert world.people() == {
        frozenset({"user_id@shop:1", "user_id@forum:1", "email:lan@x.vn"}),
        frozenset({"user_id@forum:2"}),
    }


def test_rolling_kinds_never_refuse() -> None:
    world = World()
    world.see(*[f"u1 d{n}" for n in range(30)])
    assert len(world.people()) == 1
    assert not world.store.refusals


def test_a_person_over_a_limit_is_not_held_back_by_what_does_not_add_to_it() -> None:
    world = World()
    world.see("u1", "u2", "a1")
    world.command("merge", profile=world.root("u1"), with_=world.root("u2"))
    world.see("u1 a1")
    assert world.people() == keys("u1 u2 a1")


def test_identifiers_are_capped_and_the_event_still_lands() -> None:
    world = World(replace(RULES, max_identifiers=3))
    world.see("u1 a1 a2", "u1 a3")
    assert world.people() == keys("u1 a1 a2")
    assert reasons(world) == ["identifier_cap"]
    assert world.store.profiles[world.root("u1")].state.total == 2


def test_merges_are_capped_but_for_those_of_anonymous_profiles() -> None:
    world = World(replace(RULES, max_merges=1))
    world.see("x1", "x2", "x3", "a1", "a2", "x1 x2")
    world.see("x1 x3")
    assert reasons(world) == ["merge_cap"]
    world.see("x1 a1", "x2 a2")
    assert world.people() == keys("a1 a2 x1 x2", "x3")
    assert world.store.profiles[world.root("x1")].counted_merges == 1
    check(world.store, world.rules)


def test_counted_merges_follow_the_identifiers() -> None:
    """A leaf that got its first contact after it was merged counts from then on, and no more when that moves away."""
    world = World()
    world.see("a1", "a2", "a1 a2", "a1 x1", "a2 p1")
    root = world.store.profiles[world.root("x1")]
    assert (len(root.leaf_ids), root.counted_merges) == (2, 1)
    world.see("u9 p1!", "u8 x8")
    check(world.store, RULES)
    world.see("u8 p1!")
    check(world.store, RULES)


# The device rule


def test_a_device_brings_no_second_person_even_without_a_user_id() -> None:
    world = World()
    world.see("a1 x1", "u2", "a1 u2 x2")
    assert world.people() == keys("x1", "a1 u2 x2")


def test_the_device_rule_asks_kind_by_kind() -> None:
    """A visitor who left a phone number, and an e-mail later."""
    world = World()
    world.see("a1 p1", "a1 x1")
    assert world.people() == keys("a1 p1 x1")


def test_the_device_rule_is_silent_where_something_ties() -> None:
    world = World()
    world.see("a1 x1 p1", "a1 x2 p1")
    assert world.people() == keys("a1 x1 x2 p1")


def test_a_device_still_unites_a_visitor_with_a_known_person() -> None:
    world = World()
    world.see("a1", "u1 x1", "a1 u1")
    assert world.people() == keys("a1 u1 x1")


def test_a_switch_to_a_full_person_is_refused() -> None:
    world = World(replace(RULES, max_identifiers=2))
    world.see("a1 u1", "u2 a2", "a1 u2")
    assert world.people() == keys("a1 u1", "u2 a2")
    assert reasons(world) == ["identifier_cap"]


# Browser sources


def test_a_browser_may_link_contacts_and_devices() -> None:
    world = World()
    world.see("c1 x1")
    world.see("a1 x1", "a1 p1", source=BROWSER)
    assert world.people() == keys("a1 c1 x1 p1")


def test_a_browser_may_bring_a_user_id_that_nobody_has() -> None:
    world = World()
    world.see("c1 x1")
    world.see("a1 u1 x1", source=BROWSER)
    assert world.people() == keys("a1 u1 c1 x1")


def test_a_browser_may_not_unite_two_who_are_named() -> None:
    world = World()
    world.see("c1 x1", "u1")
    world.see("a1 u1 x1", source=BROWSER)
    assert world.people() == keys("c1 x1", "a1 u1")
    assert [pair.reason for pair in world.store.reviews.values()] == ["browser_source"]
    world.see("u1 x1", source=SERVER)
    assert world.people() == keys("c1 x1 a1 u1")


# Shared identifiers


def test_a_kiosk_claims_no_device() -> None:
    world = World()
    changes = world.see("a9 u1", "a9", source=KIOSK)
    assert world.people() == keys("u1")
    assert world.store.events[-1].leaf is None
    assert changes.dropped_identifiers == {("anonymous_id", "shared_device"): 2}


def test_a_device_of_many_people_becomes_shared_within_the_window_only() -> None:
    rules = replace(RULES, shared=SharedThresholds(people=3))
    crowd, years = World(rules), World(rules)
    crowd.see(*[f"a1 u{n}" for n in range(1, 5)])
    for n in range(1, 5):
        years.see(f"a1 u{n}", timestamp=START - (10 - n) * 40 * DAY)
    assert (crowd.state("a1"), years.state("a1")) == ("shared", "active")
    assert crowd.people() == keys("u1", "u2", "a1 u3", "u4")


def test_a_contact_beside_many_user_ids_becomes_shared() -> None:
    world = World()
    world.see(*[f"u{n} x1" for n in range(1, 12)])
    assert world.state("x1") == "shared"
    assert "shared" in reasons(world)
    world.see("u12 x1")
    assert frozenset({key("u12")}) in world.people()
    assert not any(
        one.message_id == world.store.events[-1].envelope.message_id for one in world.store.refusals.values()
    )
    check(world.store, RULES)


@pytest.mark.parametrize("size", [1, 100])
def test_an_identifier_of_too_many_events_in_an_hour_becomes_shared(size: int) -> None:
    world = World(replace(RULES, shared=SharedThresholds(events_per_hour=20)))
    texts = ["a1"] * 25
    for at in range(0, len(texts), size):
        world.see(*texts[at : at + size])
    assert world.state("a1") == "shared"
    assert [write.leaf is None for write in world.store.events] == [False] * 21 + [True] * 4


def test_an_import_of_old_events_is_no_crowd() -> None:
    world = World(replace(RULES, shared=SharedThresholds(events_per_hour=20)))
    events = [world.event("u1", timestamp=START - n * 3_600_000) for n in range(100)]
    world.apply(*events)
    assert world.state("u1") == "active"


def test_hints_are_never_claimed() -> None:
    world = World()
    kinds = dict(RULES.kinds)
    kinds["anonymous_id"] = replace(kinds["anonymous_id"], resolves=False)
    world.rules = IdentityRules(kinds=kinds)
    world.see("a1", "a1 u1")
    assert world.people() == keys("u1")
    assert world.store.events[0].leaf is None


# Aliases


def test_an_alias_from_a_browser_does_not_retire_a_user_id() -> None:
    world = World()
    world.see("u1 x1", "u2")
    world.apply(world.event("u2", type="alias", previous_id="u1", source=BROWSER))
    assert world.people() == keys("u1 x1", "u2")
    assert reasons(world) == ["alias"]
    assert len(world.store.reviews) == 1


def test_an_alias_unites_two_user_ids_and_back() -> None:
    world = World()
    world.see("u1 x1", "u2 p1")
    world.apply(world.event("u2", type="alias", previous_id="u1"))
    assert world.people() == keys("u1 u2 x1 p1")
    world.apply(world.event("u1", type="alias", previous_id="u2"))
    assert (world.state("u1"), world.state("u2")) == ("active", "former")
    check(world.store, RULES)


def test_an_alias_brings_the_device_along() -> None:
    """The anonymous id of the call itself belongs to the old user: no switch, all of it is one person."""
    world = World()
    world.see("a1 u1")
    world.apply(world.event("a1 u2", type="alias", previous_id="u1"))
    assert world.people() == keys("a1 u1 u2")
    assert not world.store.switches


def test_an_alias_that_a_limit_refuses_retires_nobody() -> None:
    world = World()
    world.see("u1 c1", "u2 c2")
    world.apply(world.event("u2", type="alias", previous_id="u1"))
    assert world.people() == keys("u1 c1", "u2 c2")
    assert (world.state("u1"), reasons(world)) == ("active", ["limit:crm_id"])


def test_an_unknown_previous_id_is_an_anonymous_id() -> None:
    world = World()
    world.apply(world.event("u1", type="alias", previous_id="somebody"))
    assert world.people() == {frozenset({"user_id:u1", "anonymous_id:somebody"})}


def test_a_blocked_previous_id_is_dropped() -> None:
    world = World()
    changes = world.apply(world.event("u1", type="alias", previous_id="null"))
    assert world.people() == keys("u1")
    assert changes.dropped_identifiers == {("anonymous_id", "blocked"): 1}
