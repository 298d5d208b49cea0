"""Threads that read, each with a connection of its own, opened when something is read for the first time."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from leocdp.adapters.sqlite.profiles.connection import Tuning, open_for_reading
from leocdp.adapters.sqlite.profiles.errors import translated
from leocdp.ports.profile_store import StoreUnavailable

T = TypeVar("T")
_Identity = tuple[int, int]


class ReaderPool:
    """Every call reads from one snapshot. A file that was replaced (a restored backup) is opened anew."""

    def __init__(self, path: Path, tuning: Tuning, threads: int) -> None:
        self._path = path
        self._tuning = tuning
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._opened: set[sqlite3.Connection] = set()

    def start(self) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="profiles-read")

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        await asyncio.get_running_loop().run_in_executor(None, pool.shutdown)
        self._local = threading.local()
        for connection in self._opened:
            connection.close()
        self._opened.clear()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Raises StoreUnavailable, StoreCorrupt, SchemaTooNew."""
        if self._pool is None:
            raise StoreUnavailable(f"The profile store {self._path} is not open for reading: call start() first.")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, work)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with translated(self._path):
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        identity = self._identity()
        held: tuple[sqlite3.Connection, _Identity | None] | None = getattr(self._local, "held", None)
        if held is not None and held[1] == identity:
            return held[0]
        if held is not None:
            self._local.held = None
            self._opened.discard(held[0])
            held[0].close()
        connection = open_for_reading(self._path, self._tuning)
        self._opened.add(connection)
        self._local.held = (connection, identity)
        return connection

    def _identity(self) -> _Identity | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino
