"""Numbers of the dashboards, all from documents that commits keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.arango.profiles.figures import catalogue_entry, source_key
from leocdp.adapters.arango.profiles.head import Head
from leocdp.domain.profiles.counting import HOUR_MS
from leocdp.ports.profile_reader import Bucket, CatalogueEntry, Counts

_SPANS: Final = {"hour": 1, "day": 24}


def counts(head: Head) -> Counts:
    return Counts(**{name: head.counts.get(name, 0) for name in Counts.__dataclass_fields__})


def series(database: Database, metric: str, since: int, bucket: Literal["hour", "day"], key: str) -> Sequence[Bucket]:
    """Buckets with something in them, oldest first. The first may begin before ``since``, which lies in it."""
    span = _SPANS[bucket]
    kind, _, value = key.partition(":")
    stored, wanted = (kind, value) if metric == "events" and key else (metric, "")
    rows = database.query(aql.SERIES, metric=stored, key=wanted, since=since // (HOUR_MS * span) * span, span=span)
    return [Bucket(int(row["at"]) * span * HOUR_MS, row["total"]) for row in rows]


def top(database: Database, metric: str, since: int, limit: int) -> Sequence[tuple[str, int]]:
    rows = database.query(aql.TOP, metric=metric, since=since // HOUR_MS, limit=limit)
    return [(row["key"], row["total"]) for row in rows]


def catalogue(database: Database) -> Sequence[CatalogueEntry]:
    """Most frequent first."""
    found = map(catalogue_entry, database.query(aql.CATALOGUE))
    return sorted(found, key=lambda entry: (-entry.count, entry.type, entry.name))


def last_event_at(database: Database, source_id: str) -> int | None:
    found: int | None = database.first(aql.LAST_EVENT, key=source_key(source_id))
    return found


def positions_of_latest(head: Head) -> Mapping[tuple[str, int], int]:
    """Of the log that was read last."""
    if not head.positions:
        return {}
    latest = max(head.positions, key=lambda one: one.sequence).log_id
    return {(one.topic, one.partition): one.next for one in head.positions if one.log_id == latest}
