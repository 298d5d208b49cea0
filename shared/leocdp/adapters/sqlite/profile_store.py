"""The embedded profile store, as the processor writes it: one SQLite file, one thread, one transaction per commit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from leocdp.adapters.sqlite.profiles import erasure as erasing
from leocdp.adapters.sqlite.profiles import outbox, problems, refresh_reads
from leocdp.adapters.sqlite.profiles.commit import Bounds, Committer
from leocdp.adapters.sqlite.profiles.connection import Tuning, open_for_writing
from leocdp.adapters.sqlite.profiles.errors import translated
from leocdp.adapters.sqlite.profiles.load import load_snapshot
from leocdp.adapters.sqlite.profiles.lock import StoreLock
from leocdp.adapters.sqlite.profiles.positions import logs, read_positions
from leocdp.domain.decisions import Changes, LoadRequest, Snapshot, SwitchRecord
from leocdp.domain.privacy.ledger import Erasure, ErasureReceipt
from leocdp.domain.segments.subject import EventFact
from leocdp.ports.profile_store import PositionMove, RemovedData, StoredOutbox, StoreUnavailable

T = TypeVar("T")


class FaultHook(Protocol):
    """Places around the commit where a test may stop the process."""

    def before_commit(self) -> None:
        """Everything is written, nothing is committed."""

    def after_commit(self) -> None:
        """The commit is in the file, the caller does not know yet."""


class SQLiteProfileStore:
    """``ports.profile_store.ProfileStore`` on ``profiles.db``.

    All work is done by one thread that owns the connection, in the order of the calls; a cancelled caller does not
    stop what has begun. A crash of the process or the machine leaves a state between two commits: the write-ahead
    log is written without waiting for the disk, and positions roll back together with their effects.
    """

    def __init__(
        self,
        path: Path,
        *,
        tuning: Tuning | None = None,
        bounds: Bounds | None = None,
        make_folder: bool = True,
        faults: FaultHook | None = None,
    ) -> None:
        self._path = path
        self._tuning = tuning or Tuning()
        self._bounds = bounds or Bounds()
        self._faults = faults
        self._lock = StoreLock(path, make_folder)
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._committer: Committer | None = None
        self._journal_is_due = True
        """Erased data may stand in the write-ahead log, also since before a crash."""

    async def start(self) -> None:
        if self._thread is not None:
            return
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="profiles-db")
        try:
            await self._run(self._open)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        await asyncio.get_running_loop().run_in_executor(thread, self._close)
        thread.shutdown()

    async def load(self, request: LoadRequest) -> Snapshot:
        return await self._run(lambda: self._load(request))

    async def commit(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        return await self._run(lambda: self._commit(changes, positions, now))

    async def positions(self, log_id: str) -> Mapping[tuple[str, int], int]:
        return await self._run(lambda: read_positions(self._open_connection(), log_id))

    async def other_logs(self, log_id: str) -> Sequence[str]:
        found = await self._run(lambda: logs(self._open_connection()))
        return [one for one in found if one != log_id]

    async def held_until(self) -> int | None:
        """Never: a copy of the file is one moment by itself."""
        return None

    async def pending_outbox(self, limit: int) -> Sequence[StoredOutbox]:
        return await self._run(lambda: outbox.pending(self._open_connection(), limit))

    async def mark_published(self, sequences: Sequence[int]) -> None:
        await self._run(lambda: self._write(lambda: outbox.remove(self._open_connection(), sequences)))

    async def dead_letters_to_replay(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        return await self._run(lambda: problems.replay_records(self._open_connection(), ids))

    async def mark_replayed(self, ids: Sequence[str], at: int) -> None:
        await self._run(lambda: self._write(lambda: self._mark_replayed(ids, at)))

    async def tidy(self, now: int) -> None:
        await self._run(lambda: self._tidy(now))

    async def remove_source(self, source_id: str, *, after: str | None, limit: int) -> RemovedData:
        return await self._run(lambda: self._remove_source(source_id, int(after or 0), limit))

    async def people_due(self, shards: Collection[int], now: int, limit: int) -> Sequence[str]:
        return await self._run(lambda: refresh_reads.people_due(self._open_connection(), shards, now, limit))

    async def people_behind(self, shards: Collection[int], generation: int, limit: int) -> Sequence[str]:
        return await self._run(lambda: refresh_reads.people_behind(self._open_connection(), shards, generation, limit))

    async def people_labelled(self, label: str, limit: int) -> Sequence[str]:
        return await self._run(lambda: refresh_reads.people_labelled(self._open_connection(), label, limit))

    async def person_events(
        self, people: Mapping[str, Sequence[str]], *, names: Collection[str], types: Collection[str]
    ) -> Mapping[str, Sequence[EventFact]]:
        return await self._run(lambda: refresh_reads.person_events(self._open_connection(), people, names, types))

    async def identifiers(self, *, after: str | None, limit: int) -> Sequence[tuple[str, str]]:
        return await self._run(lambda: erasing.read_identifiers(self._open_connection(), after, limit))

    async def switches_of(self, leaf_ids: Sequence[str]) -> Sequence[SwitchRecord]:
        return await self._run(lambda: erasing.read_switches(self._open_connection(), leaf_ids))

    async def erase(self, erasure: Erasure, mentions: Callable[[str], bool]) -> ErasureReceipt:
        return await self._run(lambda: self._erase(erasure, mentions))

    async def erasure(self, erasure_id: str) -> ErasureReceipt | None:
        return await self._run(lambda: erasing.read_receipt(self._open_connection(), erasure_id))

    async def erasure_keys(self) -> frozenset[str]:
        return await self._run(lambda: erasing.read_keys(self._open_connection()))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise StoreUnavailable(f"The profile store {self._path} is not open: call start() first.")

        def translating() -> T:
            with translated(self._path):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._thread, translating)

    # Below: on the store's own thread.

    def _open(self) -> None:
        self._lock.take()
        self._connection = open_for_writing(self._path, self._tuning)
        self._committer = Committer(self._connection, self._bounds)

    def _close(self) -> None:
        connection, self._connection, self._committer = self._connection, None, None
        try:
            if connection is not None:
                connection.close()
        finally:
            self._lock.release()

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreUnavailable(f"The profile store {self._path} is closed.")
        return self._connection

    def _open_committer(self) -> Committer:
        self._open_connection()
        assert self._committer is not None
        return self._committer

    def _load(self, request: LoadRequest) -> Snapshot:
        snapshot = load_snapshot(self._open_connection(), request, self._open_committer().heads)
        snapshot.known = self._open_committer().known(request.dedup_keys)
        return snapshot

    def _commit(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        committer = self._open_committer()
        with self._transaction():
            sequence = committer.write(changes, positions, now)
            if self._faults:
                self._faults.before_commit()
        committer.committed()
        if self._faults:
            self._faults.after_commit()
        return sequence

    def _write(self, work: Callable[[], object]) -> None:
        with self._transaction():
            work()

    def _mark_replayed(self, ids: Sequence[str], at: int) -> None:
        self._open_committer().count_replayed(problems.mark_replayed(self._open_connection(), ids, at))

    def _tidy(self, now: int) -> None:
        committer = self._open_committer()
        if committer.has_to_tidy(now):
            self._write(lambda: committer.tidy(now))
        connection = self._open_connection()
        if erasing.has_to_forget(connection):
            with erasing.overwriting(connection):
                self._write(lambda: erasing.forget_words(connection))
            self._journal_is_due = True
        if self._journal_is_due:
            self._journal_is_due = not erasing.empty_journal(connection)

    def _remove_source(self, source_id: str, after: int, limit: int) -> RemovedData:
        committer = self._open_committer()
        with self._transaction():
            removed = committer.remove_source(source_id, after, limit)
        committer.reload()
        return removed

    def _erase(self, erasure: Erasure, mentions: Callable[[str], bool]) -> ErasureReceipt:
        connection, committer = self._open_connection(), self._open_committer()
        receipt = erasing.read_receipt(connection, erasure.id)
        if receipt is None:
            with erasing.overwriting(connection), self._transaction():
                receipt = committer.erase(erasure, mentions)
                if self._faults:
                    self._faults.before_commit()
            committer.reload()
            if self._faults:
                self._faults.after_commit()
        # A reader may be in the way; then tidying tries again.
        self._journal_is_due = not erasing.empty_journal(connection)
        return receipt

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        connection = self._open_connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # A full disk may have rolled back already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._open_committer().reload()
            raise
