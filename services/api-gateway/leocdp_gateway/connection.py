"""One HTTP/1.1 connection to admin: a request is written, and its answer comes in parts as they arrive."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, cast

import httptools

from leocdp_gateway.headers import RawHeaders

HIGH_WATER: Final = 262_144
"""Bytes of an answer that may wait for a slow client before admin has to wait too."""


class UpstreamError(Exception):
    """Base of what may go wrong on the way to admin.

    UpstreamError
    ├── CannotConnect     nothing was sent
    ├── ConnectionBroken  the connection ended before the answer did
    ├── Busy              all connections were in use for too long
    └── Unsendable        the request holds what must not be in one
    """


class CannotConnect(UpstreamError):
    pass


class ConnectionBroken(UpstreamError):
    pass


class Busy(UpstreamError):
    pass


class Unsendable(UpstreamError):
    pass


class Connection(asyncio.Protocol):
    """Carries one exchange after the other. ``reusable`` says whether another may follow."""

    def __init__(self) -> None:
        self.open = False
        self.status = 0
        self.headers: RawHeaders = []
        self.complete = True
        self._failure: UpstreamError | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    # what the pool and the proxy use

    def begin(self, head: bytes, *, bodyless: bool) -> None:
        """Start an exchange. ``bodyless``: the answer has no body whatever its headers say (HEAD)."""
        self.status, self.headers, self.complete = 0, [], False
        self._began, self._bodyless, self._reusable, self._sent = False, bodyless, False, False
        self._until_close, self._paused = True, False
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._news = asyncio.Event()
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(head)

    async def write(self, data: bytes) -> None:
        """A part of the body. Waits while admin does not take it; goes nowhere when the answer is complete already."""
        await self._writable.wait()
        if self.open and not self.complete:
            self._transport.write(data)

    def sent(self) -> None:
        """The whole request has been written."""
        self._sent = True

    async def answer(self) -> None:
        """Wait until status and headers are here. Raises ConnectionBroken."""
        while not self._began:
            await self._news_or_failure()

    async def body(self, idle: float) -> AsyncIterator[bytes]:
        """The answer's body as it comes. Raises ConnectionBroken, also after ``idle`` seconds without a part."""
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._waiting_bytes -= len(chunk)
                yield chunk
            if self._paused and self.open:
                self._paused = False
                self._transport.resume_reading()
            if self.complete:
                return
            try:
                async with asyncio.timeout(idle):
                    await self._news_or_failure()
            except TimeoutError:
                raise ConnectionBroken("no part of the answer came in time") from None

    @property
    def reusable(self) -> bool:
        return self.open and self.complete and self._reusable and self._sent

    def abort(self) -> None:
        self._transport.abort()

    async def _news_or_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._news.clear()
        await self._news.wait()

    # what the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._writable.set()
        if self.complete:
            return
        if self._began and self._until_close and exc is None:
            self.complete = True
        else:
            self._failure = ConnectionBroken("the connection was closed")
        self._news.set()

    def data_received(self, data: bytes) -> None:
        if self.complete:
            self._transport.abort()  # Nobody asked: whatever this is, it is no answer.
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._failure = ConnectionBroken(f"the answer is no HTTP ({type(error).__name__})")
            self._transport.abort()
        self._news.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # what the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower in (b"content-length", b"transfer-encoding"):
            self._until_close = False
        self.headers.append((lower, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self.headers = []
            return
        self.status, self._began = status, True
        if self._bodyless:
            self.complete = True

    def on_body(self, data: bytes) -> None:
        if self.complete:
            return
        self._chunks.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > HIGH_WATER and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if self._began:
            self.complete = True
            self._reusable = not self._bodyless and self._parser.should_keep_alive()
