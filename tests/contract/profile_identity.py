"""Decisions on top of an adapter give the same people as on top of the store in memory, command by command."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from leocdp.domain.decisions import Command, LoadRequest, SnapshotIncomplete
from leocdp.domain.events import Envelope
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import ProfileStore
from leocdp_processor.decide.batch import decide, load_request
from tests.contract.profile_backend import ProfileContract
from tests.fakes import streams
from tests.fakes.invariants import check
from tests.fakes.memory_store import MemoryStore
from tests.fakes.strategies import TIGHT_RULES
from tests.fakes.world import START

Item = Envelope | Command


class IdentityOnStoreContract(ProfileContract):
    @pytest.mark.parametrize("seed", [1, 2])
    async def test_the_same_people_as_in_memory(self, store: ProfileStore, reader: ProfileReader, seed: int) -> None:
        random, memory = Random(seed), MemoryStore()
        operator = streams.Operator(seed, memory)
        stream = streams.events(seed, 300, 25)
        while stream:
            size = random.choice((1, 5, 40))
            items: list[Item] = [*stream[:size], *operator.commands(random.choice((0, 1, 3)))]
            await _apply(store, memory, items)
            stream = stream[size:]
        check(memory, TIGHT_RULES)
        held = (await store.load(LoadRequest(profile_ids=frozenset(memory.profiles)))).profiles
        assert held == memory.load_now(LoadRequest(profile_ids=frozenset(memory.profiles))).profiles
        owners = (await store.load(LoadRequest(identifiers=frozenset(memory.owners)))).owners
        assert owners == memory.owners
        assert await reader.digest() == memory.digest_now()


async def _apply(store: ProfileStore, memory: MemoryStore, items: Sequence[Item]) -> None:
    """The same batch on both, each with what it loaded itself."""
    request = load_request(items, TIGHT_RULES)
    snapshot = await store.load(request)
    assert snapshot == memory.load_now(request)
    try:
        changes = decide(items, snapshot, TIGHT_RULES, START)
    except SnapshotIncomplete:
        middle = len(items) // 2
        await _apply(store, memory, items[:middle])
        await _apply(store, memory, items[middle:])
        return
    memory.commit_now(changes, (), START)
    await store.commit(changes, (), START)
