"""Members of segments: pages, streams, sizes and what several have in common. Nothing is counted but overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.profiles.figures import rollup_key
from leocdp.adapters.arango.profiles.people_reads import read_hits
from leocdp.adapters.arango.segments import aql
from leocdp.adapters.arango.segments.members import TOTAL, place_of
from leocdp.adapters.audience_sizes import hour_of_bucket, size_series
from leocdp.adapters.cursors import decode_cursor, encode_cursor
from leocdp.ports.profile_reader import Bucket, Member, Page

_AFTER_ALL: Final = "g"
"""After every hex digit."""
_AT_ONCE: Final = 100_000
"""Rows of members that one query puts together at most."""


def page(database: Database, segment_key: str, limit: int, cursor: str | None) -> Page[Member]:
    """In the order of the hashes of profile ids."""
    after = decode_cursor(cursor, (str,))[0] if cursor else ""
    rows = database.query(aql.MEMBERS_AFTER, segment=segment_key, after=after, limit=limit + 1)
    shown = rows[:limit]
    people = {hit.id: hit for hit in read_hits(database, [row["profile"] for row in shown])}
    found = [Member(people[row["profile"]], row["since"]) for row in shown if row["profile"] in people]
    return Page(found, encode_cursor([shown[-1]["place"]]) if len(rows) > limit else None)


def ids(database: Database, segment_key: str, after: str | None, limit: int) -> list[tuple[str, int]]:
    """In the same order."""
    begin = "" if after is None else place_of(after)
    rows = database.query(aql.MEMBERS_AFTER, segment=segment_key, after=begin, limit=limit)
    return [(row["profile"], row["since"]) for row in rows]


def count(database: Database, segment_key: str) -> int:
    found: int | None = database.first(aql.MEMBER_TOTAL, key=rollup_key((TOTAL, segment_key, 0)))
    return found or 0


def series(database: Database, segment_key: str, since: int, bucket: Literal["hour", "day"]) -> Sequence[Bucket]:
    """One query, so that the size and its changes are of the same moment."""
    found = database.first(
        aql.MEMBER_CHANGES,
        segment=segment_key,
        since=hour_of_bucket(since, bucket),
        key=rollup_key((TOTAL, segment_key, 0)),
    )
    changes = [(row["hour"], row["n"]) for row in found["changes"]]
    return size_series(found["total"] or 0, changes, since, bucket)


def overlap(database: Database, segment_keys: Sequence[str]) -> Mapping[frozenset[str], int]:
    """Range by range of places, so that no query puts together too many rows."""
    rows = sum(count(database, one) for one in segment_keys)
    found: dict[frozenset[str], int] = {}
    for low, high in pairwise(_bounds(rows // _AT_ONCE + 1)):
        for row in database.query(aql.OVERLAP, **{"from": low, "to": high}, segments=list(segment_keys)):
            held = frozenset(row["keys"])
            found[held] = found.get(held, 0) + row["n"]
    return found


def _bounds(parts: int) -> list[str]:
    """Hex beginnings that cut all places into at least so many ranges, 256 at most."""
    digits = 0 if parts == 1 else 1 if parts <= 16 else 2
    inner = [f"{number:0{digits}x}" for number in range(1, 16**digits)] if digits else []
    return ["", *inner, _AFTER_ALL]
