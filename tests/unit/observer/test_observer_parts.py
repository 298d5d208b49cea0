"""The small parts of the edge, each alone."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.contracts.log_records import VERSION, AcceptedRecord, Item, RequestBlock, encode, encode_block, join_blocks
from leocdp.kit.clients import Clients
from leocdp_observer import body
from leocdp_observer.clients import kept_address
from leocdp_observer.cors import origin_allowed
from leocdp_observer.limits import RateLimit
from leocdp_observer.protocols.registry import by_path
from leocdp_observer.protocols.segment_items import depth, take, without_write_key
from leocdp_observer.refusals import Refusal
from leocdp_observer.rejects import MAX_PAYLOAD, Sampler, kept_payload


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_its_rate_and_fills_again() -> None:
    clock = Clock()
    limit = RateLimit(10, clock)
    assert [limit.take("a") for _ in range(10)] == [0] * 10
    assert limit.take("a") == 1
    assert limit.take("b") == 0
    clock.now += 0.5
    assert [limit.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    clock.now += 3_600
    assert sum(limit.take("a") == 0 for _ in range(30)) == 10, "no more than a second's worth is saved up"


def test_no_rate_is_no_limit() -> None:
    limit = RateLimit(0)
    assert not any(limit.take("a") for _ in range(10_000))


def test_samples_come_once_in_a_while_per_kind() -> None:
    clock = Clock()
    sampler = Sampler(10, clock)
    assert [sampler.take("x"), sampler.take("x"), sampler.take("y")] == [True, False, True]
    clock.now += 10
    assert sampler.take("x")


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b'{"writeKey":"k","a":1}', {"a": 1}),
        (b'{"a":1,"writeKey":"k"}', {"a": 1}),
        (b'{"a":1 , "writeKey" : "k" }', {"a": 1}),
        (b'{"writeKey":"k"}', {}),
        (b'{"a":{"writeKey":"k"},"writeKey":"k"}', {"a": {"writeKey": "k"}}),
        (b'{"writeKey":"k","a":{"writeKey":"k"}}', {"a": {"writeKey": "k"}}),
        (b'{"a":"\\"writeKey\\":\\"k\\"","writeKey":"k"}', {"a": '"writeKey":"k"'}),
        (b'{"writeKey":"k","b":2,"writeKey":"k"}', {"b": 2}),
        (b'{"write\\u004bey":"k","b":2}', {"b": 2}),
        (b'{"writeKey":"k\\"q","b":2}', {"b": 2}),
        (b'{"writeKey":7,"b":"writeKey"}', {"b": "writeKey"}),
        (b'{"writeKey":null,"b":2}', {"b": 2}),
    ],
)
def test_the_write_key_is_taken_out(raw: bytes, kept: dict[str, Any]) -> None:
    value = json.loads(raw)["writeKey"]
    assert json.loads(without_write_key(raw, value)) == kept


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=4), st.text(max_size=6), st.booleans())
def test_only_the_write_key_is_taken_out(rest: dict[str, str], key: str, first: bool) -> None:
    rest.pop("writeKey", None)
    item = {"writeKey": key, **rest} if first else {**rest, "writeKey": key}
    for separators in ((",", ":"), (" , ", " : ")):
        raw = json.dumps(item, separators=separators, ensure_ascii=False).encode()
        assert json.loads(without_write_key(raw, key)) == rest


@given(
    st.recursive(
        st.none() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
        max_leaves=8,
    )
)
def test_depth_is_that_of_the_value(value: Any) -> None:
    def levels(part: Any) -> int:
        if isinstance(part, dict):
            part = list(part.values())
        return 1 + max(map(levels, part), default=0) if isinstance(part, list) else 0

    assert depth(json.dumps(value).encode()) == levels(value)


def test_the_quick_way_takes_what_is_plain() -> None:
    raw = b'{"type":"track","event":"E","anonymousId":"a","userId":"u","sentAt":"t"}'
    assert take(raw, None) == take(raw, "track") == (("a", Item("track", raw)), msgspec.UNSET, "t")
    for odd in (
        b'{"type":"group","userId":"u","groupId":"g"}',
        b'{"type":"track","userId":"u"}',
        b'{"type":"page"}',
        b'{"type":"page","userId":7}',
        b"[]",
        b"x",
    ):
        assert take(odd, None) is None


@given(st.integers(0, 40), st.integers(0, 3))
def test_blocks_join_to_the_record_of_them(count: int, items: int) -> None:
    block = RequestBlock(1, "s", "segment", [Item("track", b'{"a":"\xc3\xa9"}')] * items, sent_at="x", ip="1.2.3.4")
    assert join_blocks([encode_block(block)] * count) == encode(AcceptedRecord(VERSION, [block] * count))


def test_many_blocks_join_too() -> None:
    block = RequestBlock(1, "s", "segment", [])
    assert join_blocks([encode_block(block)] * 70_000) == encode(AcceptedRecord(VERSION, [block] * 70_000))


@pytest.mark.parametrize(
    ("policy", "address", "kept"),
    [
        ("keep", "198.51.100.7", "198.51.100.7"),
        ("shorten", "198.51.100.7", "198.51.100.0"),
        ("shorten", "2001:db8:1:2:3::4", "2001:db8:1::"),
        ("shorten", "unix", ""),
        ("drop", "198.51.100.7", ""),
    ],
)
def test_addresses_by_policy(policy: str, address: str, kept: str) -> None:
    assert kept_address(address, policy) == kept


def test_forwarded_addresses_from_the_right() -> None:
    clients = Clients("10.0.0.0/8, ::1/128")
    assert clients.address("10.1.1.1", b"6.6.6.6, 198.51.100.7, 10.2.2.2") == "198.51.100.7"
    assert clients.address("198.51.100.9", b"6.6.6.6") == "198.51.100.9"
    assert clients.address("10.1.1.1", b"nonsense") == "10.1.1.1"
    assert clients.address("10.1.1.1", b"[2001:db8::1]:443") == "2001:db8::1"


@pytest.mark.parametrize(
    ("origin", "allowed", "yes"),
    [
        ("https://a.example", ["*"], True),
        ("https://a.example", ["https://a.example/"], True),
        ("https://a.example", ["a.example"], True),
        ("https://a.example:8443", ["https://a.example"], False),
        ("https://www.a.example", ["https://*.a.example"], True),
        ("https://a.example", ["https://*.a.example"], False),
        ("https://xa.example", ["https://*.a.example"], False),
        ("http://a.example", ["https://a.example"], False),
        ("null", ["https://a.example"], False),
        ("https://a.example", [], False),
    ],
)
def test_origins(origin: str, allowed: list[str], yes: bool) -> None:
    assert origin_allowed(origin, allowed) is yes


def test_refused_payloads_are_kept_short_and_clean() -> None:
    assert kept_payload(b'{"writeKey":"k-1","a":"k-1 again"}', "k-1") == ('{"writeKey":"","a":" again"}', 34, "")
    text, size, digest = kept_payload(b"x" * (MAX_PAYLOAD + 1), None)
    assert (text, size, len(digest)) == ("", MAX_PAYLOAD + 1, 64)
    assert kept_payload(b"\xff", None)[0] == "\ufffd"


Receive = Callable[[], Awaitable[dict[str, Any]]]


def receiving(*parts: bytes) -> Receive:
    messages = [{"type": "http.request", "body": part, "more_body": n < len(parts)} for n, part in enumerate(parts, 1)]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


async def test_bodies_come_in_parts_and_packed() -> None:
    assert await body.read(receiving(b"abc"), {}, 1) == b"abc"
    assert await body.read(receiving(b"a", b"", b"bc"), {}, 1) == b"abc"
    packed = gzip.compress(b"abc") + gzip.compress(b"def")
    assert await body.read(receiving(packed[:9], packed[9:]), {b"content-encoding": b"gzip"}, 1) == b"abcdef"
    assert await body.read(receiving(packed), {}, 1) == b"abcdef", "packed without a word about it"
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for deflated in (zlib.compress(b"abc"), raw.compress(b"abc") + raw.flush()):
        assert await body.read(receiving(deflated), {b"content-encoding": b"deflate"}, 1) == b"abc"


async def test_a_client_that_leaves() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(body.Disconnected):
        await body.read(receive, {}, 1)  # type: ignore[arg-type]


async def test_the_limit_is_exact() -> None:
    exact = bytes(body.MAX_BODY)
    assert await body.read(receiving(exact), {}, 1) == exact
    assert await body.read(receiving(gzip.compress(exact)), {b"content-encoding": b"gzip"}, 1) == exact
    for parts in ([exact + b"x"], [exact, b"x"], [gzip.compress(exact + b"x")]):
        with pytest.raises(Refusal) as refused:
            await body.read(receiving(*parts), {}, 1)
        assert refused.value.reason == "body_too_large"


def test_every_path_belongs_to_one_protocol() -> None:
    paths = by_path()
    assert {"/v1/track", "/v1/t", "/v1/batch", "/v1/b", "/batch", "/b", "/v1/batch/b", "/v1/import"} <= paths.keys()
    assert all(route.method == ("GET" if "pixel" in path else "POST") for path, route in paths.items())
