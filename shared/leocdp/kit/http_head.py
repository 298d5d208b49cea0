"""Limits on a connection that hold before a request exists: a head that never ends, or comes a byte at a time."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from leocdp.kit.one_write import ONE_WRITE, OneWrite
from leocdp.kit.web import error_body

MAX_HEAD: Final = 32 * 1024
"""Bytes of a request's line and headers that may arrive without completing them."""


def limited_protocol(head_timeout: float) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol with a limit on the size of a head and on the seconds it may take."""

    class LimitedProtocol(HttpToolsProtocol):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._in_head = True
            self._head_bytes = 0
            self._head_timer: asyncio.TimerHandle | None = None
            self._overtaken: list[RequestResponseCycle] = []
            self._extensions: dict[str, Any] = {}

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            together = OneWrite(transport)
            self.transport = cast(asyncio.Transport, together)
            self._extensions = {ONE_WRITE: together}
            self._wait_for_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_is_here()
            # uvicorn tells only the last request of a connection that the client has gone; with pipelining the one
            # that is being answered is another, and it would write to a closed connection.
            for cycle in self._overtaken:
                cycle.disconnected = not cycle.response_complete
                cycle.message_event.set()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._in_head and not self.transport.is_closing():
                self._head_bytes += len(data)
                if self._head_bytes > MAX_HEAD:
                    self._refuse(b"431 Request Header Fields Too Large", "head_too_large", "The headers are too long.")
                elif self._head_timer is None:
                    self._wait_for_head()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope["extensions"] = self._extensions
            self._in_head = True

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._head_bytes = 0
            if self._head_timer is not None:
                self._head_is_here()
            if self.cycle is not None and not self.cycle.response_complete:
                self._overtaken = [cycle for cycle in self._overtaken if not cycle.response_complete]
                self._overtaken.append(self.cycle)
            super().on_headers_complete()

        def _wait_for_head(self) -> None:
            self._head_timer = self.loop.call_later(head_timeout, self._too_late)

        def _head_is_here(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _too_late(self) -> None:
            self._head_timer = None
            if self.transport.is_closing():
                return
            if not self._head_bytes:  # nothing came: a connection that was opened to be ready
                self.transport.close()
            else:
                self._refuse(b"408 Request Timeout", "head_timeout", "The request did not arrive in time.")

        def _refuse(self, status: bytes, code: str, message: str) -> None:
            self._head_is_here()
            body = msgspec.json.encode(error_body(code, message))
            head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(head % (status, len(body)) + body)
            self.transport.close()

        def send_400_response(self, msg: str) -> None:
            self._refuse(b"400 Bad Request", "invalid_http", msg)

    return LimitedProtocol
