"""What every event log gives to a reader that wants one order of all partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from leocdp.contracts.topics import COMMANDS, EVENTS_ACCEPTED, EVENTS_REJECTED
from leocdp.ports.event_log import Consumer, EventLog, NewRecord, Record, TopicPartition
from leocdp_processor.ordering import RANK, OrderedReader
from tests.contract.event_log_harness import Harness, texts

TOPICS = (EVENTS_ACCEPTED, COMMANDS, EVENTS_REJECTED)


async def everything(reader: OrderedReader, max_bytes: int) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(60):
        while records := await reader.take(max_bytes):
            found += records
    await reader.close()
    return found


async def ends(log: EventLog) -> dict[TopicPartition, int]:
    bounds = {topic: await log.bounds(topic) for topic in TOPICS}
    return {TopicPartition(topic, n): one.end for topic, found in bounds.items() for n, one in found.items()}


async def whole(log: EventLog) -> Consumer:
    """A consumer with all partitions."""
    consumer = log.consumer(TOPICS, "ordered")
    await consumer.start()
    wanted = (await ends(log)).keys()
    async with asyncio.timeout(60):
        while not wanted <= await consumer.assignment():
            await asyncio.sleep(0.05)
    return consumer


def place(record: Record) -> tuple[int, int, str, int, int]:
    return record.timestamp, RANK[record.topic], record.topic, record.partition, record.offset


async def fill(log: EventLog, rounds: int) -> None:
    """One busy partition with large records, some quiet ones, and a few commands."""
    for number in range(rounds):
        records = [NewRecord(EVENTS_ACCEPTED, 3, b"x" * 40_000), NewRecord(EVENTS_ACCEPTED, number % 24, b"e")]
        if number % 5 == 0:
            records.append(NewRecord(COMMANDS, 0, f"c-{number}".encode()))
        if number % 7 == 0:
            records.append(NewRecord(EVENTS_REJECTED, number % 6, b"r"))
        await log.append(records)


class OrderedReadingContract:
    async def test_all_partitions_come_in_the_order_in_which_the_log_took_them(self, harness: Harness) -> None:
        log = await harness.open()
        await fill(log, 200)
        goal = await ends(log)
        await fill(log, 3)
        for max_bytes in (1, 100_000, 64 << 20):
            consumer = await whole(log)
            await consumer.seek(dict.fromkeys(goal, 0))
            reader = OrderedReader(consumer, log, {}, goal)
            assert reader.left == sum(goal.values())
            found = await everything(reader, max_bytes)
            assert [place(one) for one in found] == sorted(place(one) for one in found)
            assert counted(found) == {key: end for key, end in goal.items() if end}
            assert reader.left == 0
            await consumer.close()

    async def test_it_begins_where_it_is_told(self, harness: Harness) -> None:
        log = await harness.open()
        await fill(log, 30)
        goal = await ends(log)
        starts = {key: end // 2 for key, end in goal.items()}
        consumer = await whole(log)
        await consumer.seek(starts)
        found = await everything(OrderedReader(consumer, log, starts, goal), 1 << 20)
        assert len(found) == sum(goal.values()) - sum(starts.values())
        await consumer.seek(dict.fromkeys(goal, 0))
        # What was held back is given back: the consumer is as usable as before.
        async with asyncio.timeout(60):
            assert await consumer.fetch(max_bytes=1, max_wait=10)
        await consumer.close()

    async def test_an_action_comes_after_what_was_there_before_it(self, harness: Harness) -> None:
        log = await harness.open()
        for number in range(20):
            await log.append([NewRecord(EVENTS_ACCEPTED, number % 24, f"{number:02} event".encode())])
            await log.append([NewRecord(COMMANDS, 0, f"{number:02} then".encode())])
            await asyncio.sleep(0.002)
        consumer = await whole(log)
        goal = await ends(log)
        await consumer.seek(dict.fromkeys(goal, 0))
        found = texts(await everything(OrderedReader(consumer, log, {}, goal), 200))
        assert found == sorted(found)
        await consumer.close()


def counted(records: Sequence[Record]) -> dict[TopicPartition, int]:
    counts: dict[TopicPartition, int] = {}
    for record in records:
        assert record.offset == counts.get(record.topic_partition, 0)
        counts[record.topic_partition] = record.offset + 1
    return counts
