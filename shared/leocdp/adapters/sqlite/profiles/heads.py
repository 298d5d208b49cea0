"""Heads: all columns of a profile but its blobs, as a commit compares and keeps them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from leocdp.adapters.sqlite.profiles.codec import PackedId
from leocdp.adapters.sqlite.profiles.statements import select_in

COLUMNS: Final = "num, revision, merged_into, root, status, first_seen, last_seen, name, labels, generation, due"


class Head(NamedTuple):
    num: int
    revision: int
    merged_into: PackedId | None
    root: PackedId | None
    status: int
    first_seen: int
    last_seen: int
    name: str
    labels: str | None
    generation: int
    due: int | None


class Heads:
    """Heads that a load has read, for the commit that follows it.

    There is one writer, so they hold until something is written; then all of them are forgotten.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[PackedId, Head] = {}

    def remember(self, profile_id: PackedId, columns: tuple[Any, ...]) -> None:
        """``columns`` in the order of ``COLUMNS``."""
        self._known[profile_id] = Head._make(columns)

    def forget(self) -> None:
        self._known.clear()

    def read(self, ids: Collection[PackedId]) -> dict[PackedId, Head]:
        """Of those that are stored."""
        known = self._known
        found = {one: known[one] for one in ids if one in known}
        if len(found) < len(ids):
            sql = f"SELECT id, {COLUMNS} FROM profiles WHERE id IN ({{in}})"  # noqa: S608
            missing = [one for one in ids if one not in found]
            found.update((row[0], Head._make(row[1:])) for row in select_in(self._connection, sql, missing))
        return found
