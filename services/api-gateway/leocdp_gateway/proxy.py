"""Pass a request on to admin and its answer back, byte by byte as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

import httpx
from starlette.types import Receive, Scope, Send

from leocdp.contracts.principal import Principal, sign
from leocdp.kit.logs import get_logger
from leocdp.ports.clock import Clock
from leocdp_gateway.body import ClientGone, RequestBody
from leocdp_gateway.headers import Caller, RawHeaders, one, raw_path, to_admin, to_client
from leocdp_gateway.refusals import AdminTimeout, AdminUnavailable
from leocdp_gateway.settings import GatewaySettings

CONNECT_SECONDS: Final = 5.0
KEEP_ALIVE_SECONDS: Final = 4.0
"""Idle connections are closed before admin closes them (after 5 s), so that none is used while it is being closed."""
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

log = get_logger(__name__)


class _Bytes(httpx.AsyncByteStream):
    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk


class Proxy:
    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        settings: GatewaySettings,
        secret: bytes,
        clock: Clock,
        stopping: asyncio.Event,
    ) -> None:
        """The transport, not a client: what goes on and comes back is exactly what we say, without cookies kept,
        redirects followed or bodies unpacked. Event streams end when ``stopping`` is set."""
        self._transport = transport
        self._settings = settings
        self._base = httpx.URL(settings.admin_address())
        self._secret = secret
        self._clock = clock
        self._stopping = stopping
        self._timeouts = {
            "connect": CONNECT_SECONDS,
            "pool": CONNECT_SECONDS,
            "write": settings.gateway_body_timeout,
            "read": settings.gateway_idle_timeout,
        }

    async def forward(self, scope: Scope, receive: Receive, send: Send, caller: Caller, principal: Principal) -> None:
        """Answer the client with admin's answer. Raises Refusal while nothing has been answered yet."""
        body = RequestBody(
            receive,
            scope["headers"],
            largest=self._settings.gateway_max_body,
            seconds=self._settings.gateway_body_timeout,
        )
        held = await body.hold()
        request = self._request(scope, caller, principal, body, held)
        answering = asyncio.create_task(self._answer(request, send, repeatable=held == b""))
        leaving = asyncio.create_task(body.gone())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not answering.done():
                answering.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
        if answering.cancelled():
            raise ClientGone
        answering.result()

    def _request(
        self, scope: Scope, caller: Caller, principal: Principal, body: RequestBody, held: bytes | None
    ) -> httpx.Request:
        path, query = raw_path(scope), scope["query_string"]
        signature = sign(
            principal,
            method=scope["method"],
            path=path.decode("latin-1"),
            query=query.decode("latin-1"),
            body=held,
            secret=self._secret,
            now=self._clock.now(),
        )
        headers = to_admin(scope["headers"], caller, signature, with_credentials=principal.kind == "ui")
        content: AsyncIterator[bytes] | bytes = body.stream() if held is None else held
        return httpx.Request(
            scope["method"],
            self._base,
            headers=_framed(headers, body, held),
            stream=_Bytes(content) if not isinstance(content, bytes) else httpx.ByteStream(content),
            # The path goes on exactly as it came and as it is signed.
            extensions={"timeout": self._timeouts, "target": path + (b"?" + query if query else b"")},
        )

    async def _answer(self, request: httpx.Request, send: Send, *, repeatable: bool) -> None:
        response = await self._begin(request, repeatable=repeatable and request.method in REPEATABLE)
        try:
            headers = to_client(response.headers.raw)
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            assert isinstance(response.stream, httpx.AsyncByteStream)
            stream = response.stream
            async for chunk in _until(self._stopping, stream) if _endless(headers) else stream:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except httpx.HTTPError as error:
            # The answer has begun: all that is left is to break it off, so that nobody takes it for whole.
            log.warning("admin_answer_broken", error=type(error).__name__)
        finally:
            await response.aclose()

    async def _begin(self, request: httpx.Request, *, repeatable: bool) -> httpx.Response:
        """Send the request; return when the answer begins."""
        try:
            async with asyncio.timeout(self._settings.gateway_answer_timeout):
                return await self._transport.handle_async_request(request)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            raise AdminTimeout("The admin service did not answer in time.") from None
        except httpx.PoolTimeout:
            raise AdminUnavailable("Too many requests wait for the admin service. Try again in a moment.") from None
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            if repeatable:
                return await self._begin(request, repeatable=False)
            raise _gone(error) from error
        except httpx.HTTPError as error:
            raise _gone(error) from error


def _endless(headers: RawHeaders) -> bool:
    return (one(headers, b"content-type") or b"").startswith(b"text/event-stream")


async def _until(stop: asyncio.Event, stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """What comes until ``stop``: then the stream ends as if admin had ended it, and the browser asks again later."""
    chunks = aiter(stream)
    stopped = asyncio.create_task(stop.wait())
    try:
        while True:
            following = asyncio.create_task(_next(chunks))
            await asyncio.wait((following, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
                return
            if (chunk := following.result()) is None:
                return
            yield chunk
    finally:
        stopped.cancel()


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


def _gone(error: httpx.HTTPError) -> AdminUnavailable:
    log.warning("admin_unreachable", error=type(error).__name__)
    return AdminUnavailable("The admin service cannot be reached. Try again in a moment.")


def _framed(headers: RawHeaders, body: RequestBody, held: bytes | None) -> RawHeaders:
    """One statement of the body's length, ours."""
    rest = [(name, value) for name, value in headers if name != b"content-length"]
    if held is not None:
        return [*rest, (b"content-length", str(len(held)).encode())] if held or body.length else rest
    return [*rest, (b"content-length", body.length) if body.length else (b"transfer-encoding", b"chunked")]
