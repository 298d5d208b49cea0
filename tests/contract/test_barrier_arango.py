"""The barrier of a store in ArangoDB: nothing is committed while it stands, and it is in the store itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from leocdp.adapters.arango.barrier import ArangoBarrier
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.ports.barrier import Barrier, BarrierRefused
from leocdp.ports.profile_store import StoreHeld, StoreUnavailable
from tests.contract.arango_backend import double_database
from tests.contract.builders import LOG, T0, TOPIC, move
from tests.contract.test_profile_store_arango_access import change
from tests.contract.test_profile_store_arango_faults import everything, stored_once
from tests.doubles.arangodb.double import Double
from tests.doubles.arangodb.faults import Fault, operation

COMMIT = operation("transaction.commit")


@pytest.fixture
def place() -> Iterator[tuple[Double, Connection]]:
    with double_database() as found:
        yield found


@pytest.fixture
def connection(place: tuple[Double, Connection]) -> Connection:
    return place[1]


@pytest.fixture
async def store(connection: Connection) -> AsyncIterator[ArangoProfileStore]:
    store = ArangoProfileStore(connection)
    await store.start()
    yield store
    await store.close()


@pytest.fixture
async def control(connection: Connection) -> AsyncIterator[ArangoBarrier]:
    control = ArangoBarrier(connection)
    await control.start()
    yield control
    await control.close()


def barrier(name: str = "bar_1", ms: int = 60_000) -> Barrier:
    now = int(time.time() * 1000)
    return Barrier(name, now, now + ms, "0.1.0")


async def test_nothing_is_committed_until_it_is_lifted(
    connection: Connection, store: ArangoProfileStore, control: ArangoBarrier
) -> None:
    await store.commit(everything(1), [move(None, 1)], T0)
    standing = barrier()
    await control.set(standing)
    assert await control.current() == standing
    assert await store.held_until() == standing.until
    for _ in range(2):
        with pytest.raises(StoreHeld, match="Paused for a backup") as refused:
            await store.commit(everything(2), [move(1, 2)], T0)
        assert refused.value.until == standing.until
    assert await store.positions(LOG) == {(TOPIC, 0): 1}
    assert await store.pending_outbox(9) == [], "what is published is removed from the outbox"
    assert await control.lift(standing.id)
    assert await store.held_until() is None
    assert await store.commit(everything(2), [move(1, 2)], T0) == 2
    await stored_once(connection, 2)
    assert [one.record.id for one in await store.pending_outbox(9)] == ["out-1", "out-2"]


async def test_whatever_else_writes_waits_too(store: ArangoProfileStore, control: ArangoBarrier) -> None:
    await store.commit(everything(1), [], T0)
    await control.set(barrier())
    with pytest.raises(StoreHeld):
        await store.mark_replayed(["1"], T0)
    with pytest.raises(StoreHeld):
        await store.remove_source("shop", after=None, limit=10)
    with pytest.raises(StoreHeld):
        await store.tidy(T0 + 90 * 86_400_000)
    sequences = [1]
    with pytest.raises(StoreHeld):
        await store.mark_published(sequences)
    await control.lift()
    assert [one.sequence for one in await store.pending_outbox(9)] == sequences
    await store.mark_published(sequences)
    assert await store.pending_outbox(9) == []


async def test_collections_are_not_brought_up_meanwhile(
    place: tuple[Double, Connection], store: ArangoProfileStore, control: ArangoBarrier
) -> None:
    await control.set(barrier())
    same, newer = ArangoProfileStore(place[1]), ArangoProfileStore(place[1])
    await same.start()
    await same.close()
    change(place[1], "ledger", {"_key": "schema", "version": 1})
    with pytest.raises(StoreHeld):
        await newer.start()
    await control.lift()
    await newer.start()
    assert await newer.positions(LOG) == {}
    await newer.close()


async def test_it_ends_by_itself(store: ArangoProfileStore, control: ArangoBarrier) -> None:
    await control.set(barrier(ms=300))
    deadline = time.monotonic() + 60
    while True:
        try:
            await store.commit(everything(1), [], T0)
            break
        except StoreHeld:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
    assert await control.current() is None, "whoever set it can tell that something was committed after it"


async def test_one_that_has_ended_is_shown_and_in_nobodys_way(
    store: ArangoProfileStore, control: ArangoBarrier
) -> None:
    ended = barrier(ms=-1)
    await control.set(ended)
    assert (await control.current(), await store.held_until()) == (ended, None)
    await control.set(barrier("bar_2", ms=-1))
    assert await control.lift("bar_2")


async def test_one_at_a_time(control: ArangoBarrier, store: ArangoProfileStore) -> None:
    first = barrier()
    await control.set(first)
    await control.set(first)
    with pytest.raises(BarrierRefused, match="bar_1 stands already"):
        await control.set(barrier("bar_2"))
    with pytest.raises(BarrierRefused, match="is bar_1, not bar_2"):
        await control.lift("bar_2")
    assert await control.lift()
    assert not await control.lift()
    assert await store.held_until() is None


async def test_a_commit_under_way_is_over_when_it_is_set(
    place: tuple[Double, Connection], store: ArangoProfileStore, control: ArangoBarrier
) -> None:
    double, _ = place
    fault = double.fault(Fault("wait", COMMIT))
    committing = asyncio.create_task(store.commit(everything(1), [move(None, 1)], T0))
    assert await asyncio.to_thread(fault.reached)
    setting = asyncio.create_task(control.set(barrier()))
    await asyncio.wait({setting}, timeout=0.3)
    assert not setting.done(), "it waits for its turn"
    fault.release()
    assert await committing == 1
    await setting
    assert await store.positions(LOG) == {(TOPIC, 0): 1}
    await stored_once(place[1], 1)


async def test_a_bucket_is_emptied_first(
    place: tuple[Double, Connection], store: ArangoProfileStore, control: ArangoBarrier
) -> None:
    await store.commit(everything(1), [], T0)
    emptying = place[0].fault(Fault("wait", operation("collection.truncate")))
    tidying = asyncio.create_task(store.tidy(T0 + 90 * 86_400_000))
    assert await asyncio.to_thread(emptying.reached)
    setting = asyncio.create_task(control.set(barrier()))
    await asyncio.wait({setting}, timeout=0.3)
    assert not setting.done()
    impatient = ArangoBarrier(place[1], emptying=-1)
    await impatient.start()
    await impatient.set(barrier("bar_at_once"))
    await impatient.lift()
    await impatient.close()
    emptying.release()
    await tidying
    await setting


async def test_it_is_set_once_where_the_answer_is_lost(
    place: tuple[Double, Connection], store: ArangoProfileStore, control: ArangoBarrier
) -> None:
    fault = place[0].fault(Fault("drop_after", COMMIT))
    standing = barrier()
    await control.set(standing)
    assert fault.hits
    assert await control.current() == standing


async def test_a_database_without_a_store(control: ArangoBarrier) -> None:
    with pytest.raises(StoreUnavailable, match="There is no profile store"):
        await control.set(barrier())
