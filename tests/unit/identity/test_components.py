"""Without protection in play, people are the connected components of the evidence, however it arrives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leocdp.domain.events import Envelope
from leocdp.domain.identity.rules import IdentityRules
from tests.fakes import strategies as events_of
from tests.fakes.invariants import check
from tests.fakes.memory_store import MemoryStore
from tests.fakes.workers import Run, spread
from tests.fakes.world import RULES, partition

OPEN = events_of.OPEN_RULES


def components(events: Sequence[Envelope]) -> set[frozenset[str]]:
    """The same by the plainest means: join sets that meet, until none do."""
    found: list[set[str]] = []
    for event in events:
        new = {one.key for one in event.identifiers}
        if not new:
            continue
        meeting = [group for group in found if group & new]
        found = [group for group in found if not group & new]
        found.append(new.union(*meeting))
    return partition(found)


def people_of(store: MemoryStore) -> set[frozenset[str]]:
    roots = [one for one in store.profiles.values() if one.merged_into is None]
    return partition(root.folded.identifiers for root in roots)


CASES = [
    pytest.param(OPEN, events_of.POOL, id="no limits"),
    pytest.param(RULES, events_of.CONTACTS, id="default rules, contacts only"),
]


@pytest.mark.parametrize(("rules", "pool"), CASES)
@settings(max_examples=60)
@given(data=st.data(), sizes=events_of.sizes, lanes=events_of.partitions, schedule=events_of.schedules)
def test_people_are_the_components(
    rules: IdentityRules,
    pool: Sequence[str],
    data: st.DataObject,
    sizes: list[int],
    lanes: list[int],
    schedule: list[tuple[int, bool]],
) -> None:
    events = data.draw(events_of.plain_events(pool))
    arrivals = data.draw(events_of.repeated(events))
    run = Run(rules, spread(arrivals, lanes, sizes))
    run.play(schedule)
    check(run.store, rules)
    assert people_of(run.store) == components(events)
    assert len(run.store.events) == len(events)


@settings(max_examples=60)
@given(data=st.data(), sizes=events_of.sizes, lanes=events_of.partitions, schedule=events_of.schedules)
def test_what_is_known_of_people_does_not_depend_on_the_order(
    data: st.DataObject, sizes: list[int], lanes: list[int], schedule: list[tuple[int, bool]]
) -> None:
    events = data.draw(events_of.plain_events())
    straight = Run(OPEN, spread(events, [0], [len(events)]))
    straight.play([])
    crooked = Run(OPEN, spread(data.draw(events_of.repeated(events)), lanes, sizes))
    crooked.play(schedule)
    assert crooked.store.digest_now() == straight.store.digest_now()
