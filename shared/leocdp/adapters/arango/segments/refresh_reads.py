"""Whose conditions are to be looked at again, and the events that conditions ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.profiles.aql import LABELLED
from leocdp.adapters.arango.segments import aql
from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.segments.audience import SHARDS
from leocdp.domain.segments.subject import EventFact

_FAR: Final = 1 << 52


def people_due(database: Database, shards: Collection[int], now: int, limit: int) -> Sequence[str]:
    """Earliest first."""
    return database.query(aql.PEOPLE_DUE, shards=sorted(shards), first=-_FAR, now=now, limit=limit)


def people_behind(database: Database, shards: Collection[int], generation: int, limit: int) -> Sequence[str]:
    return database.query(aql.PEOPLE_BEHIND, shards=sorted(shards), generation=generation, limit=limit)


def people_labelled(database: Database, label: str, limit: int) -> Sequence[str]:
    return [row["id"] for row in database.query(LABELLED, label=label, limit=limit)]


def count_behind(database: Database, generation: int, most: int) -> int:
    counts = database.query(aql.COUNT_BEHIND, shards=list(range(SHARDS)), generation=generation, limit=most)
    behind: int = sum(counts)
    return min(behind, most)


def person_events(
    database: Database, people: Mapping[str, Sequence[str]], names: Collection[str], types: Collection[str]
) -> dict[str, list[EventFact]]:
    """Each person's in order of (time, message id)."""
    root_of = {leaf: root for root, leaves in people.items() for leaf in leaves}
    found: dict[str, list[EventFact]] = {root: [] for root in people}
    for row in facts_of(database, list(root_of), names, types):
        found[root_of[row["leaf"]]].append(fact(row))
    for events in found.values():
        events.sort(key=lambda event: (event.at, event.message_id))
    return found


def facts_of(
    database: Database, leaves: Sequence[str], names: Collection[str], types: Collection[str]
) -> Iterable[Mapping[str, Any]]:
    """A person may have hundreds of thousands."""
    if not leaves or not (names or types):
        return ()
    named = sorted(set(NAMED_TYPES) - set(types))
    return database.rows(aql.FACTS, leaves=list(leaves), named=named, names=sorted(names), types=sorted(types))


def fact(row: Mapping[str, Any]) -> EventFact:
    return EventFact(row["at"], row["id"], row["type"], row["name"], row["properties"] or {})
