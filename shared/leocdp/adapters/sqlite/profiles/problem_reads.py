"""Reading problem events: pages, newest first, and by message id."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from leocdp.adapters.cursors import decode_cursor, encode_cursor
from leocdp.adapters.sqlite.profiles.problems import COLUMNS, problem_event
from leocdp.ports.profile_reader import Page, ProblemEvent


def page_of_problems(
    connection: sqlite3.Connection, wanted: Mapping[str, str], after: int | None, limit: int, cursor: str | None
) -> Page[ProblemEvent]:
    """``wanted``: column → value, empty values ignored. The table is bounded, so a filter may walk it."""
    parts = ["num > ?"]
    bound: list[Any] = [-1 if after is None else after]
    if cursor:
        parts.append("num < ?")
        bound += decode_cursor(cursor, (int,))
    for column, value in wanted.items():
        if value:
            parts.append(f"{column} = ?")
            bound.append(value)
    sql = f"SELECT {COLUMNS} FROM problems WHERE {' AND '.join(parts)} ORDER BY num DESC LIMIT ?"  # noqa: S608
    rows = connection.execute(sql, (*bound, limit + 1)).fetchall()
    following = encode_cursor([rows[limit - 1][0]]) if len(rows) > limit else None
    return Page([problem_event(row) for row in rows[:limit]], following)


def latest_of_message(
    connection: sqlite3.Connection, source_ids: Sequence[str], message_id: str
) -> ProblemEvent | None:
    sql = f"SELECT {COLUMNS} FROM problems WHERE message_id = ? ORDER BY num DESC"  # noqa: S608
    for row in connection.execute(sql, (message_id,)):
        found = problem_event(row)
        if found.source in source_ids:
            return found
    return None
