"""What searches look into: an index of words of names, and one of trigrams of names and identifiers of priority 1–5.

Device identifiers are not in it: they are found whole and by their beginning through the table ``identifiers``.
Only roots are in it, and a row is written only when its name or identifiers changed.
"""

from __future__ import annotations

import sqlite3

from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.profiles.search_text import SearchText


def write_search(connection: sqlite3.Connection, wanted: dict[int, SearchText | None], new: set[int]) -> None:
    """Make the index say ``wanted`` of each number (None: nothing). ``new`` ones are known to have no row yet."""
    old = _read(connection, [num for num in wanted if num not in new])
    changed = {num: text for num, text in wanted.items() if (text if text and not text.empty else None) != old.get(num)}
    _remove(connection, {num: old[num] for num in changed if num in old})
    rows = [(num, text.name, text.ids, text.contacts) for num, text in changed.items() if text and not text.empty]
    connection.executemany("INSERT INTO texts VALUES (?, ?, ?, ?)", rows)
    connection.executemany("INSERT INTO texts_fts (rowid, name, ids, contacts) VALUES (?, ?, ?, ?)", rows)
    named = [(row[0], row[1]) for row in rows if row[1]]
    connection.executemany("INSERT INTO names_fts (rowid, name) VALUES (?, ?)", named)


def _read(connection: sqlite3.Connection, nums: list[int]) -> dict[int, SearchText]:
    rows = select_in(connection, "SELECT num, name, ids, contacts FROM texts WHERE num IN ({in})", nums)
    return {num: SearchText(name, ids, contacts) for num, name, ids, contacts in rows}


def _remove(connection: sqlite3.Connection, texts: dict[int, SearchText]) -> None:
    connection.executemany(
        "INSERT INTO texts_fts (texts_fts, rowid, name, ids, contacts) VALUES ('delete', ?, ?, ?, ?)",
        [(num, text.name, text.ids, text.contacts) for num, text in texts.items()],
    )
    connection.executemany("DELETE FROM texts WHERE num = ?", [(num,) for num in texts])
    connection.executemany(
        "INSERT INTO names_fts (names_fts, rowid, name) VALUES ('delete', ?, ?)",
        [(num, text.name) for num, text in texts.items() if text.name],
    )
