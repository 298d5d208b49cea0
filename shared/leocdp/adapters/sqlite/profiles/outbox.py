"""Outbox records that wait to be published, in the order of commits. What is published is deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from leocdp.adapters.sqlite.profiles.codec import OUTBOX
from leocdp.ports.profile_store import StoredOutbox


def pending(connection: sqlite3.Connection, limit: int) -> list[StoredOutbox]:
    rows = connection.execute("SELECT seq, body FROM outbox ORDER BY seq LIMIT ?", (limit,))
    return [StoredOutbox(seq, OUTBOX.decode(body)) for seq, body in rows]


def remove(connection: sqlite3.Connection, sequences: Sequence[int]) -> None:
    """Inside a transaction."""
    connection.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in sequences])
