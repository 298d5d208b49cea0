"""Numbers of the dashboards, all from roll-ups."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from leocdp.domain.profiles.counting import HOUR_MS
from leocdp.ports.profile_reader import Bucket, CatalogueEntry, Counts

_SPANS: Final = {"hour": 1, "day": 24}


def read_counts(connection: sqlite3.Connection) -> Counts:
    found = dict(connection.execute("SELECT name, n FROM counters").fetchall())
    return Counts(**{name: found.get(name, 0) for name in Counts.__dataclass_fields__})


def read_series(
    connection: sqlite3.Connection, metric: str, since: int, bucket: Literal["hour", "day"], key: str
) -> Sequence[Bucket]:
    """Buckets with something in them, oldest first. The first may begin before ``since``, which lies in it."""
    span = _SPANS[bucket]
    kind, _, value = key.partition(":")
    stored, wanted = (kind, value) if metric == "events" and key else (metric, "")
    rows = connection.execute(
        "SELECT hour / ? AS bucket, sum(n) FROM rollups WHERE metric = ? AND key = ? AND hour >= ?"
        " GROUP BY bucket HAVING sum(n) <> 0 ORDER BY bucket",
        (span, stored, wanted, since // (HOUR_MS * span) * span),
    )
    return [Bucket(at * span * HOUR_MS, count) for at, count in rows]


def read_top(connection: sqlite3.Connection, metric: str, since: int, limit: int) -> Sequence[tuple[str, int]]:
    return connection.execute(
        "SELECT key, sum(n) AS count FROM rollups INDEXED BY rollups_hour WHERE metric = ? AND hour >= ?"
        " GROUP BY key ORDER BY count DESC, key LIMIT ?",
        (metric, since // HOUR_MS, limit),
    ).fetchall()


def read_catalogue(connection: sqlite3.Connection) -> Sequence[CatalogueEntry]:
    """Most frequent first."""
    rows = connection.execute("SELECT * FROM catalogue ORDER BY count DESC, type, name")
    return [
        CatalogueEntry(type_, name, count, first, last, msgspec.json.decode(properties))
        for type_, name, count, first, last, properties in rows
    ]


def read_last_event_at(connection: sqlite3.Connection, source_id: str) -> int | None:
    found = connection.execute("SELECT last_at FROM sources WHERE source = ?", (source_id,)).fetchone()
    return found[0] if found else None
