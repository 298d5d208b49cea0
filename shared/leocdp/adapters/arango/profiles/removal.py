"""Removing what only one source has brought, person by person, in steps over the events in the order of storing.

A person goes as a whole or stays as it is, so a step that is done twice, or cut short by a crash and begun again,
removes nothing else than the first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from leocdp.adapters.arango.database import Transaction
from leocdp.adapters.arango.keys import hashed, number_key
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.documents import profile_of
from leocdp.adapters.arango.profiles.figures import Rollup, add_rollups, name_key, rollup_key, source_key
from leocdp.adapters.arango.profiles.head import Head
from leocdp.adapters.arango.profiles.schema import SLOTS
from leocdp.adapters.arango.segments.members import CHANGES, TOTAL, rows_of
from leocdp.domain.events import dedup_key
from leocdp.domain.profiles.counting import HOUR_MS, OTHER, counted_hour
from leocdp.ports.profile_store import RemovedData

STEP: Final = 20_000


@dataclass(slots=True)
class Removal:
    """By how much counts go back."""

    shrunk: Counter[str] = field(default_factory=Counter)
    rollups: Counter[Rollup] = field(default_factory=Counter)
    names: Counter[tuple[str, str]] = field(default_factory=Counter)
    traces: Counter[str] = field(default_factory=Counter)
    """How many ``identifiers``, ``history`` and ``outbox`` records went."""
    messages: set[tuple[str, str]] = field(default_factory=set)
    """(source, message id) of the events that went."""


def remove_step(transaction: Transaction, head: Head, source_id: str, after: int, limit: int) -> RemovedData:
    """Look at the next ``limit`` events after number ``after``."""
    looked_at = transaction.query(aql.EVENTS_AFTER, after=number_key(after), limit=limit)
    mine = [row for row in looked_at if row["source"] == source_id]
    people = _people(transaction, sorted({row["leaf"] for row in mine if row["leaf"] is not None}))
    root_of = {leaf: root for root, leaves in people.items() for leaf in leaves}
    foreign = {root_of[leaf] for leaf in _known_elsewhere(transaction, list(root_of), source_id)}
    leaves = [leaf for leaf, root in root_of.items() if root not in foreign]
    removal = Removal()
    nobodys = [row["key"] for row in mine if row["leaf"] is None]
    events = remove_events(transaction, leaves, nobodys, removal)
    _forget_messages(transaction, removal)
    remove_profiles(transaction, leaves, removal)
    kept = _first_seen_here(transaction, root_of, foreign, source_id, after)
    following = str(int(looked_at[-1]["key"])) if len(looked_at) == limit else None
    take_back(transaction, head, removal)
    if following is None:
        _forget_source(transaction, head, source_id)
    return RemovedData(len(leaves), events, kept, following)


def _people(transaction: Transaction, leaves: Sequence[str]) -> dict[str, list[str]]:
    """Root → all leaves under it, the root included."""
    people: dict[str, list[str]] = {}
    for row in transaction.query(aql.TREES_OF, leaves=list(leaves)) if leaves else ():
        people.setdefault(row["root"], []).append(row["id"])
    return people


def _known_elsewhere(transaction: Transaction, leaves: list[str], source_id: str) -> list[str]:
    return transaction.query(aql.KNOWN_ELSEWHERE, leaves=leaves, source=source_id) if leaves else []


def _first_seen_here(
    transaction: Transaction, root_of: Mapping[str, str], foreign: set[str], source_id: str, after: int
) -> int:
    """Profiles that stay; each person is counted in the step that holds its first event of the source."""
    staying = [leaf for leaf, root in root_of.items() if root in foreign]
    first: dict[str, int] = {}
    for row in transaction.query(aql.FIRST_OF_SOURCE, leaves=staying, source=source_id) if staying else ():
        root = root_of[row["leaf"]]
        first[root] = min(row["seq"], first.get(root, row["seq"]))
    return sum(1 for leaf in staying if first.get(root_of[leaf], 0) > after)


def remove_events(transaction: Transaction, leaves: list[str], nobodys: list[str], removal: Removal) -> int:
    """All events of the leaves, and those of nobody with the given keys."""
    rows = transaction.query(aql.EVENTS_TO_REMOVE, leaves=leaves) if leaves else []
    rows += [{**row, "key": row["_key"]} for row in transaction.query(aql.EVENTS, keys=nobodys)] if nobodys else []
    for row in rows:
        hour, recent = counted_hour(row["timestamp"], row["received_at"])
        removal.rollups["events", "", hour] -= 1
        if recent:
            removal.rollups["source", row["source"], hour] -= 1
        if row["name"] and recent:
            removal.rollups["name", row["name"], hour] -= 1
        removal.names[row["type"], row["name"] or ""] -= 1
        removal.messages.add((row["source"], row["message_id"]))
    transaction.remove("events", [row["key"] for row in rows])
    removal.shrunk["events"] -= len(rows)
    return len(rows)


def _forget_messages(transaction: Transaction, removal: Removal) -> None:
    keys = [dedup_key(*message).hex() for message in removal.messages]
    for slot in range(SLOTS):
        transaction.remove(f"messages_{slot}", keys)


def remove_profiles(transaction: Transaction, leaves: list[str], removal: Removal) -> None:
    """With identifiers, search rows, history, reviews, and outbox records that nobody has read yet."""
    if not leaves:
        return
    identifiers: list[str] = []
    for stored in transaction.query(aql.PEOPLE, ids=leaves):
        profile = profile_of(stored)
        identifiers += map(hashed, profile.state.identifiers)
        removal.rollups["profiles", "", profile.created_at // HOUR_MS] -= 1
        removal.shrunk["profiles"] -= 1
        if profile.merged_into is None:
            removal.shrunk["people"] -= 1
            removal.shrunk["identified"] -= stored["status"]
    gone = set(leaves)
    owned = [row["key"] for row in transaction.query(aql.OWNERS, keys=identifiers) if row["leaf"] in gone]
    transaction.remove("identifiers", owned)
    transaction.remove("searches", leaves)
    transaction.remove("profiles", leaves)
    remove_members(transaction, leaves, removal)
    traces = transaction.first(aql.TRACES, leaves=leaves)
    transaction.remove("history", traces["histories"])
    transaction.remove("reviews", traces["reviews"])
    transaction.remove("outbox", traces["records"])
    removal.traces.update(
        identifiers=len(owned),
        history=len(traces["histories"]) + len(traces["reviews"]),
        outbox=len(traces["records"]),
    )


def remove_members(transaction: Transaction, leaves: list[str], removal: Removal) -> None:
    """As if they had never come: the curve of a segment goes back in the hour in which they were counted."""
    rows = rows_of(transaction, leaves)
    transaction.remove("members", [row["key"] for row in rows])
    for row in rows:
        removal.rollups[CHANGES, row["segment"], row["hour"]] -= 1
        removal.rollups[TOTAL, row["segment"], 0] -= 1


def take_back(transaction: Transaction, head: Head, removal: Removal) -> None:
    """Counts of events that are no longer there. Names beyond the bound were counted as others."""
    head.grow(removal.shrunk)
    keys = {rollup_key(rollup) for rollup in removal.rollups}
    for type_, name in removal.names:
        keys |= {name_key(type_, name), name_key(type_, OTHER)}
    stored = {row["_key"]: row for row in transaction.query(aql.FIGURES, keys=sorted(keys))} if keys else {}
    known: Counter[Rollup] = Counter({one: n for one, n in removal.rollups.items() if rollup_key(one) in stored})
    documents = {document["_key"]: document for document in add_rollups(known, stored)}
    for (type_, name), n in removal.names.items():
        key = name_key(type_, name) if name_key(type_, name) in stored else name_key(type_, OTHER)
        if key in stored:
            document: dict[str, Any] = documents.setdefault(key, dict(stored[key]))
            document["n"] += n
            head.names -= document["n"] <= 0
    empty = {key for key, one in documents.items() if one["n"] == 0 or (one["n"] < 0 and one["metric"] != CHANGES)}
    transaction.insert("figures", [one for key, one in documents.items() if key not in empty], "replace")
    transaction.remove("figures", sorted(empty))


def _forget_source(transaction: Transaction, head: Head, source_id: str) -> None:
    """The last step: items of the source that were not applied, and when it was heard of."""
    after, more = number_key(0), True
    while more:
        rows = transaction.query(aql.PROBLEMS_OF_SOURCE, source=source_id, after=after, limit=STEP)
        transaction.remove("problems", [row["key"] for row in rows])
        dead = sum(row["dead"] for row in rows)
        head.kept_dead -= dead
        head.kept_problems -= len(rows) - dead
        head.grow({"dead_letters": -sum(row["dead"] and row["waiting"] for row in rows)})
        more = len(rows) == STEP
        after = rows[-1]["key"] if rows else after
    if transaction.first(aql.SOURCE_IS_COUNTED, source=source_id) is None:
        transaction.remove("figures", [source_key(source_id)])
