"""The event log of the embedded engine: one SQLite file that several processes append to and read.

See ``leocdp.ports.event_log`` for the contract and ``log/file.py`` for what stands in the file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from leocdp.adapters.sqlite.log import read as queries
from leocdp.adapters.sqlite.log.consumer import SQLiteConsumer, follow
from leocdp.adapters.sqlite.log.file import LogFile, Topic
from leocdp.adapters.sqlite.log.reader import CLOSED, LogReader, on_loop
from leocdp.adapters.sqlite.log.upkeep import Upkeep, UpkeepPolicy
from leocdp.adapters.sqlite.log.watch import Watch
from leocdp.adapters.sqlite.log.writer import Append, GroupMove, LogWriter, Outcome
from leocdp.contracts.topics import TOPICS, TopicSpec
from leocdp.ports.clock import Clock, SystemClock
from leocdp.ports.event_log import (
    MAX_RECORD_BYTES,
    Bounds,
    Consumer,
    LogError,
    LogUnavailable,
    NewRecord,
    Record,
    RecordTooLarge,
    TopicPartition,
    UnknownTopic,
)

MAX_IN_FLIGHT: Final = 64 << 20
RECORD_OVERHEAD: Final = 64


class SQLiteEventLog:
    """EventLog on one SQLite file (WAL, ``synchronous=FULL``, one commit for all appends in flight).

    Two threads per process: one writes, one reads and watches the file. Bound to the event loop that starts it.

    Args:
        path: the file; its folder must exist unless ``make_folder``.
        topics: the topic table; missing topics are created at start if ``create``.
        max_in_flight: bytes that may wait for a commit. Beyond that ``append`` raises LogUnavailable at once, so
            that a slow disk is felt by the callers and not by the memory of the process.
    """

    def __init__(
        self,
        path: Path,
        *,
        topics: Sequence[TopicSpec] = TOPICS,
        create: bool = True,
        make_folder: bool = False,
        max_in_flight: int = MAX_IN_FLIGHT,
        clock: Clock | None = None,
        upkeep: UpkeepPolicy | None = None,
    ) -> None:
        self._file = LogFile(path, topics, create=create, make_folder=make_folder)
        self._specs = topics
        self._clock = clock or SystemClock()
        self._policy = upkeep or UpkeepPolicy()
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._topics: dict[str, Topic] = {}
        self._running: _Running | None = None

    @property
    def log_id(self) -> str:
        return self._file.log_id

    async def start(self) -> None:
        if self._running is not None:
            return
        await asyncio.to_thread(self._file.prepare)
        self._topics = self._file.topics
        loop = asyncio.get_running_loop()
        upkeep = Upkeep(self._topics, self._specs, self._clock, self._policy)
        self._running = _Running(self, loop, upkeep)

    async def close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.close()

    async def append(self, records: Sequence[NewRecord]) -> Sequence[int]:
        running = self._run()
        size = 0
        for record in records:
            topic = self._topics.get(record.topic)
            if topic is None or not 0 <= record.partition < topic.partitions:
                raise UnknownTopic(self._unknown(record.topic, record.partition))
            length = len(record.value or b"")
            if length > MAX_RECORD_BYTES:
                raise RecordTooLarge(f"A record of {length} bytes: {record.topic} takes {MAX_RECORD_BYTES} at most.")
            size += length + len(record.key or b"") + RECORD_OVERHEAD
        if not records:
            return ()
        if self._in_flight + size > self._max_in_flight:
            raise LogUnavailable(
                f"{self._in_flight} bytes wait for the event log {self._file.path} already. Try again in a second."
            )
        future: asyncio.Future[Sequence[int]] = running.loop.create_future()
        self._in_flight += size
        running.writer.submit(Append(records, size, future))
        return await future

    async def partitions(self, topic: str) -> int:
        return self._topic(topic).partitions

    async def bounds(self, topic: str) -> Mapping[int, Bounds]:
        known = self._topic(topic)
        return await self._run().reader.run(lambda connection: queries.bounds(connection, known))

    def follow(self, topic: str, positions: Mapping[int, int] | None = None) -> AsyncIterator[Sequence[Record]]:
        known, running = self._topic(topic), self._run()
        return follow(running.reader, running.watch, known, positions)

    async def read(self, topic: str, partition: int, offset: int, *, max_records: int = 100) -> Sequence[Record]:
        known = self._topic(topic, partition)
        return await self._run().reader.run(
            lambda connection: queries.read(connection, known, partition, offset, max_records)
        )

    def consumer(self, topics: Sequence[str], group: str) -> Consumer:
        running = self._run()
        return SQLiteConsumer(
            running.reader, running.watch, self._commit_group, [self._topic(t) for t in topics], group
        )

    async def group_positions(self, group: str) -> Mapping[TopicPartition, int]:
        return await self._run().reader.run(lambda connection: queries.group_positions(connection, group))

    async def _commit_group(self, group: str, positions: Mapping[TopicPartition, int]) -> None:
        running = self._run()
        future: asyncio.Future[None] = running.loop.create_future()
        running.writer.submit(GroupMove(group, dict(positions), future))
        await future

    def _run(self) -> _Running:
        if self._running is None:
            raise LogUnavailable(f"The event log {self._file.path} is not started, or closed.")
        return self._running

    def _topic(self, name: str, partition: int = 0) -> Topic:
        topic = self._topics.get(name)
        if topic is None or not 0 <= partition < topic.partitions:
            self._run()
            raise UnknownTopic(self._unknown(name, partition))
        return topic

    def _unknown(self, name: str, partition: int) -> str:
        topic = self._topics.get(name)
        if topic is None:
            return f"The event log {self._file.path} has no topic {name!r}."
        return f"Topic {name} has partitions 0 to {topic.partitions - 1}, not {partition}."

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """Answer everybody whose request is written, or failed. On the event loop."""
        for request, result in outcomes:
            self._in_flight -= request.size
            future: asyncio.Future[Any] = request.future
            if future.done():
                continue
            if isinstance(result, LogError):
                future.set_exception(type(result)(*result.args))
            else:
                future.set_result(result)


class _Running:
    """What exists between ``start`` and ``close``."""

    def __init__(self, owner: SQLiteEventLog, loop: asyncio.AbstractEventLoop, upkeep: Upkeep) -> None:
        self.loop = loop
        self._owner = owner
        self.reader = LogReader(owner._file, loop, self._noticed)
        self.watch = Watch(self.reader.watch)
        self.writer = LogWriter(owner._file, owner._clock, upkeep, self._written)
        self.reader.start()
        self.writer.start()

    async def close(self) -> None:
        await asyncio.to_thread(self.writer.close)
        await asyncio.to_thread(self.reader.close)
        self.watch.failed(LogUnavailable(CLOSED))

    def _written(self, outcomes: Sequence[Outcome], ends: Mapping[str, Sequence[int]]) -> None:
        on_loop(self.loop, self._settle, outcomes, ends)

    def _settle(self, outcomes: Sequence[Outcome], ends: Mapping[str, Sequence[int]]) -> None:
        self._owner.settled(outcomes)
        self.watch.grown(ends)

    def _noticed(self, grown: Mapping[str, Sequence[int]], failure: LogError | None) -> None:
        if failure is not None:
            on_loop(self.loop, self.watch.failed, failure)
        else:
            on_loop(self.loop, self.watch.grown, grown)
