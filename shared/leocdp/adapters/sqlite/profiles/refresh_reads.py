"""Whose conditions are to be looked at again, and the events that conditions ask for."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from leocdp.adapters.sqlite.profiles.codec import PackedId, pack_id, unpack_id
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.contracts.stored_event import decode_body
from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.segments.audience import SHARDS
from leocdp.domain.segments.subject import EventFact

_NAMED: Final = ", ".join(f"'{one}'" for one in sorted(NAMED_TYPES))
_LEAVES: Final = 10_000
"""Leaves whose events one statement reads."""
_WORDS: Final = 500
"""Up to so many names and types stand in a statement; with more of them all events are read and sorted out here."""


def people_due(connection: sqlite3.Connection, shards: Collection[int], now: int, limit: int) -> Sequence[str]:
    """Earliest first."""
    if not shards:
        return []
    where, bound = _in_shards(shards)
    sql = (
        "SELECT id FROM profiles INDEXED BY profiles_due"  # noqa: S608 - marks only
        f" WHERE due IS NOT NULL AND due <= ?{where} ORDER BY due LIMIT ?"
    )
    return [unpack_id(one) for (one,) in connection.execute(sql, (now, *bound, limit))]


def people_behind(
    connection: sqlite3.Connection, shards: Collection[int], generation: int, limit: int
) -> Sequence[str]:
    if not shards:
        return []
    where, bound = _in_shards(shards)
    sql = (
        "SELECT id FROM profiles INDEXED BY profiles_generation"  # noqa: S608 - marks only
        f" WHERE root IS NULL AND generation < ?{where} LIMIT ?"
    )
    return [unpack_id(one) for (one,) in connection.execute(sql, (generation, *bound, limit))]


def people_labelled(connection: sqlite3.Connection, label: str, limit: int) -> Sequence[str]:
    sql = (
        "SELECT p.id FROM labels AS l CROSS JOIN profiles AS p ON p.num = l.num"
        " WHERE l.label = ? AND p.root IS NULL LIMIT ?"
    )
    return [unpack_id(one) for (one,) in connection.execute(sql, (label, limit))]


def count_behind(connection: sqlite3.Connection, generation: int, most: int) -> int:
    inner = "SELECT 1 FROM profiles INDEXED BY profiles_generation WHERE root IS NULL AND generation < ? LIMIT ?"
    return int(connection.execute(f"SELECT count(*) FROM ({inner})", (generation, most)).fetchone()[0])  # noqa: S608


def _in_shards(shards: Collection[int]) -> tuple[str, list[int]]:
    """One process owns all of them as a rule; then nothing is compared."""
    owned = sorted(set(shards))
    if len(owned) == SHARDS:
        return "", []
    return f" AND sample % {SHARDS} IN ({','.join('?' * len(owned))})", owned


def person_events(
    connection: sqlite3.Connection, people: Mapping[str, Sequence[str]], names: Collection[str], types: Collection[str]
) -> dict[str, list[EventFact]]:
    """Each person's in order of (time, message id)."""
    root_of = {pack_id(leaf): root for root, leaves in people.items() for leaf in leaves}
    found: dict[str, list[EventFact]] = {root: [] for root in people}
    for leaf, fact in _events(connection, root_of, frozenset(names), frozenset(types)):
        found[root_of[leaf]].append(fact)
    for events in found.values():
        events.sort(key=lambda event: (event.at, event.message_id))
    return found


def _events(
    connection: sqlite3.Connection, leaves: Iterable[PackedId], names: frozenset[str], types: frozenset[str]
) -> Iterable[tuple[PackedId, EventFact]]:
    if not names and not types:
        return
    where, bound = _wanted(names, types)
    sql = (
        "SELECT leaf, timestamp, message_id, type, name, body FROM events INDEXED BY events_leaf"  # noqa: S608
        f" WHERE {where} leaf IN ({{in}})"
    )
    for leaf, at, message_id, type_, name, body in select_in(connection, sql, leaves, bound, _LEAVES):
        if type_ in types or (name in names and type_ in NAMED_TYPES):
            yield leaf, EventFact(at, message_id, type_, name, decode_body(body)["properties"])


def _wanted(names: frozenset[str], types: frozenset[str]) -> tuple[str, list[str]]:
    if len(names) + len(types) > _WORDS:
        return "", []
    marks = [",".join("?" * len(words)) for words in (names, types)]
    where = f"(type IN ({_NAMED}) AND name IN ({marks[0]}) OR type IN ({marks[1]})) AND"
    return where, [*sorted(names), *sorted(types)]
