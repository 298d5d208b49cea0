"""Stream transactions."""

from __future__ import annotations

from typing import Final

from tests.doubles.arangodb.web.message import Request, Response, answer
from tests.doubles.arangodb.web.router import route
from tests.doubles.arangodb.web.work import Server

_BEGIN: Final = ("collections", "waitForSync", "allowImplicit", "lockTimeout", "maxTransactionSize")


@route("transaction.begin", "POST", "/_api/transaction/begin")
def begin(server: Server, request: Request) -> Response:
    wanted = request.object(_BEGIN)
    for access in ("read", "write", "exclusive"):
        names = (wanted.get("collections") or {}).get(access, [])
        for name in [names] if isinstance(names, str) else names:
            server.users.require_collection(request.user, request.database, name, access)
    return answer({"result": server.sessions.begin(server.database(request), wanted).body()}, 201)


@route("transaction.status", "GET", "/_api/transaction/{session}")
def status(server: Server, request: Request, session: str) -> Response:
    return answer({"result": server.sessions.find(session, request.database).body()})


@route("transaction.commit", "PUT", "/_api/transaction/{session}")
def commit(server: Server, request: Request, session: str) -> Response:
    return answer({"result": server.sessions.end(session, request.database, "committed").body()})


@route("transaction.abort", "DELETE", "/_api/transaction/{session}")
def abort(server: Server, request: Request, session: str) -> Response:
    return answer({"result": server.sessions.end(session, request.database, "aborted").body()})


@route("transaction.list", "GET", "/_api/transaction")
def running(server: Server, request: Request) -> Response:
    mine = [each for each in server.sessions.running() if each.database == request.database]
    return Response(200, {"transactions": [{"id": each.id, "state": each.status} for each in mine]})
