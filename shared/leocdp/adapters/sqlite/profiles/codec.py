"""How values stand in columns: profile ids, identifier keys, and records as MessagePack."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import msgspec

from leocdp.domain.decisions import CommandOutcome, MergeRecord, OutboxRecord, RefusalRecord, SwitchRecord
from leocdp.domain.identity.identifiers import Identifier, parse_key
from leocdp.domain.privacy.ledger import ErasureReceipt
from leocdp.domain.profiles.state import Person, State
from leocdp.domain.segments.audience import Audience

PackedId = bytes | str
SEPARATOR: Final = "\x1f"
_PREFIX: Final = "prf_"
_LENGTH: Final = 32

T = TypeVar("T")


@lru_cache(maxsize=1 << 16)
def pack_id(profile_id: str) -> PackedId:
    """14 bytes for ids of our own form (``prf_`` and 28 hex digits), the text itself for any other."""
    if len(profile_id) == _LENGTH and profile_id.startswith(_PREFIX):
        try:
            packed = bytes.fromhex(profile_id[4:])
        except ValueError:
            return profile_id
        if packed.hex() == profile_id[4:]:
            return packed
    return profile_id


def unpack_id(packed: PackedId) -> str:
    return packed if isinstance(packed, str) else _PREFIX + packed.hex()


def pack_optional(profile_id: str | None) -> PackedId | None:
    return None if profile_id is None else pack_id(profile_id)


def unpack_optional(packed: PackedId | None) -> str | None:
    return None if packed is None else unpack_id(packed)


def pack_key(key: str) -> str:
    """``kind[@space]:value`` → ``value \\x1f kind[@space]``. ``social:<provider>`` keeps its own colon."""
    head, _, value = key.partition(":")
    if head == "social":
        provider, _, value = value.partition(":")
        head = f"social:{provider}"
    return f"{value}{SEPARATOR}{head}"


def unpack_key(packed: str) -> Identifier:
    value, _, head = packed.rpartition(SEPARATOR)
    return parse_key(f"{head}:{value}")


class RecordCodec(Generic[T]):
    """MessagePack of one dataclass, as a map, so that fields can be added."""

    def __init__(self, kind: type[T]) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self.decode = msgspec.msgpack.Decoder(kind).decode

    def encode(self, value: T) -> bytes:
        try:
            return self._encode(value)
        except OverflowError:
            return self._encode(_within_64_bits(msgspec.to_builtins(value)))


def _within_64_bits(value: Any) -> Any:
    """MessagePack has no larger integers; as JSON numbers in most languages, they become floats."""
    if isinstance(value, dict):
        return {key: _within_64_bits(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_within_64_bits(inner) for inner in value]
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        try:
            return float(value)
        except OverflowError:
            return str(value)
    return value


STATES: Final = RecordCodec(State)
PERSONS: Final = RecordCodec(Person)
AUDIENCES: Final = RecordCodec(Audience)
OUTBOX: Final = RecordCodec(OutboxRecord)
COMMANDS: Final = RecordCodec(CommandOutcome)
MERGES: Final = RecordCodec(MergeRecord)
SWITCHES: Final = RecordCodec(SwitchRecord)
REFUSALS: Final = RecordCodec(RefusalRecord)
RECEIPTS: Final = RecordCodec(ErasureReceipt)
