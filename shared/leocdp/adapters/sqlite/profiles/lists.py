"""Lists of people: pages by keyset over the indexes of ``profiles``, and rows that are read from the states."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any, Final, NamedTuple

from leocdp.adapters.cursors import Place
from leocdp.adapters.sqlite.profiles.codec import PERSONS, STATES, unpack_id
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.profiles.listing import display_name, labels_of, listed_identifiers, status_of
from leocdp.domain.profiles.state import State
from leocdp.ports.profile_reader import ProfileHit, ProfileQuery, ProfileSort

RARE_LABEL: Final = 20_000
"""Up to so many people a label is read whole and sorted; above, the sorted list is walked and the label probed."""

STATUS: Final = {"anonymous": 0, "identified": 1}


class Order(NamedTuple):
    column: str
    descending: bool


ORDERS: Final[dict[ProfileSort, Order]] = {
    "last_seen": Order("last_seen", True),
    "first_seen": Order("first_seen", True),
    "name": Order("name", False),
}


def place_kinds(sort: ProfileSort) -> tuple[type, type, type]:
    return (int, str if sort == "name" else int, int)


def page_of_everyone(connection: sqlite3.Connection, query: ProfileQuery, after: Place | None) -> list[Place]:
    """Places of the next ``limit + 1`` people."""
    order = ORDERS[query.sort]
    statuses = [STATUS[query.status]] if query.status else [0, 1]
    streams = [_stream(connection, order, status, query.label, after, query.limit + 1) for status in statuses]
    ordered = merge(*streams, key=itemgetter(0, 1), reverse=order.descending)
    return [Place(0, value, num) for value, num in islice(ordered, query.limit + 1)]


def _stream(
    connection: sqlite3.Connection, order: Order, status: int, label: str, after: Place | None, limit: int
) -> Iterable[tuple[Any, int]]:
    column, descending = order
    sign, direction = ("<", "DESC") if descending else (">", "ASC")
    parts = ["p.root IS NULL", "p.status = ?"]
    bound: list[Any] = [status]
    if after is not None:
        parts.append(f"(p.{column}, p.num) {sign} (?, ?)")
        bound += [after.value, after.num]
    source = f"profiles AS p INDEXED BY profiles_{column}"
    if label and _is_rare(connection, label):
        source = "labels AS l CROSS JOIN profiles AS p ON p.num = l.num"
        parts.append("l.label = ?")
        bound.append(label)
    elif label:
        parts.append("EXISTS (SELECT 1 FROM labels AS l WHERE l.label = ? AND l.num = p.num)")
        bound.append(label)
    sql = (
        f"SELECT p.{column}, p.num FROM {source} WHERE {' AND '.join(parts)}"  # noqa: S608 - names of our own
        f" ORDER BY p.{column} {direction}, p.num {direction} LIMIT ?"
    )
    return connection.execute(sql, (*bound, limit)).fetchall()


def _is_rare(connection: sqlite3.Connection, label: str) -> bool:
    sql = "SELECT count(*) FROM (SELECT 1 FROM labels WHERE label = ? LIMIT ?)"
    return bool(connection.execute(sql, (label, RARE_LABEL + 1)).fetchone()[0] <= RARE_LABEL)


def count_everyone(connection: sqlite3.Connection, query: ProfileQuery, most: int) -> int | None:
    """How many people the query has; None for more than ``most``."""
    statuses = [STATUS[query.status]] if query.status else [0, 1]
    found = sum(_count(connection, status, query.label, most + 1) for status in statuses)
    return found if found <= most else None


def _count(connection: sqlite3.Connection, status: int, label: str, most: int) -> int:
    if label:
        inner = (
            "SELECT 1 FROM labels AS l CROSS JOIN profiles AS p ON p.num = l.num"
            " WHERE l.label = ? AND p.status = ? AND p.root IS NULL"
        )
        bound: tuple[Any, ...] = (label, status)
    else:
        inner = "SELECT 1 FROM profiles INDEXED BY profiles_last_seen WHERE status = ? AND root IS NULL"
        bound = (status,)
    return int(connection.execute(f"SELECT count(*) FROM ({inner} LIMIT ?)", (*bound, most)).fetchone()[0])  # noqa: S608


def read_hits(connection: sqlite3.Connection, nums: Sequence[int]) -> list[ProfileHit]:
    """The rows of the people with these numbers, in this order."""
    sql = "SELECT num, id, first_seen, last_seen, person, state FROM profiles WHERE num IN ({in})"
    found = {row[0]: _hit(row) for row in select_in(connection, sql, nums)}
    return [found[num] for num in nums if num in found]


def _hit(row: tuple[Any, ...]) -> ProfileHit:
    _, packed, first_seen, last_seen, person, blob = row
    state: State = STATES.decode(blob) if person is None else PERSONS.decode(person).state
    return ProfileHit(
        unpack_id(packed),
        status_of(state),
        display_name(state.traits),
        first_seen,
        last_seen,
        state.total,
        [(identifier.kind, identifier.value) for identifier in listed_identifiers(state)],
        labels_of(state),
    )
