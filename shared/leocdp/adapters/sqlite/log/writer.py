"""Group commit: one thread that writes everything in flight in one transaction, then answers all who wait.

While a commit is on its way to the disk the next requests gather in the queue, so the number of commits follows the
disk and the number of records per commit follows the load.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from asyncio import Future
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

from leocdp.adapters.sqlite.log.batch import TopicAppend, TopicState
from leocdp.adapters.sqlite.log.errors import is_busy, translate
from leocdp.adapters.sqlite.log.file import LogFile, Topic, decode_offsets, encode_offsets
from leocdp.adapters.sqlite.log.upkeep import Upkeep
from leocdp.kit.logs import get_logger
from leocdp.ports.clock import Clock
from leocdp.ports.event_log import LogError, LogUnavailable, NewRecord, TopicPartition

BUSY_TIMEOUT: Final = 5.0
"""Seconds that a commit waits for other writers."""
RETRY_EVERY: Final = 0.0007
"""Seconds between tries for the write lock: short beside a commit, so that no process is starved by a busy one."""
COMMIT_BYTES: Final = 8 << 20
"""A commit takes no more than about this, so that other processes get their turn."""
CHECKPOINT_BYTES: Final = 8 << 20
LONG_JOURNAL_BYTES: Final = 32 << 20
PAGE_BYTES: Final = 4096
RESTART_WAIT_MS: Final = 100
"""How long starting the journal anew may wait for others to finish; otherwise the next commits try again."""
PLACE_CHECK: Final = 0.25
"""Seconds between looks whether the file is still in its place."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Append:
    records: Sequence[NewRecord]
    size: int
    future: Future[Sequence[int]]


@dataclass(frozen=True, slots=True)
class GroupMove:
    """Positions of a group, for lag."""

    group: str
    positions: Mapping[TopicPartition, int]
    future: Future[None]
    size: int = 0


Request = Append | GroupMove
Outcome = tuple[Request, Any]
"""A request and its result, or the LogError it failed with."""
Settle = Callable[[Sequence[Outcome], Mapping[str, Sequence[int]]], None]
"""Called on the writer's thread after each commit: outcomes, and the new next offsets of the topics it touched."""


