"""Stands where admin stands: a real server on loopback that checks what the gateway has signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import msgspec
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

from leocdp.contracts.principal import HEADER, UNHASHED, Principal, PrincipalRefused, body_hash, verify

SECRET = "a secret that the gateway and its upstream share, long enough"
DEADLINE = 15.0


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    principal: Principal
    body_hash: str

    def header(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]


@dataclass
class Upstream:
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    used: dict[str, int] = field(default_factory=dict)
    refuse_internal: int = 0
    release: asyncio.Event = field(default_factory=asyncio.Event)
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/healthz":
            await _reply(send, 200, {"status": "alive"})
            return
        body = await _body(receive)
        try:
            seen = self._verified(scope, body)
        except PrincipalRefused as error:
            await _reply(send, 401, {"code": "not_from_gateway", "message": str(error)})
            return
        if scope["path"].startswith("/internal/"):
            await self._internal(scope["path"], seen, send)
            return
        self.seen.append(seen)
        await self._answer(scope["path"], seen, receive, send)

    def _verified(self, scope: Scope, body: bytes) -> Seen:
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        (signature,) = [value for name, value in headers if name == HEADER]
        principal, hashed = verify(
            signature,
            method=scope["method"],
            path=path,
            query=query,
            secret=SECRET.encode(),
            now=time.time_ns() // 1_000_000,
        )
        if hashed not in (UNHASHED, body_hash(body)):
            raise PrincipalRefused("another body")
        return Seen(scope["method"], path + (f"?{query}" if query else ""), headers, body, principal, hashed)

    async def _internal(self, path: str, seen: Seen, send: Send) -> None:
        assert seen.principal == Principal(kind="gateway")
        if self.refuse_internal:
            await _reply(send, self.refuse_internal, {"code": "not_from_gateway", "message": "another secret"})
            return
        if path == "/internal/knock":
            await _reply(send, 204, None)
            return
        asked = msgspec.json.decode(seen.body)
        if path == "/internal/keys/used":
            self.used |= asked["used"]
            await _reply(send, 204, None)
            return
        self.asked.append(asked["key"])
        found = self.keys.get(asked["key"])
        await _reply(send, 200 if found else 401, found or {"code": "unknown_key", "message": "No such key."})

    async def _answer(self, path: str, seen: Seen, receive: Receive, send: Send) -> None:
        if path == "/api/v1/never":
            await self._wait_for_disconnect(receive)
        elif path in ("/stream", "/api/v1/events/stream"):
            kind = b"text/event-stream" if path.startswith("/api") else b"text/csv"
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            await send({"type": "http.response.body", "body": b"first\n", "more_body": True})
            await self._until_released(receive)
            await send({"type": "http.response.body", "body": b"second\n", "more_body": False})
        elif path == "/broken":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.body", "body": b"only this", "more_body": True})
        elif path == "/headers":
            headers = [(b"connection", b"x-secret"), (b"x-secret", b"1"), (b"keep-alive", b"5"), (b"server", b"up")]
            headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"etag", b'"3"')]
            await send({"type": "http.response.start", "status": 418, "headers": headers})
            await send({"type": "http.response.body", "body": b"teapot"})
        else:
            await _reply(send, 200, {"path": path, "body": len(seen.body)})

    async def _until_released(self, receive: Receive) -> None:
        leaving = asyncio.create_task(self._wait_for_disconnect(receive))
        released = asyncio.create_task(self.release.wait())
        await asyncio.wait((leaving, released), return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        released.cancel()

    async def _wait_for_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        self.disconnected.set()


async def _body(receive: Receive) -> bytes:
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _reply(send: Send, status: int, content: Any) -> None:
    body = b"" if content is None else msgspec.json.encode(content)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers if body else []})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(app: ASGIApp, *, lifespan: bool = False) -> AsyncIterator[int]:
    """Serve on a free port of loopback, on the test's own event loop; gives the port."""
    config = uvicorn.Config(app, log_config=None, server_header=False, proxy_headers=False, http="httptools")
    config.load()
    state = ServerState()
    state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
    span = LifespanOn(config)
    if lifespan:
        await span.startup()

    def protocol() -> asyncio.Protocol:
        made: asyncio.Protocol = config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[operator]
        return made

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in state.tasks:
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        for connection in list(state.connections):
            connection.shutdown()
        if lifespan:
            await span.shutdown()
