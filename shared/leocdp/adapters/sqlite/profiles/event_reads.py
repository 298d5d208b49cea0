"""Reading events: timelines over the leaves of a person, and what came in last."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from leocdp.adapters.cursors import decode_cursor, encode_cursor
from leocdp.adapters.sqlite.profiles.codec import pack_id
from leocdp.adapters.sqlite.profiles.dedup import find_event
from leocdp.adapters.sqlite.profiles.events import COLUMNS, stored_event
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.events import dedup_key
from leocdp.ports.profile_reader import EventQuery, Page, StoredEvent

LOOK_BACK: Final = 5_000
"""Events that a filtered look at the newest ones reads at most."""


def timeline(connection: sqlite3.Connection, leaf_ids: Sequence[str], query: EventQuery) -> Page[StoredEvent]:
    """Newest first by (timestamp, number)."""
    before = decode_cursor(query.cursor, (int, int)) if query.cursor else None
    where, bound = _conditions(query, before)
    places: list[tuple[int, int]] = []
    sql = (
        f"SELECT timestamp, seq FROM events INDEXED BY events_leaf WHERE leaf = ?{where}"  # noqa: S608
        " ORDER BY timestamp DESC, seq DESC LIMIT ?"
    )
    # Leaf by leaf, so that each reads no more than a page of its range of the index.
    for leaf in map(pack_id, dict.fromkeys(leaf_ids)):
        places += connection.execute(sql, (leaf, *bound, query.limit + 1)).fetchall()
    places.sort(reverse=True)
    shown = places[: query.limit]
    after = encode_cursor(shown[-1]) if shown and len(places) > query.limit else None
    found = _by_number(connection, [seq for _, seq in shown])
    return Page([found[seq] for _, seq in shown], after)


def _conditions(query: EventQuery, before: tuple[Any, ...] | None) -> tuple[str, list[Any]]:
    parts: list[tuple[str, Any]] = []
    if query.from_ is not None:
        parts.append(("timestamp >= ?", query.from_))
    if query.to is not None:
        parts.append(("timestamp < ?", query.to))
    if query.name:
        parts.append(("name = ?", query.name))
    if query.type:
        parts.append(("type = ?", query.type))
    where = "".join(f" AND {condition}" for condition, _ in parts)
    bound = [value for _, value in parts]
    if before is not None:
        where += " AND (timestamp, seq) < (?, ?)"
        bound += before
    return where, bound


def _by_number(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, StoredEvent]:
    rows = select_in(connection, f"SELECT {COLUMNS} FROM events WHERE seq IN ({{in}})", numbers)  # noqa: S608
    return {row[0]: stored_event(row) for row in rows}


def by_message(connection: sqlite3.Connection, source_ids: Sequence[str], message_id: str) -> StoredEvent | None:
    seq = find_event(connection, [dedup_key(source, message_id) for source in source_ids])
    return None if seq is None else _by_number(connection, [seq]).get(seq)


def newest(
    connection: sqlite3.Connection, *, after: int | None, source: str, name: str, limit: int
) -> list[tuple[int, StoredEvent]]:
    """By number, newest first, among the last ``LOOK_BACK``."""
    sql = (
        f"SELECT * FROM (SELECT {COLUMNS} FROM events WHERE seq > ? ORDER BY seq DESC LIMIT ?)"  # noqa: S608
        " WHERE (? = '' OR source = ?) AND (? = '' OR name = ?) LIMIT ?"
    )
    bound = (-1 if after is None else after, LOOK_BACK, source, source, name, name, limit)
    return [(row[0], stored_event(row)) for row in connection.execute(sql, bound)]
