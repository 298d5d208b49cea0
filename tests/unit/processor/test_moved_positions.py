"""Another processor has moved on in a partition: what was read there is dropped, and work goes on behind it."""

from __future__ import annotations

from pathlib import Path

from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.domain.decisions import Changes
from leocdp.ports.profile_store import PositionKey, PositionMove
from tests.unit.processor.driving import running, track


async def test_what_another_has_processed_is_not_processed_again(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await processor.send(track("m1", userId="u1"))
        await processor.counted(lambda counts: counts.events == 1)
        store, log = processor.environment.store, processor.environment.log
        key = PositionKey(log.log_id, EVENTS_ACCEPTED, 0)
        await store.commit(Changes(), [PositionMove(key, 1, 2)], 0)

        await processor.send(track("theirs", userId="u2"))
        await processor.send(track("m2", userId="u1"))
        counts = await processor.counted(lambda counts: counts.events == 2)
        assert (counts.people, counts.duplicates) == (1, 0)
        assert await store.positions(log.log_id) == {(EVENTS_ACCEPTED, 0): 3}
        assert await processor.environment.ready() == []
