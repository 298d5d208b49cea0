"""Both logs can be read in one order of all partitions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.topics import COMMANDS, EVENTS_ACCEPTED, TOPICS
from leocdp.ports.event_log import EventLog, NewRecord, Record
from leocdp_processor.ordering import OrderedReader, in_order
from tests.contract.event_log_harness import Harness, texts
from tests.contract.ordered_reading import OrderedReadingContract, ends, everything, whole
from tests.kafka import Kafka, Logs, logs_at


class SQLiteHarness:
    def __init__(self, path: Path, stack: AsyncExitStack) -> None:
        self.url = f"sqlite:///{path}"
        self._path = path
        self._stack = stack

    async def open(self) -> EventLog:
        log = SQLiteEventLog(self._path)
        await log.start()
        self._stack.push_async_callback(log.close)
        return log


class KafkaHarness:
    def __init__(self, logs: Logs) -> None:
        self.url = logs.url
        self._logs = logs

    async def open(self) -> EventLog:
        return await self._logs.open(TOPICS)


class TestSQLite(OrderedReadingContract):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[Harness]:
        async with AsyncExitStack() as stack:
            yield SQLiteHarness(tmp_path / "log.db", stack)


class TestKafka(OrderedReadingContract):
    @pytest.fixture
    async def harness(self, kafka: Kafka) -> AsyncIterator[Harness]:
        async with logs_at(kafka.url()) as logs:
            yield KafkaHarness(logs)


class Clock:
    def __init__(self) -> None:
        self.at = 1_000

    def now(self) -> int:
        return self.at


async def test_a_clock_that_was_set_back_loses_nothing(tmp_path: Path) -> None:
    clock = Clock()
    log = SQLiteEventLog(tmp_path / "log.db", clock=clock)
    await log.start()
    for at, partition in ((5_000, 0), (6_000, 1), (2_000, 0), (3_000, 1), (7_000, 0), (7_000, 1)):
        clock.at = at
        await log.append([NewRecord(EVENTS_ACCEPTED, partition, f"{partition} at {at}".encode())])
    consumer = await whole(log)
    reader = OrderedReader(consumer, log, {}, await ends(log))
    found = texts(await everything(reader, 1))
    for partition in "01":
        assert [one for one in found if one[0] == partition] == [
            f"{partition} at {at}" for at in ((5_000, 2_000, 7_000), (6_000, 3_000, 7_000))[int(partition)]
        ]
    await log.close()


def test_what_was_fetched_together_is_put_in_order() -> None:
    def record(topic: str, partition: int, offset: int, at: int) -> Record:
        return Record(topic, partition, offset, at, None, b"")

    fetched = [
        record(EVENTS_ACCEPTED, 0, 0, 10),
        record(EVENTS_ACCEPTED, 0, 1, 40),
        record(EVENTS_ACCEPTED, 0, 2, 20),
        record(EVENTS_ACCEPTED, 1, 0, 30),
        record(COMMANDS, 0, 0, 10),
        record(COMMANDS, 0, 1, 40),
    ]
    assert in_order(fetched) == [fetched[0], fetched[4], fetched[3], fetched[1], fetched[2], fetched[5]]
