"""People are not refreshed while a backup is made, and are afterwards, by themselves."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from leocdp.adapters.arango.barrier import ArangoBarrier
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.topics import EVENTS_ACCEPTED, PROCESSOR_GROUP
from leocdp.ports.barrier import Barrier
from tests.contract.arango_backend import double_database
from tests.fakes.timeline import EVERY, Timeline
from tests.unit.processor.driving import until


async def test_people_wait_without_being_tried_again_and_again(tmp_path: Path) -> None:
    with double_database() as (double, connection):
        store, control, log = ArangoProfileStore(connection), ArangoBarrier(connection), SQLiteEventLog(tmp_path / "l")
        await asyncio.gather(store.start(), control.start(), log.start())
        timeline = Timeline(store)
        await timeline.see("u1", "Order Completed")
        timeline.define("buyers", {"event": "Order Completed", "within": "30d"})
        now = int(time.time() * 1000)
        await control.set(Barrier("bar_1", now, now + 600_000, "0.1.0"))
        consumer = log.consumer((EVENTS_ACCEPTED,), PROCESSOR_GROUP)
        await consumer.start()
        start = double.log.mark()
        running = asyncio.create_task(
            timeline.worker(timeline.live).run(consumer, await log.partitions(EVENTS_ACCEPTED))
        )

        async def tried() -> bool:
            return double.log.counted(start)["transaction.begin"] > 0

        async def looked_again() -> bool:
            return double.log.counted(seen)["document.read"] >= 3

        async def refreshed() -> bool:
            return not await store.people_behind(EVERY, timeline.catalogue.generation, 9)

        await until(tried, 60)
        seen = double.log.mark()
        await until(looked_again, 60)
        assert double.log.counted(start)["transaction.begin"] == 1, "then it looks only whether the backup is done"
        assert await control.lift()
        await until(refreshed, 60)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await consumer.close()
        await asyncio.gather(store.close(), control.close(), log.close())
