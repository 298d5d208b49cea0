"""The file of the embedded event log: what is in it, how it is opened and how it is recognised.

One row of ``batches`` holds what one commit appended to one topic, for all its partitions: a commit then writes at one
place of the file instead of one per partition, which is six times cheaper with 24 partitions. ``id`` is
``topic number << 44 | sequence``, so rows of a topic lie together in the order of their commits.

``bases`` of a row holds, per partition of the topic, the offset that the row's first record of that partition has or
would have. It never falls from row to row, so the row of any offset is found by binary search. ``topics.offsets``
is the same after the last row: the offsets that come next. They outlive every record, so no offset is used twice.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from leocdp.adapters.sqlite.log.errors import is_busy, translated
from leocdp.contracts.topics import TopicSpec
from leocdp.ports.event_log import LogCorrupt, LogUnavailable

APPLICATION_ID: Final = 0x4C454F4C
"""``LEOL``, in the header of the file."""
SCHEMA_VERSION: Final = 1
SEQUENCE_BITS: Final = 44
OPEN_TIMEOUT: Final = 5.0
"""Seconds that opening waits for another process that recovers or creates the file."""

_SCHEMA: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    """CREATE TABLE topics (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        partitions INTEGER NOT NULL,
        sequence INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        offsets BLOB NOT NULL,
        compacted_to INTEGER NOT NULL DEFAULT 0,
        compacted_at INTEGER NOT NULL DEFAULT 0
    )""",
    """CREATE TABLE batches (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        bases BLOB NOT NULL,
        payload BLOB NOT NULL
    )""",
    """CREATE TABLE group_positions (
        member_group TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (member_group, topic, partition)
    ) WITHOUT ROWID""",
)

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    # The writer checkpoints itself, after it has answered; this is only a bound if it cannot.
    "PRAGMA wal_autocheckpoint = 16384",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
)

encode_offsets = msgspec.msgpack.Encoder().encode
decode_offsets = msgspec.msgpack.Decoder(list[int]).decode


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the file knows it."""

    number: int
    name: str
    partitions: int

    @property
    def first_id(self) -> int:
        return self.number << SEQUENCE_BITS

    @property
    def end_id(self) -> int:
        return (self.number + 1) << SEQUENCE_BITS


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """A write transaction: all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class LogFile:
    """One ``log.db``. Not connected by itself: each thread opens a connection of its own."""

    def __init__(self, path: Path, topics: Sequence[TopicSpec], *, create: bool, make_folder: bool) -> None:
        self.path = path
        self.log_id = ""
        self.topics: dict[str, Topic] = {}
        self._specs = topics
        self._create = create
        self._make_folder = make_folder
        self._inode = 0

    def prepare(self) -> None:
        """Check the file, create what is missing where allowed. Raises LogUnavailable, LogCorrupt."""
        if self._make_folder and self._create:
            self._create_folder()
        if not self._create and not self.path.exists():
            raise LogUnavailable(self._nothing_there("The event log does not exist"))
        deadline = time.monotonic() + OPEN_TIMEOUT
        with translated(self.path):
            while not self._prepared(last=time.monotonic() >= deadline):
                time.sleep(0.02)
        self._inode = os.stat(self.path).st_ino

    def _prepared(self, *, last: bool) -> bool:
        """False when another process, that creates the file too, was in the way."""
        try:
            with closing(self._connect("rwc" if self._create else "rw")) as connection:
                self._check(connection)
                if self._create:
                    self._create_missing(connection)
                self._learn(connection)
        except sqlite3.OperationalError as error:
            if last or not is_busy(error):
                raise
            return False
        return True

    def open(self) -> sqlite3.Connection:
        """A connection for the calling thread, to the very file that ``prepare`` saw."""
        with translated(self.path):
            self.check_in_place()
            connection = self._connect("rw")
            if self._id_in(connection) != self.log_id:
                connection.close()
                raise LogCorrupt(self._replaced())
            return connection

    def check_in_place(self) -> None:
        """Raise LogCorrupt when the path no longer leads to the file we have open: what we write would be lost."""
        try:
            in_place = os.stat(self.path).st_ino == self._inode
        except OSError:
            in_place = False
        if not in_place:
            raise LogCorrupt(self._replaced())

    def _replaced(self) -> str:
        return f"The event log {self.path} was removed or replaced while services used it. Restart all services."

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=OPEN_TIMEOUT, isolation_level=None, check_same_thread=False)
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _create_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LogUnavailable(
                f"The folder {self.path.parent} of the event log cannot be created ({error.strerror}). "
                "Create it, or set LEOCDP_DATA_DIR to another."
            ) from error

    def _check(self, connection: sqlite3.Connection) -> None:
        """Refuse files that are not ours or of a newer build. An empty file is a log that is still to be made."""
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if tables and application != APPLICATION_ID:
            raise LogCorrupt(
                f"{self.path} is a database of something else, not an event log. "
                "Point LEOCDP_LOG_URL at another file; this one was left untouched."
            )
        if version > SCHEMA_VERSION:
            raise LogCorrupt(
                f"The event log {self.path} was written by a newer version (format {version}, this build knows "
                f"{SCHEMA_VERSION}). Upgrade this service."
            )
        if not tables and not self._create:
            raise LogUnavailable(self._nothing_there("The event log is empty"))

    def _nothing_there(self, what: str) -> str:
        return f"{what}: {self.path}. Start one service with LEOCDP_LOG_CREATE_TOPICS=true, or correct LEOCDP_LOG_URL."

    def _create_missing(self, connection: sqlite3.Connection) -> None:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise LogUnavailable(
                f"The event log {self.path} cannot keep a write-ahead log there. Put it on a local disk."
            )
        known = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'topics'").fetchone()[0]
        names = {row[0] for row in connection.execute("SELECT name FROM topics")} if known else set()
        if known and names.issuperset(spec.name for spec in self._specs):
            return
        with immediate(connection):
            self._create_tables(connection)
            for spec in self._specs:
                connection.execute(
                    "INSERT INTO topics (name, partitions, offsets) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (spec.name, spec.partitions, encode_offsets([0] * spec.partitions)),
                )

    def _create_tables(self, connection: sqlite3.Connection) -> None:
        # Again inside the transaction: another process may have been faster.
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('log_id', ?)", (f"log_{secrets.token_hex(12)}",))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _learn(self, connection: sqlite3.Connection) -> None:
        self.log_id = self._id_in(connection)
        rows = connection.execute("SELECT number, name, partitions FROM topics").fetchall()
        self.topics = {name: Topic(number, name, partitions) for number, name, partitions in rows}

    def _id_in(self, connection: sqlite3.Connection) -> str:
        row = connection.execute("SELECT value FROM meta WHERE key = 'log_id'").fetchone()
        if row is None:
            raise LogCorrupt(f"The event log {self.path} has no identity. Restore it from a backup.")
        return str(row[0])
