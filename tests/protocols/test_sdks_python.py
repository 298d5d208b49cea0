"""Segment's and RudderStack's Python SDKs as published, against a real observer: every call once, unchanged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from tests.protocols.observer_process import ObserverProcess, by_message_id, observer_process
from tests.protocols.sources import publish_sources

MakeClient = Callable[[str, str], Any]


def segment(url: str, key: str) -> Any:
    return SegmentClient(key, host=url, max_retries=5, upload_interval=0.1)


def segment_gzip(url: str, key: str) -> Any:
    return SegmentClient(key, host=url, max_retries=5, upload_interval=0.1, gzip=True)


def rudder(url: str, key: str) -> Any:
    return RudderClient(key, host=url, max_retries=5, upload_interval=0.1, gzip=False)


def rudder_gzip(url: str, key: str) -> Any:
    return RudderClient(key, host=url, max_retries=5, upload_interval=0.1)


CLIENTS = [segment, segment_gzip, rudder, rudder_gzip]


def call_everything(client: Any) -> dict[str, dict[str, Any]]:
    """One call of each type and some more; what the SDK has queued, by message id."""
    context = {"ip": "198.51.100.4", "consent": {"categoryPreferences": {"marketing": True}}}
    results = [
        client.identify("u-1", {"name": "Nguyễn Văn Á", "email": "a@example.vn"}, context),
        client.track("u-1", "Order Completed", {"total": 10.5, "products": [{"sku": "s-1"}]}),
        client.track(None, "Seen", anonymous_id="anon-1"),
        client.page("u-1", "Docs", "Home", {"url": "https://shop.example/"}),
        client.screen("u-1", "Shop", "Main"),
        client.group("u-1", "g-1", {"name": "Acme"}),
        client.alias("anon-1", "u-1"),
        *[client.track(f"u-{number % 7}", "Clicked", {"number": number}) for number in range(120)],
    ]
    assert all(queued for queued, _ in results)
    return {message["messageId"]: plain(message) for _, message in results}


def finish(client: Any) -> None:
    """Wait until the SDK has sent what it holds, then end its threads."""
    client.flush()
    client.join()


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """A message as JSON makes it."""
    value: dict[str, Any] = json.loads(json.dumps(message, default=str))
    value.pop("writeKey", None)
    return value


@pytest.mark.parametrize("make", CLIENTS)
async def test_every_call_arrives_once_and_unchanged(observer: ObserverProcess, make: MakeClient) -> None:
    client = make(observer.url, "wk_test")
    sent = await asyncio.to_thread(call_everything, client)
    await asyncio.to_thread(finish, client)
    stored = by_message_id(await observer.stored())
    assert stored.keys() == sent.keys()
    for message_id, one in stored.items():
        assert one.type == sent[message_id]["type"]
        assert one.body == sent[message_id]
        assert one.block.sent_at is not None
        assert one.block.authenticated
        assert "python" in one.block.user_agent


@pytest.mark.parametrize("make", [segment, rudder])
async def test_an_unknown_key_ends_in_an_error_and_not_in_retries(observer: ObserverProcess, make: MakeClient) -> None:
    errors: list[Exception] = []
    client = make(observer.url, "nobody")
    client.on_error = lambda error, _: errors.append(error)
    for consumer in client.consumers:
        consumer.on_error = client.on_error
    client.track("u-1", "Lost")
    async with asyncio.timeout(60):
        await asyncio.to_thread(finish, client)
    assert errors, "the SDK was told"
    assert await observer.stored() == []
    assert b'status="401"} 1.0' in observer.get("/metrics")


@pytest.mark.parametrize("make", [segment, rudder])
def test_events_wait_in_the_sdk_until_the_observer_knows_its_sources(tmp_path: Path, make: MakeClient) -> None:
    with observer_process(tmp_path, publish=False) as observer:
        client = make(observer.url, "wk_test")
        sent = call_everything(client)

        async def publish_once_refused() -> None:
            async with asyncio.timeout(60):
                while b'status="503"' not in await asyncio.to_thread(observer.get, "/metrics"):
                    await asyncio.sleep(0.02)
            log = SQLiteEventLog(tmp_path / "log.db")
            await log.start()
            await publish_sources(log)
            await log.close()

        asyncio.run(publish_once_refused())
        finish(client)
        stored = by_message_id(asyncio.run(observer.stored()))
        assert stored.keys() == sent.keys()
