"""What admin gets, and what the client gets back."""

from __future__ import annotations

import asyncio
import gzip
import time
from typing import Any

import httpx
import pytest

from leocdp.contracts.principal import HEADER, UNHASHED, Principal, body_hash
from tests.unit.gateway.upstream import DEADLINE, Upstream

BEARER = {"authorization": "Bearer lk_good"}


async def raw(port: int, request: bytes) -> bytes:
    """The answer to bytes that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), DEADLINE)
    writer.close()
    return answer


async def test_a_browser_goes_on_as_itself_with_its_cookies(gateway: Any, upstream: Upstream) -> None:
    response = await gateway.client.get("/profiles?q=lan", headers={"cookie": "leocdp_session=s", "host": "cdp.vn"})
    assert response.status_code == 200
    (seen,) = upstream.seen
    assert seen.principal == Principal(kind="ui", client="127.0.0.1")
    assert (seen.target, seen.header("cookie"), seen.header("host")) == (
        "/profiles?q=lan",
        ["leocdp_session=s"],
        ["cdp.vn"],
    )


async def test_a_key_goes_on_as_its_scopes_and_the_secret_stays_here(gateway: Any, upstream: Upstream) -> None:
    response = await gateway.client.get("/api/v1/profiles", headers={**BEARER, "cookie": "leocdp_session=s"})
    assert response.status_code == 200
    (seen,) = upstream.seen
    assert seen.principal == Principal(
        kind="key", key_id="k1", scopes=("profiles:read", "segments:read"), client="127.0.0.1"
    )
    assert seen.header("authorization") == []
    assert seen.header("cookie") == []


async def test_the_ui_s_own_scripts_use_the_api_by_session(gateway: Any, upstream: Upstream) -> None:
    headers = {"cookie": "other=1; leocdp_session=s", "x-csrf-token": "t"}
    response = await gateway.client.post("/api/v1/segments", json={"a": 1}, headers=headers)
    assert response.status_code == 200
    (seen,) = upstream.seen
    assert seen.principal.kind == "ui"
    assert seen.header("x-csrf-token") == ["t"]
    assert seen.body == b'{"a":1}'


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/profiles/email%3Alan%40example.vn/events?name=a%20b&x=%2F",
        "/api/v1/profiles/anonymous_id:a%2Fb",
        "/a//b/",
        "/t/%E4%BD%A0?q=%C3%A4&&=",
        "/quote\"'<>|{}",
    ],
)
async def test_paths_and_queries_arrive_as_they_were_sent(gateway: Any, upstream: Upstream, target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer lk_good\r\nconnection: close\r\n\r\n"
    assert b" 200 " in await raw(gateway.port, request.encode())
    assert upstream.seen[0].target == target


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_small_bodies_are_signed(gateway: Any, upstream: Upstream, method: str) -> None:
    body = b"x" * 1000
    await gateway.client.request(method, "/form", content=body)
    assert (upstream.seen[0].method, upstream.seen[0].body, upstream.seen[0].body_hash) == (
        method,
        body,
        body_hash(body),
    )


async def test_a_request_without_a_body_has_none(gateway: Any, upstream: Upstream) -> None:
    await gateway.client.get("/page")
    assert upstream.seen[0].body_hash == body_hash(b"")
    assert upstream.seen[0].header("content-length") == []
    assert upstream.seen[0].header("transfer-encoding") == []


@pytest.mark.parametrize("known_length", [True, False])
async def test_large_bodies_go_through_unheld(gateway: Any, upstream: Upstream, known_length: bool) -> None:
    body = b"0123456789" * 300_000

    async def chunks() -> Any:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    response = await gateway.client.post("/import", content=body if known_length else chunks())
    assert response.json()["body"] == len(body)
    assert upstream.seen[0].body == body
    assert upstream.seen[0].body_hash == UNHASHED


async def test_forged_principals_and_forwarding_headers_are_dropped(gateway: Any, upstream: Upstream) -> None:
    forged = [
        (HEADER, "v1.forged.forged"),
        (HEADER.upper(), "v1.forged.again"),
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Real-IP", "6.6.6.6"),
        ("Forwarded", "for=6.6.6.6"),
    ]
    await gateway.client.get("/page", headers=forged)
    (seen,) = upstream.seen
    assert len(seen.header(HEADER)) == 1
    assert seen.principal == Principal(kind="ui", client="127.0.0.1")
    assert seen.header("x-forwarded-for") == ["127.0.0.1"]
    assert seen.header("x-forwarded-proto") == ["http"]
    assert seen.header("x-forwarded-host") == [f"127.0.0.1:{gateway.port}"]
    assert seen.header("x-real-ip") == seen.header("forwarded") == []


async def test_the_principal_cannot_be_named_away_by_connection(gateway: Any, upstream: Upstream) -> None:
    headers = {"connection": f"{HEADER}, x-mine, cookie, host", "x-mine": "1", "cookie": "a=1"}
    assert (await gateway.client.get("/page", headers=headers)).status_code == 200
    (seen,) = upstream.seen
    assert seen.header("x-mine") == []
    assert seen.header("cookie") == ["a=1"]
    assert seen.header(HEADER)


async def test_two_lengths_for_one_body_are_refused(gateway: Any, upstream: Upstream) -> None:
    smuggled = (
        b"POST /page HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /internal/keys HTTP/1.1\r\nhost: x\r\n\r\n"
    )
    await raw(gateway.port, smuggled)
    assert all(seen.target == "/page" for seen in upstream.seen)
    assert b" 400 " in await raw(gateway.port, b"GET /page HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n")


async def test_trusted_proxies_say_who_the_client_is(start: Any, upstream: Upstream) -> None:
    gateway = await start(gateway_trusted_proxies="127.0.0.0/8, 10.0.0.0/8")
    headers = {
        "x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.1.2.3",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "a.vn",
    }
    await gateway.client.get("/page", headers=headers)
    (seen,) = upstream.seen
    assert seen.principal == Principal(kind="ui", client="203.0.113.9", https=True)
    assert seen.header("x-forwarded-for") == ["6.6.6.6, 203.0.113.9, 10.1.2.3, 127.0.0.1"]
    assert seen.header("x-forwarded-host") == ["a.vn"]


async def test_answers_come_back_as_they_are_without_hop_by_hop_headers(gateway: Any) -> None:
    response = await gateway.client.get("/headers")
    assert (response.status_code, response.content) == (418, b"teapot")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["etag"] == '"3"'
    assert not {"x-secret", "keep-alive", "server"} & set(response.headers)
    assert len(response.headers.get_list("date")) == 1


async def test_nothing_of_one_answer_stays_for_the_next_request(gateway: Any, upstream: Upstream) -> None:
    await gateway.client.get("/headers")
    gateway.client.cookies.clear()
    await gateway.client.get("/page")
    assert upstream.seen[1].header("cookie") == []


async def test_a_stream_arrives_before_it_ends(gateway: Any, upstream: Upstream) -> None:
    async with gateway.client.stream("GET", "/stream") as response:
        parts = response.aiter_raw()
        assert await asyncio.wait_for(anext(parts), DEADLINE) == b"first\n"
        assert not upstream.release.is_set()
        upstream.release.set()
        assert await asyncio.wait_for(anext(parts), DEADLINE) == b"second\n"


async def test_a_client_that_leaves_ends_the_stream_at_admin(gateway: Any, upstream: Upstream) -> None:
    async with gateway.client.stream("GET", "/stream") as response:
        await anext(response.aiter_raw())
    await asyncio.wait_for(upstream.disconnected.wait(), DEADLINE)


async def test_a_client_that_leaves_before_the_answer_is_noticed_too(gateway: Any, upstream: Upstream) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await gateway.client.get("/api/v1/never", headers=BEARER, timeout=0.3)
    await asyncio.wait_for(upstream.disconnected.wait(), DEADLINE)


async def test_event_streams_end_when_the_gateway_stops_and_others_go_on(gateway: Any, upstream: Upstream) -> None:
    async with (
        gateway.client.stream("GET", "/api/v1/events/stream", headers=BEARER) as events,
        gateway.client.stream("GET", "/stream") as table,
    ):
        events_parts, table_parts = events.aiter_raw(), table.aiter_raw()
        await anext(events_parts)
        await anext(table_parts)
        gateway.environment.stop()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(events_parts), DEADLINE)
        upstream.release.set()
        assert await asyncio.wait_for(anext(table_parts), DEADLINE) == b"second\n"


async def test_an_answer_that_breaks_off_is_not_taken_for_whole(gateway: Any) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await gateway.client.get("/broken")


async def test_packed_answers_stay_packed(gateway: Any, upstream: Upstream) -> None:
    packed = gzip.compress(b"body")
    await gateway.client.post("/form", content=packed, headers={"content-encoding": "gzip"})
    assert upstream.seen[0].body == packed
    assert upstream.seen[0].header("content-encoding") == ["gzip"]


async def test_many_at_once(gateway: Any, upstream: Upstream) -> None:
    begun = time.monotonic()
    answers = await asyncio.gather(
        *(gateway.client.post(f"/api/v1/thing/{n}", content=b"x" * n, headers=BEARER) for n in range(200))
    )
    assert [answer.json() for answer in answers] == [{"path": f"/api/v1/thing/{n}", "body": n} for n in range(200)]
    assert time.monotonic() - begun < DEADLINE
