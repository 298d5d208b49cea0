"""The 18 sequences of the design, each by its number: which events make which people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from leocdp.domain.decisions import ReviewPair
from leocdp.domain.events import SourceFacts
from tests.fakes.world import BROWSER, KIOSK, SERVER, World, claimed, key, keys


@dataclass(frozen=True)
class Case:
    name: str
    events: Sequence[str]
    people: set[frozenset[str]]
    reviews: int = 0
    switches: int = 0
    source: SourceFacts = SERVER


CASES = [
    Case("1 shared tablet", ["a1 u1", "a1 u2", "a1 u1"], keys("a1 u1", "u2"), switches=1),
    Case("2 tablet, phones only", ["a1 p1", "a1 p2"], keys("p1", "a1 p2"), reviews=1, switches=1),
    Case("3 login, logout with reset", ["a1 u1", "a2", "a2 u1"], keys("a1 a2 u1")),
    Case("4 logout without reset", ["a1 u1", "a1", "a1 u2"], keys("u1", "a1 u2"), switches=1),
    Case("5 two e-mails", ["a1 u1 x1", "a1 u1 x2"], keys("a1 u1 x1 x2")),
    Case("6 two e-mails, no user id", ["a1 x1", "a1 x2"], keys("x1", "a1 x2"), reviews=1, switches=1),
    Case("7 e-mail of another", ["u3 x2", "u1", "a9 u1 x2"], keys("u3 x2", "a9 u1"), reviews=1),
    Case("8 family phone", ["u1 p1", "u2 p1"], keys("u1 p1", "u2"), reviews=1),
    Case("9 e-mail, then account", ["a1 x1", "u1 x1", "a2 u1"], keys("a1 a2 u1 x1")),
    Case("11 CRM and web", ["c1 p1", "a1 p1"], keys("a1 c1 p1")),
    Case("12 CRM duplicates", ["c1 p1 x1", "c2 p1 x1"], keys("c1 p1 x1", "c2"), reviews=1),
    Case("13 recycled number", ["u1 p1", "u2 p1!"], keys("u1", "u2 p1"), switches=1),
    Case("14 call centre", [f"a9 p{n}" for n in range(1, 7)], keys(*[f"p{n}" for n in range(1, 7)]), source=KIOSK),
    Case("15 two tabs", ["a1 u1", "a1 u2"] * 5, keys("u1", "a1 u2"), switches=1),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "one batch"])
def test_sequence(case: Case, together: bool) -> None:
    world = World()
    for batch in [case.events] if together else [[event] for event in case.events]:
        world.see(*batch, source=case.source)
    assert world.people() == case.people
    assert len(world.store.reviews) == case.reviews
    assert len(world.store.switches) == case.switches
    assert len(world.store.events) == len(case.events)


@pytest.mark.parametrize("source", [SERVER, BROWSER], ids=["server", "browser"])
def test_4_anonymous_views_stay_with_the_first_user(source: SourceFacts) -> None:
    world = World()
    world.see("a1 u1", "a1", "a1 u2", source=source)
    first, second = world.root("u1"), world.root("u2")
    leaves = [write.leaf for write in world.store.events]
    assert leaves == [first, first, second]


def test_6_the_pair_is_kept_for_review_with_its_reason() -> None:
    world = World()
    world.see("a1 x1", "a1 x2")
    pair: ReviewPair = next(iter(world.store.reviews.values()))
    assert {pair.left, pair.right} == {world.root("x1"), world.root("x2")}
    assert (pair.reason, pair.identifier) == ("device_rule", key("a1"))


def test_7_a_new_user_id_makes_a_person_of_its_own() -> None:
    world = World()
    world.see("u3 x2")
    world.see("a9 u1 x2")
    assert world.people() == keys("u3 x2", "a9 u1")
    assert [refusal.reason for refusal in world.store.refusals.values()] == ["limit:user_id"]


def test_10_alias_before_identify() -> None:
    world = World()
    world.apply(world.event("u1", type="alias", previous_id="a1"))
    world.see("a1 u1 x1")
    assert world.people() == keys("a1 u1 x1")


def test_10_alias_from_an_old_to_a_new_user_id() -> None:
    world = World()
    world.see("u1 x1")
    world.apply(world.event("u2", type="alias", previous_id="u1"))
    assert world.people() == keys("u1 u2 x1")
    assert (world.state("u1"), world.state("u2")) == ("former", "active")
    world.see("u1 a1")
    assert world.people() == keys("u1 u2 x1 a1")


def test_13_the_move_of_a_verified_phone_is_in_the_history() -> None:
    world = World()
    world.see("u1 p1", "u2 p1!")
    (move,) = world.store.switches.values()
    assert (move.kind, move.identifier, move.from_leaf, move.to_leaf) == (
        "verified",
        key("p1"),
        world.root("u1"),
        world.root("u2"),
    )


def test_13_a_browser_cannot_verify() -> None:
    world = World()
    world.see("u1 p1")
    world.see("u2 p1!", source=BROWSER)
    assert world.people() == keys("u1 p1", "u2")


def test_15_one_switch_a_day_with_its_count() -> None:
    world = World()
    world.see(*["a1 u1", "a1 u2"] * 5)
    (switch,) = world.store.switches.values()
    assert (switch.count, switch.from_leaf, switch.to_leaf) == (9, world.root("u1"), world.root("u2"))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_16_one_anonymous_id_for_all_visitors(size: int) -> None:
    world = World()
    texts = ["a1"] * 20 + [f"a1 u{n}" for n in range(1, 31)]
    for at in range(0, len(texts), size):
        world.see(*texts[at : at + size])
    people = world.people()
    assert world.state("a1") == "shared"
    assert all(frozenset({key(f"u{n}")}) in people for n in range(11, 31))
    assert sum(key("a1") in person for person in people) == 1
    assert {len(person - {key("a1")}) for person in people} == {1}
    world.see("a1")
    assert world.store.events[-1].leaf is None


def test_17_one_spelling_per_user() -> None:
    world = World()
    world.apply(claimed(1, user_id="Lan@x.vn"))
    world.apply(claimed(2, user_id="lan@x.vn"))
    world.apply(claimed(3, traits={"email": "LAN@X.vn"}, context={"externalIds": [{"type": "crm_id", "id": "k-1"}]}))
    assert world.people() == {frozenset({"user_id:lan@x.vn", "email:lan@x.vn", "crm_id:k-1"})}


def test_18_an_invitation_merges_nobody() -> None:
    world = World()
    world.apply(claimed(1, user_id="u-1", traits={"email": "me@shop.vn"}))
    world.apply(claimed(2, user_id="u-2", traits={"email": "friend@shop.vn"}))
    invitation = {"email": "friend@shop.vn"}
    world.apply(claimed(3, type="track", name="Invite sent", user_id="u-1", properties=invitation))
    assert len(world.people()) == 2
    assert not world.store.reviews
