"""The digest of a store: reads all of it, person by person, in the memory of one person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from leocdp.adapters.sqlite.profiles.codec import pack_id
from leocdp.adapters.sqlite.profiles.events import event_id
from leocdp.adapters.sqlite.profiles.load import PROFILE_COLUMNS, profile_of
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.profiles.digest import DigestedPerson, digest
from leocdp.domain.profiles.state import State


def read_digest(connection: sqlite3.Connection) -> str:
    return digest(_people(connection))


def _people(connection: sqlite3.Connection) -> Iterator[DigestedPerson]:
    sql = "SELECT received_at, source, message_id FROM events WHERE leaf IN ({in})"
    for row in connection.execute(f"SELECT {PROFILE_COLUMNS} FROM profiles WHERE root IS NULL"):  # noqa: S608
        root = profile_of(row)
        rows = select_in(connection, sql, map(pack_id, root.leaf_ids))
        yield DigestedPerson(root.folded, [event_id(*found) for found in rows])
    nobody = connection.execute("SELECT received_at, source, message_id FROM events WHERE leaf IS NULL")
    yield DigestedPerson(State(), [event_id(*found) for found in nobody])
