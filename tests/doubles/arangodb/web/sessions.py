"""Stream transactions: begun by one request, used by many, ended by one, or by the server after a while unused.

Ending one twice the same way succeeds, the other way is 1653; using an ended one is 1654, an unknown one 1655.
One request at a time: who comes while another is inside waits 8 seconds and gets 28.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.storage.collections import Database, next_id
from tests.doubles.arangodb.storage.transaction import Access, Engine, Transaction

Status = Literal["running", "committed", "aborted"]
IDLE: Final = 60.0
PARALLEL_WAIT: Final = 8.0
LOCK_WAIT: Final = 900.0


@dataclass(slots=True)
class Session:
    id: str
    database: str
    transaction: Transaction
    implicit: bool
    last_used: float
    status: Status = "running"
    busy: bool = False

    def body(self) -> dict[str, str]:
        return {"id": self.id, "status": self.status}

    def require(self, collection: str, access: Access) -> None:
        """Raises 1652 for a collection that was not declared for this."""
        declared = (self.transaction.declared or {}).get(collection)
        if declared in ("write", "exclusive") or (access == "read" and declared == "read"):
            return
        if access == "read" and self.implicit:
            raise Unknown(f"reading {collection}, which the transaction did not declare: its isolation is undocumented")
        raise ArangoProblem(1652, f"{collection} [{access}]")


class Sessions:
    """Under the engine's monitor, like everything."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._known: dict[str, Session] = {}
        self.idle = IDLE
        self.parallel_wait = PARALLEL_WAIT

    def begin(self, database: Database, wanted: Mapping[str, Any]) -> Session:
        self.sweep()
        declared = _declared(wanted.get("collections"))
        collections = {database.collection(name): access for name, access in declared.items()}
        transaction = self._engine.begin(declared)
        try:
            for collection, access in collections.items():
                self._engine.lock_collection(transaction, collection.id, access, wanted.get("lockTimeout") or LOCK_WAIT)
        except ArangoProblem:
            self._engine.abort(transaction)
            raise
        transaction.snapshot = self._engine.commits
        implicit = bool(wanted.get("allowImplicit", True))
        made = Session(str(next_id()), database.name, transaction, implicit, self._clock())
        self._known[made.id] = made
        return made

    def use(self, session_id: str, database: str) -> Session:
        """A running one. Raises 1654, 1655."""
        session = self.find(session_id, database)
        if session.status != "running":
            raise ArangoProblem(1654, session.status)
        return session

    @contextmanager
    def occupied(self, session_id: str | None) -> Iterator[None]:
        """For the whole time of a request that names a transaction, known or not. Raises 28."""
        with self._engine.monitor:
            session = self._known.get(session_id or "")
            if session is not None:
                self._occupy(session)
        try:
            yield
        finally:
            if session is not None:
                with self._engine.monitor:
                    session.busy, session.last_used = False, self._clock()
                    self._engine.monitor.notify_all()

    def _occupy(self, session: Session) -> None:
        if not self._engine.monitor.wait_for(lambda: not session.busy, self.parallel_wait):
            raise ArangoProblem(28, f"transaction {session.id} is in use by another request")
        self.sweep()
        session.busy = True

    def find(self, session_id: str, database: str) -> Session:
        self.sweep()
        found = self._known.get(session_id)
        if found is None or found.database != database:
            raise ArangoProblem(1655, session_id)
        return found

    def end(self, session_id: str, database: str, status: Status) -> Session:
        session = self.find(session_id, database)
        if session.status == "running":
            (self._engine.commit if status == "committed" else self._engine.abort)(session.transaction)
            session.status = status
        elif session.status != status:
            raise ArangoProblem(1653, f"transaction was already {session.status}")
        return session

    def sweep(self) -> None:
        """Aborts what nobody has used for a while."""
        end = self._clock() - self.idle
        for session in self._known.values():
            if session.status == "running" and not session.busy and session.last_used < end:
                self._abort(session)

    def lose(self, only: str | None = None, *, forget: bool = False) -> int:
        """Aborts all that run, or this one, as after the idle time; ``forget``: nobody knows them any more."""
        running = [each for each in self.running() if only in (None, each.id)]
        for session in running:
            self._abort(session)
            if forget:
                del self._known[session.id]
        return len(running)

    def running(self) -> list[Session]:
        return [each for each in self._known.values() if each.status == "running"]

    def _abort(self, session: Session) -> None:
        self._engine.abort(session.transaction)
        session.status = "aborted"


def _declared(given: Any) -> dict[str, Access]:
    """Collection → strongest access that was asked for."""
    if not isinstance(given, dict) or given.keys() - {"read", "write", "exclusive"}:
        raise ArangoProblem(10, "missing or invalid attribute 'collections'")
    found: dict[str, Access] = {}
    kinds: tuple[Access, ...] = ("read", "write", "exclusive")
    for access in kinds:
        names = given.get(access, [])
        for name in [names] if isinstance(names, str) else names:
            found[name] = access
    return found
