"""What is forwarded, what the gateway answers itself, and what nobody reaches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.gateway.test_gateway_forwarding import BEARER, raw
from tests.unit.gateway.upstream import DEADLINE, Upstream


@pytest.mark.parametrize(
    "target", ["/internal/authenticate", "/internal", "/internal/", "/%69nternal/keys/used", "/internal%2Fauthenticate"]
)
async def test_internal_paths_are_nobody_s_business(gateway: Any, upstream: Upstream, target: str) -> None:
    answer = await raw(gateway.port, f"POST {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert b" 404 " in answer
    assert b'"code":"not_found"' in answer
    assert upstream.seen == []
    assert upstream.asked == []


@pytest.mark.parametrize("target", ["/a/../internal/x", "/a/%2e%2E/b", "/./a", "/..", "*"])
async def test_paths_that_point_elsewhere_are_refused(gateway: Any, upstream: Upstream, target: str) -> None:
    answer = await raw(gateway.port, f"OPTIONS {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert b" 400 " in answer
    assert upstream.seen == []


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_are_the_gateway_s_own(gateway: Any, upstream: Upstream, path: str) -> None:
    response = await gateway.client.get(path)
    assert response.status_code == 200
    assert upstream.seen == []
    if path != "/metrics":
        assert response.json()["service"] == "gateway"


async def test_methods_are_a_closed_set(gateway: Any) -> None:
    response = await gateway.client.request("TRACE", "/page")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in response.headers["allow"]


async def test_the_api_s_description_is_public(gateway: Any, upstream: Upstream) -> None:
    assert (await gateway.client.get("/api/v1/openapi.json")).status_code == 200
    assert upstream.seen[0].principal.kind == "ui"
    assert (await gateway.client.post("/api/v1/openapi.json")).status_code == 401


async def test_the_page_of_the_description_needs_nobody_else(gateway: Any, upstream: Upstream) -> None:
    page = await gateway.client.get("/api/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for asset in ("/api/docs/docs.js", "/api/docs/docs.css"):
        assert asset in page.text
        assert (await gateway.client.get(asset)).status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert (await gateway.client.get("/api/docs/other.js")).json()["code"] == "not_found"
    assert upstream.seen == []


async def test_a_missing_admin_is_said_with_a_time_to_come_back(start: Any) -> None:
    gateway = await start(admin=False)
    for path, headers in (("/", {}), ("/api/v1/profiles", BEARER)):
        response = await gateway.client.get(path, headers=headers)
        assert response.status_code == 503
        assert response.json()["code"] == "admin_unavailable"
        assert int(response.headers["retry-after"]) > 0
    ready = await gateway.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["reasons"][0].startswith("admin: ")
    assert (await gateway.client.get("/healthz")).status_code == 200


async def test_an_admin_that_does_not_begin_to_answer_is_a_timeout(start: Any, upstream: Upstream) -> None:
    gateway = await start(gateway_answer_timeout=0.2)
    response = await gateway.client.get("/api/v1/never", headers=BEARER)
    assert (response.status_code, response.json()["code"]) == (504, "admin_timeout")
    await asyncio.wait_for(upstream.disconnected.wait(), DEADLINE)


async def test_bodies_have_a_largest_size(start: Any, upstream: Upstream) -> None:
    gateway = await start(gateway_max_body=1000)

    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 100

    assert (await gateway.client.post("/form", content=b"x" * 1000)).status_code == 200
    for content in (b"x" * 1001, chunks()):
        response = await gateway.client.post("/form", content=content)
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert len(upstream.seen) == 1


async def test_a_body_that_does_not_come_is_not_waited_for(start: Any) -> None:
    gateway = await start(gateway_body_timeout=0.2)
    answer = await raw(gateway.port, b"POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf")
    assert b" 408 " in answer
    assert b'"code":"body_timeout"' in answer


async def test_requests_are_counted_by_kind_and_status(gateway: Any) -> None:
    await gateway.client.get("/page")
    await gateway.client.get("/api/v1/profiles")
    shown = (await gateway.client.get("/metrics")).text
    assert 'leocdp_gateway_requests_total{kind="ui",status="200"} 1.0' in shown
    assert 'leocdp_gateway_requests_total{kind="api",status="401"} 1.0' in shown
    assert 'leocdp_gateway_request_seconds_count{kind="ui"} 1.0' in shown
