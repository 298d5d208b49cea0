"""Configuration entries and what of them is still to be published."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from leocdp.adapters.sqlite.admin import rows
from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.admin_store import AlreadyExists, Unknown, VersionMismatch

_UPSERT: Final = (
    rows.insert(rows.ENTRY, "config") + "ON CONFLICT (kind, id) DO UPDATE SET "
    "version = excluded.version, at = excluded.at, deleted = excluded.deleted, data = excluded.data"
)
_ENTRIES: Final = rows.select(rows.ENTRY, "config")
_PENDING: Final = rows.select(
    f"o.number, {rows.prefixed(rows.ENTRY, 'c')}",
    "config_outbox o JOIN config c ON c.kind = o.kind AND c.id = o.id",
)


def entries(connection: sqlite3.Connection, kind: str) -> Sequence[ConfigEntry]:
    found = connection.execute(_ENTRIES + "WHERE kind = ? AND deleted = 0 ORDER BY id", (kind,))
    return [rows.entry(row) for row in found]


def all_entries(connection: sqlite3.Connection) -> Sequence[ConfigEntry]:
    return [rows.entry(row) for row in connection.execute(_ENTRIES + "ORDER BY kind, id")]


def entry(connection: sqlite3.Connection, kind: str, entry_id: str) -> ConfigEntry | None:
    found = _stored(connection, kind, entry_id)
    return None if found is None or found.deleted else found


def _stored(connection: sqlite3.Connection, kind: str, entry_id: str) -> ConfigEntry | None:
    row = connection.execute(_ENTRIES + "WHERE kind = ? AND id = ?", (kind, entry_id)).fetchone()
    return rows.entry(row) if row else None


def put_entry(connection: sqlite3.Connection, wanted: ConfigEntry, *, expected: int | None, unique: str) -> ConfigEntry:
    """``wanted`` with the version it gets."""
    stored = _stored(connection, wanted.kind, wanted.id)
    alive = stored is not None and not stored.deleted
    current = stored.version if stored is not None and alive else 0
    if wanted.deleted and not alive:
        raise Unknown("no such entry")
    if expected is not None and expected != current:
        raise VersionMismatch(current)
    if unique and not wanted.deleted:
        _check_unique(connection, wanted, unique)
    written = ConfigEntry(
        kind=wanted.kind,
        id=wanted.id,
        # Versions of a key go on after a deletion: consumers ignore lower ones.
        version=(stored.version if stored else 0) + 1,
        at=wanted.at,
        deleted=wanted.deleted,
        data=wanted.data,
    )
    connection.execute(_UPSERT, rows.entry_values(written))
    _queue(connection, written.kind, written.id)
    return written


def recover_entry(connection: sqlite3.Connection, found: ConfigEntry) -> None:
    connection.execute(_UPSERT, rows.entry_values(found))


def republish(connection: sqlite3.Connection, keys: Mapping[str, int], now: int) -> None:
    for key, passed in keys.items():
        kind, _, entry_id = key.partition(":")
        connection.execute(
            "UPDATE config SET version = ? + 1, at = ? WHERE kind = ? AND id = ? AND version <= ?",
            (passed, now, kind, entry_id, passed),
        )
        _queue(connection, kind, entry_id)


def pending(connection: sqlite3.Connection, limit: int) -> Sequence[tuple[int, ConfigEntry]]:
    found = connection.execute(_PENDING + "ORDER BY o.number LIMIT ?", (limit,))
    return [(row[0], rows.entry(row[1:])) for row in found]


def mark_published(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    connection.executemany("DELETE FROM config_outbox WHERE number = ?", [(number,) for number in numbers])


def _queue(connection: sqlite3.Connection, kind: str, entry_id: str) -> None:
    connection.execute("INSERT INTO config_outbox (kind, id) VALUES (?, ?)", (kind, entry_id))


def _check_unique(connection: sqlite3.Connection, wanted: ConfigEntry, field: str) -> None:
    value: Any = wanted.data.get(field)
    for other in entries(connection, wanted.kind):
        if other.id != wanted.id and other.data.get(field) == value:
            raise AlreadyExists(field)
