"""What SQLite says about the log's file, in the words of the event log's errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leocdp.ports.event_log import LogCorrupt, LogError, LogUnavailable

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def primary_code(error: sqlite3.Error) -> int:
    """The primary result code; 0 where the module itself complains (such as a closed connection)."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    return primary_code(error) in BUSY


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Let no driver exception out: it becomes LogUnavailable or LogCorrupt with a sentence on what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error


def translate(error: sqlite3.Error, path: Path) -> LogError:
    code = primary_code(error)
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return LogCorrupt(
            f"The event log {path} is damaged or no SQLite file ({error}). Stop all services, keep a copy of the file, "
            "and restore it from a backup or start with a new one."
        )
    return LogUnavailable(_unavailable(code, error, path))


def _unavailable(code: int, error: sqlite3.Error, path: Path) -> str:
    if code in BUSY:
        return (
            f"The event log {path} has been locked by another program for too long. Stop what holds it (a backup, "
            "or a shell with an open transaction); writing goes on by itself afterwards."
        )
    if code == sqlite3.SQLITE_FULL:
        return f"The disk of the event log {path} is full. Free some space; writing goes on by itself afterwards."
    if code == sqlite3.SQLITE_READONLY:
        return (
            f"The event log {path} cannot be written. Give this user write permission on the file and its folder; "
            "writing goes on by itself afterwards."
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return _cannot_open(path)
    if code == sqlite3.SQLITE_IOERR:
        return (
            f"The event log {path} cannot be read or written ({error}). Check that its disk works and has free space, "
            "and that no limit on the size of files applies."
        )
    return f"The event log {path} failed: {error}."


def _cannot_open(path: Path) -> str:
    if not path.parent.is_dir():
        return (
            f"The folder {path.parent} of the event log does not exist. Create it, or set LEOCDP_DATA_DIR to another."
        )
    # A Path of a folder that may not be entered raises here until Python 3.13.
    if os.path.isdir(path):
        return f"The event log {path} is a folder. LEOCDP_LOG_URL must name a file."
    return f"The event log {path} cannot be opened. Give this user permission on the file and its folder."
