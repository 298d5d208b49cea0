"""Members of a consumer group in Kafka: partitions move between them, and each says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from leocdp.contracts.topics import TopicSpec
from leocdp.ports.event_log import Consumer, EventLog, LogUnavailable, NewRecord, TopicPartition
from tests.contract.event_log_harness import DEADLINE, fetch_count, started, texts
from tests.kafka import Kafka, Logs, logs_at

TOPIC = TopicSpec("numbers", 6)
ALL = frozenset(TopicPartition("numbers", number) for number in range(6))
SESSION = 6.0


@pytest.fixture
async def logs(kafka: Kafka) -> AsyncIterator[Logs]:
    async with logs_at(kafka.url()) as logs:
        yield logs


async def append(log: EventLog, text: str) -> None:
    """One record to each partition."""
    await log.append([NewRecord("numbers", partition, f"{partition}-{text}".encode()) for partition in range(6)])


async def settled(members: list[Consumer], share: Callable[[list[frozenset[TopicPartition]]], bool]) -> None:
    """Wait until the members have shared all partitions among them."""
    deadline = time.monotonic() + DEADLINE
    while True:
        assigned = [await member.assignment() for member in members]
        if sum(map(len, assigned)) == 6 and frozenset().union(*assigned) == ALL and share(assigned):
            return
        assert time.monotonic() < deadline, assigned
        await asyncio.sleep(0.02)


def halves(assigned: list[frozenset[TopicPartition]]) -> bool:
    return [len(each) for each in assigned] == [3, 3]


async def test_partitions_are_shared_and_come_back(logs: Logs) -> None:
    log, other = await logs.open([TOPIC]), await logs.open([TOPIC])
    first = await started(log, "numbers")
    await append(log, "a")
    assert len(await fetch_count(first, 6)) == 6
    before = first.generation

    second = await started(other, "numbers")
    await settled([first, second], halves)
    assert first.generation > before
    assert second.generation >= 1
    kept, moved = await first.assignment(), await second.assignment()

    # What stays goes on where it was; what is new begins at the beginning, until somebody seeks.
    await append(log, "b")
    assert sorted(texts(await fetch_count(first, 3))) == sorted(f"{key.partition}-b" for key in kept)
    both = sorted(f"{key.partition}-{text}" for key in moved for text in "ab")
    assert sorted(texts(await fetch_count(second, 6))) == both

    await second.close()
    before = first.generation
    await settled([first], lambda _: True)
    deadline = time.monotonic() + DEADLINE
    while first.generation == before:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    await first.seek(dict.fromkeys(ALL, 1))
    assert sorted(texts(await fetch_count(first, 6))) == [f"{number}-b" for number in range(6)]
    await first.close()


async def test_nothing_of_a_revoked_partition_is_handed_out(logs: Logs) -> None:
    """What has been fetched for the other member's partitions is dropped, also when there is a lot of it."""
    log, other = await logs.open([TOPIC]), await logs.open([TOPIC])
    first = await started(log, "numbers")
    for step in range(50):
        await append(log, str(step))
    assert await first.fetch(max_bytes=1, max_wait=DEADLINE)
    second = await started(other, "numbers")
    await settled([first, second], halves)
    own = await first.assignment()
    deadline = time.monotonic() + DEADLINE
    found: list[TopicPartition] = []
    while len(found) < 149:  # The first fetch may have taken one of them.
        assert time.monotonic() < deadline
        records = await first.fetch(max_bytes=500, max_wait=0.2)
        assert {record.topic_partition for record in records} <= own
        found += [record.topic_partition for record in records]
    for member in (first, second):
        await member.close()


async def test_a_pause_outlives_a_rebalance(logs: Logs) -> None:
    log, other = await logs.open([TOPIC]), await logs.open([TOPIC])
    first = await started(log, "numbers")
    await first.pause(ALL)
    second = await started(other, "numbers")
    await settled([first, second], halves)
    await append(log, "a")
    assert len(await fetch_count(second, 3)) == 3
    assert list(await first.fetch(max_bytes=1 << 20, max_wait=0.5)) == []
    await first.resume(ALL)
    assert len(await fetch_count(first, 3)) == 3
    for member in (first, second):
        await member.close()


async def test_a_static_member_that_comes_back_moves_no_partition(logs: Logs) -> None:
    log = await logs.open([TOPIC], session_timeout=SESSION)
    one, two = [await logs.open([TOPIC], member=name, session_timeout=SESSION) for name in ("one", "two")]
    first, second = await started(one, "numbers"), await started(two, "numbers")
    await settled([first, second], halves)
    generation, kept = first.generation, await second.assignment()

    await second.close()
    again = await started(two, "numbers")
    assert await again.assignment() == kept
    assert first.generation == generation
    await append(log, "a")
    assert sorted(texts(await fetch_count(again, 3))) == sorted(f"{key.partition}-a" for key in kept)
    assert len(await fetch_count(first, 3)) == 3

    # Who does not come back within the session time is missed.
    await again.close()
    await settled([first], lambda _: True)
    assert first.generation > generation
    await first.close()


async def test_a_static_member_that_was_killed_is_replaced_at_once(logs: Logs) -> None:
    """The session would last a minute yet; its place is taken by the same name."""
    vanished = await logs.open([TOPIC], member="one", session_timeout=60)
    lost = await started(vanished, "numbers")
    # Its connections stay open and its heartbeats go on, which is harder than a kill.
    successor = await logs.open([TOPIC], member="one", session_timeout=60)
    begun = time.monotonic()
    consumer = await started(successor, "numbers")
    assert await consumer.assignment() == ALL
    assert time.monotonic() - begun < DEADLINE / 2
    await consumer.close()
    await lost.close()


async def test_a_position_that_the_log_does_not_have_is_an_error_and_no_reset(logs: Logs) -> None:
    log = await logs.open([TOPIC])
    await append(log, "a")
    consumer = await started(log, "numbers")
    assert len(await fetch_count(consumer, 6)) == 6
    await consumer.seek({TopicPartition("numbers", 2): 7})
    with pytest.raises(LogUnavailable, match="does not have the position"):
        await fetch_count(consumer, 1)
    await consumer.close()


async def test_a_consumer_that_is_not_open_says_so(logs: Logs) -> None:
    log = await logs.open([TOPIC])
    consumer = log.consumer(["numbers"], "test")
    with pytest.raises(LogUnavailable, match="not started, or closed"):
        await consumer.fetch(max_bytes=1, max_wait=0)
    assert await consumer.assignment() == frozenset()
    await consumer.start()
    await consumer.close()
    await consumer.close()
    with pytest.raises(LogUnavailable):
        await consumer.fetch(max_bytes=1, max_wait=0)
