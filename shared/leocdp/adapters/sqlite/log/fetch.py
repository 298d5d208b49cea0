"""What a consumer gets next: fairly over its partitions, in the order of offsets within each."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from leocdp.adapters.sqlite.log.batch import Batch, Part
from leocdp.adapters.sqlite.log.file import Topic
from leocdp.adapters.sqlite.log.read import batches_from, next_offsets, row_of, snapshot
from leocdp.ports.event_log import Record, TopicPartition

RECORD_OVERHEAD: Final = 64
"""What a record costs beside its key and value, so that many small ones fill a fetch too."""


@dataclass(slots=True)
class Cursor:
    """Where a reader stands in one topic."""

    topic: Topic
    positions: dict[int, int]
    """The next offset to read, per partition."""
    rows: dict[int, int] = field(default_factory=dict)
    """Per partition a row id before which nothing is left to read; found by binary search where it is missing."""
    waiting: frozenset[int] = frozenset()
    """Partitions that got nothing from the last fetch because others had filled it: they come first in the next."""

    def copy(self) -> Cursor:
        return Cursor(self.topic, dict(self.positions), dict(self.rows), self.waiting)

    def seek(self, partition: int, offset: int) -> None:
        self.positions[partition] = offset
        self.rows.pop(partition, None)

    def lags(self, ends: Mapping[str, Sequence[int]], paused: frozenset[TopicPartition]) -> bool:
        """Whether a partition that is not paused has more to read, as far as ``ends`` tells."""
        name = self.topic.name
        offsets = ends.get(name)
        return offsets is not None and any(
            position < offsets[partition] and (name, partition) not in paused
            for partition, position in self.positions.items()
        )


def fetch(
    connection: sqlite3.Connection, cursors: Sequence[Cursor], paused: frozenset[TopicPartition], max_bytes: int
) -> list[Record]:
    """About ``max_bytes`` of what comes next; moves the cursors.

    Nothing comes back only when every partition that is not paused has been read to its end.
    """
    records: list[Record] = []
    with snapshot(connection):
        jobs = [_Fetch(connection, cursor, paused) for cursor in cursors]
        count = sum(len(job.lagging) for job in jobs)
        for job in jobs:
            if job.lagging:
                records += job.run(max(max_bytes // count, 1))
    return records


class _Fetch:
    """One fetch from one topic: each lagging partition gets its share, at least one record if the whole is not full.

    Rows are read in order for all partitions at once, because partitions that lag alike stand in the same rows. A
    partition whose records stand far ahead of the others' is looked for apart, so that it need not wait for them.
    """

    def __init__(self, connection: sqlite3.Connection, cursor: Cursor, paused: frozenset[TopicPartition]) -> None:
        self._connection = connection
        self._cursor = cursor
        self._ends = next_offsets(connection, cursor.topic)
        name = cursor.topic.name
        self.lagging = {
            partition
            for partition, position in cursor.positions.items()
            if position < self._ends[partition] and (name, partition) not in paused
        }
        self._records: list[Record] = []
        self._budget = 0
        self._left: dict[int, int] = {}
        """What each partition may still have; those that have had their share are not in it."""
        self._unserved: set[int] = set()

    def run(self, share: int) -> list[Record]:
        self._budget = share * len(self.lagging)
        first = self.lagging & self._cursor.waiting
        waiting: set[int] = set()
        for group in (first, self.lagging - first):
            self._left = dict.fromkeys(group, share)
            self._unserved = set(group)
            self._serve(self._budget)
            waiting |= self._unserved
        self._cursor.waiting = frozenset(waiting)
        return self._records

    def _serve(self, window: int) -> None:
        rows = self._cursor.rows
        for partition in self._unserved:
            if partition not in rows:
                self._locate(partition)
        while self._unserved and self._budget > 0:
            self._scan(min(rows[partition] for partition in self._unserved), window)
            if self._budget > 0:
                for partition in self._unserved:
                    self._locate(partition)

    def _locate(self, partition: int) -> None:
        """Jump to the row of the partition's position, never back over rows that have been scanned."""
        cursor = self._cursor
        found = row_of(self._connection, cursor.topic, partition, cursor.positions[partition])
        cursor.rows[partition] = max(found, cursor.rows.get(partition, 0))

    def _scan(self, start: int, window: int) -> None:
        """Read rows from ``start`` on, until all have their share or ``window`` bytes have been read."""
        rows = self._cursor.rows
        # Only who has nothing left to read before ``start`` may take part: else records would be skipped.
        taking = {partition for partition in self._left if rows[partition] >= start}
        with closing(batches_from(self._connection, self._cursor.topic, start)) as batches:
            for batch in batches:
                if not self._take_batch(batch, taking):
                    return
                window -= batch.size
                if window <= 0:
                    return
        self._skip_to_end(taking)

    def _take_batch(self, batch: Batch, taking: set[int]) -> bool:
        """False when nobody needs the next row."""
        rows = self._cursor.rows
        for part in batch.parts:
            if part[0] in taking and not self._take_part(batch, part):
                taking.discard(part[0])
                if self._budget <= 0:
                    return False
        for partition in taking:
            rows[partition] = max(rows[partition], batch.id + 1)
        return bool(taking)

    def _take_part(self, batch: Batch, part: Part) -> bool:
        """Take records until the share is used up. False when it is."""
        partition = part[0]
        positions, left = self._cursor.positions, self._left[partition]
        self._cursor.rows[partition] = max(self._cursor.rows[partition], batch.id)
        for record in batch.records(self._cursor.topic.name, part, positions[partition]):
            self._records.append(record)
            self._unserved.discard(partition)
            positions[partition] = record.offset + 1
            size = len(record.value or b"") + len(record.key or b"") + RECORD_OVERHEAD
            left -= size
            self._budget -= size
            if left <= 0 or self._budget <= 0:
                del self._left[partition]
                return False
        self._left[partition] = left
        return True

    def _skip_to_end(self, partitions: set[int]) -> None:
        """No row is left: what these have not read was removed by retention or compaction."""
        for partition in partitions:
            self._cursor.positions[partition] = max(self._ends[partition], self._cursor.positions[partition])
            self._unserved.discard(partition)
