"""Clients that are slow, endless or speak something else, against a real process: bounded time, and it lives on."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.protocols.observer_process import ObserverProcess, observer_process

GOOD = {"type": "track", "event": "Good", "userId": "u-1"}
HEAD = b"POST /v1/track HTTP/1.1\r\nHost: edge\r\nAuthorization: Basic d2tfdGVzdDo=\r\n"


@pytest.fixture(scope="module")
def observer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObserverProcess]:
    folder = tmp_path_factory.mktemp("hostile")
    with observer_process(folder, observer_body_timeout=1, observer_head_timeout=1) as running:
        yield running


async def connect(observer: ObserverProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", observer.port)


async def answer_to(observer: ObserverProcess, *parts: bytes, seconds: float = 60) -> bytes:
    """Sends the parts and reads until the observer closes the connection."""
    reader, writer = await connect(observer)
    async with asyncio.timeout(seconds):
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


async def check_alive(observer: ObserverProcess) -> None:
    assert observer.alive
    async with httpx.AsyncClient(base_url=observer.url, auth=("wk_test", ""), timeout=60) as client:
        answer = await client.post("/v1/track", json=GOOD)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)


def status_and_code(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)["code"]


async def test_a_body_that_never_comes(observer: ObserverProcess) -> None:
    started = time.monotonic()
    answer = await answer_to(observer, HEAD + b"Content-Length: 100\r\n\r\n")
    assert status_and_code(answer) == (408, "body_timeout")
    assert b"connection: close" in answer
    assert 0.5 < time.monotonic() - started < 20
    await check_alive(observer)


async def test_a_body_that_stops(observer: ObserverProcess) -> None:
    answer = await answer_to(observer, HEAD + b'Origin: https://a\r\nContent-Length: 100\r\n\r\n{"event":')
    assert status_and_code(answer) == (408, "body_timeout")
    assert b"access-control-allow-origin: https://a" in answer
    await check_alive(observer)


async def test_a_body_that_trickles(observer: ObserverProcess) -> None:
    reader, writer = await connect(observer)
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")

    async def trickle() -> None:
        while True:
            writer.write(b"1\r\n{\r\n")
            await asyncio.sleep(0.05)

    trickling = asyncio.create_task(trickle())
    async with asyncio.timeout(60):
        answer = await reader.read()
    trickling.cancel()
    writer.close()
    assert status_and_code(answer) == (408, "body_timeout")
    await check_alive(observer)


async def test_a_head_that_never_ends(observer: ObserverProcess) -> None:
    answer = await answer_to(observer, HEAD)
    assert status_and_code(answer) == (408, "head_timeout")
    await check_alive(observer)


async def test_a_head_without_bounds(observer: ObserverProcess) -> None:
    answer = await answer_to(observer, HEAD, *[b"X-Endless: " + b"y" * 8_000 + b"\r\n"] * 40)
    assert answer == b"" or status_and_code(answer) == (431, "head_too_large")
    await check_alive(observer)


@pytest.mark.parametrize("rubbish", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", b"HELO there\r\n\r\n", b"\x00" * 500])
async def test_something_else_than_http(observer: ObserverProcess, rubbish: bytes) -> None:
    assert status_and_code(await answer_to(observer, rubbish)) == (400, "invalid_http")
    await check_alive(observer)


async def test_a_client_that_leaves_in_the_middle(observer: ObserverProcess) -> None:
    for _ in range(20):
        _, writer = await connect(observer)
        writer.write(HEAD + b'Content-Length: 100\r\n\r\n{"event":')
        await writer.drain()
        writer.transport.abort()
    await check_alive(observer)


async def test_chunks_without_bounds(observer: ObserverProcess) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    answer = await answer_to(observer, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 200)
    assert answer == b"" or status_and_code(answer) == (400, "body_too_large")
    await check_alive(observer)


async def test_too_much_is_answered_after_all_of_it_was_sent(observer: ObserverProcess) -> None:
    async with httpx.AsyncClient(base_url=observer.url, auth=("wk_test", ""), timeout=60) as client:
        answer = await client.post("/v1/batch", content=b"x" * 4_000_000)
        assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")
        again = await client.post("/v1/track", json=GOOD)
        assert again.status_code == 200


async def test_a_zip_bomb_costs_little(observer: ObserverProcess) -> None:
    bomb = gzip.compress(gzip.compress(bytes(200_000_000)))
    plain = gzip.compress(bytes(200_000_000))
    async with httpx.AsyncClient(base_url=observer.url, auth=("wk_test", ""), timeout=60) as client:
        for content in (bomb, plain):
            answer = await client.post("/v1/batch", content=content, headers={"content-encoding": "gzip"})
            assert answer.status_code == 400
    status = Path(f"/proc/{observer.process.pid}/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0])
    assert peak < 400_000, f"{peak} KiB"
    await check_alive(observer)


async def test_chunked_gzip_without_a_length(observer: ObserverProcess) -> None:
    async def parts():  # type: ignore[no-untyped-def]
        packed = gzip.compress(json.dumps({"batch": [GOOD, GOOD], "writeKey": "wk_test"}).encode())
        for start in range(0, len(packed), 7):
            yield packed[start : start + 7]

    headers = {"content-type": "text/plain", "content-encoding": "gzip"}
    async with httpx.AsyncClient(base_url=observer.url, timeout=60) as client:
        answer = await client.post("/v1/b", content=parts(), headers=headers)
    assert answer.json() == {"success": True, "accepted": 2, "rejected": []}


async def test_many_idle_connections_do_not_stand_in_the_way(observer: ObserverProcess) -> None:
    idle = [await connect(observer) for _ in range(200)]
    await check_alive(observer)
    async with asyncio.timeout(60):
        for reader, writer in idle:
            assert await reader.read() == b"", "an idle connection is closed without a word"
            writer.close()


async def test_a_hundred_slow_clients_do_not_stand_in_the_way(observer: ObserverProcess) -> None:
    slow = [asyncio.create_task(answer_to(observer, HEAD + b"Content-Length: 9\r\n\r\n{")) for _ in range(100)]
    started = time.monotonic()
    await check_alive(observer)
    assert time.monotonic() - started < 20, "one after the other they would take a hundred seconds"
    answers = await asyncio.gather(*slow)
    assert {status_and_code(answer) for answer in answers} == {(408, "body_timeout")}


async def test_a_client_that_sends_ahead_and_leaves(observer: ObserverProcess) -> None:
    body = json.dumps(GOOD).encode()
    one = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    for _ in range(30):
        _, writer = await connect(observer)
        writer.write(one * 5)
        await writer.drain()
        await asyncio.sleep(0)
        writer.transport.abort()
    await check_alive(observer)
    assert "Exception" not in (observer.folder / "observer.log").read_text(encoding="utf-8")


async def test_requests_sent_ahead_are_answered_in_order(observer: ObserverProcess) -> None:
    bodies = [json.dumps({**GOOD, "event": "A" * number}).encode() for number in range(4)]
    requests = [HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in bodies]
    requests[-1] = requests[-1].replace(b"Host: edge", b"Host: edge\r\nConnection: close")
    answer = await answer_to(observer, b"".join(requests))
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [400, 200, 200, 200]
