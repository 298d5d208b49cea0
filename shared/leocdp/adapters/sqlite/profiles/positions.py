"""Positions in event logs: moved by compare-and-set, in the transaction of the effects."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from leocdp.ports.profile_store import Conflict, PositionMove


def move_positions(connection: sqlite3.Connection, moves: Sequence[PositionMove], sequence: int) -> None:
    """Inside a transaction. Raises Conflict when a position is not at its ``old`` value."""
    for move in moves:
        key = (move.key.log_id, move.key.topic, move.key.partition)
        where = "WHERE log_id = ? AND topic = ? AND partition = ?"
        found = connection.execute(f"SELECT next FROM positions {where}", key).fetchone()  # noqa: S608
        stored = found[0] if found else None
        if stored != move.old:
            raise Conflict(
                f"The position of {move.key.topic}/{move.key.partition} is {stored}, not {move.old}: "
                "another worker has moved it."
            )
        connection.execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?)", (*key, move.new, sequence))


def read_positions(connection: sqlite3.Connection, log_id: str) -> Mapping[tuple[str, int], int]:
    rows = connection.execute("SELECT topic, partition, next FROM positions WHERE log_id = ?", (log_id,))
    return {(topic, partition): after for topic, partition, after in rows}


def logs(connection: sqlite3.Connection) -> list[str]:
    """Ids of the logs that positions are stored for, the one that was read last first."""
    rows = connection.execute("SELECT log_id FROM positions GROUP BY log_id ORDER BY max(sequence) DESC, log_id")
    return [log_id for (log_id,) in rows]
