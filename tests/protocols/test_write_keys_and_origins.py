"""Who may send: where the write key may stand, what an unknown one gets, and from which pages."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from leocdp.contracts.config_entries import ConfigEntry
from leocdp.ports.config_view import publish_entry
from tests.protocols.running_edge import Edge, running_edge, until
from tests.protocols.sources import SOURCES

ITEM = {"type": "track", "event": "A", "userId": "u"}


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(text.encode()).decode()}


FOUND: dict[str, dict[str, Any]] = {
    "basic": {"headers": basic("wk_test:")},
    "basic without colon": {"headers": basic("wk_test")},
    "basic with a password": {"headers": basic("wk_test:secret")},
    "lower case scheme": {"headers": {"authorization": "basic " + b64encode(b"wk_test:").decode()}},
    "body": {"json": {**ITEM, "writeKey": "wk_test"}},
    "body beside a bearer token": {
        "json": {**ITEM, "writeKey": "wk_test"},
        "headers": {"authorization": "Bearer ey.token"},
    },
    "body beside broken basic": {
        "json": {**ITEM, "writeKey": "wk_test"},
        "headers": {"authorization": "Basic §§".encode()},
    },
    "query": {"params": {"writeKey": "wk_test"}},
    "query in lower case": {"params": {"writekey": "wk_test"}},
    "header": {"headers": {"x-write-key": "wk_test"}},
    "header with a secret": {"headers": {"x-write-key": "wk_test:secret"}},
    "basic wins": {"headers": basic("wk_test:"), "json": {**ITEM, "writeKey": "nobody"}},
    "body wins over the query": {"json": {**ITEM, "writeKey": "wk_test"}, "params": {"writeKey": "nobody"}},
}


@pytest.mark.parametrize("how", FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
async def test_the_write_key_is_found(edge: Edge, path: str, how: dict[str, Any]) -> None:
    options = {"json": ITEM, **how}
    if path == "/v1/batch":
        body = options["json"]
        key = {"writeKey": body["writeKey"]} if "writeKey" in body else {}
        options["json"] = {"batch": [ITEM], **key}
    answer = await edge.client.post(path, **options)
    assert answer.status_code == 200, answer.text
    (stored,) = await edge.stored()
    assert stored.block.source_id == "server"
    assert stored.body == ITEM


async def test_the_write_key_of_an_item_counts_when_there_is_no_other(edge: Edge) -> None:
    answer = await edge.post("/v1/batch", {"batch": [{**ITEM, "writeKey": "wk_test"}]}, key="")
    assert answer.status_code == 200
    assert [one.body for one in await edge.stored()] == [ITEM]


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("", 401, "missing_write_key"), ("nobody", 401, "unknown_write_key"), ("wk_off", 403, "source_disabled")],
)
async def test_refused_keys(edge: Edge, key: str, status: int, code: str) -> None:
    answer = await edge.post("/v1/track", ITEM, key=key, headers={"origin": "https://any.example"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["access-control-allow-origin"] == "https://any.example"
    assert await edge.stored() == []


async def test_an_unknown_key_is_our_fault_until_the_configuration_is_read(tmp_path: Path) -> None:
    async with running_edge(tmp_path, publish=False) as edge:
        answer = await edge.post("/v1/track", ITEM)
        assert (answer.status_code, answer.json()["code"]) == (503, "configuration_not_loaded")
        assert int(answer.headers["retry-after"]) > 0
        await publish_entry(edge.environment.log, ConfigEntry(kind="source", id="s", version=1, at=0, data=SOURCES[0]))

        async def accepted() -> bool:
            return (await edge.post("/v1/track", ITEM)).status_code == 200

        await until(accepted)
        assert (await edge.post("/v1/track", ITEM, key="nobody")).status_code == 401


async def test_a_revoked_key_is_refused_and_a_rotated_one_taken(edge: Edge) -> None:
    rotated = {**SOURCES[0], "write_key": "wk_new"}
    await publish_entry(edge.environment.log, ConfigEntry(kind="source", id="server", version=2, at=0, data=rotated))
    await until(lambda: edge.environment.sources.find("wk_new"))
    assert (await edge.post("/v1/track", ITEM)).status_code == 401
    assert (await edge.post("/v1/track", ITEM, key="wk_new")).status_code == 200
    gone = ConfigEntry(kind="source", id="server", version=3, at=0, deleted=True)
    await publish_entry(edge.environment.log, gone)
    await until(lambda: edge.environment.sources.find("wk_new") is None)
    assert (await edge.post("/v1/track", ITEM, key="wk_new")).status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://shop.example", 200),
        ("https://SHOP.example", 200),
        (None, 200),
        ("http://shop.example", 403),
        ("https://shop.example.evil.example", 403),
        ("https://www.shop.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_pages_are_allow_listed(edge: Edge, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"origin": origin}
    answer = await edge.post("/v1/t", ITEM, key="wk_web", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "origin_not_allowed"
        assert [one.code for one in await edge.rejected(1)] == ["origin_not_allowed"]


@pytest.mark.parametrize("path", ["/v1/t", "/v1/batch", "/v1/pixel/track", "/v1/projects/x/settings", "/anything"])
async def test_preflights_pass_everywhere(edge: Edge, path: str) -> None:
    headers = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-retry-count,content-type",
    }
    answer = await edge.client.options(path, headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-headers"] == "authorization,x-retry-count,content-type"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert int(answer.headers["access-control-max-age"]) > 0


async def test_requests_beyond_the_rate_are_asked_to_wait(tmp_path: Path) -> None:
    async with running_edge(tmp_path, observer_rate_limit=5) as edge:
        answers = [await edge.post("/v1/track", ITEM, headers={"origin": "https://a.example"}) for _ in range(20)]
        late = [answer for answer in answers if answer.status_code != 200]
        assert {answer.status_code for answer in late} == {429}
        assert {answer.json()["code"] for answer in late} == {"rate_limited"}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in late)
        assert all(answer.headers["access-control-expose-headers"] == "retry-after" for answer in late)
        assert len(await edge.stored()) == len(answers) - len(late) >= 5
        other = await edge.post("/v1/track", ITEM, key="wk_kiosk")
        assert other.status_code == 200


async def test_what_a_source_says_stands_on_its_blocks(edge: Edge) -> None:
    headers = {"user-agent": "Agent " + "x" * 600}
    for key in ("wk_test", "wk_web", "wk_kiosk", "wk_private"):
        assert (await edge.post("/v1/track", ITEM, key=key, headers=headers)).status_code == 200
    blocks = {one.block.source_id: one.block for one in await edge.stored()}
    assert {source: block.ip for source, block in blocks.items()} == {
        "server": "203.0.113.9",
        "web": "203.0.113.9",
        "kiosk": "203.0.113.0",
        "private": "",
    }
    assert [source for source, block in blocks.items() if block.authenticated] == ["server"]
    assert [source for source, block in blocks.items() if block.shared_device] == ["kiosk"]
    assert {source: block.id_space for source, block in blocks.items() if block.id_space} == {"server": "shop"}
    assert {len(block.user_agent) for block in blocks.values()} == {512}


async def test_addresses_are_believed_only_from_trusted_proxies(tmp_path: Path) -> None:
    async with running_edge(tmp_path, observer_trusted_proxies="203.0.113.0/24") as edge:
        forwarded = {"x-forwarded-for": "6.6.6.6, 198.51.100.7, 203.0.113.10"}
        await edge.post("/v1/track", ITEM, headers=forwarded)
        (stored,) = await edge.stored()
        assert stored.block.ip == "198.51.100.7"


async def test_addresses_of_others_are_not_believed(edge: Edge) -> None:
    await edge.post("/v1/track", ITEM, headers={"x-forwarded-for": "6.6.6.6"})
    (stored,) = await edge.stored()
    assert stored.block.ip == "203.0.113.9"


async def test_a_hostile_origin_cannot_break_the_answer(edge: Edge) -> None:
    origins = [b"x" * 10_000, b"https://a\xff.example", b"a\tb"]
    for origin in origins:
        headers = httpx.Headers([(b"origin", origin), *basic_pairs()])
        answer = await edge.client.post("/v1/track", json=ITEM, headers=headers)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers


def basic_pairs() -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in basic("wk_test:").items()]
