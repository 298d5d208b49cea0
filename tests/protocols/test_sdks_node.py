"""Segment's and RudderStack's SDKs for Node as published, against a real observer: every call once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.protocols.observer_process import ObserverProcess, by_message_id

SCRIPT = Path(__file__).parent / "node" / "send.mjs"


async def run(*arguments: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    result: dict[str, Any] = json.loads(output)
    return result


async def test_segment_for_node(node_modules: Path, observer: ObserverProcess) -> None:
    result = await run("segment", observer.url, "wk_test")
    assert result["problems"] == []
    sent = {one["messageId"]: one for one in result["sent"]}
    stored = by_message_id(await observer.stored())
    assert stored.keys() == sent.keys()
    for message_id, one in stored.items():
        expected = {name: value for name, value in sent[message_id].items() if name != "_metadata"}
        assert {name: value for name, value in one.body.items() if name in expected} == expected
        assert (one.type, one.block.authenticated) == (expected["type"], True)


@pytest.mark.parametrize("encoding", ["gzip", "plain"])
async def test_rudderstack_for_node(node_modules: Path, observer: ObserverProcess, encoding: str) -> None:
    result = await run("rudder", observer.url, "wk_test", encoding)
    assert result["problems"] == []
    sent = {one["messageId"]: one for one in result["sent"]}
    stored = by_message_id(await observer.stored())
    assert stored.keys() == sent.keys()
    for message_id, one in stored.items():
        expected = sent[message_id]
        assert one.type == expected["type"]
        for name in expected:
            assert one.body[name] == expected[name]
        assert "originalTimestamp" in one.body


async def test_a_wrong_key_is_told_and_not_retried(node_modules: Path, observer: ObserverProcess) -> None:
    result = await run("segment", observer.url, "nobody")
    assert result["problems"]
    assert await observer.stored() == []
