"""Retention and compaction of the embedded log, in steps of a few milliseconds between commits.

Any process that has the log open may do the work; a due time in the file sees to it that one does. Space that is freed
is used again by later records; the file itself does not shrink. Freed space is overwritten with zeros, because what
retention removed must be gone (``secure_delete``).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from leocdp.adapters.sqlite.log.batch import Batch, Entry, Row, encode_parts
from leocdp.adapters.sqlite.log.file import Topic, immediate
from leocdp.contracts.topics import DAY_MS, TopicSpec
from leocdp.ports.clock import Clock

Newest = dict[tuple[int, bytes], tuple[int, int]]
"""(partition, key) → (row id, place in the row's part) of the newest record."""

STEP_ROWS: Final = 64
STEP_BYTES: Final = 4 << 20
"""A step ends after this many rows or bytes, whichever comes first."""


@dataclass(frozen=True, slots=True)
class UpkeepPolicy:
    """When the work is done. What is kept stands in the topic table."""

    every_ms: int = 60_000
    compact_every_ms: int = 3_600_000
    compact_after: int = 1_000
    """Records since the last compaction that make the next one due early."""
    tombstone_ms: int = DAY_MS
    """How long a tombstone stays, so that every reader has seen it."""


class Upkeep:
    def __init__(
        self, topics: Mapping[str, Topic], specs: Sequence[TopicSpec], clock: Clock, policy: UpkeepPolicy
    ) -> None:
        self._topics = topics
        self._specs = specs
        self._clock = clock
        self._policy = policy
        self._next = time.monotonic() + policy.every_ms / 1000

    def due_in(self) -> float:
        """Seconds until there is work; 0 or less when it is due."""
        return self._next - time.monotonic()

    def postpone(self) -> None:
        self._next = time.monotonic() + self._policy.every_ms / 1000

    def run(self, connection: sqlite3.Connection) -> Iterator[None]:
        """All the work, if no other process has just done it. Yields after each small transaction."""
        self.postpone()
        if not self._claim(connection):
            return
        for spec in self._specs:
            topic = self._topics.get(spec.name)
            if topic is None:
                continue
            if spec.compacted:
                yield from self._compact(connection, topic)
            if spec.retention_ms is not None or spec.retention_bytes is not None:
                yield from self._expire(connection, topic, spec)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _claim(self, connection: sqlite3.Connection) -> bool:
        now = self._clock.now()
        with immediate(connection):
            row = connection.execute("SELECT value FROM meta WHERE key = 'upkeep_at'").fetchone()
            # A due time far ahead is that of a clock which has been put back since.
            if row is not None and now < row[0] <= now + self._policy.every_ms:
                return False
            due = now + self._policy.every_ms // 2
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('upkeep_at', ?)", (due,))
        return True

    def _expire(self, connection: sqlite3.Connection, topic: Topic, spec: TopicSpec) -> Iterator[None]:
        more = True
        while more:
            with immediate(connection):
                more = self._expire_some(connection, topic, spec)
            yield

    def _expire_some(self, connection: sqlite3.Connection, topic: Topic, spec: TopicSpec) -> bool:
        """Remove the oldest rows that are past their time or over the topic's bytes. True if there may be more."""
        held: int = connection.execute("SELECT bytes FROM topics WHERE number = ?", (topic.number,)).fetchone()[0]
        oldest = None if spec.retention_ms is None else self._clock.now() - spec.retention_ms
        rows = connection.execute(
            "SELECT id, at, length(payload) FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (topic.first_id, topic.end_id, STEP_ROWS),
        ).fetchall()
        removed = last = 0
        for id_, at, size in rows:
            too_old = oldest is not None and at < oldest
            too_much = spec.retention_bytes is not None and held - removed > spec.retention_bytes
            if not (too_old or too_much) or removed >= STEP_BYTES:
                break
            removed += size
            last = id_
        if not removed:
            return False
        connection.execute("DELETE FROM batches WHERE id >= ? AND id <= ?", (topic.first_id, last))
        connection.execute("UPDATE topics SET bytes = bytes - ? WHERE number = ?", (removed, topic.number))
        return True

    def _compact(self, connection: sqlite3.Connection, topic: Topic) -> Iterator[None]:
        now = self._clock.now()
        sequence, done_to, done_at = connection.execute(
            "SELECT sequence, compacted_to, compacted_at FROM topics WHERE number = ?", (topic.number,)
        ).fetchone()
        if sequence - done_to < self._policy.compact_after and now - done_at < self._policy.compact_every_ms:
            return
        newest: Newest = {}
        for rows in _chunks(connection, topic, topic.first_id + sequence):
            _note_newest(newest, rows)
            yield
        for rows in _chunks(connection, topic, topic.first_id + sequence):
            with immediate(connection):
                self._rewrite(connection, topic, rows, newest, now - self._policy.tombstone_ms)
            yield
        with immediate(connection):
            connection.execute(
                "UPDATE topics SET compacted_to = ?, compacted_at = ? WHERE number = ?", (sequence, now, topic.number)
            )
        yield

    def _rewrite(
        self,
        connection: sqlite3.Connection,
        topic: Topic,
        rows: Sequence[Row],
        newest: Newest,
        tombstones_before: int,
    ) -> None:
        freed = 0
        for row in rows:
            batch = Batch.unpack(row)
            kept = _survivors(batch, newest, tombstones_before)
            if kept == batch.parts:
                continue
            if any(entry is not None for _, entries in kept for entry in entries):
                payload = encode_parts(kept)
                connection.execute("UPDATE batches SET payload = ? WHERE id = ?", (payload, batch.id))
                freed += batch.size - len(payload)
            else:
                connection.execute("DELETE FROM batches WHERE id = ?", (batch.id,))
                freed += batch.size
        if freed:
            connection.execute("UPDATE topics SET bytes = bytes - ? WHERE number = ?", (freed, topic.number))


def _chunks(connection: sqlite3.Connection, topic: Topic, end_id: int) -> Iterator[list[Row]]:
    """The rows of a topic up to ``end_id``, a step's worth at a time. Survives changes between two chunks."""
    start = topic.first_id
    while True:
        rows: list[Row] = connection.execute(
            "SELECT id, at, bases, payload FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (start, end_id, STEP_ROWS),
        ).fetchall()
        if not rows:
            return
        yield rows
        start = rows[-1][0] + 1


def _places(batch: Batch) -> Iterator[tuple[int, int, Entry | None]]:
    """(partition, place in the part, record) of each record."""
    for partition, entries in batch.parts:
        for place, entry in enumerate(entries):
            yield partition, place, entry


def _note_newest(newest: Newest, rows: Sequence[Row]) -> None:
    """Remember, per partition and key, where the newest record stands."""
    for row in rows:
        batch = Batch.unpack(row)
        for partition, place, entry in _places(batch):
            if entry is not None and entry[0] is not None:
                newest[partition, entry[0]] = (batch.id, place)


def _survivors(batch: Batch, newest: Newest, tombstones_before: int) -> list[tuple[int, list[Entry | None]]]:
    kept: list[tuple[int, list[Entry | None]]] = [(partition, list(entries)) for partition, entries in batch.parts]
    for (_, entries), (partition, _old) in zip(kept, batch.parts, strict=True):
        for place, entry in enumerate(entries):
            if entry is None or entry[0] is None:
                continue
            is_newest = newest.get((partition, entry[0])) == (batch.id, place)
            if not is_newest or (entry[1] is None and batch.at < tombstones_before):
                entries[place] = None
    return kept
