"""Reading beside the event loop: one thread per process that runs queries and notices what other processes append."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from leocdp.adapters.sqlite.log.errors import translate
from leocdp.adapters.sqlite.log.file import LogFile, decode_offsets
from leocdp.ports.event_log import LogError, LogUnavailable

POLL_EVERY: Final = 0.012
"""Seconds between looks at the file's change counter while somebody waits: well under the 50 ms of the port."""

CLOSED: Final = "The event log is closed."

T = TypeVar("T")
Query = Callable[[sqlite3.Connection], T]
Notify = Callable[[Mapping[str, Sequence[int]], LogError | None], None]
"""Called on the reader's thread: topics that have grown with their next offsets, or why that cannot be known."""


class LogReader:
    def __init__(self, file: LogFile, loop: AbstractEventLoop, notify: Notify) -> None:
        self._file = file
        self._loop = loop
        self._notify = notify
        self._queue: SimpleQueue[tuple[Query[Any], Future[Any]] | bool] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._watching = False
        self._seen_version = -1
        self._seen: dict[str, str] = {}
        self._last_poll = 0.0
        self._thread = threading.Thread(target=self._run, name="event-log-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Answer what was asked, then end. Blocks."""
        self._closed = True
        self._queue.put(False)
        self._thread.join()

    def watch(self, watching: bool) -> None:
        """Whether somebody waits for records, so that the file must be looked at."""
        self._watching = watching
        if watching:
            self._queue.put(True)

    async def run(self, query: Query[T]) -> T:
        """The query's result. Raises LogUnavailable, LogCorrupt."""
        if self._closed:
            raise LogUnavailable(CLOSED)
        future: Future[T] = self._loop.create_future()
        self._queue.put((query, future))
        return await future

    def _run(self) -> None:
        item: tuple[Query[Any], Future[Any]] | bool = True
        while item is not False:
            try:
                item = self._queue.get(timeout=POLL_EVERY if self._watching else None)
            except Empty:
                item = True
            if isinstance(item, tuple):
                self._answer(*item)
            if self._watching and time.monotonic() - self._last_poll >= POLL_EVERY / 2:
                self._poll()
        self._drop_connection()

    def _answer(self, query: Query[Any], future: Future[Any]) -> None:
        try:
            result, failure = query(self._ready_connection()), None
        except Exception as error:  # noqa: BLE001 - whoever asked must get an answer
            result, failure = None, self._failure(error)
        on_loop(self._loop, _settle, future, result, failure)

    def _failure(self, error: Exception) -> LogError:
        self._drop_connection()
        if isinstance(error, LogError):
            return error
        if isinstance(error, sqlite3.Error):
            return translate(error, self._file.path)
        return LogUnavailable(f"The event log {self._file.path} cannot be read ({type(error).__name__}: {error}).")

    def _poll(self) -> None:
        self._last_poll = time.monotonic()
        try:
            grown = self._grown(self._ready_connection())
        except (sqlite3.Error, LogError) as error:
            self._notify({}, self._failure(error))
        else:
            if grown:
                self._notify(grown, None)

    def _grown(self, connection: sqlite3.Connection) -> Mapping[str, Sequence[int]]:
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._seen_version:
            return {}
        # One row: each further one would wait for the interpreter's lock again while the event loop is busy.
        row = connection.execute("SELECT json_group_object(name, hex(offsets)) FROM topics").fetchone()
        ends: dict[str, str] = json.loads(row[0])
        grown = {
            name: decode_offsets(bytes.fromhex(offsets))
            for name, offsets in ends.items()
            if self._seen.get(name) != offsets
        }
        self._seen = ends
        self._seen_version = version
        return grown

    def _ready_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._file.open()
            self._connection.execute("PRAGMA query_only = ON")
            self._seen_version = -1
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def on_loop(loop: AbstractEventLoop, callback: Callable[..., None], *arguments: Any) -> None:
    """Call it soon on the event loop. When that has ended without closing the log, nobody waits any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *arguments)


def _settle(future: Future[Any], result: Any, failure: LogError | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)
