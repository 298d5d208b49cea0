"""Only what the gateway has signed gets in, and only as it was signed."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from leocdp.contracts.principal import HEADER, Principal, sign
from tests.unit.admin.stack import SECRET, Client, Stack, signed

KEY = Principal(kind="key", key_id="k1", scopes=("admin", "sources:read"))


async def refused(response: httpx.Response) -> bool:
    return response.status_code == 401 and response.json()["code"] == "not_from_gateway"


async def test_without_a_signature_only_probes_answer(stack: Stack) -> None:
    for path in ("/", "/login", "/api/v1/sources", "/api/v1/openapi.json", "/internal/authenticate", "/nowhere"):
        response = await stack.http.get(path)
        assert await refused(response), path
        assert "gateway" in response.json()["message"]
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await stack.http.get(path)).status_code in (200, 503)


async def test_a_forged_or_altered_header_is_refused(stack: Stack) -> None:
    request = stack.http.build_request("GET", "/api/v1/sources")
    good = signed(request, KEY, stack.clock.now())
    version, payload, mac = good.split(".")
    other_principal = signed(request, replace_scopes("profiles:read"), stack.clock.now()).split(".")[1]
    for header in (
        "",
        "v1",
        "v1..",
        "v2." + payload + "." + mac,
        f"v1.{payload}.{mac[:-1]}0" if mac[-1] != "0" else f"v1.{payload}.{mac[:-1]}1",
        f"v1.{other_principal}.{mac}",
        f"v1.!!!.{mac}",
        signed(request, KEY, stack.clock.now(), secret="t" * 40),
        signed(request, KEY, stack.clock.now() - 31_000),
        signed(request, KEY, stack.clock.now() + 31_000),
    ):
        assert await refused(await stack.http.get("/api/v1/sources", headers={HEADER: header})), header
    assert (await stack.http.get("/api/v1/sources", headers={HEADER: good})).status_code == 200
    assert version == "v1"


def replace_scopes(*scopes: str) -> Principal:
    return Principal(kind="key", key_id="k1", scopes=scopes)


async def test_a_signature_is_for_one_request_only(stack: Stack) -> None:
    now = stack.clock.now()

    def header(
        method: str = "GET", path: str = "/api/v1/sources", query: str = "", body: bytes | None = b""
    ) -> dict[str, str]:
        return {HEADER: sign(KEY, method=method, path=path, query=query, body=body, secret=SECRET.encode(), now=now)}

    assert (await stack.http.get("/api/v1/sources?limit=1", headers=header(query="limit=1"))).status_code == 200
    assert await refused(await stack.http.get("/api/v1/sources?limit=2", headers=header(query="limit=1")))
    assert await refused(await stack.http.get("/api/v1/keys", headers=header()))
    assert await refused(await stack.http.delete("/api/v1/sources", headers=header()))
    other = await stack.http.post("/api/v1/sources", json={"name": "x"}, headers=header("POST", body=b'{"name":"y"}'))
    assert await refused(other)


async def test_a_body_that_streams_has_no_hash(stack: Stack) -> None:
    header = sign(
        Principal(kind="key", key_id="k1", scopes=("sources:write",)),
        method="POST",
        path="/api/v1/sources",
        query="",
        body=None,
        secret=SECRET.encode(),
        now=stack.clock.now(),
    )
    response = await stack.http.post("/api/v1/sources", json={"name": "x"}, headers={HEADER: header})
    assert response.status_code == 201


@pytest.mark.parametrize("kind", ["ui", "key"])
async def test_internal_addresses_are_the_gateways_own(stack: Stack, kind: str) -> None:
    client = stack.key() if kind == "key" else stack.anyone
    assert await refused(await client("POST", "/internal/authenticate", json={"key": "x" * 20}))
    assert await refused(await stack.gateway("GET", "/api/v1/sources"))
    assert await refused(await stack.gateway("GET", "/login"))


async def test_percent_encoding_does_not_lead_around_the_internal_rule(stack: Stack) -> None:
    for path in ("/%69nternal/authenticate", "/internal%2Fauthenticate", "//internal/authenticate"):
        response = await stack.key()("POST", path, json={"key": "bootstrap-api-key-1"})
        assert "scopes" not in response.text, path
        assert response.status_code in (401, 404, 405), path


async def test_the_principal_decides_not_the_cookie(stack: Stack) -> None:
    """A key's request with somebody's cookie stays the key's."""
    owner = await stack.person("owner")
    key = Client(stack.http, replace_scopes("profiles:read"), stack.clock, session=owner.session)
    assert await key.error(403, "GET", "/api/v1/users") == "missing_scope"
    assert replace(key, session="").session == ""
