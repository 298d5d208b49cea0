"""A few people with a story, brought in through the log and a real processor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.admin.stack import Stack, admin
from tests.unit.processor.driving import Running, running

EMAIL = "lan@example.vn"
PHONE = "+84901234567"
LOCAL_PHONE = "0901234567"
OTHER_EMAIL = "hoa@example.vn"
CONTACTS = (EMAIL, PHONE, LOCAL_PHONE, OTHER_EMAIL, "901234567", "0901 234 567", "lan%40example.vn", "zalo-4711")

CONTEXT = {
    "ip": "203.0.113.9",
    "page": {"url": "https://shop.vn/?email=lan%40example.vn&utm_source=mail", "referrer": "mailto:lan@example.vn"},
    "traits": {"email": EMAIL, "phone": LOCAL_PHONE},
}

LAN: tuple[dict[str, Any], ...] = (
    {
        "type": "identify",
        "messageId": "m-1",
        "userId": "u-1",
        "anonymousId": "a-1",
        "traits": {
            "name": "Trần Thị Lan",
            "email": EMAIL.upper(),
            "phone": "0901 234 567",
            "plan": "pro",
            "address": {"street": "1 Lê Lợi", "contact": LOCAL_PHONE},
            "note": f"call {LOCAL_PHONE} or write to {EMAIL}",
            "zalo": "zalo-4711",
            "number": 84901234567,
        },
        "context": CONTEXT,
    },
    {
        "type": "track",
        "messageId": "m-2",
        "event": "Order Completed",
        "anonymousId": "a-1",
        "properties": {"total": 250_000, "receipt_to": EMAIL, "items": [{"gift_for": OTHER_EMAIL}], LOCAL_PHONE: 1},
        "context": CONTEXT,
    },
    {
        "type": "page",
        "messageId": "m/3",
        "name": "Home",
        "anonymousId": "a-1",
        "properties": {"url": "https://shop.vn"},
    },
)
HOA: tuple[dict[str, Any], ...] = (
    {
        "type": "identify",
        "messageId": "m-4",
        "userId": "u-2",
        "anonymousId": "a-2",
        "traits": {"name": "Hoa", "email": OTHER_EMAIL},
    },
)
BROKEN = b'{"type": "track", "messageId": "m-bad", "event": "Mail me at lan@example.vn", "properties": '
EVENTS = len(LAN) + len(HOA)


@dataclass
class People:
    stack: Stack
    processor: Running
    lan: str
    hoa: str


@asynccontextmanager
async def people_in(data_dir: Path) -> AsyncIterator[People]:
    """Lan with three events, Hoa with one, and an item that cannot be read."""
    async with admin(data_dir, admin_command_seconds=50) as stack, running(data_dir) as processor:
        await processor.send(*LAN, source="quickstart")
        await processor.send(*HOA, source="quickstart", partition=1)
        await processor.send(BROKEN, source="quickstart", partition=2)
        await processor.counted(lambda counts: counts.events == EVENTS and counts.dead_letters == 1)
        every = stack.key()
        lan = await every.get("/api/v1/profiles/user_id:u-1")
        hoa = await every.get("/api/v1/profiles/user_id:u-2")
        yield People(stack, processor, lan["id"], hoa["id"])
