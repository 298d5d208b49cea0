"""Two workers on one store: each looks after its own people, and whoever comes second decides again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.domain.decisions import Changes
from leocdp.domain.segments.audience import SHARDS, shard_of
from leocdp.ports.event_log import TopicPartition
from leocdp.ports.profile_store import Conflict, PositionMove
from leocdp_processor.refresher import Refresher, shards_of
from tests.fakes.memory_store import MemoryStore
from tests.fakes.timeline import DAY, EVERY, Timeline


class Assigned:
    """The part of a consumer that is asked for its partitions."""

    def __init__(self, *partitions: int) -> None:
        self._own = frozenset(TopicPartition(EVENTS_ACCEPTED, one) for one in partitions)

    async def assignment(self) -> frozenset[TopicPartition]:
        return self._own | {TopicPartition("leocdp.commands.v1", 0)}


async def test_every_shard_has_one_worker() -> None:
    workers: list[Any] = [Assigned(*range(worker, 24, 3)) for worker in range(3)]
    owned = [set(await shards_of(worker, 24)) for worker in workers]
    assert sorted(shard for one in owned for shard in one) == list(range(SHARDS))
    nobody: Any = Assigned()
    assert list(await shards_of(nobody, 24)) == []


async def finish(refresher: Refresher, shards: Sequence[int]) -> None:
    while await refresher.step(shards, bring_up=True):
        pass


async def test_two_workers_share_the_people(tmp_path: Path) -> None:
    store = SQLiteProfileStore(tmp_path / "profiles.db")
    await store.start()
    timeline = Timeline(store)
    await timeline.segment("buyers", {"event": "Order Completed", "within": "1d"})
    for number in range(200):
        await timeline.see(f"u{number}", "Order Completed")
    timeline.clock.at += DAY
    one, other = timeline.worker(timeline.live), timeline.worker(timeline.live)
    even, odd = EVERY[0::2], EVERY[1::2]
    await finish(one, even)
    left = [record.record.profile_id for record in await store.pending_outbox(1_000)]
    assert left
    assert all(shard_of(profile) % 2 == 0 for profile in left)
    await asyncio.gather(finish(one, even), finish(other, odd))
    await timeline.refresh()
    causes = [line for line in timeline.sequence() if line.startswith("-")]
    assert causes == ["-buyers time"] * 200
    await store.close()


class Meanwhile(MemoryStore):
    """Something else is committed right before the commit of a refresh."""

    before: Any = None

    async def commit(self, changes: Changes, positions: Sequence[PositionMove], now: int) -> int:
        if changes.audiences and self.before is not None:
            action, self.before = self.before, None
            await action()
        return await super().commit(changes, positions, now)


async def test_a_timer_whose_person_changed_meanwhile_is_taken_again() -> None:
    store = Meanwhile()
    timeline = Timeline(store)
    await timeline.segment("quiet", {"event": "Seen", "count": {"is": "eq", "value": 0}, "within": "1d"})
    await timeline.see("u1")
    timeline.told.clear()
    timeline.clock.at += DAY
    store.before = lambda: timeline.see("u1")
    refresher = timeline.worker(timeline.live)
    with pytest.raises(Conflict):
        await refresher.step(EVERY, bring_up=True)
    await timeline.refresh()
    assert timeline.told == []
    assert not await timeline.is_in("u1", "quiet")
    await timeline.wait(DAY)
    assert timeline.sequence() == ["+quiet time"]
