"""What stands in an event log, read back for comparison."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from leocdp.contracts.log_records import RejectedItem, RequestBlock, decode_accepted, decode_rejected
from leocdp.contracts.topics import EVENTS_ACCEPTED, EVENTS_REJECTED
from leocdp.ports.event_log import EventLog, Record


@dataclass(frozen=True, slots=True)
class Stored:
    """One accepted item, where it stands, and the block that holds it."""

    partition: int
    block: RequestBlock
    type: str
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.raw)
        return body


async def accepted(log: EventLog) -> list[Stored]:
    """All accepted items, partition by partition in the order of the log."""
    return [
        Stored(record.partition, block, item.type, item.body)
        for record in await _records(log, EVENTS_ACCEPTED)
        for block in decode_accepted(record.value or b"").blocks
        for item in block.items
    ]


async def rejected(log: EventLog) -> list[RejectedItem]:
    return [
        item for record in await _records(log, EVENTS_REJECTED) for item in decode_rejected(record.value or b"").items
    ]


async def _records(log: EventLog, topic: str) -> list[Record]:
    found: list[Record] = []
    for partition in range(await log.partitions(topic)):
        offset = 0
        while records := await log.read(topic, partition, offset):
            found += records
            offset = records[-1].offset + 1
    return found
