"""Records and items that nobody should have written, each with the reason that it is kept under."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode
from leocdp.ports.event_log import MAX_RECORD_BYTES


def block(*items: Item, source: str = "shop", at: int | None = None) -> RequestBlock:
    return RequestBlock(at or int(time.time() * 1000), source, "segment", list(items))


def record(*items: Item, version: int = VERSION, **fields: Any) -> bytes:
    return encode(AcceptedRecord(version, [block(*items, **fields)]))


GOOD = Item("track", b'{"type":"track","messageId":"new-1","userId":"user-new","event":"Seen"}')
LATER_VERSION = record(GOOD, version=VERSION + 1)
"""What an observer of the next version may write, if it is upgraded before the processors."""

RECORDS: list[bytes] = [
    b"",
    b"\xff\x00 no record",
    b'{"type":"track","messageId":"json","userId":"user-1","event":"Seen"}',
    record(GOOD)[:-5],
    record(GOOD).replace(b"shop", b"sh\xffp"),
    record(GOOD, at=1 << 62),
    b"\x93\x01\x90" + b"\x91" * 100_000 + b"\xc0",
    b"\x92\x01\xdd\xff\xff\xff\xff",
    *(Random(seed).randbytes(300) for seed in range(20)),
    Random(20).randbytes(MAX_RECORD_BYTES),
    LATER_VERSION,
]
"""Of the accepted topic: each is kept as ``record_unreadable``."""

COMMANDS: list[bytes] = [
    b"\xff\x00",
    b"{}",
    b'{"id":"cmd_1","kind":7,"actor":"a","at":1,"content":{}}',
    b'{"id":"\xff","kind":"merge","actor":"a","at":1,"content":{}}',
    b'{"id":"cmd_2","kind":"merge","actor":"a","at":1,"content":{"a":' + b"[" * 100_000,
]
"""Of the commands topic: each is kept as ``command_unreadable``."""

ITEMS: list[tuple[str, Item]] = [
    ("unreadable", Item("track", b'{"messageId": "broken", ')),
    ("unreadable", Item("track", b"\xff\xfe")),
    ("unreadable", Item("", b"")),
    ("not_an_object", Item("track", b"[1, 2]")),
    ("unknown_type", Item("", b'{"type":"explode","userId":"user-1"}')),
    ("missing_event", Item("track", b'{"userId":"user-1"}')),
    ("missing_group_id", Item("group", b'{"userId":"user-1"}')),
    ("missing_previous_id", Item("alias", b'{"userId":"user-1"}')),
    ("too_deep", Item("track", b'{"event":"Seen","properties":' + b'{"a":' * 200 + b"1" + b"}" * 201)),
    ("too_deep", Item("track", b'{"event":"Seen","properties":{"a":' + b"[" * 15_000 + b"]" * 15_000 + b"}}")),
]
"""Items of a record that can be read: each is kept with its reason, beside others that are applied."""

STRANGE: list[bytes] = [
    b'"properties":{"price":1e999,"count":%d}' % (1 << 70),
    b'"properties":{"na\\u0000me":"\\ud800","":null}',
    b'"timestamp":"+275760-09-13T00:00:00Z"',
    b'"timestamp":-1,"sentAt":1e300',
    b'"timestamp":{"$date":0},"context":[],"traits":7,"properties":"text"',
    b'"anonymousId":%d,"context":{"traits":{"email":["a@example.vn"]}}' % (1 << 64),
    b'"anonymousId":"\\u0000","context":{"ip":"\\ud83d"}',
    b'"properties":{%s}' % b",".join(b'"key-%d":[[[{}]]]' % number for number in range(500)),
]
"""Parts of events that can be applied nevertheless."""


def strange(number: int, user: str) -> Item:
    common = b'"type":"track","event":"Seen","messageId":"strange-%d","userId":"%s"' % (number, user.encode())
    return Item("track", b"{%s,%s}" % (common, STRANGE[number]))
