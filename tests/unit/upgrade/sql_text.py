"""SQLite files as text that version control can compare, and back.

``iterdump`` of the standard library cannot read tables of full-text search that keep no content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

PRAGMAS: Final = ("application_id", "user_version")


def dump(path: Path) -> str:
    """As SQL, with what tells that the file is ours."""
    with closing(sqlite3.connect(path)) as connection:
        return "".join(f"{statement};\n" for statement in _statements(connection))


def load(path: Path, text: str) -> None:
    """Make the file that was dumped."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)


def _statements(connection: sqlite3.Connection) -> Iterator[str]:
    for name in PRAGMAS:
        yield f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]}"
    yield "BEGIN"
    kinds = {row[1]: row[2] for row in connection.execute("PRAGMA table_list") if row[0] == "main"}
    made = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    for _, name, sql in made:
        if kinds.get(name) != "shadow" and name != "sqlite_sequence":
            yield sql
    for name in sorted(kinds):
        if kinds[name] != "virtual" and name not in ("sqlite_schema", "sqlite_temp_schema"):
            yield from _rows(connection, name)
    yield "COMMIT"


def _rows(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """What a new table has by itself goes first."""
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    quoted = ", ".join(f'quote("{column}")' for column in columns)
    yield f'DELETE FROM "{table}"'
    for row in connection.execute(f'SELECT {quoted} FROM "{table}"'):
        yield f'INSERT INTO "{table}" VALUES ({", ".join(row)})'
