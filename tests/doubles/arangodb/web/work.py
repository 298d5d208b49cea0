"""What handlers work with: the server's state, and the transaction that a request runs in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.storage.collections import Collection, Database
from tests.doubles.arangodb.storage.transaction import Access, Engine, Transaction
from tests.doubles.arangodb.web.message import Request
from tests.doubles.arangodb.web.sessions import LOCK_WAIT, Sessions
from tests.doubles.arangodb.web.users import Users


@dataclass(slots=True)
class Server:
    users: Users
    language: str = "en_US"
    version: str = "3.11.14"
    role: str = "SINGLE"
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    engine: Engine = field(default_factory=Engine)
    databases: dict[str, Database] = field(default_factory=lambda: {"_system": Database("_system")})
    sessions: Sessions = field(init=False)
    cursors: Any = None

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.engine)

    def database(self, request: Request) -> Database:
        found = self.databases.get(request.database)
        if found is None:
            raise ArangoProblem(1228, request.database)
        return found

    def collection(self, request: Request, name: str) -> Collection:
        return self.database(request).collection(name)

    def no_transaction(self, request: Request) -> None:
        """For what silently runs outside of the transaction that the request names."""
        if request.transaction_id is not None:
            raise Unknown(f"{request.method} {request.path} inside a transaction")

    @contextmanager
    def transaction(self, request: Request, needs: dict[str, Access]) -> Iterator[Transaction]:
        """The stream transaction that the request names, else one of its own: kept at the end, undone by an error."""
        for name, access in needs.items():
            self.users.require_collection(request.user, request.database, name, access)
        if request.transaction_id is not None:
            session = self.sessions.use(request.transaction_id, request.database)
            for name, access in needs.items():
                session.require(name, access)
            yield session.transaction
            return
        transaction = self.engine.begin()
        try:
            for name, access in needs.items():
                found = self.collection(request, name)
                self.engine.lock_collection(transaction, found.id, access, LOCK_WAIT)
            transaction.snapshot = self.engine.commits
            yield transaction
        except BaseException:
            self.engine.abort(transaction)
            raise
        self.engine.commit(transaction)
