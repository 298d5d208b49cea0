"""The limit of the embedded processor: SQLite alone writing the rows that the processor wrote.

Read from the processor's own file, so they are the same rows: profiles (upserted once per person and batch), new
identifiers, events, deduplication keys. No reading, no deciding, and only the indexes that such a store cannot do
without. The file has the same pragmas and page cache as the processor's.
"""

from __future__ import annotations

import gc
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from leocdp.adapters.sqlite.profiles.connection import Tuning
from leocdp.domain.events import dedup_key

BATCH: Final = 4_000
_EVENT: Final = (
    "seq, leaf, timestamp, received_at, original_timestamp, sent_at, type, name, source, protocol, message_id, "
    "anonymous_id, user_id, body"
)
_PROFILE: Final = "id, revision, created_at, first_seen, last_seen, name, state"
_SCHEMA: Final = f"""
CREATE TABLE profiles (num INTEGER PRIMARY KEY, {_PROFILE});
CREATE UNIQUE INDEX profiles_id ON profiles (id);
CREATE TABLE identifiers (key TEXT PRIMARY KEY, leaf) WITHOUT ROWID;
CREATE TABLE events ({_EVENT.replace("seq", "seq INTEGER PRIMARY KEY")});
CREATE INDEX events_leaf ON events (leaf, timestamp);
CREATE TABLE dedup (key PRIMARY KEY, seq) WITHOUT ROWID;
"""
_UPSERT: Final = (
    f"INSERT INTO profiles ({_PROFILE}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
    "revision = excluded.revision, last_seen = excluded.last_seen, name = excluded.name, state = excluded.state"
)


@dataclass(frozen=True)
class Marks:
    """How far the processor's tables had grown."""

    event: int
    profile: int


Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Batch:
    profiles: Rows
    identifiers: Rows
    events: Rows
    keys: Rows


class PlainSQLite:
    def __init__(self, path: Path, original: Path, tuning: Tuning) -> None:
        """``original`` is the processor's file; nobody writes to it while this reads."""
        self._original = sqlite3.connect(f"file:{original}?mode=ro", uri=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("PRAGMA secure_delete = FAST")
        run(f"PRAGMA cache_size = {-1024 * tuning.cache_mb}")
        run(f"PRAGMA mmap_size = {tuning.mmap_mb << 20}")
        run(f"PRAGMA wal_autocheckpoint = {tuning.checkpoint_pages}")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()
        self._original.close()

    def marks(self) -> Marks:
        sql = "SELECT (SELECT max(seq) FROM events), (SELECT max(num) FROM profiles)"
        event, profile = self._original.execute(sql).fetchone()
        return Marks(event or 0, profile or 0)

    def write(self, since: Marks) -> float:
        """Write what the processor has written since; CPU seconds, without those for reading it."""
        batches = list(self._batches(since))
        gc.disable()
        started = time.process_time()
        for batch in batches:
            self._write(batch)
        used = time.process_time() - started
        gc.enable()
        return used

    def _write(self, batch: Batch) -> None:
        run = self._connection.executemany
        self._connection.execute("BEGIN IMMEDIATE")
        run(_UPSERT, batch.profiles)
        run("INSERT INTO identifiers VALUES (?, ?)", batch.identifiers)
        run(f"INSERT INTO events VALUES ({', '.join('?' * 14)})", batch.events)
        run("INSERT INTO dedup VALUES (?, ?)", batch.keys)
        self._connection.execute("COMMIT")

    def _batches(self, since: Marks) -> Iterator[Batch]:
        profiles = {row[0]: row for row in self._original.execute(f"SELECT {_PROFILE} FROM profiles")}
        claimed = self._claimed(since)
        cursor = self._original.execute(
            f"SELECT {_EVENT} FROM events WHERE seq > ? ORDER BY seq",
            (since.event,),
        )
        while events := cursor.fetchmany(BATCH):
            leaves = dict.fromkeys(row[1] for row in events)
            yield Batch(
                [profiles[leaf] for leaf in leaves],
                sorted((key, leaf) for leaf in leaves for key in claimed.pop(leaf, ())),
                events,
                [(dedup_key(row[8], row[10]), row[0]) for row in events],
            )

    def _claimed(self, since: Marks) -> dict[Any, list[str]]:
        """Keys by their leaf, of the profiles that are new."""
        new = "SELECT id FROM profiles WHERE num > ?"
        keys: dict[Any, list[str]] = {leaf: [] for (leaf,) in self._original.execute(new, (since.profile,))}
        for key, leaf in self._original.execute("SELECT key, leaf FROM identifiers"):
            if leaf in keys:
                keys[leaf].append(key)
        return keys
