"""Segment's HTTP tracking protocol, as its published clients, RudderStack's and Jitsu's speak it.

A single call has its type in the path (``/v1/track``, ``/v1/t``); a batch (``/v1/batch``, ``/v1/b``, ``/v1/import``)
says it per item. Clients differ on whether their host option already holds ``/v1``, so each path is also taken without
it and with it twice. The answer is exactly 200 as long as one item was accepted: some clients resend after a 202.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Final

import msgspec

from leocdp.contracts.wire.json_values import NotJson, TooDeep, read_json
from leocdp.domain.events import EVENT_TYPES
from leocdp_observer.protocols.segment_items import (
    MAX_EVENT_BYTES,
    known_type,
    look,
    place,
    refused,
    take,
)
from leocdp_observer.protocols.wire import Call, Parsed, RefusedItem, Reply, Route
from leocdp_observer.refusals import ItemRefusal, Refusal

PROTOCOL: Final = "segment"
MAX_ITEMS: Final = 2_500
PREFIXES: Final = ("/v1", "", "/v1/v1")
BATCH_NAMES: Final = ("batch", "b", "import", "batch/b")
BOM: Final = b"\xef\xbb\xbf"
ABSENT: Final = (b"", b"null")
OF_THE_BATCH: Final = ("writeKey", "sentAt", "context", "integrations")


class Batch(msgspec.Struct, gc=False):
    batch: list[msgspec.Raw]
    writeKey: msgspec.Raw = msgspec.Raw()
    sentAt: msgspec.Raw = msgspec.Raw()
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()


_batch: Final = msgspec.json.Decoder(Batch)


def parse_single(kind: str, call: Call) -> Parsed:
    """One item whose type the path says; one that breaks a rule is refused. Raises Refusal for what is no JSON."""
    body = _text(call.body)
    quick = take(body, kind)
    if quick is not None:
        placed, write_key, sent_at = quick
        return Parsed([placed], [], _key(write_key), _written(sent_at))
    parsed = Parsed()
    try:
        seen = look(body)
        parsed.write_key = _key(seen.writeKey)
        parsed.sent_at = _written(seen.sentAt)
        parsed.items.append(place(body, seen, kind))
    except ItemRefusal as refusal:
        if refusal.reason == "invalid_json":
            raise _not_json(body, refusal.message) from refusal
        parsed.refused.append(refused(0, body, kind, refusal))
    return parsed


def parse_batch(call: Call) -> Parsed:
    """Items that say their type themselves. Raises Refusal when there is no batch to take apart."""
    batch, whole = _decode(call.body)
    parsed = Parsed(
        write_key=_key(_value(batch.writeKey)),
        sent_at=_written(_value(batch.sentAt)),
        context=_object("context", batch.context),
        integrations=_object("integrations", batch.integrations),
    )
    items = parsed.items
    for index, part in enumerate(batch.batch):
        raw = bytes(part)
        quick = take(raw, None) if whole and index < MAX_ITEMS else None
        if quick is None:
            _take_carefully(parsed, index, raw, whole)
            continue
        placed, write_key, _ = quick
        items.append(placed)
        if write_key is not msgspec.UNSET and parsed.write_key is None:
            parsed.write_key = _key(write_key)
    return parsed


def _take_carefully(parsed: Parsed, index: int, raw: bytes, whole: bool) -> None:
    """Take an item that is not plain, or say why it cannot be taken."""
    kind = ""
    try:
        if index >= MAX_ITEMS:
            raise ItemRefusal("too_many_items", f"A batch has at most {MAX_ITEMS:,} items.")
        if not whole:
            _check_utf8(raw)
        seen = look(raw)
        kind = known_type(seen.type)
        parsed.items.append(place(raw, seen, kind))
        parsed.write_key = parsed.write_key or _key(seen.writeKey)
    except ItemRefusal as refusal:
        parsed.refused.append(refused(index, raw, kind, refusal))


def _decode(body: bytes) -> tuple[Batch, bool]:
    """The batch, and whether all of it is UTF-8. Raises Refusal."""
    body = body.removeprefix(BOM)
    whole = body.isascii() or _is_utf8(body)
    try:
        batch = _batch.decode(body)
    except msgspec.ValidationError as error:
        raise _no_batch() from error
    except (msgspec.DecodeError, RecursionError):
        batch = _decode_carefully(body)
    if not batch.batch:
        raise Refusal("empty_batch", "`batch` has no item.")
    if len(batch.batch) > 2 * MAX_ITEMS:
        raise Refusal("too_many_items", f"A batch has at most {MAX_ITEMS:,} items; this one has {len(batch.batch):,}.")
    return batch, whole


def _decode_carefully(body: bytes) -> Batch:
    """For JSON that the quick decoder does not take, such as halves of surrogate pairs. Raises Refusal."""
    try:
        value = read_json(body)
    except TooDeep as error:
        raise Refusal("too_deep", f"The body is {error}.") from error
    except NotJson as error:
        raise _not_json(body, f"The body is {error}.") from error
    items = value.get("batch") if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise _no_batch()
    raw = {name: msgspec.Raw(msgspec.json.encode(value[name])) for name in OF_THE_BATCH if name in value}
    return Batch([msgspec.Raw(msgspec.json.encode(item)) for item in items], **raw)


def _not_json(body: bytes, message: str) -> Refusal:
    if body.strip():
        return Refusal("invalid_json", message)
    return Refusal("empty_body", "A JSON object is needed in the body.")


def _no_batch() -> Refusal:
    return Refusal("invalid_batch", "The body must be a JSON object with an array `batch` of items.")


def _text(body: bytes) -> bytes:
    """The body without a byte order mark. Raises Refusal when it is not UTF-8."""
    if not body.isascii():
        body = body.removeprefix(BOM)
        if not _is_utf8(body):
            raise Refusal("invalid_utf8", "The body is not UTF-8.")
    return body


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _check_utf8(raw: bytes) -> None:
    if not _is_utf8(raw):
        raise ItemRefusal("invalid_utf8", "The item is not UTF-8.")


def _value(raw: msgspec.Raw) -> Any:
    """A small value of a batch that must not make the whole batch fail; None for what cannot be read."""
    text = bytes(raw)
    if text in ABSENT:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _key(value: object) -> str | None:
    """A write key in a body; what some clients append after a colon, a masked secret, is not part of it."""
    return value.partition(":")[0].strip() or None if isinstance(value, str) else None


def _written(value: object) -> str | None:
    """``sentAt`` as the client wrote it: text, or a number's digits."""
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _object(name: str, raw: msgspec.Raw) -> bytes:
    """JSON of the batch's own ``context`` or ``integrations``, which go with every item. Raises Refusal."""
    text = bytes(raw)
    if text in ABSENT:
        return b""
    if text[:1] != b"{":
        raise Refusal("invalid_field", f"{name} of the batch must be an object.")
    if len(text) > MAX_EVENT_BYTES:
        raise Refusal("context_too_large", f"{name} of the batch is at most 32 KiB.")
    return text


