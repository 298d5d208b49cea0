"""From a raw Segment-shaped item of the log to an envelope. camelCase lives here and nowhere behind.

Items come from many clients and years. What can be mended is mended and flagged; :class:`ItemError` is for what
cannot be understood at all. Top-level fields that are not read here, ``writeKey`` among them, are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Literal

from leocdp.contracts.log_records import Item, RequestBlock
from leocdp.contracts.wire.instants import read_instant
from leocdp.contracts.wire.json_values import NotJson, TooDeep, read_json
from leocdp.domain.event_clock import corrected
from leocdp.domain.events import EVENT_TYPES, Address, Envelope, SourceFacts
from leocdp.domain.identity.evidence import Claims, gather
from leocdp.domain.identity.rules import IdentityRules

Reason = Literal[
    "unreadable",
    "too_deep",
    "not_an_object",
    "unknown_type",
    "missing_event",
    "missing_group_id",
    "missing_previous_id",
]
LONGEST_MESSAGE_ID: Final = 100
LONGEST_TEXT: Final = 500
_MOST_PURPOSES: Final = 100
_TYPES: Final = frozenset(EVENT_TYPES)
_NOTHING: Final[Mapping[str, Any]] = {}


class ItemError(ValueError):
    """An accepted item that cannot be understood: a reason of a closed set, a text that holds no value of the item."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason: Reason = reason
        super().__init__(message)


def build_envelope(
    item: Item, block: RequestBlock, source: SourceFacts, address: Address, rules: IdentityRules
) -> Envelope:
    """The event that an item is. Pure: the same arguments give the same envelope, also on replay.

    Raises:
        ItemError: for anything else than an event of a known type with what that type needs.
    """
    body = _body(item.body)
    flags: list[str] = []
    kind = _kind(item.type or body.get("type"))
    properties = _object(body, "properties", flags)
    context = _context(body, block, source, flags)
    traits = _traits(kind, body, context, flags)
    name = _name(kind, body, properties)
    sent_raw = block.sent_at if block.sent_at is not None else body.get("sentAt")
    original, sent_at, timestamp = _times(body, sent_raw, block.received_at, flags)
    user_id, anonymous_id = body.get("userId"), body.get("anonymousId")
    evidence = gather(Claims(kind, name, user_id, anonymous_id, traits, context, properties), source, rules)
    return Envelope(
        message_id=_message_id(body, item, block, source, address, sent_raw, flags),
        type=kind,
        source=source,
        protocol=block.protocol,
        received_at=block.received_at,
        timestamp=timestamp,
        address=address,
        name=name,
        anonymous_id=_word(anonymous_id),
        user_id=_word(user_id),
        previous_id=_needed(body, "previousId", "missing_previous_id") if kind == "alias" else None,
        group_id=_needed(body, "groupId", "missing_group_id") if kind == "group" else None,
        identifiers=evidence.identifiers,
        verified=evidence.verified,
        dropped=evidence.dropped,
        traits=traits,
        properties=properties,
        context=context,
        integrations=_merged(block.integrations, _object(body, "integrations", flags), flags),
        consent=_consent(context),
        original_timestamp=original,
        sent_at=sent_at,
        flags=tuple(flags),
    )


def _body(text: bytes) -> dict[str, Any]:
    try:
        body = read_json(text)
    except TooDeep as error:
        raise ItemError("too_deep", f"The item is {error}.") from error
    except NotJson as error:
        raise ItemError("unreadable", f"The item is {error}.") from error
    if not isinstance(body, dict):
        raise ItemError("not_an_object", "An item must be a JSON object.")
    return body


def _kind(kind: Any) -> str:
    if isinstance(kind, str) and kind in _TYPES:
        return kind
    raise ItemError("unknown_type", f"type must be one of {', '.join(EVENT_TYPES)}.")


def _object(body: dict[str, Any], field: str, flags: list[str]) -> dict[str, Any]:
    """A field that must be an object; any other value is left out and flagged."""
    value = body.get(field)
    if isinstance(value, dict):
        return value
    if value is not None:
        flags.append(f"bad_{field}")
    return {}


def _merged(base: bytes, own: dict[str, Any], flags: list[str]) -> dict[str, Any]:
    """The batch's own object under the item's, key by key."""
    if not base:
        return own
    shared = _batch_object(base)
    if shared is None:
        flags.append("bad_batch")
        return own
    return {**shared, **own}


@lru_cache(maxsize=256)
def _batch_object(text: bytes) -> dict[str, Any] | None:
    """Cached: the items of a batch share it. Nobody changes the values inside."""
    try:
        value = read_json(text)
    except NotJson:
        return None
    return value if isinstance(value, dict) else None


