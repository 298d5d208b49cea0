"""What a wire protocol gives to the edge: routes, and for each a parser and the two kinds of answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from leocdp.contracts.log_records import Item
from leocdp.kit.web import error_body
from leocdp_observer.refusals import Refusal


@dataclass(slots=True)
class Call:
    """A request as a parser sees it; ``body`` is unpacked."""

    path: str
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True)
class RefusedItem:
    index: int
    """Place in the batch; -1 for the whole request."""
    code: str
    message: str
    payload: bytes
    message_id: str = ""
    type: str = ""
    name: str = ""


Placed = tuple[str, Item]
"""The identifier that chooses the partition, and an acceptable item."""


@dataclass(slots=True)
class Parsed:
    """A request, taken apart. Items keep their order; ``refused`` has those that cannot be accepted."""

    items: list[Placed] = field(default_factory=list)
    refused: list[RefusedItem] = field(default_factory=list)
    write_key: str | None = None
    """From the body, if it holds one."""
    sent_at: str | None = None
    context: bytes = b""
    integrations: bytes = b""


class Reply(NamedTuple):
    """An answer; ``headers`` come on top of content type and length."""

    status: int
    body: bytes
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


def error_reply(refusal: Refusal) -> Reply:
    """JSON with ``code`` and ``message``: old SDKs resend for ever what is refused with any other shape."""
    headers: list[tuple[bytes, bytes]] = []
    if refusal.retry_after is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if refusal.close:
        headers.append((b"connection", b"close"))
    body = msgspec.json.encode(error_body(refusal.reason, refusal.message))
    return Reply(refusal.status, body, headers=tuple(headers))


@dataclass(frozen=True, slots=True)
class Route:
    """One path. ``protocol`` names the processor's parser; ``label`` is for metrics."""

    path: str
    method: str
    protocol: str
    label: str
    summary: str
    parse: Callable[[Call], Parsed]
    """Raises Refusal when the whole request is unusable."""
    reply: Callable[[int, Sequence[RefusedItem]], Reply]
    """Takes the number of accepted items, durable by now, and what was refused."""
    refuse: Callable[[Refusal], Reply] = error_reply
