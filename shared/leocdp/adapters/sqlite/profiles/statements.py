"""Statements over many values in few, reusable shapes: ``IN`` lists are padded to a handful of lengths."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final

LARGEST: Final = 30_000
"""Bound values per statement; SQLite's own limit is 32,766 by default."""
_LENGTHS: Final = (1, 4, 16, 64, 256, 1_024, 2_048, 4_096, 8_192, 12_288, 16_384, LARGEST)


def chunks(values: Iterable[Any], size: int = LARGEST) -> Iterator[list[Any]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, size)):
        yield chunk


def select_in(
    connection: sqlite3.Connection, sql: str, values: Iterable[Any], before: Sequence[Any] = (), size: int = LARGEST
) -> Iterator[tuple[Any, ...]]:
    """Rows of ``sql``, whose ``{in}`` is a list of marks, for all of ``values`` (``before``: values bound earlier).

    ``size``: how many of the values one statement takes.

    Unused places are bound to NULL, which is equal to nothing.
    """
    for chunk in chunks(values, size):
        length = next(length for length in _LENGTHS if length >= len(chunk))
        chunk.extend([None] * (length - len(chunk)))
        yield from connection.execute(_with_marks(sql, length), [*before, *chunk])


@lru_cache(maxsize=512)
def _with_marks(sql: str, length: int) -> str:
    return sql.replace("{in}", ",".join("?" * length))
