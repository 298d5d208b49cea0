"""Three brokers: one may be killed at any moment and nobody notices, with two away nothing is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from leocdp.contracts.topics import TopicSpec
from leocdp.ports.event_log import EventLog, LogUnavailable, NewRecord, Record
from scripts.kafka import Cluster
from tests.contract.event_log_harness import assert_consecutive, started, texts
from tests.kafka import QUICK, Kafka, Logs, admin, running_cluster

TOPIC = TopicSpec("numbers", 6)


@pytest.fixture
def cluster(kafka: Kafka, tmp_path: Path) -> Iterator[Cluster]:
    kafka.ours()  # Where somebody else's broker is to be used, none is started here.
    made = Cluster.make(tmp_path, 3)
    made.properties = QUICK
    with running_cluster(made) as running:
        yield running


@dataclass
class Writers:
    """Append one record after the other, each of them again until it is acknowledged, as observers' clients do."""

    log: EventLog
    acknowledged: dict[tuple[int, int], str] = field(default_factory=dict)
    refused: int = 0
    longest: float = 0.0
    stopping: bool = False

    async def write(self, name: int) -> None:
        number = 0
        while not self.stopping:
            begun = time.monotonic()
            text = f"{name}-{number}"
            try:
                (offset,) = await self.log.append([NewRecord("numbers", name % 6, text.encode())])
            except LogUnavailable:
                self.refused += 1
                await asyncio.sleep(0.05)
            else:
                self.acknowledged[name % 6, offset] = text
                self.longest = max(self.longest, time.monotonic() - begun)
                number += 1

    async def more(self, count: int, seconds: float = 90) -> None:
        """Wait until so many more have been acknowledged."""
        wanted, deadline = len(self.acknowledged) + count, time.monotonic() + seconds
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, f"{wanted - len(self.acknowledged)} of {count} are missing"
            await asyncio.sleep(0.02)


async def leader_of(url: str, partition: int) -> int:
    async with admin(url) as client:
        (topic,) = [each for each in await client.describe_topics() if each["topic"].endswith(".numbers")]
    (found,) = [each for each in topic["partitions"] if each["partition"] == partition]
    assert len(found["replicas"]) == 3
    return int(found["leader"])


@pytest.mark.timeout(300)
async def test_a_broker_is_killed_and_nothing_is_lost(cluster: Cluster) -> None:
    logs = Logs(f"{cluster.url}/test")
    log = await logs.open([TOPIC], timeout=30)
    consumer = await started(log, "numbers")
    writers = Writers(log)
    writing = [asyncio.create_task(writers.write(name)) for name in range(12)]
    await writers.more(300)

    victim = cluster.nodes[await leader_of(logs.url, 0) - 1]
    victim.kill()
    await writers.more(300)
    async with asyncio.timeout(60):  # Each broker learns of it by itself.
        while victim.number in [await leader_of(logs.url, number) for number in range(6)]:
            await asyncio.sleep(0.1)
    cluster.launch(victim)
    await asyncio.to_thread(victim.wait_started)
    await writers.more(200)
    writers.stopping = True
    await asyncio.gather(*writing)
    print(f"{len(writers.acknowledged)} acknowledged, {writers.refused} refused, longest wait {writers.longest:.1f} s")

    records = await _everything(log)
    assert_consecutive(records)
    found = _places(records)
    assert {place: found.get(place) for place in writers.acknowledged} == writers.acknowledged
    if not writers.refused:
        assert len(set(found.values())) == len(found), "stored twice"

    read: list[Record] = []
    deadline = time.monotonic() + 90
    while len(read) < len(found):
        assert time.monotonic() < deadline, f"{len(read)} of {len(found)}"
        read += await consumer.fetch(max_bytes=1 << 20, max_wait=0.5)
    assert_consecutive(read)
    assert _places(read) == found
    await consumer.close()

    await _two_are_too_few(cluster, await logs.open([TOPIC], timeout=3))
    for each in logs.opened:
        await each.close()


async def _two_are_too_few(cluster: Cluster, log: EventLog) -> None:
    """With one of three brokers left nothing is acknowledged, rather than kept in one place only."""
    for node in cluster.nodes[:2]:
        node.kill()
    appends = (log.append([NewRecord("numbers", number, b"lonely")]) for number in range(6))
    results = await asyncio.gather(*appends, return_exceptions=True)
    assert all(isinstance(result, LogUnavailable) for result in results), results


async def _everything(log: EventLog) -> list[Record]:
    return [each for n in range(6) for each in await log.read("numbers", n, 0, max_records=10**6)]


def _places(records: list[Record]) -> dict[tuple[int, int], str]:
    return {(each.partition, each.offset): text for each, text in zip(records, texts(records), strict=True)}
