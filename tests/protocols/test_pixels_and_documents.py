"""Images, the documents that SDKs ask for before they send, the bundle of the snippet, and what describes it all."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from leocdp_observer.assets import Assets
from tests.protocols.running_edge import Edge, running_edge, until

EVENT = {"event": "E-mail Opened", "userId": "u-1", "properties": {"subject": "Chào bạn?>"}}
PADDED = b64encode(json.dumps(EVENT).encode()).decode()


def is_gif(content: bytes) -> bool:
    return content.startswith(b"GIF89a\x01\x00\x01\x00") and content.endswith(b";")


DATA = {
    "plain": PADDED,
    "without padding": PADDED.rstrip("="),
    "for addresses": urlsafe_b64encode(json.dumps(EVENT).encode()).decode(),
    "with the key inside": b64encode(json.dumps({**EVENT, "writeKey": "wk_test"}).encode()).decode(),
}


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
async def test_a_pixel_with_data(edge: Edge, data: str) -> None:
    key = {} if data == DATA["with the key inside"] else {"writeKey": "wk_test"}
    answer = await edge.client.get("/v1/pixel/track", params={"data": data, **key})
    assert answer.status_code == 200
    assert is_gif(answer.content)
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-store"
    (stored,) = await edge.stored()
    assert (stored.type, stored.body) == ("track", EVENT)


async def test_a_pixel_with_flat_parameters(edge: Edge) -> None:
    query = "writeKey=wk_test&userId=u-1&event=Opened&context.ip=1.2.3.4"
    query += "&properties.subject=Ch%C3%A0o+b%E1%BA%A1n&properties.a.b=1"
    assert (await edge.client.get(f"/v1/pixel/track?{query}")).status_code == 200
    (stored,) = await edge.stored()
    assert stored.body == {
        "userId": "u-1",
        "event": "Opened",
        "properties": {"subject": "Chào bạn", "a": {"b": "1"}},
        "context": {"ip": "1.2.3.4"},
    }


@pytest.mark.parametrize("path", ["/v1/pixel/page", "/v1/pixel/identify", "/pixel/v1/page", "/v1/pixel/alias"])
async def test_pixels_of_other_types(edge: Edge, path: str) -> None:
    query = {"writeKey": "wk_test", "userId": "u-1", "previousId": "a-1"}
    assert is_gif((await edge.client.get(path, params=query)).content)
    (stored,) = await edge.stored()
    assert stored.type == path.rpartition("/")[2]


BAD: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no key": {"userId": "u", "event": "A"},
    "unknown key": {"userId": "u", "event": "A", "writeKey": "nobody"},
    "no id": {"event": "A", "writeKey": "wk_test"},
    "no base64": {"data": "%%%", "writeKey": "wk_test"},
    "no json": {"data": b64encode(b"hello").decode(), "writeKey": "wk_test"},
    "value and object": {"a": "1", "a.b": "2", "writeKey": "wk_test"},
    "object and value": {"a.b": "1", "a": "2", "writeKey": "wk_test"},
    "too many": {**{f"p{number}": "1" for number in range(300)}, "writeKey": "wk_test"},
    "too deep": {".".join("a" * 200): "1", "userId": "u", "event": "A", "writeKey": "wk_test"},
}


@pytest.mark.parametrize("query", BAD.values(), ids=BAD)
async def test_an_image_comes_whatever_was_asked(edge: Edge, query: dict[str, Any]) -> None:
    answer = await edge.client.get("/v1/pixel/track", params=query)
    assert (answer.status_code, is_gif(answer.content)) == (200, True)
    assert await edge.stored() == []
    assert len(await edge.rejected(1)) == 1


@pytest.mark.parametrize(
    "path", ["/v1/projects/wk_web/settings", "/projects/wk_web/settings", "/v1/projects/projects/wk_web/settings"]
)
async def test_settings_for_segments_clients(edge: Edge, path: str) -> None:
    answer = await edge.client.get(path, headers={"origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "max-age" in answer.headers["cache-control"]
    document = answer.json()
    assert list(document["integrations"]) == ["Segment.io"], "a second one makes the SDK load its legacy bundle"
    integration = document["integrations"]["Segment.io"]
    assert integration["apiKey"] == "wk_web"
    assert integration["apiHost"] == "edge.example/v1"
    assert integration["protocol"] == "http"
    assert document["plan"]["track"]["__default"]["enabled"] is True


async def test_settings_behind_a_trusted_proxy(tmp_path: Path) -> None:
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "events.example.com"}
    async with running_edge(tmp_path / "a", observer_trusted_proxies="203.0.113.9/32") as edge:
        integration = await _integration(edge, headers)
        assert (integration["apiHost"], integration["protocol"]) == ("events.example.com/v1", "https")
    async with running_edge(tmp_path / "b") as edge:
        integration = await _integration(edge, headers)
        assert (integration["apiHost"], integration["protocol"]) == ("edge.example/v1", "http")
    async with running_edge(tmp_path / "c", observer_public_url="https://t.example.com/in/") as edge:
        integration = await _integration(edge, headers)
        assert (integration["apiHost"], integration["protocol"]) == ("t.example.com/in/v1", "https")


async def _integration(edge: Edge, headers: dict[str, str]) -> dict[str, Any]:
    document = (await edge.client.get("/v1/projects/wk_web/settings", headers=headers)).json()
    integration: dict[str, Any] = document["integrations"]["Segment.io"]
    return integration


@pytest.mark.parametrize("key", ["nobody", "x" * 200, "%3Cscript%3E"])
@pytest.mark.parametrize("path", ["/v1/projects/{}/settings", "/analytics.js/v1/{}/analytics.min.js"])
async def test_documents_for_nobody(edge: Edge, path: str, key: str) -> None:
    answer = await edge.client.get(path.format(key))
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_write_key")
    assert answer.headers["cache-control"] == "no-store"


async def test_settings_do_not_wait_for_the_configuration(tmp_path: Path) -> None:
    async with running_edge(tmp_path, publish=False) as edge:
        assert (await edge.client.get("/v1/projects/wk_web/settings")).status_code == 200
        assert (await edge.client.get("/sourceConfig/?writeKey=wk_web")).status_code == 503


async def test_a_host_that_is_none(edge: Edge) -> None:
    answer = await edge.client.get("/v1/projects/wk_web/settings", headers={"host": 'x"><script>'})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_field")


async def test_source_config_for_rudderstacks_clients(edge: Edge) -> None:
    by_auth = await edge.client.get("/sourceConfig/?p=npm&v=3", auth=("wk_web", ""))
    by_query = await edge.client.get("/sourceConfig", params={"writeKey": "wk_web"})
    assert by_auth.json() == by_query.json()
    source = by_auth.json()["source"]
    assert (source["id"], source["enabled"], source["destinations"]) == ("web", True, [])
    assert isinstance(source["config"], dict)
    off = await edge.client.get("/sourceConfig/", auth=("wk_off", ""))
    assert off.json()["source"]["enabled"] is False
    nobody = await edge.client.get("/sourceConfig/")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "missing_write_key")


async def test_measurements_of_sdks_are_dropped(edge: Edge) -> None:
    answer = await edge.client.post("/v1/m", content=b'{"series":[]}', headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await edge.stored() == []


async def test_a_bundle_that_is_not_built_says_how(edge: Edge, tmp_path: Path) -> None:
    edge.environment.assets = Assets(tmp_path / "none")
    for path in ("/analytics.js/v1/wk_web/analytics.min.js", "/analytics-next/bundles/a.js"):
        answer = await edge.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "bundle_not_built")
        assert "build_assets.py" in answer.json()["message"]


async def test_the_bundle_carries_the_key_and_its_own_address(edge: Edge, tmp_path: Path) -> None:
    (tmp_path / "standalone.js").write_text('window.analyticsWriteKey="__WRITE_KEY__"')
    (tmp_path / "part.bundle.1.js").write_text("part()")
    edge.environment.assets = Assets(tmp_path)
    for name in ("analytics.min.js", "analytics.js"):
        for encoding in ("gzip", "identity"):
            answer = await edge.client.get(f"/analytics.js/v1/wk_web/{name}", headers={"accept-encoding": encoding})
            assert answer.headers["content-type"].startswith("text/javascript")
            assert answer.headers.get("content-encoding", "identity") == encoding
            assert 'window.analyticsWriteKey="wk_web"' in answer.text
            assert '"http://edge.example"' in answer.text
    part = await edge.client.get("/analytics-next/bundles/part.bundle.1.js")
    assert part.text == "part()"
    assert "immutable" in part.headers["cache-control"]
    for name in ("none.js", "..%2fstandalone.js", "LICENSE.md"):
        assert (await edge.client.get(f"/analytics-next/bundles/{name}")).status_code == 404


async def test_all_routes_are_described(edge: Edge) -> None:
    schema = (await edge.client.get("/openapi.json")).json()
    assert {"/v1/track", "/v1/t", "/v1/batch", "/v1/pixel/page", "/beacon/v1/batch"} <= schema["paths"].keys()
    page = await edge.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/v1/batch" in page.text
    assert "http" not in page.text.replace("invalid_http", ""), "nothing is loaded from elsewhere"


async def test_probes_and_metrics(edge: Edge) -> None:
    assert (await edge.client.get("/healthz")).json()["service"] == "observer"
    ready = await edge.client.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (200, [])
    await edge.post("/v1/track", {"event": "A", "userId": "u"})
    await edge.post("/v1/track", {"event": "A"})
    metrics = (await edge.client.get("/metrics")).text
    for line in (
        'leocdp_observer_items_total{outcome="accepted",reason=""} 1.0',
        'leocdp_observer_items_total{outcome="rejected",reason="missing_id"} 1.0',
        'leocdp_observer_requests_total{protocol="segment",status="200"} 1.0',
        'leocdp_observer_requests_total{protocol="segment",status="400"} 1.0',
        'leocdp_config_entries{kind="source"} 6.0',
        "leocdp_observer_append_seconds_count 1.0",
        "leocdp_observer_in_flight_bytes 0.0",
    ):
        assert line in metrics


async def test_readiness_tells_of_the_configuration(tmp_path: Path) -> None:
    async with running_edge(tmp_path, publish=False) as edge:

        async def is_ready() -> bool:
            return (await edge.client.get("/readyz")).status_code == 200

        await until(is_ready)
