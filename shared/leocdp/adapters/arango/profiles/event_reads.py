"""Reading events: timelines over the leaves of a person, what came in last, and problem events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.keys import LAST_NUMBER, number_key
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.documents import problem_event, stored_event
from leocdp.adapters.cursors import decode_cursor, encode_cursor
from leocdp.domain.events import dedup_key
from leocdp.ports.profile_reader import EventQuery, Page, ProblemEvent, StoredEvent

LOOK_BACK: Final = 5_000
"""Events that a filtered look at the newest ones reads at most."""
FAR: Final = 1 << 52
"""Beyond every time and every number."""


def timeline(database: Database, leaf_ids: Sequence[str], query: EventQuery) -> Page[StoredEvent]:
    """Newest first by (timestamp, number)."""
    latest, seq = (FAR if query.to is None else query.to - 1), FAR
    if query.cursor:
        at, number = decode_cursor(query.cursor, (int, int))
        if at <= latest:
            latest, seq = at, number
    places = database.query(
        aql.TIMELINE,
        **{"from": -FAR if query.from_ is None else query.from_},
        leaves=list(dict.fromkeys(leaf_ids)),
        to=latest,
        seq=seq,
        name=query.name,
        type=query.type,
        limit=query.limit + 1,
    )
    shown = places[: query.limit]
    following = encode_cursor((shown[-1]["at"], shown[-1]["seq"])) if len(places) > query.limit else None
    found = {event["_key"]: event for event in _events(database, [place["key"] for place in shown])}
    return Page([stored_event(found[place["key"]]) for place in shown if place["key"] in found], following)


def _events(database: Database, keys: list[str]) -> list[Mapping[str, Any]]:
    return database.query(aql.EVENTS, keys=keys) if keys else []


def by_message(database: Database, source_ids: Sequence[str], message_id: str) -> StoredEvent | None:
    messages = [dedup_key(source, message_id).hex() for source in source_ids]
    found = database.first(aql.EVENTS_OF_MESSAGES, messages=messages)
    return None if found is None else stored_event(found)


def newest(
    database: Database, *, after: int | None, source: str, name: str, limit: int
) -> list[tuple[int, StoredEvent]]:
    """By number, newest first, among the last ``LOOK_BACK``."""
    rows = database.query(
        aql.NEWEST_EVENTS,
        after=number_key(max(after or 0, 0)),
        looked_at=LOOK_BACK,
        source=source,
        name=name,
        limit=limit,
    )
    found = [(row["seq"], stored_event(row)) for row in rows]
    return sorted(found, key=lambda pair: pair[0], reverse=True)


def page_of_problems(
    database: Database, wanted: Mapping[str, str], after: int | None, limit: int, cursor: str | None
) -> Page[ProblemEvent]:
    """``wanted``: outcome, reason, source; empty values ignored."""
    before = number_key(decode_cursor(cursor, (int,))[0]) if cursor else LAST_NUMBER
    rows = database.query(aql.PROBLEMS, after=number_key(max(after or 0, 0)), before=before, limit=limit + 1, **wanted)
    following = encode_cursor([rows[limit - 1]["num"]]) if len(rows) > limit else None
    return Page([problem_event(row) for row in rows[:limit]], following)


def problem_of_message(database: Database, source_ids: Sequence[str], message_id: str) -> ProblemEvent | None:
    row = database.first(aql.PROBLEMS_OF_MESSAGE, message_id=message_id, sources=list(source_ids))
    return None if row is None else problem_event(row)
