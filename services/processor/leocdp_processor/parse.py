"""From records of the log to what a decision takes: envelopes, commands, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from leocdp.contracts import topics
from leocdp.contracts.commands import decode_command
from leocdp.contracts.decoding import LATEST_MS
from leocdp.contracts.log_records import (
    Item,
    RecordUnreadable,
    RejectedItem,
    RequestBlock,
    decode_accepted,
    decode_rejected,
)
from leocdp.contracts.wire.segment import ItemError, build_envelope
from leocdp.domain.decisions import Command, ItemOutcome
from leocdp.domain.events import Address, Envelope, SourceFacts
from leocdp.domain.identity.rules import IdentityRules
from leocdp.kit.logs import get_logger
from leocdp.ports.event_log import MAX_RECORD_BYTES, Record
from leocdp_processor.dead_letter import Failed

logger = get_logger(__name__)

Work = Envelope | Command


@dataclass(slots=True)
class Parsed:
    """The contents of some records, in the order of the log."""

    work: list[Work] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    rejected: list[ItemOutcome] = field(default_factory=list)
    """What the edge refused, for the table of problem events."""
    blocks: dict[Address, tuple[RequestBlock, Item]] = field(default_factory=dict)
    """Where each envelope came from: needed only if it turns out to be undecidable."""


def parse(records: Iterable[Record], rules: IdentityRules) -> Parsed:
    """Read records of the accepted, rejected and commands topics. Never raises for what stands in a record."""
    parsed = Parsed()
    for record in records:
        if record.topic == topics.EVENTS_ACCEPTED:
            _accepted(record, rules, parsed)
        elif record.topic == topics.COMMANDS:
            _command(record, parsed)
        elif record.topic == topics.EVENTS_REJECTED:
            _rejected(record, parsed)
    return parsed


def _accepted(record: Record, rules: IdentityRules, parsed: Parsed) -> None:
    try:
        blocks = decode_accepted(record.value or b"").blocks
    except RecordUnreadable as error:
        parsed.failed.append(_unreadable(record, "record_unreadable", str(error)))
        return
    index = 0
    for block in blocks:
        source = SourceFacts(block.source_id, block.authenticated, _space(block.id_space), block.shared_device)
        for item in block.items:
            address = Address(record.topic, record.partition, record.offset, index)
            index += 1
            try:
                parsed.work.append(build_envelope(item, block, source, address, rules))
                parsed.blocks[address] = (block, item)
            except ItemError as error:
                parsed.failed.append(Failed(address, error.reason, str(error), block, item))
            except Exception as error:  # noqa: BLE001 - a defect that one item triggers must not stop everybody else
                logger.error("item cannot be read", address=str(address), error=type(error).__name__)
                text = f"{type(error).__name__}: {error}"
                parsed.failed.append(Failed(address, "processing_failed", text, block, item))


def _command(record: Record, parsed: Parsed) -> None:
    address = Address(record.topic, record.partition, record.offset, 0)
    try:
        command = decode_command(record.value or b"")
    except msgspec.MsgspecError as error:
        parsed.failed.append(_unreadable(record, "command_unreadable", str(error)))
        return
    parsed.work.append(Command(command.id, command.kind, command.actor, command.at, command.content, address))


def _rejected(record: Record, parsed: Parsed) -> None:
    try:
        items: Sequence[RejectedItem] = decode_rejected(record.value or b"").items
    except RecordUnreadable as error:
        parsed.failed.append(_unreadable(record, "record_unreadable", str(error)))
        return
    for index, item in enumerate(items):
        parsed.rejected.append(
            ItemOutcome(
                outcome="rejected",
                reason=item.code,
                at=item.at,
                address=Address(record.topic, record.partition, record.offset, index),
                source_id=item.source_id or None,
                message_id=item.message_id or None,
                type=item.type or None,
                name=item.name or None,
                error=item.message,
                payload=item.payload or (f"{item.size} bytes, SHA-256 {item.sha256}" if item.sha256 else ""),
            )
        )


def _unreadable(record: Record, reason: str, error: str) -> Failed:
    """A record that is no record: its bytes become the one item of a block, so that nothing is thrown away.

    A replay appends the record as it was, which a newer version may understand; only events are replayed.
    """
    address = Address(record.topic, record.partition, record.offset, 0)
    value = record.value or b""
    again = value if record.topic == topics.EVENTS_ACCEPTED and len(value) <= MAX_RECORD_BYTES else b""
    received_at = min(max(record.timestamp, 0), LATEST_MS)
    item = Item("", value)
    return Failed(address, reason, error, RequestBlock(received_at, "", "unknown", [item]), item, again)


def _space(name: str) -> str:
    return "" if name == "default" else name