class LogWriter:
    def __init__(self, file: LogFile, clock: Clock, upkeep: Upkeep, settle: Settle) -> None:
        self._file = file
        self._clock = clock
        self._upkeep = upkeep
        self._settle = settle
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._work: Iterator[None] | None = None
        self._unchecked_bytes = 0
        self._next_place_check = 0.0
        self._thread = threading.Thread(target=self._run, name="event-log-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, request: Request) -> None:
        self._queue.put(request)

    def close(self) -> None:
        """Write what was submitted, then end. Blocks."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        closing = False
        while not closing:
            requests, closing = self._take()
            if requests:
                self._write(requests)
            if not closing:
                self._tidy()
        self._drop_connection()

    def _take(self) -> tuple[list[Request], bool]:
        """Everything that waits, up to the size of a commit; and whether the end has come."""
        timeout = 0.0 if self._work is not None else self._upkeep.due_in()
        try:
            first = self._queue.get(timeout=timeout) if timeout > 0 else self._queue.get_nowait()
        except Empty:
            return [], False
        requests: list[Request] = []
        size = 0
        while first is not None:
            requests.append(first)
            size += first.size
            if size >= COMMIT_BYTES or self._queue.empty():
                return requests, False
            first = self._queue.get()
        return requests, True

    def _write(self, requests: list[Request]) -> None:
        try:
            results, ends = self._commit(requests)
        except Exception as error:  # noqa: BLE001 - this thread must answer everybody and live on
            failure = self._failure(error)
            self._settle([(request, failure) for request in requests], {})
        else:
            self._settle(list(zip(requests, results, strict=True)), ends)
            self._checkpoint()

    def _failure(self, error: Exception) -> LogError:
        # The state of the connection after an error is not worth knowing: the next commit opens another.
        if not (isinstance(error, sqlite3.Error) and is_busy(error)):
            self._drop_connection()
        if isinstance(error, LogError):
            return error
        if isinstance(error, sqlite3.Error):
            return translate(error, self._file.path)
        log.error("event_log_write_failed", exc_info=error)
        return LogUnavailable(f"The event log {self._file.path} failed ({type(error).__name__}: {error}).")

    def _commit(self, requests: list[Request]) -> tuple[list[Any], dict[str, Sequence[int]]]:
        connection = self._ready_connection()
        self._begin(connection)
        try:
            appends: dict[str, TopicAppend] = {}
            at = self._clock.now()
            results: list[Any] = []
            for request in requests:
                if isinstance(request, Append):
                    results.append(self._add(connection, appends, request.records, at))
                else:
                    _move_group(connection, request)
                    results.append(None)
            self._store(connection, appends.values())
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results, {name: append.state.offsets for name, append in appends.items()}

    def _add(
        self, connection: sqlite3.Connection, appends: dict[str, TopicAppend], records: Sequence[NewRecord], at: int
    ) -> list[int]:
        offsets = []
        for record in records:
            append = appends.get(record.topic)
            if append is None:
                topic = self._file.topics[record.topic]
                append = appends[record.topic] = TopicAppend(topic, _state(connection, topic), at)
            offsets.append(append.add(record.partition, record.key, record.value))
        return offsets

    def _store(self, connection: sqlite3.Connection, appends: Iterable[TopicAppend]) -> None:
        for append in appends:
            append.close_row()
            for row in append.rows:
                connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", row)
                self._unchecked_bytes += len(row[3]) + 8192
            state = append.state
            connection.execute(
                "UPDATE topics SET sequence = ?, bytes = ?, offsets = ? WHERE number = ?",
                (state.sequence, state.bytes, encode_offsets(state.offsets), append.topic.number),
            )

    def _ready_connection(self) -> sqlite3.Connection:
        now = time.monotonic()
        if now >= self._next_place_check:
            self._file.check_in_place()
            self._next_place_check = now + PLACE_CHECK
        if self._connection is None:
            self._connection = self._file.open()
            self._connection.execute("PRAGMA busy_timeout = 0")
        return self._connection

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Take the write lock. Our own short, even waits: those of SQLite grow to 100 ms, which is unfair."""
        deadline = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(RETRY_EVERY)

    def _checkpoint(self) -> None:
        """Move the journal into the file, after the answers: nobody waits for it but the next commit."""
        if self._unchecked_bytes < CHECKPOINT_BYTES or self._connection is None:
            return
        self._unchecked_bytes = 0
        self._guarded(_move_journal)

    def _tidy(self) -> None:
        """One small step of retention and compaction, between two commits."""
        if self._work is None and self._upkeep.due_in() > 0:
            return
        self._guarded(self._tidy_step)

    def _tidy_step(self, connection: sqlite3.Connection) -> None:
        if self._work is None:
            self._work = self._upkeep.run(connection)
        if next(self._work, self) is self:
            self._work = None

    def _guarded(self, do: Callable[[sqlite3.Connection], Any]) -> None:
        """Housekeeping: what fails now is tried again later, and appends go on."""
        try:
            do(self._ready_connection())
        except (sqlite3.Error, LogError) as error:
            self._work = None
            self._upkeep.postpone()
            if not (isinstance(error, sqlite3.Error) and is_busy(error)):
                log.warning("event_log_upkeep_failed", file=str(self._file.path), error=str(error))
                self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._connection, self._work = self._connection, None, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error as error:
                log.warning("event_log_close_failed", file=str(self._file.path), error=str(error))


def _move_journal(connection: sqlite3.Connection) -> None:
    """Copy the journal into the file, without making anybody wait; but start it anew once it is long.

    While other processes write on, a journal never comes to a point where it starts anew by itself.
    """
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if pages * PAGE_BYTES < LONG_JOURNAL_BYTES:
        return
    connection.execute(f"PRAGMA busy_timeout = {RESTART_WAIT_MS}")
    connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")


def _state(connection: sqlite3.Connection, topic: Topic) -> TopicState:
    query = "SELECT sequence, bytes, offsets FROM topics WHERE number = ?"
    sequence, size, offsets = connection.execute(query, (topic.number,)).fetchone()
    return TopicState(sequence, size, decode_offsets(offsets))


def _move_group(connection: sqlite3.Connection, move: GroupMove) -> None:
    connection.executemany(
        "INSERT INTO group_positions VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
        [(move.group, *partition, position) for partition, position in move.positions.items()],
    )
