"""From the driver's exceptions to the port's, each with a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from leocdp.ports.profile_store import StoreCorrupt, StoreError, StoreUnavailable

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "is locked by another program for too long: close tools that hold it open for writing",
    sqlite3.SQLITE_LOCKED: "is locked by another program for too long: close tools that hold it open for writing",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full. Free some space; processing goes on by itself",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk and the system log",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that the folder exists and that this user may write to it",
    sqlite3.SQLITE_READONLY: "cannot be written: check the permissions of the file and its folder",
    sqlite3.SQLITE_PERM: "cannot be written: check the permissions of the file and its folder",
    sqlite3.SQLITE_NOMEM: "cannot be read: there is not enough memory",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Inside, what the driver raises becomes a StoreError; a record that cannot be decoded is damage."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise store_error(error, path) from error
    except msgspec.MsgspecError as error:
        raise StoreCorrupt(damaged_sentence(path)) from error


def store_error(error: sqlite3.DatabaseError, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = code & 0xFF
    if primary in _DAMAGED:
        return StoreCorrupt(damaged_sentence(path))
    if primary in _UNAVAILABLE:
        return StoreUnavailable(f"The profile store {path} {_UNAVAILABLE[primary]}.")
    return StoreUnavailable(f"The profile store {path} failed: {error}.")


def damaged_sentence(path: Path) -> str:
    return (
        f"The profile store {path} is damaged or is not a SQLite file. Move it away and restore a backup, or start "
        "without it: the processor makes a new one and rebuilds what the event log still holds."
    )
