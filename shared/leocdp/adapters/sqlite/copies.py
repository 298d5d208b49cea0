"""Copies of the embedded engine's files: made while services write to them, looked at, and put in their place."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from leocdp.adapters.sqlite.admin.schema import APPLICATION_ID as ADMIN
from leocdp.adapters.sqlite.log.file import APPLICATION_ID as LOG
from leocdp.adapters.sqlite.log.file import decode_offsets
from leocdp.adapters.sqlite.profiles.schema import APPLICATION_ID as PROFILES

APPLICATIONS: Final = {"profiles": PROFILES, "log": LOG, "admin": ADMIN}
PARTS: Final = ("", "-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps of one database. It applies a write-ahead log or journal to whatever file lies
beside it: those of a lost file would go into the one that takes its place."""
BUSY: Final = 10.0
"""Seconds that opening waits for another process that recovers the file."""


STEP_PAGES: Final = 4096
"""Copied between two pauses: 16 MiB of pages of 4 KiB."""
LONGEST_PAUSE: Final = 1.0
"""Seconds."""


class CopyFailed(Exception):
    """The text says which file and what is wrong with it."""


class InUse(CopyFailed):
    """A program has the file open."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds, as far as files that belong together must agree on it."""

    version: int
    """Of the schema."""
    log_id: str = ""
    """Of the log; of a profile store, the log that it was filled from last. Empty: none yet."""
    offsets: Mapping[str, int] = field(default_factory=dict)
    """``topic/partition`` → where the log ends, or how far the profile store has read it."""
    counts: Mapping[str, int] = field(default_factory=dict)


def copy_online(source: Path, target: Path) -> None:
    """Write one state of ``source`` to the new file ``target``, mode 0600, on the disk when this returns.

    Nobody is stopped: readers and writers of a file with a write-ahead log go on, and what they write meanwhile is not
    in the copy. Half of the time the disk is theirs. Raises CopyFailed.
    """
    if not source.exists():
        raise CopyFailed(f"There is no {source}.")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with _sentence(source), closing(_connect(source, "ro")) as reading, closing(_connect(target, "rw")) as writing:
        # One transaction around all steps: else whatever is written between two of them makes SQLite begin again.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reading.backup(writing, pages=STEP_PAGES, progress=_Pace(target))
        reading.execute("COMMIT")
        # One file and no other beside it, whoever looks at it later.
        writing.execute("PRAGMA journal_mode = DELETE")
    synced(target)


class _Pace:
    """After each step what was copied goes to the disk, and then nothing for as long as that took.

    Left to the system, all of it would go at once in the end, and the log's commits would wait behind it.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._began = time.monotonic()

    def __call__(self, _status: int, remaining: int, _total: int) -> None:
        if remaining:
            synced(self._target)
            time.sleep(min(time.monotonic() - self._began, LONGEST_PAUSE))
            self._began = time.monotonic()


def look(name: str, path: Path) -> Contents:
    """What the file ``name`` (profiles, log or admin) holds, after SQLite has checked its pages.

    Raises CopyFailed: damaged, or another kind of file.
    """
    with _sentence(path), closing(_connect(path, "ro")) as connection:
        answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if answer != "ok":
            raise CopyFailed(f"{path} is damaged: {answer}.")
    return contents(name, path)


def contents(name: str, path: Path) -> Contents:
    """The same of a file whose pages need no check. Raises CopyFailed."""
    with _sentence(path), closing(_connect(path, "ro")) as connection:
        found = int(connection.execute("PRAGMA application_id").fetchone()[0])
        if found != APPLICATIONS[name]:
            raise CopyFailed(f"{path} is not a file of this kind.")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        return READERS[name](connection, version)


def _profiles(connection: sqlite3.Connection, version: int) -> Contents:
    logs = connection.execute("SELECT log_id FROM positions ORDER BY sequence DESC LIMIT 1").fetchone()
    log_id = str(logs[0]) if logs else ""
    rows = connection.execute("SELECT topic, partition, next FROM positions WHERE log_id = ?", (log_id,))
    offsets = {f"{topic}/{partition}": int(after) for topic, partition, after in rows}
    counts = connection.execute("SELECT name, n FROM counters WHERE name IN ('events', 'people')")
    return Contents(version, log_id, offsets, dict(counts.fetchall()))


def _log(connection: sqlite3.Connection, version: int) -> Contents:
    log_id = str(connection.execute("SELECT value FROM meta WHERE key = 'log_id'").fetchone()[0])
    rows = connection.execute("SELECT name, offsets FROM topics")
    ends = {f"{name}/{n}": end for name, packed in rows for n, end in enumerate(decode_offsets(packed))}
    return Contents(version, log_id, ends)


def _admin(connection: sqlite3.Connection, version: int) -> Contents:
    counts = {
        name: int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])  # noqa: S608 - our own names
        for name in ("users", "privacy_requests")
    }
    return Contents(version, counts=counts)


READERS: Final[Mapping[str, Callable[[sqlite3.Connection, int], Contents]]] = {
    "profiles": _profiles,
    "log": _log,
    "admin": _admin,
}


def settle(path: Path) -> None:
    """Bring all that the write-ahead log holds into the file, which only works while nobody else has it open.

    A damaged file is left as it is. Raises InUse.
    """
    try:
        with closing(_connect(path, "rw")) as connection:
            connection.execute("PRAGMA busy_timeout = 500")
            # Leaving the write-ahead log takes the file for itself: the one test that finds every other user.
            if connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
                raise InUse(f"{path} is in use.")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise InUse(f"{path} is in use.") from error
    except sqlite3.DatabaseError:
        # Damaged: nothing can be brought anywhere, and whoever asks moves it aside with what lies beside it.
        return


def set_aside(path: Path, stamp: str) -> list[Path]:
    """Rename what there is of the file and what SQLite keeps beside it; the new paths, the file itself first.

    ``stamp`` goes into their names, with a number where it was used before: nothing is overwritten.
    """
    moved, used, number = [], stamp, 1
    while any(path.with_name(f"{path.name}.{stamp}{end}").exists() for end in PARTS):
        number += 1
        stamp = f"{used}-{number}"
    for end in PARTS:
        part = path.with_name(path.name + end)
        if part.exists():
            moved.append(part.rename(path.with_name(f"{path.name}.{stamp}{end}")))
    return moved


def synced(path: Path) -> None:
    """Wait until a file or the entries of a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, timeout=BUSY, isolation_level=None
    )


@contextmanager
def _sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CopyFailed(f"{path} cannot be read or copied: {error}.") from error