@lru_cache(maxsize=512)
def success(accepted: int) -> Reply:
    return Reply(200, b'{"success":true,"accepted":%d,"rejected":[]}' % accepted)


def reply(accepted: int, refused: Sequence[RefusedItem]) -> Reply:
    """200 with counts while one item was accepted; else 400, which no client sends again."""
    if not refused:
        return success(accepted)
    rejected = [{"index": one.index, "code": one.code, "message": one.message} for one in refused]
    if accepted:
        return _json(200, {"success": True, "accepted": accepted, "rejected": rejected})
    first = refused[0]
    alike = all(one.code == first.code for one in refused)
    code = first.code if alike else "nothing_accepted"
    message = first.message if alike else f"No item could be accepted. Item {first.index}: {first.message}"
    return _json(400, {"success": False, "code": code, "message": message, "accepted": 0, "rejected": rejected})


def _json(status: int, body: object) -> Reply:
    return Reply(status, msgspec.json.encode(body))


def parse_merge(_: Call) -> Parsed:
    raise Refusal(
        "merge_not_supported", "merge is not supported: send identify or alias with the ids that belong together."
    )


def _routes() -> Iterator[Route]:
    for prefix in PREFIXES:
        for kind in EVENT_TYPES:
            for name in (kind, kind[0]):
                yield _route(f"{prefix}/{name}", partial(parse_single, kind), f"One {kind} call.")
        for name in BATCH_NAMES:
            yield _route(f"{prefix}/{name}", parse_batch, "A batch of calls.")
        yield _route(f"{prefix}/merge", parse_merge, "Not supported: says what to send instead.")


def _route(path: str, parse: Callable[[Call], Parsed], summary: str) -> Route:
    return Route(path, "POST", PROTOCOL, PROTOCOL, summary, parse, reply)


def _jitsu_routes() -> Iterator[Route]:
    """Jitsu's clients send the same items to other paths."""
    for kind in EVENT_TYPES:
        for path in (f"/api/s/{kind}", f"/api/s/s2s/{kind}"):
            yield _route(path, partial(parse_single, kind), f"One {kind} call of a Jitsu client.")
    yield _route("/api/s/s2s/batch", parse_batch, "A batch of calls of a Jitsu client.")


ROUTES: Final = (
    *_routes(),
    *_jitsu_routes(),
    _route("/beacon/v1/batch", parse_batch, "A batch of calls from RudderStack's beacon, write key in the query."),
)
