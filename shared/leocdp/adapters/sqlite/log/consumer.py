"""Readers of the embedded log: group consumers and followers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Final

from leocdp.adapters.sqlite.log.fetch import Cursor, fetch
from leocdp.adapters.sqlite.log.file import Topic
from leocdp.adapters.sqlite.log.reader import LogReader
from leocdp.adapters.sqlite.log.watch import Ends, Watch
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import LogError, LogUnavailable, Record, TopicPartition

FOLLOW_BYTES: Final = 1 << 20

CommitGroup = Callable[[str, Mapping[TopicPartition, int]], Awaitable[None]]

log = get_logger(__name__)


class SQLiteConsumer:
    """A consumer of the embedded log.

    A group has **one** member: every partition of its topics is assigned to it, and nothing is ever reassigned. Two
    members would both read everything; the lock on the embedded profile store keeps a second processor away.
    """

    def __init__(
        self, reader: LogReader, watch: Watch, commit: CommitGroup, topics: Sequence[Topic], group: str
    ) -> None:
        self._reader = reader
        self._watch = watch
        self._commit = commit
        self._group = group
        self._cursors = [Cursor(topic, dict.fromkeys(range(topic.partitions), 0)) for topic in topics]
        self._paused: frozenset[TopicPartition] = frozenset()
        self._moves = 0
        """Counts seeks and pauses, so that a fetch that was under way meanwhile is not delivered."""
        self._open = False

    @property
    def generation(self) -> int:
        return int(self._open)

    async def start(self) -> None:
        self._open = True

    async def assignment(self) -> frozenset[TopicPartition]:
        if not self._open:
            return frozenset()
        return frozenset(TopicPartition(cursor.topic.name, p) for cursor in self._cursors for p in cursor.positions)

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        self._moves += 1
        for cursor in self._cursors:
            for partition in cursor.positions:
                offset = positions.get(TopicPartition(cursor.topic.name, partition))
                if offset is not None:
                    cursor.seek(partition, offset)
        self._watch.recheck()

    async def fetch(self, *, max_bytes: int, max_wait: float) -> Sequence[Record]:
        if not self._open:
            raise LogUnavailable("This consumer is not started, or closed.")
        deadline = asyncio.get_running_loop().time() + max_wait
        while True:
            records = await self._fetch_now(max_bytes)
            left = deadline - asyncio.get_running_loop().time()
            if records or left <= 0:
                return records
            await self._watch.wait(self._lags, left)

    async def _fetch_now(self, max_bytes: int) -> Sequence[Record]:
        cursors, paused, moves = [cursor.copy() for cursor in self._cursors], self._paused, self._moves
        records = await self._reader.run(lambda connection: fetch(connection, cursors, paused, max_bytes))
        if moves != self._moves:
            return []
        self._cursors = cursors
        return records

    def _lags(self, ends: Ends) -> bool:
        return any(cursor.lags(ends, self._paused) for cursor in self._cursors)

    async def pause(self, partitions: frozenset[TopicPartition]) -> None:
        self._moves += 1
        self._paused |= partitions

    async def resume(self, partitions: frozenset[TopicPartition]) -> None:
        self._moves += 1
        self._paused -= partitions
        self._watch.recheck()

    async def commit(self, positions: Mapping[TopicPartition, int]) -> None:
        try:
            await self._commit(self._group, positions)
        except LogError as error:
            log.warning("group_positions_not_written", group=self._group, error=str(error))

    async def close(self) -> None:
        self._open = False


async def follow(
    reader: LogReader, watch: Watch, topic: Topic, positions: Mapping[int, int] | None
) -> AsyncGenerator[Sequence[Record], None]:
    """See EventLog.follow."""
    start = positions or {}
    cursor = Cursor(topic, {partition: start.get(partition, 0) for partition in range(topic.partitions)})
    while True:
        records = await reader.run(lambda connection: fetch(connection, [cursor], frozenset(), FOLLOW_BYTES))
        yield records
        if not records:
            await watch.wait(lambda ends: cursor.lags(ends, frozenset()), None)
