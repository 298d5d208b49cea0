"""Pass a request on to admin and its answer back, byte by byte as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import Receive, Scope, Send

from leocdp.contracts.principal import Principal, sign
from leocdp.kit.logs import get_logger
from leocdp.ports.clock import Clock
from leocdp_gateway.body import ClientGone, RequestBody
from leocdp_gateway.headers import Caller, RawHeaders, one, raw_path, to_admin, to_client
from leocdp_gateway.refusals import AdminTimeout, AdminUnavailable, Refusal
from leocdp_gateway.settings import GatewaySettings
from leocdp_gateway.upstream import Answer, Busy, ConnectionBroken, Unsendable, Upstream, UpstreamError, UpstreamRequest

AWAY: Final = "The admin service cannot be reached. Try again in a moment."

log = get_logger(__name__)


class Proxy:
    def __init__(
        self, upstream: Upstream, settings: GatewaySettings, secret: bytes, clock: Clock, stopping: asyncio.Event
    ) -> None:
        """Event streams end when ``stopping`` is set."""
        self._upstream = upstream
        self._settings = settings
        self._secret = secret
        self._clock = clock
        self._stopping = stopping

    async def forward(self, scope: Scope, receive: Receive, send: Send, caller: Caller, principal: Principal) -> None:
        """Answer the client with admin's answer. Raises Refusal while nothing has been answered, ClientGone."""
        body = RequestBody(
            receive,
            scope["headers"],
            largest=self._settings.gateway_max_body,
            seconds=self._settings.gateway_body_timeout,
        )
        held = await body.hold()
        request = self._request(scope, caller, principal, body, held)
        answering = asyncio.create_task(self._answer(request, send))
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
    ) -> UpstreamRequest:
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
        return UpstreamRequest(
            scope["method"],
            # The path goes on exactly as it came and as it is signed.
            path + (b"?" + query if query else b""),
            to_admin(scope["headers"], caller, signature, with_credentials=principal.kind == "ui"),
            body.stream() if held is None else held,
            body.length,
        )

    async def _answer(self, request: UpstreamRequest, send: Send) -> None:
        began = False
        try:
            async with asyncio.timeout(self._settings.gateway_answer_timeout) as limit:
                async with self._upstream.exchange(request) as answer:
                    limit.reschedule(None)
                    headers = to_client(answer.headers)
                    began = True
                    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
                    async for chunk in self._body(answer, headers):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            raise AdminTimeout("The admin service did not answer in time.") from None
        except UpstreamError as error:
            if not began:
                raise _refusal(error) from error
            # The answer has begun: all that is left is to break it off, so that nobody takes it for whole.
            log.warning("admin_answer_broken", reason=str(error))

    def _body(self, answer: Answer, headers: RawHeaders) -> AsyncIterator[bytes]:
        chunks = answer.body(self._settings.gateway_idle_timeout)
        endless = (one(headers, b"content-type") or b"").startswith(b"text/event-stream")
        return _until(self._stopping, chunks) if endless else chunks


def _refusal(error: UpstreamError) -> Refusal:
    if isinstance(error, Unsendable):
        return Refusal(f"The request cannot be passed on: {error}.")
    log.warning("admin_unreachable", reason=f"{type(error).__name__}: {error}")
    if isinstance(error, Busy):
        return AdminUnavailable("Too many requests wait for the admin service. Try again in a moment.")
    if isinstance(error, ConnectionBroken):
        return AdminUnavailable("The admin service broke off. Look whether the change was made, then try again.")
    return AdminUnavailable(AWAY)


async def _until(stop: asyncio.Event, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What comes until ``stop``: then the stream ends as if admin had ended it, and the browser asks again later."""
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
