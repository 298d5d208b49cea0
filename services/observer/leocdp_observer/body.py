"""Reading a request's body: in time, at most so long, unpacked at most so long."""

from __future__ import annotations

import asyncio
import types
import zlib
from collections.abc import Generator
from typing import Any, Final

from starlette.types import Message, Receive

from leocdp_observer.refusals import Refusal

MAX_BODY: Final = 512 * 1024
"""Bytes, packed and unpacked."""
MAX_DRAIN: Final = 8 * 1_048_576
"""A client that sends too much gets its answer only when it has finished sending; up to here we wait for that."""
GZIP_MAGIC: Final = b"\x1f\x8b"


class Disconnected(Exception):
    """The client has gone."""


async def read(receive: Receive, headers: dict[bytes, bytes], seconds: float) -> bytes:
    """The unpacked body. Raises Refusal, Disconnected."""
    # Most bodies are there already; a timer costs more than all the rest of reading, so it is for those that are not.
    iterator = receive().__await__()
    pending: Any = None
    message: Message | None = None
    try:
        pending = iterator.send(None)
    except StopIteration as ready:
        message = ready.value
    if message is None:
        packed = await _in_time(receive, _resumed(iterator, pending), seconds)
    elif message.get("more_body") or message["type"] != "http.request":
        packed = await _in_time(receive, message, seconds)
    else:
        packed = message.get("body", b"")
        if len(packed) > MAX_BODY:
            raise _too_large()
    encoding = headers.get(b"content-encoding")
    if encoding is None and packed[:2] != GZIP_MAGIC:
        return packed
    return unpack(packed, encoding or b"gzip")


@types.coroutine
def _resumed(iterator: Generator[Any, None, Message], pending: Any) -> Generator[Any, None, Message]:
    """Go on with an awaitable that has already been driven to its first wait."""
    try:
        yield pending
    except BaseException:
        iterator.close()
        raise
    return (yield from iterator)


async def _in_time(receive: Receive, first: Any, seconds: float) -> bytes:
    try:
        async with asyncio.timeout(seconds):
            message: Message = first if isinstance(first, dict) else await first
            return await _collect(receive, message)
    except TimeoutError as error:
        text = f"The body did not arrive within {seconds:g} seconds."
        raise Refusal("body_timeout", text, status=408, close=True) from error


async def _collect(receive: Receive, message: Message) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] != "http.request":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        elif size > MAX_DRAIN:
            raise _too_large(close=True)
        if not message.get("more_body"):
            if size > MAX_BODY:
                raise _too_large()
            return b"".join(parts)
        message = await receive()


def _too_large(*, close: bool = False) -> Refusal:
    return Refusal("body_too_large", "A request is at most 512 KiB, unpacked: send smaller batches.", close=close)


def unpack(packed: bytes, encoding: bytes) -> bytes:
    """Raises Refusal, and never makes more than the limit of bytes."""
    name = encoding.strip().lower()
    if name in (b"", b"identity"):
        return packed
    if name in (b"gzip", b"x-gzip"):
        return _inflate(packed, zlib.MAX_WBITS | 16)
    if name == b"deflate":
        raw = len(packed) < 2 or (packed[0] & 0x0F) != 8 or (packed[0] * 256 + packed[1]) % 31 != 0
        return _inflate(packed, -zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
    raise Refusal("unsupported_encoding", "Content-Encoding must be gzip or deflate, or absent.", status=415)


def _inflate(packed: bytes, window: int) -> bytes:
    """A gzip body may have several members, one after the other."""
    parts: list[bytes] = []
    room = MAX_BODY + 1
    try:
        while packed and room > 0:
            inflater = zlib.decompressobj(window)
            parts.append(inflater.decompress(packed, room))
            room -= len(parts[-1])
            if not inflater.eof and room > 0:
                raise Refusal("invalid_encoding", "The compressed body ends too early.")
            packed = inflater.unused_data
    except zlib.error as error:
        raise Refusal("invalid_encoding", "The body is not what its Content-Encoding says.") from error
    if room <= 0:
        raise _too_large()
    return b"".join(parts)
