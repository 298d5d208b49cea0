"""The hot path: one raw ASGI function in front of the FastAPI application.

A FastAPI route costs four times what this function does, so the routes that take events are answered here, and all
else (documentation, probes, settings documents) goes on to the application behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leocdp.kit.logs import get_logger
from leocdp.kit.one_write import ONE_WRITE
from leocdp_observer import cors
from leocdp_observer.body import Disconnected
from leocdp_observer.collector import Collector
from leocdp_observer.protocols.registry import by_path
from leocdp_observer.protocols.wire import Reply, Route, error_reply
from leocdp_observer.refusals import Refusal
from leocdp_observer.tally import Tally

logger = get_logger(__name__)

NO_EXTENSIONS: Final[Mapping[str, Any]] = {}
INTERNAL: Final = Reply(500, b'{"code":"internal","message":"The observer failed on this request; it is logged."}')


class Edge:
    """The ASGI application of the observer."""

    def __init__(self, collector: Collector, tally: Tally, behind: ASGIApp) -> None:
        self._collector = collector
        self._tally = tally
        self._behind = behind
        self._routes = by_path()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        route = self._routes.get(scope["path"]) or self._routes.get(scope["path"].rstrip("/"))
        method = scope["method"]
        if route is not None and method == route.method:
            await self._collect(route, scope, receive, send)
        elif method == "OPTIONS":
            await _preflight(scope, send)
        elif route is not None:
            await _wrong_method(route, scope, send)
        else:
            await self._behind(scope, receive, _with_cors(scope, send))

    async def _collect(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            reply = await self._collector.collect(route, scope, headers, receive)
        except Refusal as refusal:
            reply = route.refuse(refusal)
        except Disconnected:
            return
        except Exception:
            logger.exception("a request failed", route=route.path)
            reply = INTERNAL
        self._tally.answered(route.label, reply.status)
        together = (scope.get("extensions") or NO_EXTENSIONS).get(ONE_WRITE)
        if together is None:
            await _answer(reply, headers.get(b"origin"), send)
            return
        together.hold()
        try:
            await _answer(reply, headers.get(b"origin"), send)
        finally:
            together.release()


async def _answer(reply: Reply, origin: bytes | None, send: Send) -> None:
    status, body, content_type, extra = reply
    start = _start(status, len(body), content_type, extra)
    if origin is not None:
        start = {**start, "headers": [*start["headers"], *cors.headers_for(origin)]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


@lru_cache(maxsize=1_024)
def _start(status: int, length: int, content_type: bytes, extra: tuple[tuple[bytes, bytes], ...]) -> Message:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % length), *extra]
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _preflight(scope: Scope, send: Send) -> None:
    headers = cors.preflight(dict(scope["headers"]))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _wrong_method(route: Route, scope: Scope, send: Send) -> None:
    refusal = Refusal("method_not_allowed", f"Use {route.method} for this path.", status=405)
    reply = error_reply(refusal)
    allow = (b"allow", f"{route.method}, OPTIONS".encode())
    await _answer(reply._replace(headers=(allow, *reply.headers)), dict(scope["headers"]).get(b"origin"), send)


def _with_cors(scope: Scope, send: Send) -> Send:
    """``send`` that lets a page read the answer."""
    extra = cors.headers_for(dict(scope["headers"]).get(b"origin"))
    if not extra:
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await send(message)

    return sending
