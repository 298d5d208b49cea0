"""Which messages are known already: a hash per message in buckets of time that are dropped whole at the horizon.

A commit writes to the newest bucket only, by the time of the commit, so an older bucket never changes and what was
not in it stays not in it. There are at most five buckets, so a look-up is a handful of index probes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.ports.profile_store import Conflict

BUCKETS_PER_HORIZON: Final = 3
_REMEMBERED: Final = 200_000
_HOUR: Final = 3_600_000


class Bucket(NamedTuple):
    name: str
    begins: int
    ends: int


def buckets(connection: sqlite3.Connection) -> list[Bucket]:
    """Oldest first."""
    rows = connection.execute("SELECT name, begins, ends FROM dedup_buckets ORDER BY begins")
    return [Bucket(*row) for row in rows]


def find_event(connection: sqlite3.Connection, keys: Iterable[bytes]) -> int | None:
    """The sequence number of the first event found under one of the keys."""
    keys = list(keys)
    for bucket in reversed(buckets(connection)):
        for _, seq in _in_bucket(connection, bucket, keys):
            return int(seq)
    return None


def _in_bucket(connection: sqlite3.Connection, bucket: Bucket, keys: Iterable[bytes]) -> Iterable[tuple[Any, ...]]:
    sql = f"SELECT key, seq FROM {bucket.name} WHERE key IN ({{in}})"  # noqa: S608 - a name that we made
    return select_in(connection, sql, keys)


class DedupIndex:
    """The writer's side. Not for use from several threads at once."""

    def __init__(self, connection: sqlite3.Connection, horizon_ms: int) -> None:
        self._connection = connection
        self._horizon = horizon_ms
        self._buckets = buckets(connection)
        self._not_in_old: set[bytes] = set()
        """Keys that a look-up did not find in any bucket but the newest: a commit need not ask again."""

    def known(self, keys: Collection[bytes]) -> set[bytes]:
        found: set[bytes] = set()
        for bucket in self._buckets:
            found.update(key for key, _ in _in_bucket(self._connection, bucket, keys))
        if len(self._not_in_old) + len(keys) > _REMEMBERED:
            self._not_in_old.clear()
        self._not_in_old.update(key for key in keys if key not in found)
        return found

    def insert(self, rows: list[tuple[bytes, int]], now: int) -> None:
        """Inside a transaction. Raises Conflict when one of the keys is there."""
        newest = self._newest(now)
        self._refuse_old([key for key, _ in rows if key not in self._not_in_old])
        try:
            self._connection.executemany(f"INSERT INTO {newest.name} VALUES (?, ?)", rows)  # noqa: S608
        except sqlite3.IntegrityError as error:
            raise Conflict("A message of the batch was stored by another commit.") from error

    def committed(self, rows: list[tuple[bytes, int]]) -> None:
        self._not_in_old.difference_update(key for key, _ in rows)

    def reload(self) -> None:
        """After a rollback, which may have undone a new bucket."""
        self._buckets = buckets(self._connection)
        self._not_in_old.clear()

    def drop_expired(self, now: int) -> None:
        """Inside a transaction."""
        for bucket in [bucket for bucket in self._buckets if bucket.ends + self._horizon <= now]:
            self._connection.execute(f"DROP TABLE {bucket.name}")
            self._connection.execute("DELETE FROM dedup_buckets WHERE name = ?", (bucket.name,))
            self._buckets.remove(bucket)

    def has_expired(self, now: int) -> bool:
        return any(bucket.ends + self._horizon <= now for bucket in self._buckets)

    def _refuse_old(self, keys: list[bytes]) -> None:
        if not keys:
            return
        for bucket in self._buckets[:-1]:
            for _ in _in_bucket(self._connection, bucket, keys):
                raise Conflict("A message of the batch was stored by an earlier commit.")

    def _newest(self, now: int) -> Bucket:
        if self._buckets and now < self._buckets[-1].ends:
            return self._buckets[-1]
        width = max(self._horizon // BUCKETS_PER_HORIZON, _HOUR)
        begins = now - now % _HOUR
        bucket = Bucket(f"dedup_{begins}", begins, begins + width)
        self._connection.execute(
            f"CREATE TABLE {bucket.name} (key BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID"
        )
        self._connection.execute("INSERT INTO dedup_buckets VALUES (?, ?, ?)", bucket)
        # What was looked up so far was not looked up in the bucket that has just become an old one.
        self._not_in_old.clear()
        self._buckets.append(bucket)
        return bucket
