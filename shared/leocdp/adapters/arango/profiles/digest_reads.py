"""The digest of a store: reads all of it, page by page, in the memory of one page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.documents import event_id, profile_of
from leocdp.domain.profiles.digest import DigestedPerson, digest
from leocdp.domain.profiles.state import Profile, State

PAGE: Final = 200
EVENTS: Final = 10_000


def read_digest(database: Database) -> str:
    return digest(_people(database))


def _people(database: Database) -> Iterator[DigestedPerson]:
    after, more = "", True
    while more:
        stored = database.query(aql.ROOTS_AFTER, after=after, limit=PAGE)
        yield from _page(database, [profile_of(each) for each in stored if each["merged_into"] is None])
        more = len(stored) == PAGE
        after = stored[-1]["_key"] if stored else after
    yield DigestedPerson(State(), list(_of_nobody(database)))


def _page(database: Database, roots: list[Profile]) -> Iterator[DigestedPerson]:
    root_of = {leaf: root.id for root in roots for leaf in root.leaf_ids}
    events: dict[str, list[str]] = {root.id: [] for root in roots}
    for event in database.query(aql.EVENTS_OF_LEAVES, leaves=list(root_of)) if root_of else ():
        events[root_of[event["leaf"]]].append(event_id(event))
    for root in roots:
        yield DigestedPerson(root.folded, events[root.id])


def _of_nobody(database: Database) -> Iterator[str]:
    at, seq, more = -(1 << 52), -1, True
    while more:
        rows = database.query(aql.EVENTS_OF_NOBODY, at=at, seq=seq, limit=EVENTS)
        yield from map(event_id, rows)
        more = len(rows) == EVENTS
        if rows:
            at, seq = rows[-1]["at"], rows[-1]["seq"]
