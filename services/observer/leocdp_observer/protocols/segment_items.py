"""What the edge looks at in one Segment-shaped item, and when it is refused. All else in it is the processor's.

The quick way decodes a handful of fields and skips the rest. Whatever does not fit goes the careful way, which mends
what can be mended (numbers as ids) and names what cannot.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from leocdp.contracts.log_records import Item
from leocdp.contracts.wire.json_values import DEEPEST, NotJson, TooDeep, read_json
from leocdp.domain.events import EVENT_TYPES
from leocdp_observer.protocols.wire import Placed, RefusedItem
from leocdp_observer.refusals import ItemRefusal

MAX_EVENT_BYTES: Final = 32 * 1024
MAX_DEPTH: Final = DEEPEST
MAX_MESSAGE_ID: Final = 100
MAX_TEXT: Final = 500
"""Characters in an id and in the name of an event."""

TYPES: Final = frozenset(EVENT_TYPES)
PLAIN_TYPES: Final = frozenset({"identify", "track", "page", "screen"})
"""Types that need no field of their own but, for a track, its event."""
WORDS: Final = ("anonymousId", "userId", "messageId", "event", "groupId", "previousId")


class Seen(msgspec.Struct, gc=False):
    """The fields that the edge looks at."""

    type: str | None = None
    anonymousId: str | None = None
    userId: str | None = None
    messageId: str | None = None
    event: str | None = None
    groupId: str | None = None
    previousId: str | None = None
    writeKey: Any = msgspec.UNSET
    sentAt: Any = None


Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
ShortText = Annotated[str, msgspec.Meta(max_length=MAX_MESSAGE_ID)]


class Plain(msgspec.Struct, gc=False):
    """The same of an item with nothing odd about it; that the decoder checks the lengths costs next to nothing."""

    type: str | None = None
    event: Text | None = None
    anonymousId: Text | None = None
    userId: Text | None = None
    messageId: ShortText | None = None
    writeKey: Any = msgspec.UNSET
    sentAt: Any = None


_plain: Final = msgspec.json.Decoder(Plain)
_seen: Final = msgspec.json.Decoder(Seen)
_keys: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def take(raw: bytes, kind: str | None) -> tuple[Placed, Any, Any] | None:
    """The quick way: the item, its write key and its sentAt, if all is plain; None sends it the careful way.

    ``kind`` is the type that the path says, None where the item must say it. One function and no call that is not
    needed: this runs for every item there is.
    """
    if len(raw) > MAX_EVENT_BYTES or raw.count(123) > MAX_DEPTH or (91 in raw and _openings(raw) > MAX_DEPTH):
        return None
    try:
        seen = _plain.decode(raw)
    except msgspec.DecodeError:
        return None
    kind, key = kind or seen.type, seen.anonymousId or seen.userId
    if not key or key[0] <= " " or kind not in PLAIN_TYPES:
        return None
    if kind == "track" and (not seen.event or seen.event[0] <= " "):
        return None
    if 92 in raw and not _printable(seen):  # without a backslash JSON has no control characters
        return None
    write_key = seen.writeKey
    body = raw if write_key is msgspec.UNSET else without_write_key(raw, write_key)
    return (key, Item(kind, body)), write_key, seen.sentAt


def _printable(seen: Plain) -> bool:
    return all(not word or word.isprintable() for word in (seen.anonymousId, seen.userId, seen.event))


def _openings(raw: bytes) -> int:
    """How many objects and arrays there are: no fewer than levels of nesting."""
    return raw.count(123) + raw.count(91)


def look(raw: bytes) -> Seen:
    """The fields of one item. Raises ItemRefusal."""
    if len(raw) > MAX_EVENT_BYTES:
        raise ItemRefusal("event_too_large", f"An event is at most 32 KiB; this one has {len(raw)} bytes.")
    if _openings(raw) > MAX_DEPTH and depth(raw) > MAX_DEPTH:
        raise _too_deep()
    try:
        return _seen.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return look_carefully(raw)


def look_carefully(raw: bytes) -> Seen:
    """Like :func:`look`, for items that are not plain: fields of another kind, halves of surrogate pairs.

    Reads as the processor does, so that what is accepted here can be read there. Raises ItemRefusal.
    """
    try:
        item = read_json(raw)
    except TooDeep as error:
        raise _too_deep() from error
    except NotJson as error:
        raise ItemRefusal("invalid_json", f"The item is {error}.") from error
    if not isinstance(item, dict):
        raise ItemRefusal("not_an_object", "An item must be a JSON object.")
    kind = item.get("type")
    if kind is not None and not isinstance(kind, str):
        raise ItemRefusal("unknown_type", f"type must be one of {', '.join(EVENT_TYPES)}.")
    seen = Seen(type=kind, writeKey=item.get("writeKey", msgspec.UNSET), sentAt=item.get("sentAt"))
    for name in WORDS:
        setattr(seen, name, _word(name, item.get(name)))
    return seen


def _too_deep() -> ItemRefusal:
    return ItemRefusal("too_deep", f"An event is nested at most {MAX_DEPTH} levels deep.")


def _word(name: str, value: object) -> str | None:
    """Text as it is; a number as its digits, because ids out of databases come so. Raises ItemRefusal."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ItemRefusal("invalid_field", f"{name} must be text.")


