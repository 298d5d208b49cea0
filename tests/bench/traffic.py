"""Events as a shop's pages send them: new and known people one to four, three identifiers each. Deterministic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Final
from zlib import crc32

from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.times import iso
from leocdp.contracts.topics import EVENTS_ACCEPTED, topic_spec
from leocdp.ports.event_log import NewRecord

SOURCE: Final = "bench"
PER_RECORD: Final = 100
NEW_EVERY: Final = 5
"""Of so many events one is of a person not seen before."""
PER_MS: Final = 5
BEGAN: Final = 1_772_352_000_000
"""2026-03-01T08:00:00Z"""
NAMES: Final = ("Product Viewed", "Product Added", "Cart Viewed", "Checkout Started", "Order Completed")
FAMILY: Final = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ"]
GIVEN: Final = [
    "An",
    "Bình",
    "Chi",
    "Dũng",
    "Giang",
    "Hà",
    "Khang",
    "Lan",
    "Minh",
    "Nam",
    "Oanh",
    "Phúc",
    "Quân",
    "Sơn",
    "Trang",
    "Uyên",
    "Vân",
    "Xuân",
    "Yến",
]
BROWSERS: Final = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
)


def items(
    count: int, seed: int, *, began: int = BEGAN, first_person: int = 0, new_every: int = NEW_EVERY
) -> Iterator[tuple[str, Item]]:
    """``count`` items of about 600 bytes with the anonymous id of each; ``new_every`` 1: all are of new people.

    They happened from ``began`` on, 5,000 a second.
    """
    random = Random(seed)
    people = first_person
    for number in range(count):
        fresh = number % new_every == 0 or people == 0
        person = people if fresh else random.randrange(people)
        people += fresh
        yield anonymous_id(person), _item(person, number, seed, fresh, iso(began + number // PER_MS))


def anonymous_id(person: int) -> str:
    return f"anon-{person:08d}-9f3c-4e1b"


def _item(person: int, number: int, seed: int, fresh: bool, at: str) -> Item:
    product = f"SP{number % 300}"
    page = {"path": f"/san-pham/{product}", "url": f"https://shop.example.vn/san-pham/{product}", "title": "Trà sen"}
    context = {
        "library": {"name": "analytics.js", "version": "next-1.84.3"},
        "locale": "vi-VN",
        "page": page,
        "userAgent": BROWSERS[person % 2].format(120 + person % 20),
    }
    body = {
        "messageId": f"bench-{seed}-{number:09d}-4b1d-8c22-0242ac120002",
        "anonymousId": anonymous_id(person),
        "userId": f"user-{person:08d}",
        "timestamp": at,
        "context": context,
    }
    traits = {"email": f"person{person:08d}@example.vn"}
    if fresh:
        traits["name"] = f"{FAMILY[person % 10]} Thị {GIVEN[person // 10 % 19]} {person % 997}"
        return Item("identify", json.dumps({**body, "traits": traits}).encode())
    context["traits"] = traits
    properties = {"product_id": product, "price": 145_000, "quantity": 1, "currency": "VND"}
    return Item("track", json.dumps({**body, "event": NAMES[number % 5], "properties": properties}).encode())


def records(
    count: int, seed: int, *, received_at: int, first_person: int = 0, new_every: int = NEW_EVERY
) -> Iterator[NewRecord]:
    """The same as records of the accepted topic, as observers write them from ``received_at`` on."""
    partitions = topic_spec(EVENTS_ACCEPTED).partitions
    waiting: dict[int, list[Item]] = {}
    made = items(count, seed, began=received_at, first_person=first_person, new_every=new_every)
    for number, (anonymous, item) in enumerate(made):
        partition = crc32(anonymous.encode()) % partitions
        batch = waiting.setdefault(partition, [])
        batch.append(item)
        if len(batch) == PER_RECORD:
            yield _record(partition, waiting.pop(partition), received_at + number // PER_MS)
    for partition, rest in waiting.items():
        yield _record(partition, rest, received_at + count // PER_MS)


def _record(partition: int, batch: list[Item], received_at: int) -> NewRecord:
    block = RequestBlock(received_at, SOURCE, "segment", batch, authenticated=True)
    return NewRecord(EVENTS_ACCEPTED, partition, encode(AcceptedRecord(VERSION, [block])))
