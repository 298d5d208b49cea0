"""Reading without a group: where partitions begin and end, records at an offset, and following a topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from leocdp.adapters.kafka.backlog import record_of
from leocdp.adapters.kafka.errors import translated
from leocdp.adapters.kafka.feed import READING, Silence, pull, stop
from leocdp.ports.event_log import Bounds, Record

CLOSE_SECONDS: Final = 5.0
POLL_MS: Final = 200
COORDINATOR_SECONDS: Final = 10.0


class Reader:
    """One consumer of the driver for short questions. Started and closed with the log."""

    def __init__(self, connect: Callable[[], AIOKafkaConsumer]) -> None:
        self._driver = connect()
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        with translated(READING):
            await self._driver.start()

    async def close(self) -> None:
        await stop(self._driver, CLOSE_SECONDS)

    async def bounds(self, topic: str, partitions: int) -> Mapping[int, Bounds]:
        """``topic`` is its name in the cluster."""
        keys = [KafkaPartition(topic, number) for number in range(partitions)]
        with translated(READING):
            # One after the other: a partition that begins later than it ends would be told if both ran at once.
            begin = await self._driver.beginning_offsets(keys)
            end = await self._driver.end_offsets(keys)
        return {key.partition: Bounds(begin[key], end[key]) for key in keys}

    async def read(self, topic: str, name: str, partition: int, offset: int, max_records: int) -> Sequence[Record]:
        """Up to ``max_records`` from ``offset`` on; ``name`` is the topic's in the cluster."""
        key = KafkaPartition(name, partition)
        found: list[Record] = []
        silence = Silence()
        async with self._reading:
            with translated(READING):
                end = (await self._driver.end_offsets([key]))[key]
                if offset >= end:
                    return ()
                self._driver.assign([key])
                self._driver.seek(key, offset)
                while len(found) < max_records and await self._driver.position(key) < end:
                    fetched = await pull(self._driver, silence, POLL_MS)
                    found += [record_of(topic, each) for each in fetched.get(key, ())]
                self._driver.unsubscribe()
        return found[:max_records]


async def follow(
    connect: Callable[[], AIOKafkaConsumer], topic: str, name: str, partitions: int, positions: Mapping[int, int]
) -> AsyncGenerator[Sequence[Record], None]:
    """See EventLog.follow; ``name`` is the topic's in the cluster."""
    keys = [KafkaPartition(name, number) for number in range(partitions)]
    driver = connect()
    silence = Silence()
    try:
        with translated(READING):
            await driver.start()
            driver.assign(keys)
            for key in keys:
                driver.seek(key, positions.get(key.partition, 0))
        idle = False
        while True:
            if not idle and await _at_end(driver, keys):
                yield ()
                idle = True
            fetched = await pull(driver, silence)
            if fetched:
                idle = False
                yield [record_of(topic, each) for key in keys for each in fetched.get(key, ())]
    finally:
        await stop(driver, CLOSE_SECONDS)


async def committed_offsets(admin: AIOKafkaAdminClient, group: str) -> Mapping[KafkaPartition, OffsetAndMetadata]:
    """What a group has committed, by its name in the cluster. Who keeps it takes a moment to be found at first."""
    deadline = asyncio.get_running_loop().time() + COORDINATOR_SECONDS
    while True:
        try:
            found: Mapping[KafkaPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(group)
            return found
        except KafkaError as error:
            if not error.retriable or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(POLL_MS / 1000)


async def _at_end(driver: AIOKafkaConsumer, keys: Sequence[KafkaPartition]) -> bool:
    """Whether everything that is in the topic now has been read."""
    with translated(READING):
        ends = await driver.end_offsets(keys)
        return all([await driver.position(key) >= ends[key] for key in keys])
