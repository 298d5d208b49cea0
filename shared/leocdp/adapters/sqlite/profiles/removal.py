"""Removing people with everything that is kept of them, and what only one source has brought.

Steps over the events in the order of storing. A person goes as a whole or stays as it is, so a step that is done
twice, or cut short by a crash and begun again, removes nothing else than the first time.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from leocdp.adapters.sqlite.profiles.codec import STATES, PackedId, pack_key
from leocdp.adapters.sqlite.profiles.dedup import buckets
from leocdp.adapters.sqlite.profiles.members import remove_members
from leocdp.adapters.sqlite.profiles.rollups import RollupKey
from leocdp.adapters.sqlite.profiles.search_index import write_search
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.events import dedup_key
from leocdp.domain.profiles.counting import COUNTER_OF, DEAD, HOUR_MS, counted_hour
from leocdp.ports.profile_store import RemovedData


@dataclass(slots=True)
class Removal:
    """What a step has removed: the answer, and by how much counts go back."""

    data: RemovedData
    shrunk: Counter[str] = field(default_factory=Counter)
    rollups: Counter[RollupKey] = field(default_factory=Counter)
    names: Counter[tuple[str, str]] = field(default_factory=Counter)
    traces: Counter[str] = field(default_factory=Counter)
    """``identifiers``, ``history`` and ``outbox`` records that went."""


def remove_step(connection: sqlite3.Connection, source_id: str, after: int, limit: int) -> Removal:
    """Inside a transaction: look at the next ``limit`` events after number ``after``."""
    sql = "SELECT seq, leaf, source FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
    looked_at = connection.execute(sql, (after, limit)).fetchall()
    mine = [(seq, leaf) for seq, leaf, source in looked_at if source == source_id]
    people = _people(connection, {leaf for _, leaf in mine if leaf is not None})
    foreign = _known_elsewhere(connection, people, source_id)
    removal = Removal(RemovedData(0, 0, 0, None))
    gone = {root: leaves for root, leaves in people.items() if root not in foreign}
    leaves = [leaf for tree in gone.values() for leaf in tree]
    nobodys = [seq for seq, leaf in mine if leaf is None]
    events = remove_events(connection, leaves, nobodys, removal)
    remove_profiles(connection, gone, removal)
    kept = _first_seen_here(connection, {root: people[root] for root in foreign}, source_id, after)
    following = str(looked_at[-1][0]) if len(looked_at) == limit else None
    if following is None:
        _forget_source(connection, source_id, removal)
    removal.data = RemovedData(len(leaves), events, kept, following)
    return removal


def _people(connection: sqlite3.Connection, leaves: Collection[PackedId]) -> dict[PackedId, list[PackedId]]:
    """Root → all leaves under it, the root included."""
    sql = "SELECT coalesce(root, id) FROM profiles WHERE id IN ({in})"
    people: dict[PackedId, list[PackedId]] = {root: [root] for (root,) in select_in(connection, sql, leaves)}
    for root, leaf in select_in(connection, "SELECT root, id FROM profiles WHERE root IN ({in})", list(people)):
        people[root].append(leaf)
    return people


def _known_elsewhere(
    connection: sqlite3.Connection, people: dict[PackedId, list[PackedId]], source_id: str
) -> set[PackedId]:
    root_of = {leaf: root for root, leaves in people.items() for leaf in leaves}
    sql = "SELECT DISTINCT leaf FROM events WHERE source <> ? AND leaf IN ({in})"
    return {root_of[leaf] for (leaf,) in select_in(connection, sql, root_of, (source_id,))}


def _first_seen_here(
    connection: sqlite3.Connection, people: dict[PackedId, list[PackedId]], source_id: str, after: int
) -> int:
    """Profiles that stay; each person is counted in the step that holds its first event of the source."""
    root_of = {leaf: root for root, leaves in people.items() for leaf in leaves}
    sql = "SELECT leaf, min(seq) FROM events WHERE source = ? AND leaf IN ({in}) GROUP BY leaf"
    first: dict[PackedId, int] = {}
    for leaf, seq in select_in(connection, sql, root_of, (source_id,)):
        root = root_of[leaf]
        first[root] = min(seq, first.get(root, seq))
    return sum(len(people[root]) for root, seq in first.items() if seq > after)


def remove_events(
    connection: sqlite3.Connection,
    leaves: Sequence[PackedId],
    numbers: Iterable[int],
    removal: Removal,
    *,
    known: bool = False,
) -> int:
    """Of leaves, and by number. ``known``: their messages stay known, so that they are duplicates when sent again."""
    columns = "SELECT seq, timestamp, received_at, source, type, name, message_id FROM events WHERE"
    rows = [*select_in(connection, f"{columns} leaf IN ({{in}})", leaves)]
    rows += select_in(connection, f"{columns} seq IN ({{in}})", numbers)
    keys = []
    for _, timestamp, received_at, source, type_, name, message_id in rows:
        hour, recent = counted_hour(timestamp, received_at)
        removal.rollups["events", "", hour] -= 1
        if recent:
            removal.rollups["source", source, hour] -= 1
        if name and recent:
            removal.rollups["name", name, hour] -= 1
        removal.names[type_, name or ""] -= 1
        keys.append((dedup_key(source, message_id),))
    for bucket in () if known else buckets(connection):
        connection.executemany(f"DELETE FROM {bucket.name} WHERE key = ?", keys)  # noqa: S608
    connection.executemany("DELETE FROM events WHERE seq = ?", [(row[0],) for row in rows])
    removal.shrunk["events"] -= len(rows)
    return len(rows)


def remove_profiles(connection: sqlite3.Connection, people: dict[PackedId, list[PackedId]], removal: Removal) -> None:
    leaves = [leaf for tree in people.values() for leaf in tree]
    sql = "SELECT num, id, root, status, created_at, labels, state FROM profiles WHERE id IN ({in})"
    rows = list(select_in(connection, sql, leaves))
    for _, leaf, root, status, created_at, _, state in rows:
        keys = [(pack_key(key), leaf) for key in STATES.decode(state).identifiers]
        deleted = connection.executemany("DELETE FROM identifiers WHERE key = ? AND leaf = ?", keys)
        removal.traces["identifiers"] += max(deleted.rowcount, 0)
        removal.rollups["profiles", "", created_at // HOUR_MS] -= 1
        removal.shrunk["profiles"] -= 1
        if root is None:
            removal.shrunk["people"] -= 1
            removal.shrunk["identified"] -= status
    nums = [(row[0],) for row in rows]
    write_search(connection, {num: None for (num,) in nums}, set())
    connection.executemany("DELETE FROM labels WHERE num = ?", [(row[0],) for row in rows if row[5]])
    connection.executemany("DELETE FROM profiles WHERE num = ?", nums)
    removal.rollups.subtract(remove_members(connection, leaves))
    _remove_traces(connection, leaves, removal.traces)


def _remove_traces(connection: sqlite3.Connection, leaves: Sequence[PackedId], traces: Counter[str]) -> None:
    """History, reviews, and outbox records that nobody has read yet."""
    links = set(select_in(connection, "SELECT kind, id FROM history_of WHERE leaf IN ({in})", leaves))
    connection.executemany("DELETE FROM history WHERE kind = ? AND id = ?", links)
    connection.executemany("DELETE FROM history_of WHERE kind = ? AND id = ?", links)
    traces["history"] += len(links)
    for side in ("left", "right"):
        sql = f"DELETE FROM reviews WHERE {side} = ?"  # noqa: S608
        traces["history"] += max(connection.executemany(sql, [(leaf,) for leaf in leaves]).rowcount, 0)
    # An index on the outbox would cost every event something; what waits is read through here, rarely.
    gone = set(leaves)
    waiting = connection.execute("SELECT seq, profile FROM outbox").fetchall() if gone else []
    mine = [(seq,) for seq, profile in waiting if profile in gone]
    connection.executemany("DELETE FROM outbox WHERE seq = ?", mine)
    traces["outbox"] += len(mine)


def _forget_source(connection: sqlite3.Connection, source_id: str, removal: Removal) -> None:
    """The last step: items of the source that were not applied, and when it was heard of."""
    counted = "SELECT outcome, count(*) FROM problems WHERE source = ? AND replayed_at IS NULL GROUP BY outcome"
    waiting: dict[Any, int] = dict(connection.execute(counted, (source_id,)).fetchall())
    removal.shrunk[COUNTER_OF[DEAD]] -= waiting.get(DEAD, 0)
    connection.execute("DELETE FROM problems WHERE source = ?", (source_id,))
    left = connection.execute("SELECT 1 FROM rollups WHERE metric = 'source' AND key = ? AND n > 0", (source_id,))
    if left.fetchone() is None:
        connection.execute("DELETE FROM sources WHERE source = ?", (source_id,))