def _context(body: dict[str, Any], block: RequestBlock, source: SourceFacts, flags: list[str]) -> dict[str, Any]:
    """The context with what the connection tells.

    Of a page or an app the address is the connection's, as far as the source's policy keeps it, whatever the body says:
    a stranger cannot be believed. A server speaks for others, so its connection counts only where it says ``direct``.
    """
    context = _merged(block.context, _object(body, "context", flags), flags)
    if not source.authenticated:
        context.pop("ip", None)
    if (not source.authenticated or context.get("direct") is True) and (block.ip or block.user_agent):
        if block.ip:
            context.setdefault("ip", block.ip)
        if block.user_agent:
            context.setdefault("userAgent", block.user_agent)
    channel = body.get("channel")
    if isinstance(channel, str):
        context.setdefault("channel", channel)
    return context


def _traits(kind: str, body: dict[str, Any], context: dict[str, Any], flags: list[str]) -> dict[str, Any]:
    """Of a person (identify, where those of the context are traits too) or of a group; of nothing else."""
    if kind == "group":
        return _object(body, "traits", flags)
    if kind != "identify":
        return {}
    own = _object(body, "traits", flags)
    repeated = context.get("traits")
    return {**repeated, **own} if isinstance(repeated, dict) else own


def _name(kind: str, body: dict[str, Any], properties: dict[str, Any]) -> str | None:
    """The event of a track call; the name of a page or screen, whose category becomes a property."""
    if kind == "track":
        return _needed(body, "event", "missing_event")
    if kind not in ("page", "screen"):
        return None
    category = body.get("category")
    if isinstance(category, str) and category:
        properties.setdefault("category", category)
    return _word(body.get("name")) or _word(properties.get("name"))


def _needed(body: dict[str, Any], field: str, reason: Reason) -> str:
    word = _word(body.get(field))
    if word is None:
        raise ItemError(reason, f"{field} is needed here, as text that is not blank.")
    return word


def _word(value: Any) -> str | None:
    """Text as it came, without space around it; a number as its digits; None for anything else and for blanks."""
    if isinstance(value, str):
        return value.strip()[:LONGEST_TEXT] or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if value == int(value) else str(value)


def _times(
    body: dict[str, Any], sent_raw: Any, received_at: int, flags: list[str]
) -> tuple[int | None, int | None, int]:
    """Original and sending time as far as they can be read, and the corrected time."""
    raw = body.get("timestamp")
    if raw is None:
        raw = body.get("originalTimestamp")
    original, sent_at = read_instant(raw), read_instant(sent_raw)
    if raw is not None and original is None:
        flags.append("bad_timestamp")
    if sent_raw is not None and sent_at is None:
        flags.append("bad_sent_at")
    timestamp, flag = corrected(received_at, original, sent_at)
    if flag:
        flags.append(flag)
    return original, sent_at, timestamp


def _consent(context: dict[str, Any]) -> dict[str, bool]:
    consent = context.get("consent")
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if not isinstance(preferences, dict):
        return {}
    said = {name: word for name, word in preferences.items() if isinstance(word, bool) and 0 < len(name) <= 100}
    return said if len(said) <= _MOST_PURPOSES else dict(list(said.items())[:_MOST_PURPOSES])


def _message_id(
    body: dict[str, Any],
    item: Item,
    block: RequestBlock,
    source: SourceFacts,
    address: Address,
    sent_raw: Any,
    flags: list[str],
) -> str:
    """The sender's id, or one that is derived so that a retried request does not count twice.

    Derived from source, content (which holds the event's own time) and sending time, and from the item's place among
    equal items of its request. Content without any time may come again and mean it (a second click), so there the id
    comes from the item's place in the log: as unique as a random one, and the same on replay.
    """
    given = _word(body.get("messageId"))
    if given is not None and len(given) <= LONGEST_MESSAGE_ID and given.isprintable() and "\ufffd" not in given:
        return given
    flags.append("derived_message_id")
    digest = blake2b(source.id.encode("utf-8", "surrogatepass"), digest_size=16)
    if sent_raw is None and body.get("timestamp") is None and body.get("originalTimestamp") is None:
        place: object = (*address, block.received_at)
    else:
        place = (sent_raw, _twins_before(item, block))
    digest.update(b"\x1f" + item.type.encode() + b"\x1f" + item.body + b"\x1f" + repr(place).encode())
    return f"auto-{digest.hexdigest()}"


def _twins_before(item: Item, block: RequestBlock) -> int:
    """How many items of the same content stand before this one in its request."""
    twins = 0
    for other in block.items:
        if other is item:
            break
        twins += other == item
    return twins
