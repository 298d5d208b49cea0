"""The body of a request: held while it is small, so that it can be signed; a stream when it is large."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.types import Receive

from leocdp_gateway.headers import RawHeaders, one
from leocdp_gateway.refusals import BodyTooLarge, BodyTooSlow, Refusal

HELD_BYTES: Final = 1 << 20
"""Up to this many bytes are held and signed. Admin takes no more anyway."""


class ClientGone(Exception):
    """The client has closed the connection: there is nobody to answer."""


class RequestBody:
    """Reads one request's body, within a size and a time per part. ``gone`` waits for the client to leave."""

    def __init__(self, receive: Receive, headers: RawHeaders, *, largest: int, seconds: float) -> None:
        self._receive = receive
        self._largest = largest
        self._seconds = seconds
        self._size = 0
        self._first: list[bytes] = []
        self._complete = asyncio.Event()
        self.length = one(headers, b"content-length")
        if self.length is not None and not self.length.isdigit():
            raise Refusal("Content-Length is no number.")

    async def hold(self) -> bytes | None:
        """The whole body, or None when it is too large to be held: then :meth:`stream` gives it."""
        if self.length is not None and int(self.length) > self._largest:
            raise self._too_large()
        while not self._complete.is_set():
            self._first.append(await self._next())
            if self._size > HELD_BYTES:
                return None
        return b"".join(self._first)

    async def stream(self) -> AsyncIterator[bytes]:
        while self._first:
            yield self._first.pop(0)
        while not self._complete.is_set():
            yield await self._next()

    async def gone(self) -> None:
        """Return when the client has closed the connection."""
        await self._complete.wait()
        while (await self._receive())["type"] != "http.disconnect":
            continue

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow("The body did not arrive in time. Send it again.", connection="close") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        self._size += len(chunk)
        if self._size > self._largest:
            raise self._too_large()
        if not message.get("more_body", False):
            self._complete.set()
        return chunk

    def _too_large(self) -> BodyTooLarge:
        # The connection stays: closed before all has arrived it would be reset, and the answer lost.
        return BodyTooLarge(f"The body is larger than {self._largest} bytes.")
