"""What clients get wrong, by accident or on purpose: a clear answer, in time, and the observer goes on."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from base64 import b64encode
from typing import Any

import pytest

from leocdp_observer.refusals import CODES
from tests.protocols.running_edge import Edge

GOOD = {"type": "track", "event": "Good", "userId": "u-1"}
SECONDS = 5
"""No answer may take longer, whatever is sent."""

Case = tuple[str, bytes, dict[str, str], int, str]


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def batch(*items: Any) -> bytes:
    return text({"batch": list(items)})


def nested(levels: int) -> bytes:
    return b'{"event":"Deep","userId":"u-1","properties":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


CASES: dict[str, Case] = {
    "empty": ("/v1/track", b"", {}, 400, "empty_body"),
    "empty batch body": ("/v1/batch", b"", {}, 400, "empty_body"),
    "no json": ("/v1/track", b"hello", {}, 400, "invalid_json"),
    "cut off": ("/v1/track", b'{"event":"A","userId":"u', {}, 400, "invalid_json"),
    "cut off batch": ("/v1/batch", b'{"batch":[{"type":"track"', {}, 400, "invalid_json"),
    "trailing rubbish": ("/v1/track", text(GOOD) + b"x", {}, 400, "invalid_json"),
    "NUL byte": ("/v1/track", b'{"event":"A\x00","userId":"u"}', {}, 400, "invalid_json"),
    "only NUL bytes": ("/v1/track", b"\x00" * 100, {}, 400, "invalid_json"),
    "NaN": ("/v1/track", b'{"event":"A","userId":"u","properties":{"x":NaN}}', {}, 400, "invalid_json"),
    "an array": ("/v1/track", b"[]", {}, 400, "not_an_object"),
    "a number": ("/v1/track", b"7", {}, 400, "not_an_object"),
    "null": ("/v1/track", b"null", {}, 400, "not_an_object"),
    "batch of nothing": ("/v1/batch", b"{}", {}, 400, "invalid_batch"),
    "batch is null": ("/v1/batch", b'{"batch":null}', {}, 400, "invalid_batch"),
    "batch is an object": ("/v1/batch", b'{"batch":{}}', {}, 400, "invalid_batch"),
    "batch is an array": ("/v1/batch", b"[]", {}, 400, "invalid_batch"),
    "batch without items": ("/v1/batch", b'{"batch":[]}', {}, 400, "empty_batch"),
    "batch context is text": ("/v1/batch", b'{"batch":[{}],"context":"x"}', {}, 400, "invalid_field"),
    "batch context is huge": (
        "/v1/batch",
        text({"batch": [GOOD], "context": {"x": "y" * 33_000}}),
        {},
        400,
        "context_too_large",
    ),
    "not UTF-8": ("/v1/track", b'{"event":"A","userId":"\xff\xfe"}', {}, 400, "invalid_utf8"),
    "UTF-16": ("/v1/track", '{"event":"A","userId":"u"}'.encode("utf-16"), {}, 400, "invalid_utf8"),
    "too deep": ("/v1/track", nested(150), {}, 400, "too_deep"),
    "far too deep": ("/v1/track", b'{"userId":"u","x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", {}, 400, "too_deep"),
    "deep rubbish": ("/v1/track", b"[" * 30_000, {}, 400, "too_deep"),
    "batch far too deep": ("/v1/batch", b'{"batch":[' + b"[" * 200_000, {}, 400, "too_deep"),
    "event too large": ("/v1/track", text({**GOOD, "properties": {"x": "y" * 33_000}}), {}, 400, "event_too_large"),
    "body too large": ("/v1/batch", batch(*[GOOD] * 12_000), {}, 400, "body_too_large"),
    "body far too large": ("/v1/batch", b"x" * 3_000_000, {}, 400, "body_too_large"),
    "far too many items": ("/v1/batch", b'{"batch":[' + b"1," * 6_000 + b"1]}", {}, 400, "too_many_items"),
    "no id": ("/v1/track", text({"event": "A"}), {}, 400, "missing_id"),
    "blank ids": ("/v1/track", text({"event": "A", "userId": "", "anonymousId": "  "}), {}, 400, "missing_id"),
    "no event": ("/v1/track", text({"userId": "u"}), {}, 400, "missing_event"),
    "blank event": ("/v1/track", text({"userId": "u", "event": " "}), {}, 400, "missing_event"),
    "no group": ("/v1/group", text({"userId": "u"}), {}, 400, "missing_group_id"),
    "no previous id": ("/v1/alias", text({"userId": "u"}), {}, 400, "missing_previous_id"),
    "alias to nobody": ("/v1/alias", text({"anonymousId": "a", "previousId": "b"}), {}, 400, "missing_previous_id"),
    "id is true": ("/v1/track", text({"event": "A", "userId": True}), {}, 400, "invalid_field"),
    "id is a list": ("/v1/track", text({"event": "A", "userId": ["u"]}), {}, 400, "invalid_field"),
    "id is an object": ("/v1/track", text({"event": "A", "anonymousId": {"x": 1}}), {}, 400, "invalid_field"),
    "id with NUL": ("/v1/track", b'{"event":"A","userId":"u\\u0000"}', {}, 400, "invalid_field"),
    "endless id": ("/v1/track", text({"event": "A", "userId": "u" * 501}), {}, 400, "invalid_field"),
    "second id endless": (
        "/v1/track",
        text({"event": "A", "anonymousId": "a", "userId": "u" * 501}),
        {},
        400,
        "invalid_field",
    ),
    "endless message id": ("/v1/track", text({**GOOD, "messageId": "m" * 101}), {}, 400, "invalid_field"),
    "endless event name": ("/v1/track", text({"event": "e" * 501, "userId": "u"}), {}, 400, "invalid_field"),
    "no type in a batch": ("/v1/batch", batch({"userId": "u", "event": "A"}), {}, 400, "missing_type"),
    "other type in a batch": ("/v1/batch", batch({"type": "purchase", "userId": "u"}), {}, 400, "unknown_type"),
    "type is a number": ("/v1/batch", batch({"type": 3, "userId": "u"}), {}, 400, "unknown_type"),
    "items are no objects": ("/v1/batch", batch(1, "x", None, []), {}, 400, "not_an_object"),
    "nothing good": ("/v1/batch", batch(1, {"type": "track", "event": "A"}), {}, 400, "nothing_accepted"),
    "not gzip": ("/v1/track", text(GOOD), {"content-encoding": "gzip"}, 400, "invalid_encoding"),
    "half gzip": ("/v1/track", gzip.compress(text(GOOD))[:-12], {"content-encoding": "gzip"}, 400, "invalid_encoding"),
    "not deflate": ("/v1/track", text(GOOD), {"content-encoding": "deflate"}, 400, "invalid_encoding"),
    "brotli": ("/v1/track", text(GOOD), {"content-encoding": "br"}, 415, "unsupported_encoding"),
    "zip bomb": ("/v1/batch", gzip.compress(bytes(60_000_000)), {"content-encoding": "gzip"}, 400, "body_too_large"),
    "unannounced zip bomb": ("/v1/batch", gzip.compress(bytes(60_000_000)), {}, 400, "body_too_large"),
    "deflate bomb": (
        "/v1/batch",
        zlib.compress(bytes(60_000_000)),
        {"content-encoding": "deflate"},
        400,
        "body_too_large",
    ),
    "RudderStack's merge": ("/v1/merge", b'{"mergeProperties":[]}', {}, 400, "merge_not_supported"),
    "no such path": ("/v1/nothing", text(GOOD), {}, 404, "not_found"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_clear_answer_and_life_goes_on(edge: Edge, case: Case) -> None:
    path, body, headers, status, code = case
    async with asyncio.timeout(SECONDS):
        answer = await edge.post(path, body, headers={**headers, "origin": "https://any.example"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.json()["message"]) > 10
    assert answer.headers["access-control-allow-origin"] == "https://any.example"
    assert await edge.stored() == []
    assert (await edge.post("/v1/track", GOOD)).status_code == 200
    assert [one.body for one in await edge.stored()] == [GOOD]


def test_every_item_and_request_code_is_met() -> None:
    elsewhere = {
        *("missing_write_key", "unknown_write_key", "source_disabled", "origin_not_allowed", "rate_limited"),
        *("configuration_not_loaded", "log_unavailable", "overloaded", "body_timeout", "invalid_pixel"),
        "method_not_allowed",
    }
    assert {case[4] for case in CASES.values()} | elsewhere == CODES.keys()


async def test_one_bad_item_does_not_cost_the_others(edge: Edge) -> None:
    bad: list[tuple[bytes, str]] = [
        (b"3", "not_an_object"),
        (b'{"type":"track","event":"A"}', "missing_id"),
        (b'{"type":"track","event":"A","userId":"\xff"}', "invalid_utf8"),
        (b'{"type":"identify","userId":"u","messageId":"' + b"m" * 101 + b'"}', "invalid_field"),
        (b'{"type":"page","userId":"u","properties":{"x":"' + b"y" * 33_000 + b'"}}', "event_too_large"),
        (b'{"type":"page","userId":"u","x":' + b"[" * 200 + b"]" * 200 + b"}", "too_deep"),
    ]
    items = [text({**GOOD, "messageId": f"m-{number}"}) for number in range(12)]
    for place, (item, _) in enumerate(bad):
        items.insert(place * 2, item)
    answer = await edge.post("/v1/batch", b'{"batch":[' + b",".join(items) + b"]}")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["success"], body["accepted"]) == (True, 12)
    assert [(one["index"], one["code"]) for one in body["rejected"]] == [
        (place * 2, code) for place, (_, code) in enumerate(bad)
    ]
    assert sorted(one.body["messageId"] for one in await edge.stored()) == sorted(f"m-{n}" for n in range(12))
    kept = await edge.rejected(len(bad))
    assert sorted((one.index, one.code) for one in kept) == [(n * 2, code) for n, (_, code) in enumerate(bad)]


async def test_items_beyond_the_limit_are_refused_one_by_one(edge: Edge) -> None:
    items = [{"type": "page", "userId": "u", "messageId": f"{n}"} for n in range(2_502)]
    answer = await edge.post("/v1/batch", {"batch": items})
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 2_500
    assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [
        (2_500, "too_many_items"),
        (2_501, "too_many_items"),
    ]
    assert len(await edge.stored()) == 2_500


MENDED: dict[str, tuple[bytes, str]] = {
    "numbers as ids": (b'{"type":"track","event":7,"userId":12345,"messageId":8}', "12345"),
    "an id of zero width": ('{"type":"page","userId":"a\u200b"}'.encode(), "a\u200b"),
    "properties that are none": (b'{"type":"page","userId":"u","properties":"x","context":7,"traits":[]}', "u"),
    "half a surrogate pair": (b'{"type":"page","userId":"u","name":"\\ud83d"}', "u"),
    "an absurd number": (b'{"type":"page","userId":"u","x":1e999}', "u"),
    "a number of a thousand digits": (b'{"type":"page","userId":"u","x":' + b"1" * 1_000 + b"}", "u"),
    "a byte order mark": (b'\xef\xbb\xbf{"type":"page","userId":"u"}', "u"),
    "a NUL in a property": (b'{"type":"page","userId":"u","properties":{"x":"\\u0000"}}', "u"),
    "a key twice": (b'{"type":"page","userId":"x","userId":"u"}', "u"),
    "many shallow objects": (
        b'{"type":"page","userId":"u","properties":{"products":[' + b"{}," * 500 + b"{}]}}",
        "u",
    ),
}


@pytest.mark.parametrize("case", MENDED.values(), ids=MENDED)
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track"])
async def test_what_can_be_mended_is_accepted(edge: Edge, path: str, case: tuple[bytes, str]) -> None:
    raw, user = case
    item = raw.removeprefix(b"\xef\xbb\xbf")
    body = b'{"batch":[' + item + b"]}" if path == "/v1/batch" else raw.replace(b"{", b'{"event":"E",', 1)
    answer = await edge.post(path, body)
    assert answer.status_code == 200, answer.text
    (stored,) = await edge.stored()
    assert str(stored.body["userId"]) == user


async def test_paths_take_one_method(edge: Edge) -> None:
    answer = await edge.client.get("/v1/track")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST, OPTIONS"


async def test_a_long_payload_is_kept_as_its_hash(edge: Edge) -> None:
    body = b'{"batch":"' + b"x" * 70_000 + b'"}'
    assert (await edge.post("/v1/batch", body)).status_code == 400
    (kept,) = await edge.rejected(1)
    assert kept.payload == ""
    assert kept.size == len(body)
    assert len(kept.sha256) == 64


async def test_credentials_are_not_kept_with_what_was_refused(edge: Edge) -> None:
    single = {"event": "A", "writeKey": "wk_test", "nested": {"writeKey": "wk_test"}, "note": "wk_test"}
    assert (await edge.post("/v1/track", single, key="")).status_code == 400
    broken = b'{"writeKey" : "wk_test", "batch": oops'
    basic = {"authorization": "Basic " + b64encode(b"wk_test:").decode()}
    assert (await edge.post("/v1/batch?writeKey=wk_test", broken, key="", headers=basic)).status_code == 400
    for kept in await edge.rejected(2):
        assert "wk_test" not in repr(kept)
        assert kept.source_id == "server"
        assert kept.path in ("/v1/track", "/v1/batch")


async def test_strangers_cannot_fill_the_disk(edge: Edge) -> None:
    for number in range(50):
        answer = await edge.post("/v1/track", {**GOOD, "n": number}, key=f"unknown-{number}")
        assert answer.status_code == 401
    await edge.post("/v1/track", {"event": "A"})
    kept = await edge.rejected(2)
    assert sorted(one.code for one in kept) == ["missing_id", "unknown_write_key"]
    metrics = (await edge.client.get("/metrics")).text
    assert 'leocdp_observer_items_total{outcome="rejected",reason="unknown_write_key"} 50.0' in metrics
