"""Long streams of events with people at work on them: everything that must hold, after every commit."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from leocdp.domain.decisions import Command, CommandOutcome, SnapshotIncomplete
from leocdp.domain.events import Envelope
from leocdp.domain.identity.rules import IdentityRules
from leocdp_processor.decide.batch import decide, load_request
from tests.fakes import streams
from tests.fakes.invariants import check, without_links
from tests.fakes.memory_store import MemoryStore
from tests.fakes.strategies import TIGHT_RULES
from tests.fakes.workers import Run, spread
from tests.fakes.world import RULES, START

Item = Envelope | Command
RULE_SETS = [pytest.param(RULES, id="default rules"), pytest.param(TIGHT_RULES, id="tight rules")]


def apply(store: MemoryStore, items: Sequence[Item], rules: IdentityRules) -> list[CommandOutcome]:
    """One batch, or its halves where a command needs more of a tree than was loaded."""
    try:
        changes = decide(items, store.load_now(load_request(items, rules)), rules, START)
    except SnapshotIncomplete:
        middle = len(items) // 2
        return [*apply(store, items[:middle], rules), *apply(store, items[middle:], rules)]
    store.commit_now(changes, (), START)
    check(store, rules)
    return changes.commands


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("seed", range(4))
def test_events_and_people(seed: int, rules: IdentityRules) -> None:
    random, store = Random(seed), MemoryStore()
    operator = streams.Operator(seed, store)
    applied: set[tuple[str, str]] = set()
    stream = streams.events(seed, 400, 25)
    while stream:
        size = random.choice((1, 5, 20))
        items: list[Item] = [*stream[:size], *operator.commands(random.choice((0, 1, 3)))]
        random.shuffle(items)
        applied |= {(one.kind, one.state) for one in apply(store, items, rules)}
        stream = stream[size:]
    assert len(store.events) == 400
    assert {kind for kind, state in applied if state == "applied"} >= {"merge", "unmerge", "consent", "label"}
    assert store.merges
    assert store.switches
    assert store.refusals


@pytest.mark.parametrize("rules", RULE_SETS)
@pytest.mark.parametrize("seed", range(3))
def test_workers(seed: int, rules: IdentityRules) -> None:
    """As many as the log has partitions, in each other's way all the time."""
    random = Random(seed)
    events = streams.events(seed, 400, 25)
    run = Run(rules, spread(events, [random.randrange(4) for _ in events], [1, 3, 10, 40]))
    run.play([(random.randrange(4), random.random() < 0.1) for _ in range(600)])
    check(run.store, rules)
    assert run.conflicts > 10
    again = MemoryStore()
    for batch in run.committed:
        apply(again, batch, rules)
    assert again.digest_now() == run.store.digest_now()
    assert again.owners == run.store.owners
    assert len(again.events) == 400


@pytest.mark.parametrize("seed", range(3))
def test_merge_and_unmerge_leave_everything_as_before(seed: int) -> None:
    random, store = Random(seed), MemoryStore()
    operator = streams.Operator(seed, store)
    apply(store, [*streams.events(seed, 300, 40), *operator.commands(5)], RULES)
    for _ in range(20):
        kept = without_links(store)
        one, other = random.sample(sorted(store.profiles), 2)
        (answer,) = apply(store, [operator.command("merge", {"profile": one, "with": other})], RULES)
        if answer.state == "refused":
            assert store.root_of(one) == store.root_of(other)
            continue
        assert without_links(store) != kept
        undo = {"merge_id": answer.result["merge_id"], "identifier": "keep"}
        apply(store, [operator.command("unmerge", undo)], RULES)
        assert without_links(store) == kept
