"""A backup that begins between publishing and taking out of the outbox: nothing is taken out, nor published twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from leocdp.adapters.arango.barrier import ArangoBarrier
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.topics import PROFILES_CHANGED
from leocdp.kit.metrics import Metrics
from leocdp.ports.barrier import Barrier
from leocdp.ports.event_log import NewRecord
from leocdp.ports.profile_store import StoreHeld
from leocdp_processor.outbox import OutboxPublisher
from tests.contract.arango_backend import double_database
from tests.contract.builders import T0
from tests.contract.test_profile_store_arango_faults import everything


class LogAtTheBarrier(SQLiteEventLog):
    """When it has appended, a barrier stands."""

    control: ArangoBarrier

    async def append(self, records: Sequence[NewRecord]) -> Sequence[int]:
        offsets = await super().append(records)
        now = int(time.time() * 1000)
        await self.control.set(Barrier("bar_1", now, now + 600_000, "0.1.0"))
        return offsets


async def test_what_was_published_is_taken_out_afterwards_and_not_published_again(tmp_path: Path) -> None:
    with double_database() as (_, connection):
        store, control, log = ArangoProfileStore(connection), ArangoBarrier(connection), LogAtTheBarrier(tmp_path / "l")
        log.control = control
        await asyncio.gather(store.start(), control.start(), log.start())
        await store.commit(everything(1), [], T0)
        publisher = OutboxPublisher(log, store, Metrics())
        for _ in range(2):
            with pytest.raises(StoreHeld):
                await publisher._publish()
        assert await control.lift()
        assert [one.record.id for one in await store.pending_outbox(9)] == ["out-1"], "still there"
        assert not await publisher._publish()
        assert await store.pending_outbox(9) == []
        assert sum(bound.end for bound in (await log.bounds(PROFILES_CHANGED)).values()) == 1, "published once"
        await asyncio.gather(store.close(), control.close(), log.close())
