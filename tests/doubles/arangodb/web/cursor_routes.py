"""Queries and the cursors that hold what did not fit their first answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.query import prepare, run
from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.storage.collections import next_id
from tests.doubles.arangodb.storage.query_data import QueryData
from tests.doubles.arangodb.storage.transaction import Access
from tests.doubles.arangodb.web.message import Request, Response, answer
from tests.doubles.arangodb.web.router import route
from tests.doubles.arangodb.web.work import Server

BATCH: Final = 1_000
TTL: Final = 30.0
_BODY: Final = frozenset({"query", "bindVars", "count", "batchSize", "ttl", "memoryLimit", "options"})
_ONLY_OFF: Final = frozenset({"allowRetry", "cache"})
_OPTIONS: Final = frozenset({"failOnWarning", "fillBlockCache", "maxRuntime", "profile", "stream"}) | _ONLY_OFF


@dataclass(slots=True)
class Cursor:
    id: str
    database: str
    left: list[Any]
    size: int
    ttl: float
    expires: float
    head: Mapping[str, Any]
    """What each answer repeats."""

    def next(self) -> dict[str, Any]:
        batch, self.left = self.left[: self.size], self.left[self.size :]
        self.expires = time.monotonic() + self.ttl
        more = {"id": self.id} if self.left else {}
        return {"result": batch, "hasMore": bool(self.left), **more, **self.head}


class Cursors:
    def __init__(self) -> None:
        self._open: dict[str, Cursor] = {}

    def add(self, cursor: Cursor) -> None:
        self._open[cursor.id] = cursor

    def find(self, cursor_id: str, database: str) -> Cursor:
        now = time.monotonic()
        self._open = {name: each for name, each in self._open.items() if each.expires >= now}
        found = self._open.get(cursor_id)
        if found is None or found.database != database:
            raise ArangoProblem(1600)
        return found

    def close(self, cursor: Cursor) -> None:
        del self._open[cursor.id]

    def __len__(self) -> int:
        return len(self._open)


@route("cursor.create", "POST", "/_api/cursor")
def create(server: Server, request: Request) -> Response:
    wanted = request.object(_BODY | _OPTIONS)
    options = {**{each: wanted[each] for each in _OPTIONS & wanted.keys()}, **(wanted.get("options") or {})}
    _check_options(options)
    text, bind_vars = str(wanted.get("query", "")), wanted.get("bindVars") or {}
    results, ctx = _evaluate(server, request, text, bind_vars)
    if options.get("failOnWarning") and ctx.warnings:
        raise ArangoProblem(ctx.warnings[0][0])
    size = wanted.get("batchSize", BATCH)
    if not isinstance(size, int) or size < 1:
        raise ArangoProblem(10, "batchSize")
    head: dict[str, Any] = {"cached": False, "extra": _extra(ctx)}
    if wanted.get("count"):
        head["count"] = len(results)
    ttl = float(wanted.get("ttl") or TTL)
    cursor = Cursor(str(next_id()), request.database, results, size, ttl, 0.0, head)
    body = cursor.next()
    if cursor.left:
        server.cursors.add(cursor)
    return answer(body, 201)


def _evaluate(server: Server, request: Request, text: str, bind_vars: Any) -> tuple[list[Any], Context]:
    if not isinstance(bind_vars, dict):
        raise ArangoProblem(1553)
    read, written = prepare(text, bind_vars)
    database = server.database(request)
    for each in sorted(read | written):
        database.collection(each)
    needs: dict[str, Access] = {**dict.fromkeys(read, "read"), **dict.fromkeys(written, "write")}
    with server.transaction(request, needs) as transaction:
        ctx = Context(QueryData(database, transaction), bind_vars, server.now, server.language)
        return run(text, ctx), ctx


def _check_options(options: Mapping[str, Any]) -> None:
    if others := sorted(options.keys() - _OPTIONS):
        raise Unknown(f"{', '.join(others)} among the options of a query")
    if on := sorted(each for each in _ONLY_OFF if options.get(each)):
        raise Unknown(f"{', '.join(on)} switched on")


def _extra(ctx: Context) -> dict[str, Any]:
    warnings = [{"code": number, "message": message} for number, message in ctx.warnings]
    stats = {"writesExecuted": ctx.writes, "writesIgnored": ctx.ignored, "scannedFull": ctx.scanned, "scannedIndex": 0}
    return {"warnings": warnings, "stats": stats}


@route("cursor.next", "POST", "/_api/cursor/{cursor}")
def next_batch(server: Server, request: Request, cursor: str) -> Response:
    found = server.cursors.find(cursor, request.database)
    body = found.next()
    if not found.left:
        server.cursors.close(found)
    return answer(body)


@route("cursor.close", "DELETE", "/_api/cursor/{cursor}")
def close(server: Server, request: Request, cursor: str) -> Response:
    server.cursors.close(server.cursors.find(cursor, request.database))
    return answer({"id": cursor}, 202)
