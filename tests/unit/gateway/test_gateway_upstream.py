"""The client for admin against servers that behave as servers sometimes do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from leocdp_gateway import upstream as pool
from leocdp_gateway.upstream import Busy, CannotConnect, ConnectionBroken, Unsendable, Upstream, UpstreamRequest
from tests.unit.gateway.upstream import DEADLINE

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GET = UpstreamRequest("GET", b"/", [(b"host", b"x")])
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def talking(talk: Talk, most: int = 10) -> AsyncIterator[Upstream]:
    """A client for a server that ``talk`` s on each connection."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    upstream = Upstream(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", most)
    try:
        yield upstream
    finally:
        await upstream.close()
        server.close()


async def request_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answering(*answers: bytes) -> Talk:
    """One answer per request and connection, then the end of the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await request_of(reader)
            writer.write(answer)
            await writer.drain()

    return talk


async def ask(upstream: Upstream, request: UpstreamRequest = GET) -> tuple[int, bytes]:
    async with asyncio.timeout(DEADLINE), upstream.exchange(request) as connection:
        return connection.status, b"".join([chunk async for chunk in connection.body(DEADLINE)])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", (200, b"until the end")),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", (200, b"abcde")),
        (b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", (200, b"ok")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n", (304, b"")),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx", (200, b"x")),
    ],
)
async def test_answers_end_where_http_says(answer: bytes, expected: tuple[int, bytes]) -> None:
    async with talking(answering(answer)) as upstream:
        assert await ask(upstream) == expected


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
async def test_an_answer_that_is_not_whole_is_an_error(answer: bytes) -> None:
    async with talking(answering(answer)) as upstream:
        with pytest.raises(ConnectionBroken):
            await ask(upstream)


async def test_connections_are_used_again() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answering(*[OK] * 100)(reader, writer)

    async with talking(talk) as upstream:
        for _ in range(10):
            assert await ask(upstream) == (200, b"ok")
        assert connections == 1


async def test_a_kept_connection_that_breaks_is_tried_anew_where_that_does_no_harm() -> None:
    first = True

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        answers, first = ((OK, b"") if first else (OK, OK)), False
        await answering(*answers)(reader, writer)

    async with talking(talk) as upstream:
        assert [await ask(upstream) for _ in range(3)] == [(200, b"ok")] * 3
    first = True
    post = UpstreamRequest("POST", b"/", [(b"host", b"x")])
    async with talking(talk) as upstream:
        assert await ask(upstream, post) == (200, b"ok")
        with pytest.raises(ConnectionBroken):
            await ask(upstream, post)


async def test_an_answer_that_comes_before_the_body_is_complete_is_taken() -> None:
    asked = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await writer.drain()
        await reader.read()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await asked.wait()
        yield b"never sent"

    async with talking(talk) as upstream:
        assert await ask(upstream, UpstreamRequest("POST", b"/", [(b"host", b"x")], endless())) == (413, b"big")


async def test_a_body_that_fails_while_it_is_sent_fails_the_request() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("the client left")

    async with talking(answering(OK)) as upstream:
        with pytest.raises(ValueError, match="the client left"):
            await ask(upstream, UpstreamRequest("POST", b"/", [(b"host", b"x")], failing()))


async def test_head_has_no_body() -> None:
    async with talking(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")) as upstream:
        assert await ask(upstream, UpstreamRequest("HEAD", b"/", [(b"host", b"x")])) == (200, b"")


async def test_a_slow_reader_makes_admin_wait() -> None:
    written = 0
    stuck = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2000):
            writer.write(b"x" * 65_536)
            drained = asyncio.create_task(writer.drain())
            if not (await asyncio.wait([drained], timeout=1))[0]:
                stuck.set()
                await drained
            written += 65_536

    async with talking(talk) as upstream, upstream.exchange(GET) as connection:
        await asyncio.wait_for(stuck.wait(), DEADLINE)
        parts = connection.body(DEADLINE)
        before = written
        while written == before:
            await anext(parts)


async def test_only_so_many_connections_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.05)
    async with talking(answering(OK), most=1) as upstream, upstream.exchange(GET):
        with pytest.raises(Busy):
            await ask(upstream)


async def test_nobody_there_is_said() -> None:
    upstream = Upstream("http://127.0.0.1:9", 1)
    with pytest.raises(CannotConnect):
        await ask(upstream)
    await upstream.close()


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb", b"a\0b"])
async def test_line_breaks_do_not_get_into_a_request(value: bytes) -> None:
    with pytest.raises(Unsendable):
        await ask(Upstream("http://127.0.0.1:9", 1), UpstreamRequest("GET", b"/", [(b"x", value)]))


@pytest.mark.parametrize("address", ["admin:8090", "ftp://admin", "http://", "http://admin/path"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="http://host:port"):
        Upstream(address, 1)