def check(seen: Seen, kind: str) -> str:
    """The identifier that chooses the partition. Raises ItemRefusal when a rule of the protocol is broken."""
    anonymous, user = seen.anonymousId, seen.userId
    key = anonymous or user or ""
    if not key.isprintable() or key.isspace() or len(key) > MAX_TEXT or not key:
        key = _usable("anonymousId", anonymous) or _usable("userId", user)
        if not key:
            raise ItemRefusal("missing_id", "An item needs a userId or an anonymousId that is not blank.")
    if anonymous and user:
        _fits("userId", user)
    if seen.messageId is not None and len(seen.messageId) > MAX_MESSAGE_ID:
        raise _too_long("messageId", seen.messageId, MAX_MESSAGE_ID)
    if kind == "track":
        if not seen.event or seen.event.isspace():
            raise ItemRefusal("missing_event", "A track call needs the name of its event in `event`.")
        _fits("event", seen.event)
    elif kind == "group":
        if not _usable("groupId", seen.groupId):
            raise ItemRefusal("missing_group_id", "A group call needs a groupId.")
    elif kind == "alias" and not (_usable("previousId", seen.previousId) and _usable("userId", user)):
        raise ItemRefusal("missing_previous_id", "An alias call needs a previousId and a userId.")
    return key


def _usable(name: str, value: str | None) -> str:
    """The value, or the empty string for none or a blank one. Raises ItemRefusal for an absurd one."""
    if not value or value.isspace():
        return ""
    _fits(name, value)
    return value


def _fits(name: str, value: str) -> None:
    if len(value) > MAX_TEXT:
        raise _too_long(name, value, MAX_TEXT)
    if not value.isprintable() and any(sign < " " or sign == "\x7f" for sign in value):
        raise ItemRefusal("invalid_field", f"{name} has control characters.")


def _too_long(name: str, value: str, limit: int) -> ItemRefusal:
    return ItemRefusal("invalid_field", f"{name} has {len(value)} characters; {limit} are allowed.")


def known_type(kind: str | None) -> str:
    """The type that an item of a batch says it has. Raises ItemRefusal."""
    if kind in TYPES:
        return kind
    if not kind:
        raise ItemRefusal("missing_type", "An item of a batch needs a type.")
    raise ItemRefusal("unknown_type", f"type must be one of {', '.join(EVENT_TYPES)}.")


def place(raw: bytes, seen: Seen, kind: str) -> Placed:
    """The item as it will stand in the log: as it came, but for the write key. Raises ItemRefusal."""
    key = check(seen, kind)
    return key, Item(kind, raw if seen.writeKey is msgspec.UNSET else without_write_key(raw, seen.writeKey))


def without_write_key(raw: bytes, value: object) -> bytes:
    """``raw`` without its top-level ``writeKey``: credentials are not stored."""
    if isinstance(value, str) and raw.count(b'"writeKey"') == 1:
        token = b'"writeKey":"%b"' % value.encode("utf-8", "replace")
        start = raw.find(token)
        end = start + len(token)
        if start > 0 and raw[end] == 44:  # a comma follows
            return raw[:start] + raw[end + 1 :]
        if start > 0 and raw[start - 1] == 44:
            return raw[: start - 1] + raw[end:]
    try:
        keys = _keys.decode(raw)
    except msgspec.DecodeError:
        keys = read_json(raw)
    keys.pop("writeKey", None)
    return msgspec.json.encode(keys)


def refused(index: int, raw: bytes, kind: str, refusal: ItemRefusal) -> RefusedItem:
    """What is kept of a refused item, with as much of its identity as can be read."""
    try:
        seen = _seen.decode(raw)
        payload = raw if seen.writeKey is msgspec.UNSET else without_write_key(raw, seen.writeKey)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return RefusedItem(index, refusal.reason, refusal.message, raw, "", kind, "")
    message_id = (seen.messageId or "")[:MAX_MESSAGE_ID]
    name = (seen.event or "")[:MAX_TEXT]
    return RefusedItem(index, refusal.reason, refusal.message, payload, message_id, kind or seen.type or "", name)


def depth(raw: bytes) -> int:
    """How deep the nesting of some JSON text goes, without recursion and whether it is well-formed or not."""
    deepest = level = 0
    quoted = escaped = False
    for sign in raw:
        if quoted:
            if escaped:
                escaped = False
            elif sign == 92:
                escaped = True
            elif sign == 34:
                quoted = False
        elif sign == 34:
            quoted = True
        elif sign in (123, 91):
            level += 1
            deepest = max(deepest, level)
        elif sign in (125, 93):
            level -= 1
    return deepest
