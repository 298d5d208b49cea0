"""Connections to admin, kept open and used again.

A client of our own because a gateway needs two things that general ones do not offer at its pace: what goes out and
comes back is exactly what we say, and taking a connection costs the same with one in use as with a thousand.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from leocdp_gateway.connection import Busy, CannotConnect, Connection, ConnectionBroken, Unsendable
from leocdp_gateway.headers import RawHeaders

CONNECT_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 5.0
"""How long a request waits for a connection when all are in use."""
KEEP_ALIVE_SECONDS: Final = 4.0
"""Idle connections are closed before admin closes them (after 5 s), so that none is used while it is being closed."""
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    method: str
    target: bytes
    """Path and query exactly as they shall stand in the request line."""
    headers: RawHeaders
    """Without those that frame the body."""
    body: bytes | AsyncIterator[bytes] = b""
    length: bytes | None = None
    """What Content-Length shall say; None: as many bytes as are held, chunked for a stream."""

    @property
    def repeatable(self) -> bool:
        """Sent twice it does no harm, and it can be sent twice."""
        return self.method in REPEATABLE and isinstance(self.body, bytes)

    def head(self) -> bytes:
        """Raises Unsendable."""
        lines = [b"%b %b HTTP/1.1" % (self.method.encode(), self.target)]
        lines += [b"%b: %b" % header for header in self.headers]
        if isinstance(self.body, bytes):
            if self.body or self.length is not None:
                lines.append(b"content-length: %d" % len(self.body))
        else:
            lines.append(b"content-length: %b" % self.length if self.length else b"transfer-encoding: chunked")
        head = b"\r\n".join(lines)
        if head.count(b"\n") != len(lines) - 1 or head.count(b"\r") != len(lines) - 1 or b"\0" in head:
            raise Unsendable("a header holds a line break")
        return head + b"\r\n\r\n"


class Upstream:
    """A pool of connections to one address (``http://host:port``). Raises ValueError for an address that is none."""

    def __init__(self, address: str, most: int) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{address} is no address of the form http://host:port")
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self.authority = parts.netloc.encode()
        self._free = asyncio.Semaphore(most)
        self._idle: deque[tuple[Connection, float]] = deque()

    @asynccontextmanager
    async def exchange(self, request: UpstreamRequest) -> AsyncIterator[Connection]:
        """Send the request; gives the connection when the answer has begun, to read the body from.

        Raises UpstreamError; and what the request's body raises while it is read.
        """
        head = request.head()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Busy("all connections are in use") from None
        connection: Connection | None = None
        try:
            connection = await self._begun(request, head)
            yield connection
        finally:
            self._free.release()
            if connection is not None:
                self._give_back(connection)

    async def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].abort()

    async def _begun(self, request: UpstreamRequest, head: bytes) -> Connection:
        """A connection that has sent the request and got the beginning of the answer."""
        connection = self._idle_one()
        if connection is not None:
            try:
                return await self._send(connection, request, head)
            except ConnectionBroken:
                if not request.repeatable:
                    raise
        return await self._send(await self._connect(), request, head)

    async def _send(self, connection: Connection, request: UpstreamRequest, head: bytes) -> Connection:
        try:
            held = request.body if isinstance(request.body, bytes) else b""
            connection.begin(head + held, bodyless=request.method == "HEAD")
            if isinstance(request.body, bytes):
                connection.sent()
                await connection.answer()
            else:
                await self._stream(connection, request.body, chunked=request.length is None)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _stream(self, connection: Connection, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        """Send the body and wait for the answer, which may come first: then the rest need not be sent."""
        sending = asyncio.create_task(_send_body(connection, body, chunked=chunked))
        answering = asyncio.create_task(connection.answer())
        try:
            await asyncio.wait((sending, answering), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            await answering
        finally:
            sending.cancel()
            answering.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)

    def _idle_one(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE_SECONDS
        while self._idle:
            connection, since = self._idle.pop()
            if connection.open and since > oldest:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await loop.create_connection(Connection, self._host, self._port, ssl=self._tls)
        except (OSError, TimeoutError) as error:
            raise CannotConnect(f"{type(error).__name__}: {error}") from error
        return connection

    def _give_back(self, connection: Connection) -> None:
        if connection.reusable:
            self._idle.append((connection, asyncio.get_running_loop().time()))
        else:
            connection.abort()


async def _send_body(connection: Connection, body: AsyncIterator[bytes], *, chunked: bool) -> None:
    async for chunk in body:
        if chunk:
            await connection.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
    if chunked:
        await connection.write(b"0\r\n\r\n")
    connection.sent()
