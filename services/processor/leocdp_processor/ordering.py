"""Records of many partitions in one order: the one in which the log took them.

Within a partition the order is the log's. Between partitions time decides, and at the same time events come before
commands, because an action of a person answers what they have seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Final

from leocdp.contracts import topics
from leocdp.ports.event_log import Consumer, EventLog, Record, TopicPartition

RANK: Final = {topics.EVENTS_ACCEPTED: 0, topics.EVENTS_REJECTED: 1, topics.COMMANDS: 2}
FETCH_BYTES: Final = 4 << 20
FETCH_WAIT: Final = 1.0
HELD_BYTES: Final = 2 << 20
"""Of one partition, beyond which it is not read on until others have caught up."""

Place = tuple[int, int, str, int]


def in_order(records: Sequence[Record]) -> list[Record]:
    """What was fetched together. A clock that was set back does not change the order within a partition."""
    latest: dict[TopicPartition, int] = {}
    placed: list[tuple[Place, int, Record]] = []
    for number, record in enumerate(records):
        at = latest[record.topic_partition] = max(record.timestamp, latest.get(record.topic_partition, 0))
        placed.append(((at, *_place(record)[1:]), number, record))
    placed.sort(key=lambda one: one[:2])
    return [record for _, _, record in placed]


class OrderedReader:
    """Reads partitions of a consumer from where they stand to given ends, all of them in one order.

    The consumer must have all of the partitions, sought to ``starts``; it is left with none of them paused.
    """

    def __init__(
        self,
        consumer: Consumer,
        log: EventLog,
        starts: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        self._consumer = consumer
        self._log = log
        self._next = {key: starts.get(key, 0) for key in ends}
        self._ends = dict(ends)
        self._queues: dict[TopicPartition, deque[Record]] = {key: deque() for key in ends}
        self._held: dict[TopicPartition, int] = dict.fromkeys(ends, 0)
        self._paused: frozenset[TopicPartition] = frozenset()

    @property
    def left(self) -> int:
        """Records that are still to be read, those that are held already included."""
        unread = sum(max(0, self._ends[key] - self._next[key]) for key in self._ends)
        return unread + sum(map(len, self._queues.values()))

    async def take(self, max_bytes: int) -> list[Record]:
        """About ``max_bytes`` of what comes next; empty at the ends."""
        while self._wanting():
            records = await self._consumer.fetch(max_bytes=FETCH_BYTES, max_wait=FETCH_WAIT)
            for record in records:
                self._hold(record)
            if not records:
                await self._skip_gaps()
            await self._balance()
        taken = self._release(max_bytes)
        await self._balance()
        return taken

    async def close(self) -> None:
        await self._consumer.resume(self._paused)
        self._paused = frozenset()

    def _wanting(self) -> bool:
        """Whether a partition that has not come to its end holds nothing, so that what comes next is not known."""
        return any(not queue and self._next[key] < self._ends[key] for key, queue in self._queues.items())

    def _hold(self, record: Record) -> None:
        key = record.topic_partition
        if key not in self._queues or record.offset < self._next[key]:
            return
        self._next[key] = record.offset + 1
        if record.offset < self._ends[key]:
            self._queues[key].append(record)
            self._held[key] += _size(record)

    async def _skip_gaps(self) -> None:
        """Nothing more came: what retention has removed meanwhile is not waited for."""
        for topic in {key.topic for key in self._ends}:
            for partition, bounds in (await self._log.bounds(topic)).items():
                key = TopicPartition(topic, partition)
                if key in self._next:
                    self._next[key] = max(self._next[key], bounds.begin)

    async def _balance(self) -> None:
        full = {key for key, held in self._held.items() if held > HELD_BYTES}
        full |= {key for key in self._ends if self._next[key] >= self._ends[key]}
        wanted = frozenset(full)
        if paused := wanted - self._paused:
            await self._consumer.pause(paused)
        if resumed := self._paused - wanted:
            await self._consumer.resume(resumed)
        self._paused = wanted

    def _release(self, max_bytes: int) -> list[Record]:
        heads = [(_place(queue[0]), key) for key, queue in self._queues.items() if queue]
        heapify(heads)
        taken: list[Record] = []
        while heads and max_bytes > 0:
            _, key = heappop(heads)
            queue = self._queues[key]
            record = queue.popleft()
            taken.append(record)
            self._held[key] -= _size(record)
            max_bytes -= _size(record)
            if queue:
                heappush(heads, (_place(queue[0]), key))
            elif self._next[key] < self._ends[key]:
                break
        return taken


def _place(record: Record) -> Place:
    return record.timestamp, RANK[record.topic], record.topic, record.partition


def _size(record: Record) -> int:
    return len(record.value or b"") + 64
