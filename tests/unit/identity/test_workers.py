"""With protection, several workers give what one worker gives that takes their batches in the order of the commits."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leocdp.domain.events import Envelope
from leocdp.domain.identity.rules import IdentityRules
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_store import Conflict
from leocdp_processor.decide.batch import decide, load_request
from tests.fakes import strategies as events_of
from tests.fakes.invariants import check
from tests.fakes.memory_store import MemoryStore
from tests.fakes.workers import Run, Worker, spread
from tests.fakes.world import RULES, START, World, envelope, key

BOTH = pytest.mark.parametrize("rules", [RULES, events_of.TIGHT_RULES], ids=["default rules", "tight rules"])


def profiles_of(store: MemoryStore) -> dict[str, Profile]:
    return {one.id: replace(one, revision=0, root=store.root_of(one.id)) for one in store.profiles.values()}


def one_by_one(batches: Sequence[Sequence[Envelope]], rules: IdentityRules) -> MemoryStore:
    run = Run(rules, [Worker(0, [event for batch in batches for event in batch], 1)])
    run.play([])
    return run.store


@BOTH
@settings(max_examples=80)
@given(events=events_of.any_events(), sizes=events_of.sizes, lanes=events_of.partitions, schedule=events_of.schedules)
def test_some_sequential_execution(
    rules: IdentityRules,
    events: list[Envelope],
    sizes: list[int],
    lanes: list[int],
    schedule: list[tuple[int, bool]],
) -> None:
    run = Run(rules, spread(events, lanes, sizes))
    run.play(schedule)
    check(run.store, rules)
    again = one_by_one(run.committed, rules)
    assert profiles_of(again) == profiles_of(run.store)
    assert again.owners == run.store.owners
    assert again.digest_now() == run.store.digest_now()
    assert len(run.store.events) == len(events)


@BOTH
@settings(max_examples=40)
@given(events=events_of.any_events())
def test_batches_do_not_matter(rules: IdentityRules, events: list[Envelope]) -> None:
    """Also the history is the same, but for what is kept once a batch."""
    whole = Run(rules, [Worker(0, events, len(events))])
    whole.play([])
    single = one_by_one([events], rules)
    assert profiles_of(single) == profiles_of(whole.store)
    assert single.merges == whole.store.merges
    assert single.switches == whole.store.switches
    assert single.refusals == whole.store.refusals
    assert single.reviews == whole.store.reviews


@settings(max_examples=40)
@given(events=events_of.any_events(), split=st.integers(0, 24))
def test_decisions_are_pure(events: list[Envelope], split: int) -> None:
    rules = events_of.TIGHT_RULES
    store = one_by_one([events[:split]], rules)
    snapshot = store.load_now(load_request(events, rules))
    kept = deepcopy(snapshot)
    first = decide(events, snapshot, rules, START)
    assert snapshot == kept
    assert decide(events, snapshot, rules, START) == first


def test_conflicts_do_happen() -> None:
    """The schedules above are worth something only if workers get into each other's way."""
    events = envelope("a1 x1", 1), envelope("a1 x1", 2)
    run = Run(RULES, [Worker(0, [events[0]], 1), Worker(1, [events[1]], 1)])
    run.play([(0, False), (1, False), (0, False), (1, False)])
    assert run.conflicts == 1
    assert len(run.store.profiles) == 1


def test_a_decision_is_guarded_by_what_it_read_without_writing() -> None:
    """An event passed over a shared identifier; while it was decided, a person freed that identifier."""
    world = World()
    world.see("u1 x1")
    world.command("identifier_state", identifier=key("x1"), state="shared")
    event = world.event("a1 x1")
    stale = decide([event], world.store.load_now(load_request([event], RULES)), RULES, START)
    world.command("identifier_state", identifier=key("x1"), state="active")
    with pytest.raises(Conflict):
        world.store.commit_now(stale, (), START)


def test_a_claim_that_a_limit_refused_relies_on_nobody_having_it() -> None:
    world = World()
    world.see("u1 c1")
    event = world.event("u1 c2")
    stale = decide([event], world.store.load_now(load_request([event], RULES)), RULES, START)
    assert stale.absent == {key("c2")}
    world.see("c2")
    with pytest.raises(Conflict):
        world.store.commit_now(stale, (), START)


def test_a_batch_is_loaded_once_whatever_is_in_it() -> None:
    world = World()
    world.see(*[f"a{n} u{n % 50} x{n % 70}" for n in range(500)])
    assert world.store.loads == 1
