"""A stand-in for an ArangoDB server, for tests: the documented behaviour, over HTTP on loopback, in memory.

    with running(password="secret") as double:
        client = ArangoClient(hosts=double.url)

It knows what the product needs and refuses everything else with 501 (``refusals``; :func:`running` fails at the end of
the test when there was one). What is claimed about the real server is written where it is done, and the tests beside
this package name the rule that each of them checks.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.doubles.arangodb.aql.facts import collections as collections_of
from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.faults import Fault, Faults
from tests.doubles.arangodb.log import Entry, Log
from tests.doubles.arangodb.storage.expiry import expire
from tests.doubles.arangodb.web import admin_routes, document_routes, schema_routes, transaction_routes
from tests.doubles.arangodb.web.cursor_routes import Cursors
from tests.doubles.arangodb.web.listener import Dropped, Listener, body_of
from tests.doubles.arangodb.web.message import Request, Response, problem
from tests.doubles.arangodb.web.router import Route, find, run
from tests.doubles.arangodb.web.users import Users
from tests.doubles.arangodb.web.work import Server

ROUTE_MODULES = (admin_routes, document_routes, schema_routes, transaction_routes)
"""Modules that fill the router."""
_OPEN = frozenset({"server.available", "user.login"})


class Double:
    """One server. ``start`` may be called again after ``stop``, on the same port, with the same data."""

    def __init__(self, *, password: str = "", language: str = "en_US") -> None:
        self.server = Server(Users(password), language)
        self.server.cursors = Cursors()
        self.faults = Faults()
        self.log = Log()
        self.refusals: list[str] = []
        self.port = 0
        self._listener: Listener | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._listener = Listener(self._respond, self.port)
        self.port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Nobody answers any more; connections end, running transactions are forgotten, data stays."""
        self.faults.clear()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.cut_connections()
            listener.server_close()
        self.lose_transactions(forget=True)

    def lose_transactions(self, *, forget: bool = False) -> int:
        """Aborts what runs, as after the idle time (using one is 1654 then), or as after a restart (1655)."""
        with self.server.engine.monitor:
            return self.server.sessions.lose(forget=forget)

    def fault(self, fault: Fault) -> Fault:
        return self.faults.add(fault)

    def expire_documents(self, now: float | None = None) -> int:
        """What the thread behind ttl indexes does every half minute. ``now`` in seconds UTC. Returns how many went."""
        with self.server.engine.monitor:
            moment = self.server.now() / 1000 if now is None else now
            return expire(self.server.engine, self.server.databases.values(), moment)

    def _respond(self, request: Request) -> Response:
        entry = Entry("unknown", request.method, request.path, transaction=request.transaction_id)
        try:
            _check_headers(request)
            found, pieces = find(request)
            _describe(entry, found, pieces, request)
        except Unknown as error:
            self.log.add(entry)
            return self._answered(entry, self._refused(error))
        self.log.add(entry)
        try:
            with self.server.sessions.occupied(request.transaction_id or pieces.get("session")):
                return self._answered(entry, self._with_faults(entry, request, found, pieces))
        except ArangoProblem as error:
            return self._answered(entry, problem(error))

    def _with_faults(self, entry: Entry, request: Request, found: Route, pieces: dict[str, str]) -> Response:
        faults = self.faults.striking(entry)
        for fault in faults:
            self._before(fault, request.transaction_id or pieces.get("session"))
            if fault.kind == "answer_before":
                return problem(ArangoProblem(fault.number, "fault", status=fault.status))
        response = self._work(request, found, pieces)
        for fault in faults:
            if fault.kind == "drop_after":
                raise Dropped
            if fault.kind == "answer_after":
                return problem(ArangoProblem(fault.number, "fault", status=fault.status))
        return response

    def _before(self, fault: Fault, transaction: str | None) -> None:
        if fault.kind == "wait":
            fault.hold()
        elif fault.kind == "drop_before":
            raise Dropped
        elif fault.kind == "lose_transaction" and transaction is not None:
            with self.server.engine.monitor:
                self.server.sessions.lose(transaction)

    def _work(self, request: Request, found: Route, pieces: dict[str, str]) -> Response:
        try:
            if found.operation not in _OPEN:
                request.user = self.server.users.authenticate(request.headers.get("authorization", ""))
                self.server.users.require_database(request.user, request.database, "ro")
            return run(self.server, request, found, pieces)
        except Unknown as error:
            return self._refused(error)
        except ArangoProblem as error:
            return problem(error)
        except Exception as error:  # noqa: BLE001 - a mistake in the double must fail the test, not end a connection
            self.refusals.append(f"{request.method} {request.path}: {traceback.format_exc()}")
            return problem(ArangoProblem(4, repr(error)))

    def _refused(self, error: Unknown) -> Response:
        self.refusals.append(error.message)
        return problem(error)

    def _answered(self, entry: Entry, response: Response) -> Response:
        entry.status = response.status
        entry.number = response.body.get("errorNum") if isinstance(response.body, dict) else None
        return response


def _check_headers(request: Request) -> None:
    known = ("x-arango-trx-id", "x-arango-driver")
    others = sorted(each for each in request.headers if each.startswith("x-arango-") and each not in known)
    if others or "content-encoding" in request.headers:
        raise Unknown(f"the headers {others or 'content-encoding'}")


def _describe(entry: Entry, found: Route, pieces: dict[str, str], request: Request) -> None:
    body: Any = body_of(request)
    entry.operation = found.operation
    if found.operation.startswith("document"):
        entry.collections = (pieces["collection"],)
        entry.items = len(body) if isinstance(body, list) else 1
    elif found.operation == "cursor.create" and isinstance(body, dict):
        entry.query, entry.bind_vars = str(body.get("query")), body.get("bindVars") or {}
        try:
            entry.collections = tuple(frozenset.union(*collections_of(entry.query, entry.bind_vars)))
        except ArangoProblem:
            entry.collections = ()


@contextmanager
def running(*, password: str = "", language: str = "en_US") -> Iterator[Double]:
    """A double for the time of a test. Raises AssertionError at the end when it had to refuse something."""
    double = Double(password=password, language=language)
    double.start()
    try:
        yield double
    finally:
        double.stop()
    assert not double.refusals, "the double was asked for what it does not know:\n" + "\n".join(double.refusals)
