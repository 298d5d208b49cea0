"""Reading the embedded log: plain functions over a connection, run on the reader's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from leocdp.adapters.sqlite.log.batch import Batch
from leocdp.adapters.sqlite.log.file import Topic, decode_offsets
from leocdp.ports.event_log import Bounds, Record, TopicPartition


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """One state of the file for several queries."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")


def next_offsets(connection: sqlite3.Connection, topic: Topic) -> list[int]:
    row = connection.execute("SELECT offsets FROM topics WHERE number = ?", (topic.number,)).fetchone()
    return decode_offsets(row[0])


def bounds(connection: sqlite3.Connection, topic: Topic) -> Mapping[int, Bounds]:
    with snapshot(connection):
        ends = next_offsets(connection, topic)
        first = connection.execute(
            "SELECT bases FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT 1", (topic.first_id, topic.end_id)
        ).fetchone()
    begins = decode_offsets(first[0]) if first else ends
    return {partition: Bounds(*pair) for partition, pair in enumerate(zip(begins, ends, strict=True))}


def group_positions(connection: sqlite3.Connection, group: str) -> Mapping[TopicPartition, int]:
    query = "SELECT topic, partition, position FROM group_positions WHERE member_group = ?"
    return {TopicPartition(topic, partition): at for topic, partition, at in connection.execute(query, (group,))}


def row_of(connection: sqlite3.Connection, topic: Topic, partition: int, offset: int) -> int:
    """The id of the last row whose base is not beyond ``offset``: the record stands there, or after it."""
    low, high = topic.first_id, topic.end_id
    last = connection.execute("SELECT max(id) FROM batches WHERE id >= ? AND id < ?", (low, high)).fetchone()[0]
    found = low
    high = low if last is None else last + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(
            "SELECT id, bases FROM batches WHERE id >= ? AND id < ? ORDER BY id LIMIT 1", (middle, high)
        ).fetchone()
        if row is None:
            high = middle
        elif decode_offsets(row[1])[partition] <= offset:
            found, low = row[0], row[0] + 1
        else:
            high = middle
    return found


def batches_from(connection: sqlite3.Connection, topic: Topic, row: int) -> Generator[Batch, None, None]:
    rows = connection.execute(
        "SELECT id, at, bases, payload FROM batches WHERE id >= ? AND id < ? ORDER BY id", (row, topic.end_id)
    )
    for found in rows:
        yield Batch.unpack(found)


def read(
    connection: sqlite3.Connection, topic: Topic, partition: int, offset: int, max_records: int
) -> Sequence[Record]:
    """Records of one partition from an offset on."""
    with snapshot(connection):
        end = next_offsets(connection, topic)[partition]
        found: list[Record] = []
        if offset >= end or max_records <= 0:
            return found
        with closing(batches_from(connection, topic, row_of(connection, topic, partition, offset))) as batches:
            for batch in batches:
                for part in batch.parts:
                    if part[0] == partition:
                        found.extend(batch.records(topic.name, part, offset))
                if len(found) >= max_records or (found and found[-1].offset + 1 >= end):
                    break
        return found[:max_records]
