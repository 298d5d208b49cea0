"""The store in ArangoDB when requests are lost, refused or late, and when several processors write at once."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from leocdp.adapters.arango.breaker import LIMIT
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_reader import ArangoProfileReader
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.domain.decisions import Changes, LoadRequest
from leocdp.ports.profile_store import Conflict, StoreUnavailable
from tests.contract.arango_backend import double_database
from tests.contract.builders import LOG, T0, TOPIC, announcement, applied, event, move, person, profile_id, together
from tests.contract.profile_backend import load
from tests.doubles.arangodb.double import Double
from tests.doubles.arangodb.faults import Fault, operation
from tests.doubles.arangodb.log import Entry

BEGIN, COMMIT = operation("transaction.begin"), operation("transaction.commit")
TURN = operation("document.update", collection="ledger")


@pytest.fixture
def place() -> Iterator[tuple[Double, Connection]]:
    with double_database() as found:
        yield found


@pytest.fixture
def double(place: tuple[Double, Connection]) -> Double:
    return place[0]


@pytest.fixture
def connection(place: tuple[Double, Connection]) -> Connection:
    return place[1]


@pytest.fixture
async def store(connection: Connection) -> AsyncIterator[ArangoProfileStore]:
    store = ArangoProfileStore(connection)
    await store.start()
    yield store
    await store.close()


def everything(number: int) -> Changes:
    """A person with an event and an announcement."""
    own = profile_id(number)
    changes = together(
        person(number, f"user_id:u-{number}", name="Lan"), applied(own, event(f"m-{number}", T0 + number))
    )
    changes.outbox.append(announcement(number))
    return changes


async def stored_once(connection: Connection, count: int) -> None:
    reader = ArangoProfileReader(connection)
    await reader.start()
    try:
        counts = await reader.counts()
        assert (counts.profiles, counts.events) == (count, count)
        assert len(await reader.recent_events(limit=10_000)) == count
        assert sum(entry.count for entry in await reader.catalogue()) == count
    finally:
        await reader.close()


FAULTS = {
    "the answer to the commit is lost": Fault("drop_after", COMMIT),
    "the commit does not arrive": Fault("drop_before", COMMIT),
    "the commit is carried out and answered by 503": Fault("answer_after", COMMIT),
    "the commit is refused by 503": Fault("answer_before", COMMIT),
    "the commit finds its transaction aborted": Fault("lose_transaction", COMMIT),
    "the transaction is lost in the middle": Fault("lose_transaction", operation("document", collection="events")),
    "begin is refused while the server starts": Fault("answer_before", BEGIN, times=2, number=38),
    "the answer to begin is lost": Fault("drop_after", BEGIN),
    "the turn is taken by somebody else": Fault("answer_before", TURN, times=5, status=409, number=1200),
    "a write is cut off": Fault("drop_before", operation("document", collection="profiles")),
    "a write is carried out and not answered": Fault("drop_after", operation("document", collection="events")),
    "what is compared cannot be read": Fault("drop_after", operation("cursor")),
    "the queue is full": Fault("answer_before", BEGIN, status=503, number=21003),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_commit_counts_once_whatever_happens_to_its_requests(
    double: Double, connection: Connection, store: ArangoProfileStore, fault: Fault
) -> None:
    await store.commit(everything(1), [move(None, 1)], T0)
    fault = double.fault(replace(fault))
    assert await store.commit(everything(2), [move(1, 2)], T0) == 2
    assert fault.hits
    assert await store.commit(everything(3), [move(2, 3)], T0) == 3
    assert await store.positions(LOG) == {(TOPIC, 0): 3}
    await stored_once(connection, 3)
    assert [one.record.id for one in await store.pending_outbox(9)] == ["out-1", "out-2", "out-3"]


async def test_after_a_commit_whose_outcome_is_unknown_the_position_tells(
    double: Double, connection: Connection
) -> None:
    """The database is away right after the commit and comes back: the retry finds its position moved."""
    store = ArangoProfileStore(connection, finding_out=0.2)
    await store.start()
    double.fault(Fault("drop_after", COMMIT))
    held = double.fault(Fault("wait", COMMIT))
    trying = asyncio.create_task(store.commit(everything(1), [move(None, 1)], T0))
    await asyncio.to_thread(held.reached)
    double.fault(Fault("drop_before", operation("transaction", "document"), times=None))
    held.release()
    with pytest.raises(StoreUnavailable, match="what is stored will tell"):
        await trying
    double.faults.clear()
    # Processing begins again from the stored position, whichever it is.
    assert await _until_it_answers(store) == {(TOPIC, 0): 1}
    with pytest.raises(Conflict):
        await store.commit(everything(1), [move(None, 1)], T0)
    await stored_once(connection, 1)
    await store.close()


async def _until_it_answers(store: ArangoProfileStore) -> dict[tuple[str, int], int]:
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        try:
            return dict(await store.positions(LOG))
        except StoreUnavailable:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("number", [1200, 1210])
async def test_what_somebody_else_has_written_is_a_conflict(
    double: Double, store: ArangoProfileStore, number: int
) -> None:
    double.fault(Fault("answer_before", operation("document", collection="events"), status=409, number=number))
    with pytest.raises(Conflict):
        await store.commit(everything(1), [], T0)
    assert await load(store, profile_id(1)) == {}


async def test_a_batch_that_is_too_large_is_halved(double: Double, store: ArangoProfileStore) -> None:
    """Halving is what a conflict leads to."""
    double.fault(Fault("answer_before", operation("document", collection="events"), status=500, number=32))
    with pytest.raises(Conflict, match="too large"):
        await store.commit(everything(1), [], T0)


async def test_an_answer_that_does_not_come_in_time_is_unavailable(double: Double, connection: Connection) -> None:
    store = ArangoProfileStore(replace(connection, answer_seconds=0.3))
    await store.start()
    fault = double.fault(Fault("wait", operation("cursor"), times=None))
    with pytest.raises(StoreUnavailable, match="in time"):
        await store.load(LoadRequest())
    assert fault.hits > 1, "reading is tried again"
    double.faults.clear()
    await _until_it_answers(store)
    await store.close()


async def test_a_server_that_is_down_is_left_alone(double: Double, store: ArangoProfileStore) -> None:
    """After a few failures in a row only one request in a while is sent, until one succeeds."""
    before = double.log.mark()
    double.fault(Fault("drop_before", operation("cursor"), times=None))
    for _ in range(20):
        with pytest.raises(StoreUnavailable):
            await store.load(LoadRequest())
    assert len(double.log.since(before)) <= LIMIT + 2
    double.faults.clear()
    with pytest.raises(StoreUnavailable, match="the next try is in"):
        await store.load(LoadRequest())
    await _until_it_answers(store)


async def test_the_number_of_requests_does_not_depend_on_the_size_of_the_batch(
    double: Double, store: ArangoProfileStore
) -> None:
    async def requests(first: int, count: int) -> tuple[int, int]:
        people = together(*(everything(number) for number in range(first, first + count)))
        await store.commit(people, [], T0)
        keys = frozenset(f"user_id:u-{number}" for number in range(first, first + count))
        begun = double.log.mark()
        snapshot = await store.load(
            LoadRequest(keys, frozenset(write.envelope.dedup_key for write in people.events), trees=frozenset({"none"}))
        )
        loaded = double.log.mark()
        assert len(snapshot.profiles) == count
        again = list(snapshot.profiles.values())
        more = [event(f"again-{number}") for number in range(first, first + count)]
        await store.commit(together(Changes(profiles=again), applied(again[0].id, *more)), [move(None, 1, first)], T0)
        return loaded - begun, len(double.log.since(loaded))

    small, large = await requests(0, 2), await requests(100, 300)
    assert small == large
    assert large[0] == 1
    assert large[1] <= 10


async def test_of_two_processors_that_rely_on_an_unowned_identifier_one_waits(
    double: Double, connection: Connection, store: ArangoProfileStore
) -> None:
    """No write skew: what a commit has seen as absent stays absent until it is committed."""
    other = ArangoProfileStore(connection)
    await other.start()
    held = double.fault(Fault("wait", COMMIT))
    relies = asyncio.create_task(store.commit(together(person(1), Changes(absent=frozenset({"email:a@x.vn"}))), [], T0))
    await asyncio.to_thread(held.reached)
    claims = asyncio.create_task(other.commit(person(2, "email:a@x.vn"), [], T0))
    await _until(lambda: _refused_turns(double) > 2)
    assert not claims.done()
    held.release()
    assert [await relies, await claims] == [1, 2]
    with pytest.raises(Conflict):
        await store.commit(Changes(absent=frozenset({"email:a@x.vn"})), [], T0)
    await other.close()


async def test_each_processor_publishes_what_it_has_committed_until_it_is_gone(
    connection: Connection, store: ArangoProfileStore
) -> None:
    """So that of several processors not each publishes everything."""
    other, heir = ArangoProfileStore(connection), ArangoProfileStore(connection, adopt_after=0)
    for one in (other, heir):
        await one.start()
    await store.commit(everything(1), [], T0)
    await other.commit(everything(2), [], T0)
    published = {one: [found.record.id for found in await one.pending_outbox(9)] for one in (store, other, heir)}
    assert published == {store: ["out-1"], other: ["out-2"], heir: ["out-1", "out-2"]}
    await heir.mark_published([found.sequence for found in await heir.pending_outbox(9)])
    assert await store.pending_outbox(9) == []
    for one in (other, heir):
        await one.close()


async def _until(condition: object) -> None:
    assert callable(condition)
    deadline = asyncio.get_running_loop().time() + 60
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


def _refused_turns(double: Double) -> int:
    return sum(1 for entry in double.log.entries if TURN(entry) and entry.number == 1200)


async def test_whoever_waits_for_the_turn_too_long_is_told(double: Double, connection: Connection) -> None:
    store = ArangoProfileStore(connection, patience=0.2)
    await store.start()
    double.fault(Fault("answer_before", TURN, times=None, status=409, number=1200))
    with pytest.raises(StoreUnavailable, match="held the turn"):
        await store.commit(everything(1), [], T0)
    await store.close()


def _unlucky(random: Random, entry: Entry) -> bool:
    return entry.transaction is not None and random.random() < 0.02


async def test_several_processors_write_each_commit_once_while_requests_are_lost(
    double: Double, connection: Connection
) -> None:
    """Each worker has a partition, reads its position after every failure, and goes on from there."""
    random = Random(11)
    for kind in ("drop_before", "drop_after", "lose_transaction"):
        double.fault(Fault(kind, lambda entry: _unlucky(random, entry), times=None))
    workers, each = 4, 12
    await asyncio.gather(*(_worker(connection, worker, each) for worker in range(workers)))
    double.faults.clear()
    await stored_once(connection, workers * each)
    store = ArangoProfileStore(connection, adopt_after=0)
    await store.start()
    assert await store.positions(LOG) == {(TOPIC, worker): each for worker in range(workers)}
    sequences = [one.sequence for one in await store.pending_outbox(1_000)]
    assert sequences == list(range(1, workers * each + 1))
    assert await store.commit(Changes(), [], T0) == workers * each + 1
    await store.close()


async def _worker(connection: Connection, worker: int, count: int) -> None:
    store = ArangoProfileStore(connection)
    await _started(store)
    at: int | None = None
    while (at or 0) < count:
        offset = at or 0
        try:
            await store.commit(everything(100 * worker + offset), [move(at, offset + 1, worker)], T0)
            at = offset + 1
        except (StoreUnavailable, Conflict):
            at = (await _until_it_answers(store)).get((TOPIC, worker))
    await store.close()


async def _started(store: ArangoProfileStore) -> None:
    while True:
        try:
            return await store.start()
        except StoreUnavailable:
            await asyncio.sleep(0.05)


VICTIM = Path(__file__).with_name("arango_victim.py")


async def test_a_processor_that_is_killed_inside_a_transaction_leaves_nothing_of_it(
    double: Double, connection: Connection, store: ArangoProfileStore
) -> None:
    """Its turn ends with its transaction, which the server ends when nobody has used it for a while."""
    double.server.sessions.idle = 0.5
    held = double.fault(Fault("wait", operation("document.insert", collection="ledger"), skip=1))
    command = [sys.executable, str(VICTIM), connection.hosts[0], connection.database, connection.user]
    process = await asyncio.to_thread(
        subprocess.Popen, command, env={"PASSWORD": connection.password}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == "committed\n"
    await asyncio.to_thread(held.reached)
    process.send_signal(signal.SIGKILL)
    process.wait()
    held.release()
    assert (await load(store, profile_id(1), profile_id(2))).keys() == {profile_id(1)}
    assert await store.positions(LOG) == {(TOPIC, 0): 1}
    assert await store.commit(everything(2), [move(1, 2)], T0) == 2
