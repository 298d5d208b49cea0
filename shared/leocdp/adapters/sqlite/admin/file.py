"""Opening ``admin.db``: checks, migrations, and two threads with a connection each, one to write and one to read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from leocdp.adapters.doubt import Doubt
from leocdp.adapters.sqlite.admin.schema import APPLICATION_ID, MIGRATIONS
from leocdp.ports.admin_store import AdminStoreCorrupt, AdminStoreUnavailable

T = TypeVar("T")

BUSY_MS: Final = 5_000

_UNAVAILABLE: Final = {
    sqlite3.SQLITE_FULL: "cannot grow: its disk is full. Free some space; changes work again by themselves then.",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk and the system log.",
    sqlite3.SQLITE_BUSY: "has been locked by another program for too long: close tools that hold it open for writing.",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and that this user may write to it.",
    sqlite3.SQLITE_READONLY: "cannot be written: check the permissions of the file and its folder.",
}

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
)


class AdminFile:
    def __init__(self, path: Path, *, make_folder: bool) -> None:
        self.path = path
        self._make_folder = make_folder
        self._writer: _Lane | None = None
        self._reader: _Lane | None = None
        self.doubt = Doubt()

    async def start(self) -> None:
        """Raises AdminStoreUnavailable, AdminStoreCorrupt."""
        if self._make_folder:
            self._create_folder()
        writer = _Lane("admin-store-writer", self._open_for_writing)
        try:
            await writer.run(_nothing)
        except BaseException:
            await writer.close()
            raise
        self._writer = writer
        self._reader = _Lane("admin-store-reader", self._open_for_reading)

    async def close(self) -> None:
        for lane in (self._reader, self._writer):
            if lane is not None:
                await lane.close()
        self._reader = self._writer = None

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._reader is None:
            raise AdminStoreUnavailable("The admin store is not open.")
        lane = self._reader
        with self.translated():
            return await lane.run(work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work`` in one transaction: all of it or nothing."""
        if self._writer is None:
            raise AdminStoreUnavailable("The admin store is not open.")
        lane = self._writer

        def whole(connection: sqlite3.Connection) -> T:
            with transaction(connection):
                return work(connection)

        with self.doubt.writing(), self.translated():
            return await lane.run(whole)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """SQLite's errors as those of the port."""
        try:
            yield
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            told = _UNAVAILABLE.get(code, f"cannot be used now: {error}.")
            raise AdminStoreUnavailable(f"The admin store {self.path} {told}") from error
        except sqlite3.DatabaseError as error:
            raise AdminStoreCorrupt(
                f"The admin store {self.path} is damaged ({error}). Restore it from a backup."
            ) from error

    def _create_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AdminStoreUnavailable(
                f"The folder {self.path.parent} of the admin store cannot be created ({error.strerror}). "
                "Create it, or set LEOCDP_DATA_DIR to another."
            ) from error

    def _open_for_writing(self) -> sqlite3.Connection:
        with self.translated():
            connection = self._connect("rwc")
            try:
                self._check(connection)
                connection.execute("PRAGMA journal_mode = WAL")
                self._migrate(connection)
                # Hashes of keys and passwords are nobody else's business.
                self.path.chmod(0o600)
            except BaseException:
                connection.close()
                raise
            return connection

    def _open_for_reading(self) -> sqlite3.Connection:
        connection = self._connect("rw")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path.absolute()))}?mode={mode}",
            uri=True,
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if tables and application != APPLICATION_ID:
            raise AdminStoreCorrupt(
                f"{self.path} is a database of something else, not an admin store. "
                "Point LEOCDP_ADMIN_URL at another file; this one was left untouched."
            )
        if version > len(MIGRATIONS):
            raise AdminStoreCorrupt(
                f"The admin store {self.path} was written by a newer version (format {version}, this build knows "
                f"{len(MIGRATIONS)}). Upgrade this service."
            )

    def _migrate(self, connection: sqlite3.Connection) -> None:
        with transaction(connection):
            # Read again inside: another process may have been faster.
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class _Lane:
    """A thread with a connection of its own, opened on first use."""

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection]) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        # Shielded: a cancelled request must not leave a half-done transaction to the next one.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._executor, self._run, work))

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown(wait=False)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._connect()
        return work(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _nothing(_: sqlite3.Connection) -> None:
    return None
