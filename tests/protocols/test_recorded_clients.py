"""Requests as published clients really send them, replayed: exact answers, exact items."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from leocdp.contracts.topics import partition_for
from tests.protocols.running_edge import Edge
from tests.protocols.stored_items import Stored

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))


async def send(edge: Edge, request: dict[str, Any]) -> httpx.Response:
    content = json.dumps(request["body"]).encode() if "body" in request else b""
    if request.get("gzip"):
        content = gzip.compress(content)
    return await edge.client.request(
        request["method"],
        request["path"],
        params=request["query"] or None,
        headers=request["headers"],
        content=content,
    )


def check_cors(request: dict[str, Any], answer: httpx.Response) -> None:
    origin = request["headers"].get("origin")
    if origin is None:
        assert "access-control-allow-origin" not in answer.headers
        return
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-expose-headers"] == "retry-after"
    asked = request["headers"].get("access-control-request-headers")
    if request["method"] == "OPTIONS" and asked:
        assert answer.headers["access-control-allow-headers"] == asked


def expected_items(request: dict[str, Any]) -> Counter[str]:
    """What must stand in the log of one request: every item as it came, but without the write key."""
    body, stored = request["body"], request["stored"]
    items = body.get("batch", [body])
    kept = [{name: value for name, value in item.items() if name != "writeKey"} for item in items]
    return Counter(canonical(kind, item, stored["sent_at"]) for kind, item in zip(stored["types"], kept, strict=True))


def canonical(kind: str, item: dict[str, Any], sent_at: str | None) -> str:
    return json.dumps([kind, item, sent_at], sort_keys=True)


def check_block(one: Stored) -> None:
    assert one.block.protocol == "segment"
    assert one.block.ip == "203.0.113.9"
    assert one.block.authenticated == (one.block.source_id == "server")
    key = one.body.get("anonymousId") or one.body["userId"]
    assert one.partition == partition_for(key, 24)
    assert "writeKey" not in one.body


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.stem)
async def test_recorded_client(edge: Edge, recording: Path) -> None:
    expected: Counter[str] = Counter()
    for request in json.loads(recording.read_text(encoding="utf-8")):
        answer = await send(edge, request)
        check_cors(request, answer)
        reply = request.get("reply", {"status": 204 if request["method"] == "OPTIONS" else 200})
        assert answer.status_code == reply["status"], answer.text
        if "body" in reply:
            assert answer.json() == reply["body"]
            expected += expected_items(request)
        elif "code" in reply:
            assert answer.json()["code"] == reply["code"]
            assert answer.json()["message"]
    stored = await edge.stored()
    assert Counter(canonical(one.type, one.body, one.block.sent_at) for one in stored) == expected
    for one in stored:
        check_block(one)


def test_every_recording_is_replayed() -> None:
    assert len(RECORDED) == 16
