"""The way to admin: a pool of connections that passes requests and answers on exactly as they are.

aiohttp's client, told to add nothing of its own: no headers, no cookies, no redirects, no decompression.
(httpx, tried first, takes time in proportion to the connections in use and managed 87 requests a second with 900.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.client_exceptions import ClientConnectorError, ConnectionTimeoutError
from multidict import CIMultiDict
from yarl import URL

from leocdp_gateway.headers import RawHeaders

CONNECT_SECONDS: Final = 5.0
WAIT_SECONDS: Final = 5.0
"""How long a request waits for a connection when all are in use."""
KEEP_ALIVE_SECONDS: Final = 4.0
"""Idle connections are closed before admin closes them (after 5 s), so that none is used while it is being closed."""
OWN_HEADERS: Final = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")


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

    def sendable_headers(self) -> CIMultiDict[str]:
        """Raises Unsendable for a line break or NUL, which would begin a header of somebody else's."""
        headers: CIMultiDict[str] = CIMultiDict()
        for name, value in self.headers:
            if any(byte in name + value for byte in b"\r\n\0"):
                raise Unsendable("a header holds a line break")
            headers.add(name.decode("latin-1"), value.decode("utf-8", "replace"))
        if self.length is not None and not isinstance(self.body, bytes):
            headers["Content-Length"] = self.length.decode("ascii")
        return headers


class Answer:
    """What came back. The body is read once, as it comes."""

    def __init__(self, response: ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: RawHeaders = [(name.lower(), value) for name, value in response.raw_headers]

    async def body(self, idle: float) -> AsyncIterator[bytes]:
        """Raises ConnectionBroken, also after ``idle`` seconds without a part."""
        while True:
            try:
                async with asyncio.timeout(idle):
                    chunk = await self._response.content.readany()
            except (ClientError, OSError) as error:
                raise ConnectionBroken(f"the answer broke off ({type(error).__name__})") from error
            except TimeoutError:
                raise ConnectionBroken("no part of the answer came in time") from None
            if not chunk:
                return
            yield chunk


class Upstream:
    """Connections to one address (``http://host:port``). Raises ValueError for an address that is none."""

    def __init__(self, address: str, most: int) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"{address} is no address of the form http://host:port")
        self._base = f"{parts.scheme}://{parts.netloc}"
        self.authority = parts.netloc.encode()
        self._free = asyncio.Semaphore(most)
        self._session: ClientSession | None = None

    @asynccontextmanager
    async def exchange(self, request: UpstreamRequest) -> AsyncIterator[Answer]:
        """Send the request; gives the answer when it has begun.

        Raises UpstreamError; and what the request's body raises while it is read.
        """
        headers = request.sendable_headers()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Busy("all connections are in use") from None
        try:
            response = await self._begun(request, headers)
            try:
                yield Answer(response)
            finally:
                # Read to its end the connection is free again by now; otherwise it is closed, and admin notices.
                response.close()
        finally:
            self._free.release()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _begun(self, request: UpstreamRequest, headers: CIMultiDict[str]) -> ClientResponse:
        failed: list[Exception] = []
        try:
            return await self._opened().request(
                request.method,
                URL(self._base + request.target.decode("latin-1"), encoded=True),
                headers=headers,
                data=(request.body or None) if isinstance(request.body, bytes) else _watched(request.body, failed),
                allow_redirects=False,
            )
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise CannotConnect(f"{type(error).__name__}: {error}") from error
        except (ClientError, OSError) as error:
            if failed:
                raise failed[0] from None
            raise ConnectionBroken(f"{type(error).__name__}: {error}") from error
        except ValueError as error:
            raise Unsendable(str(error)) from error

    def _opened(self) -> ClientSession:
        """Made on first use: a session belongs to the loop that runs."""
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
                timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=DummyCookieJar(),
                skip_auto_headers=OWN_HEADERS,
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


async def _watched(body: AsyncIterator[bytes], failed: list[Exception]) -> AsyncIterator[bytes]:
    """The body, remembering what it raised: the client reports any error in it as one of the connection."""
    try:
        async for chunk in body:
            yield chunk
    except Exception as error:
        failed.append(error)
        raise
