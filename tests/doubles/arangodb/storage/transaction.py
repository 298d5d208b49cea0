"""Transactions: a snapshot, writes of one's own, locks on what was written.

Snapshot isolation, as RocksDB gives it: reads see the state at the beginning and one's own writes. A key is locked by
its first writer until the end; who comes second gets 1200 at once, and so does who writes a key that another
transaction has changed since one's own snapshot. Write skew is possible. Locks on whole collections come with access
``exclusive`` only, against other writers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.doubles.arangodb.errors import ArangoProblem
from tests.doubles.arangodb.storage.versions import ABSENT, Versions

Access = Literal["read", "write", "exclusive"]


@dataclass(eq=False, slots=True)
class Transaction:
    engine: Engine
    snapshot: int
    declared: dict[str, Access] | None = None
    """Collections of a stream transaction; None where each operation says what it needs."""
    writes: dict[Versions, dict[Hashable, Any]] = field(default_factory=dict)
    locked: set[tuple[Versions, Hashable]] = field(default_factory=set)
    exclusive: set[Hashable] = field(default_factory=set)
    writing: set[Hashable] = field(default_factory=set)

    def read(self, table: Versions, key: Hashable) -> Any:
        own = self.writes.get(table, {}).get(key, None)
        return table.read(key, self.snapshot) if own is None else own

    def rows(self, table: Versions) -> Iterator[Any]:
        """Values as this transaction sees them, in no order."""
        own = self.writes.get(table, {})
        for key in table.keys():  # noqa: SIM118 - a method, and a list
            if key not in own and (value := table.read(key, self.snapshot)) is not ABSENT:
                yield value
        yield from (value for value in own.values() if value is not ABSENT)

    def candidates(self, table: Versions, path: str, values: list[Any]) -> Iterator[Any]:
        """Values of the table, among them all that have one of ``values`` at the path."""
        own = self.writes.get(table, {})
        wanted = values if path == "_key" else table.candidates(path, values) | own.keys()
        for key in table.turned(sorted({each for each in wanted if isinstance(each, str)})):
            if (value := self.read(table, key)) is not ABSENT:
                yield value

    def lock(self, table: Versions, key: Hashable, wait: float = 0.0) -> None:
        """Raises 1200 where another transaction holds the key, or has changed it since our snapshot.

        Who waits for the lock (operations on a single document) takes the snapshot only then.
        """
        self.engine.lock(self, table, key, wait)
        if wait and not self.writes:
            self.snapshot = self.engine.commits
        if table.latest(key) > self.snapshot:
            raise ArangoProblem(1200, "write-write conflict: changed since the beginning of the transaction")

    def write(self, table: Versions, key: Hashable, value: Any) -> None:
        """The key must be locked."""
        self.writes.setdefault(table, {})[key] = value


class Engine:
    """The commits of one server, in order. Everything happens under its monitor."""

    def __init__(self) -> None:
        self.monitor = threading.Condition(threading.RLock())
        self.commits = 0
        self._running: set[Transaction] = set()
        self._owners: dict[tuple[Versions, Hashable], Transaction] = {}

    def begin(self, declared: dict[str, Access] | None = None) -> Transaction:
        made = Transaction(self, self.commits, declared)
        self._running.add(made)
        return made

    def commit(self, transaction: Transaction) -> None:
        if transaction.writes:
            self.commits += 1
        self._running.discard(transaction)
        oldest = min((each.snapshot for each in self._running), default=self.commits)
        for table, changed in transaction.writes.items():
            for key, value in changed.items():
                table.write(key, value, self.commits, oldest)
        self._end(transaction)

    def abort(self, transaction: Transaction) -> None:
        self._running.discard(transaction)
        self._end(transaction)

    def _end(self, transaction: Transaction) -> None:
        for each in transaction.locked:
            self._owners.pop(each, None)
        for held in (transaction.locked, transaction.writing, transaction.exclusive):
            held.clear()
        self.monitor.notify_all()

    def lock(self, transaction: Transaction, table: Versions, key: Hashable, wait: float) -> None:
        place = (table, key)
        if self._owners.get(place, transaction) is not transaction:
            self._until(lambda: place not in self._owners, wait, ArangoProblem(1200, "locked"))
        self._owners[place] = transaction
        transaction.locked.add(place)

    def lock_collection(self, transaction: Transaction, collection: Hashable, access: Access, wait: float) -> None:
        """Writers share a collection; an exclusive one has it alone among writers. Raises 18 after ``wait`` seconds."""
        if access == "read":
            return

        def is_free() -> bool:
            others = self._running - {transaction}
            taken = any(collection in each.exclusive for each in others)
            return not taken and not (access == "exclusive" and any(collection in each.writing for each in others))

        self._until(is_free, wait, ArangoProblem(18))
        transaction.writing.add(collection)
        if access == "exclusive":
            transaction.exclusive.add(collection)

    def _until(self, condition: Callable[[], bool], wait: float, problem: ArangoProblem) -> None:
        end = time.monotonic() + wait
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise problem
            self.monitor.wait(left)
