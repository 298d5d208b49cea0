"""What stands in the records of the event topics: MessagePack of the structures below, written as arrays.

A record of the accepted topic is one flush of an observer for one partition: a block per HTTP request, each with
its raw items. Observers look only at what they must; processors build the envelopes.
Version 1. A reader accepts ``v`` up to its own and treats missing trailing fields as their defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from leocdp.contracts.decoding import Millis, decoded

VERSION: Final = 1
TARGET_RECORD_BYTES: Final = 262_144


class Item(msgspec.Struct, array_like=True, frozen=True):
    """One raw item. ``type`` is known from the path where the body does not say it."""

    type: str
    body: bytes
    """The item's JSON as it came, at most 32 KiB."""


class RequestBlock(msgspec.Struct, array_like=True, frozen=True):
    """The items of one request that go to one partition, and what is true for all of them."""

    received_at: Millis
    """ms UTC, when the observer had read the request."""
    source_id: str
    protocol: str
    """Which parser of the processor understands the items, such as ``segment``."""
    items: list[Item]
    sent_at: str | None = None
    """As the client wrote it, unparsed."""
    context: bytes = b""
    """JSON of the batch's own context; an item's context wins, key by key."""
    integrations: bytes = b""
    ip: str = ""
    """Client address as far as the source's policy keeps it."""
    user_agent: str = ""
    authenticated: bool = False
    """The request proved a secret that a page cannot hold (a key of a source of kind ``server``)."""
    id_space: str = ""
    """The source's, as it was when the request came; so a replay decides as the first time did. Empty: ``default``."""
    shared_device: bool = False
    """The source was marked as a shared device when the request came."""


class AcceptedRecord(msgspec.Struct, array_like=True, frozen=True):
    v: int
    blocks: list[RequestBlock]


class RejectedItem(msgspec.Struct, array_like=True, frozen=True):
    """What the edge refused and why. Credentials are stripped."""

    at: Millis
    source_id: str
    """Empty when the key was unknown."""
    protocol: str
    path: str
    code: str
    message: str
    payload: str
    """At most 64 KiB of text; beyond that empty, with ``size`` and ``sha256`` of what came."""
    message_id: str = ""
    type: str = ""
    index: int = -1
    """Place in the batch; -1 for the whole request."""
    size: int = 0
    sha256: str = ""
    ip: str = ""
    name: str = ""


class RejectedRecord(msgspec.Struct, array_like=True, frozen=True):
    v: int
    items: list[RejectedItem]


class DeadLetter(msgspec.Struct, array_like=True, frozen=True):
    """What processing could not apply: the block with only the failed item in it, and why.

    ``replay`` appends an :class:`AcceptedRecord` of exactly this block to the accepted topic again. Of a record that is
    none, the item holds its bytes, and ``replay`` appends these, for a reader that understands them by then. What would
    make too large a record has an empty item here; the profile store has all of it.
    """

    v: int
    id: str
    at: int
    topic: str
    partition: int
    offset: int
    index: int
    reason: str
    error: str
    block: RequestBlock


R = TypeVar("R", AcceptedRecord, RejectedRecord)

_encoder = msgspec.msgpack.Encoder()
_accepted = msgspec.msgpack.Decoder(AcceptedRecord)
_rejected = msgspec.msgpack.Decoder(RejectedRecord)


class RecordUnreadable(ValueError):
    """A record is not MessagePack of the expected shape, or of a newer version."""


def encode(record: AcceptedRecord | RejectedRecord | DeadLetter) -> bytes:
    return _encoder.encode(record)


def encode_block(block: RequestBlock) -> bytes:
    """A block alone, to be joined with others by :func:`join_blocks`."""
    return _encoder.encode(block)


def join_blocks(blocks: Sequence[bytes]) -> bytes:
    """The same bytes as ``encode(AcceptedRecord(VERSION, blocks))``, of blocks that are encoded already."""
    count = len(blocks)
    if count < 16:
        head = b"\x92%c%c" % (VERSION, 0x90 | count)
    elif count < 65_536:
        head = b"\x92%c\xdc%b" % (VERSION, count.to_bytes(2, "big"))
    else:
        head = b"\x92%c\xdd%b" % (VERSION, count.to_bytes(4, "big"))
    return b"".join((head, *blocks))


def decode_accepted(value: bytes) -> AcceptedRecord:
    """Raises RecordUnreadable."""
    try:
        record = decoded(_accepted.decode, value)
    except msgspec.MsgspecError as error:
        raise RecordUnreadable(str(error)) from error
    return _checked(record)


def decode_rejected(value: bytes) -> RejectedRecord:
    """Raises RecordUnreadable."""
    try:
        record = decoded(_rejected.decode, value)
    except msgspec.MsgspecError as error:
        raise RecordUnreadable(str(error)) from error
    return _checked(record)


def _checked(record: R) -> R:
    if record.v > VERSION:
        raise RecordUnreadable(f"version {record.v} is newer than {VERSION}: upgrade the reader first")
    return record
