"""Records that have been fetched and not handed out yet, per partition in order, handed out in turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from leocdp.ports.event_log import Record, TopicPartition

RECORD_OVERHEAD: Final = 64


def record_of(topic: str, fetched: Any) -> Record:
    """A record of the driver as one of ours; ``topic`` is our name of its topic."""
    return Record(topic, fetched.partition, fetched.offset, fetched.timestamp, fetched.key, fetched.value)


class Backlog:
    """What the driver brings in one go may be more than a caller wants at once."""

    def __init__(self) -> None:
        self._queues: dict[TopicPartition, deque[Record]] = {}

    def add(self, fetched: Mapping[TopicPartition, Iterable[Record]]) -> None:
        for key, records in fetched.items():
            self._queues.setdefault(key, deque()).extend(records)

    def drop(self, key: TopicPartition) -> None:
        self._queues.pop(key, None)

    def clear(self) -> None:
        self._queues.clear()

    def take(self, max_bytes: int, paused: frozenset[TopicPartition]) -> Sequence[Record]:
        """About ``max_bytes``, at least one record if there is any; each partition in turn gets an equal share."""
        taken: list[Record] = []
        left = max_bytes
        ready = [key for key in self._queues if key not in paused]
        while ready and (left > 0 or not taken):
            share = max(1, left // len(ready))
            for key in ready:
                left -= self._take_share(key, min(share, left), taken)
                if left <= 0:
                    break
            ready = [key for key in ready if key in self._queues]
        return taken

    def _take_share(self, key: TopicPartition, share: int, taken: list[Record]) -> int:
        """Take at least one record of a partition; it goes to the end of the line. Returns the bytes taken."""
        queue = self._queues.pop(key)
        size = 0
        while queue and size < share:
            record = queue.popleft()
            taken.append(record)
            size += len(record.value or b"") + len(record.key or b"") + RECORD_OVERHEAD
        if queue:
            self._queues[key] = queue
        return size
