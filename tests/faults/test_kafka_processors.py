"""Several processors share the partitions of a Kafka and one store: they come and go, and nothing is applied twice.

The store is the one in memory, which follows the contract of the store; the processors run in this process.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.topics import EVENTS_ACCEPTED, TOPICS
from leocdp.domain.decisions import Changes, LoadRequest, Snapshot
from leocdp.kit import metric_catalogue as m
from leocdp.ports.event_log import EventLog, NewRecord
from leocdp.ports.profile_store import Conflict, PositionMove
from leocdp_processor import environment
from leocdp_processor.environment import Environment
from leocdp_processor.settings import ProcessorSettings
from tests.fakes.memory_store import MemoryStore
from tests.kafka import Kafka, logs_at

PARTITIONS = 24
PEOPLE = 60


class Load:
    """Appends events of people, each person's to one partition, until it is stopped."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.sent: Counter[str] = Counter()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            await self._log.append([self._record(number + step) for step in range(20)])
            number += 20
            await asyncio.sleep(0)

    def _record(self, number: int) -> NewRecord:
        person = number % PEOPLE
        self.sent[f"user-{person}"] += 1
        body = f'{{"type":"track","messageId":"m-{number}","userId":"user-{person}","event":"Seen","properties":{{}}}}'
        block = RequestBlock(int(time.time() * 1000), "shop", "segment", [Item("track", body.encode())])
        return NewRecord(EVENTS_ACCEPTED, person % PARTITIONS, encode(AcceptedRecord(VERSION, [block])))


async def until(true: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.05)


class DistantStore(MemoryStore):
    """Answers after a while, in which others get their turn: so that partitions move while batches are under way."""

    conflicts = 0

    async def load(self, request: LoadRequest) -> Snapshot:
        await asyncio.sleep(random.uniform(0, 0.02))
        return await super().load(request)

    async def commit(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        await asyncio.sleep(random.choice((0, 0.02, 0.5)))
        try:
            return await super().commit(changes, positions, now)
        except Conflict:
            self.conflicts += 1
            raise


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """The store that all processors of a test are built with."""
    shared = DistantStore()
    monkeypatch.setattr(environment, "open_profile_store", lambda _: shared)
    return shared


@asynccontextmanager
async def processor(url: str, folder: Path) -> AsyncIterator[Environment]:
    settings = ProcessorSettings(data_dir=folder, log_url=url, log_session_timeout=6, processor_batch_bytes=65_536)
    made = Environment(settings)
    async with made.running():
        yield made


def moved(store: MemoryStore) -> int:
    return sum(store.moves.values())


@pytest.mark.timeout(300)
async def test_processors_come_and_go_under_load(kafka: Kafka, store: MemoryStore, tmp_path: Path) -> None:
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        load = Load(log)
        loading = asyncio.create_task(load.run())
        async with AsyncExitStack() as second:
            async with processor(logs.url, tmp_path) as first:
                await until(lambda: moved(store) > 50)
                other = await second.enter_async_context(processor(logs.url, tmp_path))
                await until(lambda: applied(first) > 100 and applied(other) > 100)
                assert await first.ready() == []
            # The first has left, gracefully, while there was work: the other goes on with all partitions.
            before = applied(other)
            await until(lambda: applied(other) > before + 100)
            load.stop()
            await loading
            ends = {key: bound.end for key, bound in (await log.bounds(EVENTS_ACCEPTED)).items() if bound.end}
            await until(lambda: moved(store) == sum(ends.values()))
            assert await other.ready() == []

    assert {key.partition: at for key, at in store.moves.items()} == ends
    assert Counter(event.envelope.user_id for event in store.events) == load.sent
    assert {user: total(store, user) for user in load.sent} == load.sent
    # Positions alone keep it so: not even the message ids had to tell a duplicate.
    assert store.problems == []


def applied(one: Environment) -> int:
    """Items that this processor has applied."""
    name = f"{m.PROCESSOR_ITEMS.name.removesuffix('_total')}_total"
    return int(one.metrics.registry.get_sample_value(name, {"outcome": "applied", "reason": ""}) or 0)


def total(store: MemoryStore, user: str) -> int:
    """What is counted on the profile that owns the user id."""
    (owner,) = [found for key, found in store.owners.items() if key.endswith(user)]
    return store.profiles[store.root_of(owner.leaf)].folded.total
