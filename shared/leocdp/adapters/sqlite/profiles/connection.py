"""Opening ``profiles.db``: pragmas, version checks and migrations."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from leocdp.adapters.sqlite.profiles.codec import unpack_id
from leocdp.adapters.sqlite.profiles.errors import damaged_sentence, translated
from leocdp.adapters.sqlite.profiles.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION
from leocdp.domain.segments.audience import sample_of
from leocdp.ports.profile_store import SchemaTooNew, StoreCorrupt, StoreUnavailable


@dataclass(frozen=True, slots=True)
class Tuning:
    """How much memory and patience a connection has."""

    cache_mb: int = 256
    """Page cache of a connection, in MiB."""
    mmap_mb: int = 1024
    """How much of the file may be read through the address space, in MiB; 0 turns it off."""
    busy_ms: int = 5_000
    checkpoint_pages: int = 32_768
    """The write-ahead log is copied into the file when it has this many pages of 4 KiB."""


def open_for_writing(path: Path, tuning: Tuning) -> sqlite3.Connection:
    """A migrated connection in autocommit mode. Raises StoreCorrupt, SchemaTooNew, StoreUnavailable."""
    with translated(path):
        connection = _connect(path, "rwc", tuning)
        try:
            _check(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = FAST")
            connection.execute(f"PRAGMA wal_autocheckpoint = {tuning.checkpoint_pages}")
            connection.execute("PRAGMA journal_size_limit = 268435456")
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path, tuning: Tuning) -> sqlite3.Connection:
    """A connection that cannot write. Raises StoreUnavailable (also: no store yet), StoreCorrupt, SchemaTooNew."""
    if not path.exists():
        raise StoreUnavailable(
            f"There is no profile store {path} yet: the processor makes it when it starts. Start it, or check "
            "LEOCDP_STORE_URL and LEOCDP_DATA_DIR."
        )
    with translated(path):
        connection = _connect(path, "rw", tuning)
        try:
            version = _check(connection, path)
            if version < SCHEMA_VERSION:
                raise StoreUnavailable(
                    f"The profile store {path} is being made or has version {version} where {SCHEMA_VERSION} is "
                    "needed: start the processor of this version, which brings it up to date."
                )
            connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(path: Path, mode: str, tuning: Tuning) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=tuning.busy_ms / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute(f"PRAGMA cache_size = {-1024 * tuning.cache_mb}")
    connection.execute(f"PRAGMA mmap_size = {tuning.mmap_mb << 20}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the schema; 0 for an empty file. Refuses files that are not ours or newer than we are."""
    application = _pragma(connection, "application_id")
    version = int(_pragma(connection, "user_version"))
    if application not in (0, APPLICATION_ID) or (application == 0 and _pragma(connection, "schema_version")):
        raise StoreCorrupt(f"{path} is not a profile store. {damaged_sentence(path)}")
    if version > SCHEMA_VERSION:
        raise SchemaTooNew(
            f"The profile store {path} was written by a newer version (schema {version}; this one knows "
            f"{SCHEMA_VERSION}). Upgrade this installation, or restore a backup made before the upgrade."
        )
    return version


def _migrate(connection: sqlite3.Connection) -> None:
    """All missing steps in one transaction, so that a crash leaves the old version."""
    if int(_pragma(connection, "user_version")) == SCHEMA_VERSION:
        return
    connection.create_function("sample_of", 1, lambda packed: sample_of(unpack_id(packed)), deterministic=True)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[int(_pragma(connection, "user_version")) :]:
            for statement in _statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> list[str]:
    """The statements of a step; ``executescript`` cannot be used, because it commits."""
    found, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    return found


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]
