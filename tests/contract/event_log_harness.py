"""What the event log's contract suites share: the harness that an adapter provides, and words for records."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import Consumer, EventLog, NewRecord, Record, TopicPartition

APPENDER = Path(__file__).with_name("log_appender.py")
DEADLINE = 60.0
"""Seconds after which a test that waits has failed. Machines are shared; correct code takes milliseconds."""


class Harness(Protocol):
    """A log that is empty at the beginning of each test."""

    url: str
    """Where another process finds it (``LEOCDP_LOG_URL``)."""

    async def open(self) -> EventLog:
        """A started client of the log, independent of the ones before. Closed at the end of the test."""


def event(partition: int, text: str, topic: str = EVENTS_ACCEPTED) -> NewRecord:
    return NewRecord(topic, partition, text.encode())


def texts(records: Sequence[Record]) -> list[str]:
    return [(record.value or b"").rstrip(b".").decode() for record in records]


async def fetch_until(
    consumer: Consumer, enough: Callable[[Sequence[Record]], bool], max_bytes: int = 1 << 20
) -> list[Record]:
    found: list[Record] = []
    deadline = time.monotonic() + DEADLINE
    while not enough(found):
        assert time.monotonic() < deadline, f"only {len(found)} records arrived"
        found += await consumer.fetch(max_bytes=max_bytes, max_wait=0.5)
    return found


async def fetch_count(consumer: Consumer, count: int, max_bytes: int = 1 << 20) -> list[Record]:
    found = await fetch_until(consumer, lambda records: len(records) >= count, max_bytes)
    found += await consumer.fetch(max_bytes=max_bytes, max_wait=0)
    assert len(found) == count
    return found


async def started(log: EventLog, *topics: str, group: str = "test") -> Consumer:
    """A consumer that has its partitions."""
    consumer = log.consumer(topics or [EVENTS_ACCEPTED], group)
    await consumer.start()
    deadline = time.monotonic() + DEADLINE
    while not await consumer.assignment():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    return consumer


def assert_consecutive(records: Sequence[Record], starts: Mapping[TopicPartition, int] | None = None) -> None:
    """Each partition's offsets have neither gap nor repetition, in the order given."""
    expected: dict[TopicPartition, int] = defaultdict(int, starts or {})
    for record in records:
        assert record.offset == expected[record.topic_partition], record
        expected[record.topic_partition] += 1


async def run_appender(url: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(APPENDER),
        url,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def until_caught_up(following: AsyncIterator[Sequence[Record]]) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(DEADLINE):
        while batch := await anext(following):
            found += batch
    return found
