"""A small shop's data, sent as real clients send it: known people, visitors, a shared tablet, doubts, mistakes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts import topics
from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.ports.event_log import NewRecord
from tests.browser.stack import API_KEY, WRITE_KEY, Stack, wait_for

Sent = Mapping[str, Any]


def item(type_: str, message_id: str, ago: float, **content: Any) -> dict[str, Any]:
    """One call of an SDK; ``ago`` in minutes."""
    at = datetime.now(UTC) - timedelta(minutes=ago)
    return {"type": type_, "messageId": message_id, "timestamp": at.isoformat(timespec="milliseconds"), **content}


def people() -> Sequence[Sent]:
    """Mai (known, orders), a second Mai and a Bình that look like duplicates, Hoa and Nam on one tablet, Vy merged."""
    order = {
        "order_id": "A-1001",
        "total": 350000,
        "currency": "VND",
        "products": [{"name": "Cà phê", "price": 150000, "quantity": 1}],
    }
    page = {"url": "https://shop.example.vn/tra-sen", "path": "/tra-sen", "title": "Trà sen"}
    mai = {"name": "Nguyễn Thị Mai", "email": "mai@example.vn", "phone": "0912345671", "plan": "gold"}
    return [
        item("identify", "m-mai", 4000, userId="crm-1", traits=mai, anonymousId="phone-1"),
        item("page", "m-mai-page", 3990, anonymousId="phone-1", name="Trà sen", properties=page),
        item("track", "m-mai-order", 30, userId="crm-1", event="Order Completed", properties=order),
        item("identify", "m-mai2", 3900, userId="crm-2", traits={"name": "Mai Nguyen", "email": "mai@example.vn"}),
        item("identify", "m-binh", 3800, userId="crm-3", traits={"name": "Trần Văn Bình", "phone": "0912345671"}),
        item("identify", "m-hoa", 3700, userId="crm-4", anonymousId="tablet-1", traits={"name": "Lê Hoa"}),
        item("identify", "m-nam", 3600, userId="crm-5", anonymousId="tablet-1", traits={"name": "Lê Nam"}),
        item("page", "m-vy-page", 3000, anonymousId="laptop-1", name="Trang chủ"),
        item(
            "identify",
            "m-vy",
            2900,
            anonymousId="laptop-1",
            traits={"name": "Phạm Vy", "email": "vy@example.vn"},
            context={"consent": {"categoryPreferences": {"marketing": True}}},
        ),
        item("identify", "m-vy-phone", 2800, anonymousId="phone-2", traits={"phone": "0987111222"}),
        item("identify", "m-vy-both", 2700, anonymousId="phone-2", traits={"email": "vy@example.vn"}),
        item("track", "m-mai-order", 30, userId="crm-1", event="Order Completed", properties=order),
    ]


def visitors(count: int) -> Sequence[Sent]:
    """Anonymous visitors, more than a page of them."""
    return [item("page", f"m-visitor-{n}", 60 + n, anonymousId=f"visitor-{n}", name="Trang chủ") for n in range(count)]


def mistakes() -> Sequence[Sent]:
    return [
        {"type": "track", "messageId": "bad-1", "userId": "crm-1"},
        {"type": "explode", "messageId": "bad-2", "userId": "crm-1"},
    ]


def sow(stack: Stack) -> dict[str, Any]:
    """Send everything and wait until it is processed; returns the web shop's source."""
    shop = api(stack, "POST", "/sources", {"name": "Web shop", "kind": "browser"})
    assert stack.send(*people(), *mistakes()) == 200
    deadline = time.monotonic() + 20
    while stack.send(*visitors(60), key=shop["write_key"]) != 200:
        # A new key reaches the observers within seconds.
        assert time.monotonic() < deadline, "the observer does not learn the new key"
        time.sleep(0.2)
    asyncio.run(break_some(stack))
    stack.settle()
    return shop


def define(stack: Stack) -> tuple[str, str]:
    """A segment that somebody is in, and a list; returns their ids."""
    condition = {"any": [{"status": "identified"}, {"event": "Order Completed", "within": "30d"}]}
    segment = api(stack, "POST", "/segments", {"name": "Known or bought", "condition": condition})["id"]
    names = api(stack, "POST", "/lists", {"name": "Guests of the opening"})
    wait_for(
        lambda: api(stack, "GET", f"/segments/{segment}")["size"] not in (0, None),
        30,
        lambda: f"nobody is in the segment: {api(stack, 'GET', f'/segments/{segment}')}",
    )
    return str(segment), str(names["id"])


async def break_some(stack: Stack, count: int = 2) -> None:
    """Items that no observer would let in, so that processing them fails."""
    log = SQLiteEventLog(stack.data_dir / "log.db")
    await log.start()
    try:
        for number in range(count):
            torn = b'{"messageId": "torn-%d", "event": "Order Completed", "userId": "crm-1"' % number
            block = RequestBlock(
                received_at=int(time.time() * 1000),
                source_id="quickstart",
                protocol="segment",
                items=[Item("track", torn)],
            )
            record = encode(AcceptedRecord(VERSION, [block]))
            await log.append([NewRecord(topics.EVENTS_ACCEPTED, number, record)])
    finally:
        await log.close()


def api(stack: Stack, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    answer = httpx.request(
        method,
        f"{stack.base}/api/v1{path}",
        json=body,
        headers={"authorization": f"Bearer {API_KEY}"},
        timeout=60,
    )
    assert answer.status_code < 300, answer.text
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


__all__ = ["WRITE_KEY", "api", "break_some", "define", "item", "sow"]
