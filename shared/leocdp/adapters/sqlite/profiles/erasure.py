"""Erasure: people go with everything that is kept of them, and the ledger says whom to keep away."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from leocdp.adapters.sqlite.profiles.codec import (
    RECEIPTS,
    SWITCHES,
    PackedId,
    pack_id,
    pack_key,
    unpack_id,
    unpack_key,
)
from leocdp.adapters.sqlite.profiles.removal import Removal, remove_events, remove_profiles
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.decisions import SwitchRecord
from leocdp.domain.privacy.ledger import ErasedPerson, Erasure, ErasureReceipt, Spell
from leocdp.domain.profiles.counting import COUNTER_OF, DEAD
from leocdp.ports.profile_store import Conflict, RemovedData

COUNTED: Final = ("profiles", "events", "identifiers", "history", "problems", "outbox")
_SEARCH: Final = ("texts_fts", "names_fts")
_PATIENCE_MS: Final = 250
"""How long cutting the write-ahead log waits for readers, while nothing else can be written."""
_MERGE_PAGES: Final = 500
"""Pages of an index that one step of forgetting writes."""


def erase_people(
    connection: sqlite3.Connection, erasure: Erasure, mentions: Callable[[str], bool]
) -> tuple[ErasureReceipt, Removal]:
    """Inside a transaction. Raises Conflict."""
    people = {pack_id(one.root): [pack_id(leaf) for leaf in one.leaves] for one in erasure.people}
    _refuse_outdated(connection, erasure.people)
    leaves = [leaf for tree in people.values() for leaf in tree]
    removal = Removal(RemovedData(0, 0, 0, None))
    # Problem events are found by the messages of the events, so they go first.
    problems = _remove_problems(connection, leaves, mentions, removal)
    events = remove_events(connection, leaves, (), removal, known=True)
    remove_profiles(connection, people, removal)
    counts = {"profiles": len(leaves), "events": events, "problems": problems, **removal.traces}
    receipt = ErasureReceipt(erasure, {name: counts.get(name, 0) for name in COUNTED})
    _write_ledger(connection, erasure, receipt)
    return receipt, removal


def _refuse_outdated(connection: sqlite3.Connection, people: Sequence[ErasedPerson]) -> None:
    sql = "SELECT id, revision FROM profiles WHERE root IS NULL AND id IN ({in})"
    found: dict[PackedId, int] = dict(select_in(connection, sql, [pack_id(one.root) for one in people]))
    for one in people:
        if found.get(pack_id(one.root)) != one.revision:
            raise Conflict(f"Profile {one.root} has another revision than {one.revision}.")


def _remove_problems(
    connection: sqlite3.Connection, leaves: Sequence[PackedId], mentions: Callable[[str], bool], removal: Removal
) -> int:
    numbers = {num for (num,) in select_in(connection, "SELECT num FROM problems WHERE profile IN ({in})", leaves)}
    of_messages = (
        "SELECT p.num FROM events AS e CROSS JOIN problems AS p INDEXED BY problems_message"
        " ON p.message_id = e.message_id AND p.source = e.source WHERE e.leaf IN ({in})"
    )
    numbers.update(num for (num,) in select_in(connection, of_messages, leaves))
    payloads = connection.execute("SELECT num, payload, error FROM problems WHERE payload <> ''")
    numbers.update(num for num, payload, error in payloads if mentions(payload) or mentions(error))
    waiting = "SELECT count(*) FROM problems WHERE outcome = ? AND replayed_at IS NULL AND num IN ({in})"
    removal.shrunk[COUNTER_OF[DEAD]] -= sum(row[0] for row in select_in(connection, waiting, numbers, (DEAD,)))
    connection.executemany("DELETE FROM problems WHERE num = ?", [(num,) for num in numbers])
    return len(numbers)


def _write_ledger(connection: sqlite3.Connection, erasure: Erasure, receipt: ErasureReceipt) -> None:
    connection.execute("INSERT INTO erasures VALUES (?, ?, ?)", (erasure.id, erasure.key, RECEIPTS.encode(receipt)))
    connection.executemany(
        "INSERT OR IGNORE INTO erased VALUES (?, ?, ?)",
        [(one, *spell) for one, spells in erasure.ledger.items() for spell in spells],
    )
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('forget_search', 1)")


def read_receipt(connection: sqlite3.Connection, erasure_id: str) -> ErasureReceipt | None:
    row = connection.execute("SELECT receipt FROM erasures WHERE id = ?", (erasure_id,)).fetchone()
    return None if row is None else RECEIPTS.decode(row[0])


def read_keys(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(key for (key,) in connection.execute("SELECT DISTINCT key FROM erasures"))


def read_ledger(connection: sqlite3.Connection, hashes: Iterable[str]) -> dict[str, tuple[Spell, ...]]:
    found: dict[str, tuple[Spell, ...]] = {}
    for one, since, until in select_in(
        connection, "SELECT hash, since, until FROM erased WHERE hash IN ({in})", hashes
    ):
        found[one] = (*found.get(one, ()), Spell(since, until))
    return found


def read_latest(connection: sqlite3.Connection) -> int:
    latest: int | None = connection.execute("SELECT max(until) FROM erased").fetchone()[0]
    return latest or 0


def read_identifiers(connection: sqlite3.Connection, after: str | None, limit: int) -> list[tuple[str, str]]:
    sql = "SELECT key, leaf FROM identifiers WHERE key > ? ORDER BY key LIMIT ?"
    rows = connection.execute(sql, ("" if after is None else pack_key(after), limit))
    return [(unpack_key(key).key, unpack_id(leaf)) for key, leaf in rows]


def read_switches(connection: sqlite3.Connection, leaf_ids: Iterable[str]) -> list[SwitchRecord]:
    sql = (
        "SELECT DISTINCT h.id, h.body FROM history_of AS o CROSS JOIN history AS h"
        " ON h.kind = o.kind AND h.id = o.id WHERE o.kind = 'switch' AND o.leaf IN ({in})"
    )
    found: dict[Any, bytes] = dict(select_in(connection, sql, map(pack_id, leaf_ids)))
    return [SWITCHES.decode(body) for body in found.values()]


# What is deleted must not be read from the disk either.


@contextmanager
def overwriting(connection: sqlite3.Connection) -> Iterator[None]:
    """Deleted content is overwritten with zeros, also where that costs writes. Around a transaction."""
    connection.execute("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        connection.execute("PRAGMA secure_delete = FAST")


def empty_journal(connection: sqlite3.Connection) -> bool:
    """Copy the write-ahead log into the file and cut it: it holds pages as they were. False when a reader is in it."""
    patience: int = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        busy: int = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    return not busy


def has_to_forget(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM meta WHERE name = 'forget_search'").fetchone() is not None


def forget_words(connection: sqlite3.Connection) -> None:
    """Inside a transaction: one step of rewriting the search indexes, which only mark deleted words as such."""
    before = connection.total_changes
    for table in _SEARCH:
        # A negative number of pages begins a merge of everything, or goes on with it.
        connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (-_MERGE_PAGES,))  # noqa: S608
    # Two statements that merged nothing change two rows at most.
    if connection.total_changes - before <= len(_SEARCH):
        connection.execute("DELETE FROM meta WHERE name = 'forget_search'")
