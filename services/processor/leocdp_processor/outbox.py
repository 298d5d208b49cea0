"""Publishes what commits wrote to the outbox: at least once, in the order of the commits, under stable ids."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec

from leocdp.contracts.times import iso
from leocdp.contracts.topics import partition_for
from leocdp.domain.decisions import OutboxRecord
from leocdp.kit import metric_catalogue as m
from leocdp.kit.logs import get_logger
from leocdp.kit.metrics import Metrics
from leocdp.ports.event_log import EventLog, LogUnavailable, NewRecord
from leocdp.ports.profile_store import ProfileStore, StoreHeld, StoreUnavailable

logger = get_logger(__name__)

CHUNK = 2_000
POLL = 5.0


class OutboxPublisher:
    """``wake`` after each commit; it also looks by itself every few seconds, for what a crash left behind."""

    def __init__(self, log: EventLog, store: ProfileStore, metrics: Metrics) -> None:
        self._log = log
        self._store = store
        self._metrics = metrics
        self._woken = asyncio.Event()
        self._unmarked: list[int] = []
        """What was published, and could not be marked so yet."""
        self._stopping = False

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Publish until stopped; what is pending then is published first."""
        while True:
            self._woken.clear()
            try:
                more = await self._publish()
            except StoreHeld:
                more = False
            except (LogUnavailable, StoreUnavailable) as error:
                logger.warning("outbox waits", reason=str(error))
                more = False
            if more:
                continue
            if self._stopping:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), POLL)

    async def _publish(self) -> bool:
        """One chunk; True when there may be more. Raises StoreHeld: in a backup nothing is taken out of the store."""
        await self._mark()
        pending = await self._store.pending_outbox(CHUNK)
        # Before it is published: while the log is away this is what tells that something waits.
        self._metrics.set(m.PROCESSOR_OUTBOX_PENDING, len(pending))
        if not pending:
            return False
        await self._log.append([await self._record(stored.record) for stored in pending])
        self._unmarked = [stored.sequence for stored in pending]
        await self._mark()
        self._metrics.set(m.PROCESSOR_OUTBOX_PENDING, len(pending) if len(pending) == CHUNK else 0)
        return len(pending) == CHUNK

    async def _mark(self) -> None:
        if self._unmarked:
            await self._store.mark_published(self._unmarked)
            self._unmarked = []

    async def _record(self, record: OutboxRecord) -> NewRecord:
        """JSON of ids, versions and names of changed fields; whoever needs values asks the API."""
        body = {
            "id": record.id,
            "kind": record.kind,
            "profile_id": record.profile_id,
            "all_ids": record.all_ids,
            "version": record.version,
            "cause": record.cause,
            "occurred_at": iso(record.occurred_at),
            **_about(record),
        }
        partition = partition_for(record.profile_id, await self._log.partitions(record.topic))
        return NewRecord(record.topic, partition, msgspec.json.encode(body))


def _about(record: OutboxRecord) -> dict[str, Any]:
    """What the record is about beside the person."""
    if record.segment:
        change = record.kind.removeprefix("segment_")
        return {"segment_id": record.segment, "segment_version": record.segment_version, "change": change}
    return {"changed": record.changed}
