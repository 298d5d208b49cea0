"""Events as a shop's pages send them: new and known people one to four, three identifiers each. Deterministic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from zlib import crc32

from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.contracts.topics import EVENTS_ACCEPTED, topic_spec
from leocdp.ports.event_log import NewRecord

PER_RECORD = 100


def items(count: int, seed: int, *, first_person: int = 0) -> Iterator[tuple[str, Item]]:
    """``count`` items of about 600 bytes with the anonymous id of each; every fifth is of a person not seen before."""
    random = Random(seed)
    people = first_person
    for number in range(count):
        fresh = number % 5 == 0 or people == 0
        person = people if fresh else random.randrange(people)
        people += fresh
        anonymous = f"anon-{person:08d}-9f3c-4e1b"
        body = {
            "messageId": f"bench-{seed}-{number:09d}-4b1d-8c22-0242ac120002",
            "anonymousId": anonymous,
            "userId": f"user-{person:08d}",
            "timestamp": "2026-03-01T08:00:00.000Z",
            "context": {
                "library": {"name": "analytics.js", "version": "next-1.84.3"},
                "locale": "vi-VN",
                "page": {
                    "path": "/san-pham/sp101",
                    "url": "https://shop.example.vn/san-pham/sp101",
                    "title": "Trà sen",
                },
                "userAgent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
            },
        }
        if fresh:
            traits = {"email": f"person{person:08d}@example.vn", "name": f"Nguyễn Thị Lan {person % 997}"}
            yield anonymous, Item("identify", json.dumps({**body, "traits": traits}).encode())
        else:
            properties = {"product_id": f"SP{number % 300}", "price": 145_000, "quantity": 1, "currency": "VND"}
            traits = {"email": f"person{person:08d}@example.vn"}
            body["context"] = {**body["context"], "traits": traits}  # type: ignore[dict-item]
            event = {**body, "event": "Product Viewed", "properties": properties}
            yield anonymous, Item("track", json.dumps(event).encode())


def records(count: int, seed: int, *, received_at: int, first_person: int = 0) -> Iterator[NewRecord]:
    """The same as records of the accepted topic, as observers write them."""
    partitions = topic_spec(EVENTS_ACCEPTED).partitions
    waiting: dict[int, list[Item]] = {}
    for anonymous, item in items(count, seed, first_person=first_person):
        partition = crc32(anonymous.encode()) % partitions
        batch = waiting.setdefault(partition, [])
        batch.append(item)
        if len(batch) == PER_RECORD:
            yield _record(partition, waiting.pop(partition), received_at)
    for partition, rest in waiting.items():
        yield _record(partition, rest, received_at)


def _record(partition: int, batch: list[Item], received_at: int) -> NewRecord:
    block = RequestBlock(received_at, "bench", "segment", batch, authenticated=True)
    return NewRecord(EVENTS_ACCEPTED, partition, encode(AcceptedRecord(VERSION, [block])))
