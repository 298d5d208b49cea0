"""People with very many events are not read all at once."""

from __future__ import annotations

import pytest

from leocdp.ports.profile_store import ProfileStore
from leocdp_processor import refresher
from tests.fakes.timeline import EVERY, Timeline

PEOPLE = 5
BUYERS = {"event": "Order Completed", "count": {"is": "gte", "value": 3}, "within": "30d"}


async def behind(store: ProfileStore, generation: int) -> int:
    return len(await store.people_behind(EVERY, generation, 100))


async def test_a_page_ends_where_its_events_are_many_and_the_next_goes_on(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        for number in range(PEOPLE):
            await timeline.see(f"u{number}", "Order Completed")
    monkeypatch.setattr(refresher, "MOST_EVENTS", 7)
    timeline.define("buyers", BUYERS)
    worker = timeline.worker(timeline.live)
    left = []
    more = True
    while more:
        more = await worker.step(EVERY, bring_up=True)
        left.append(await behind(timeline.store, timeline.catalogue.generation))
    assert left == [3, 1, 0]
    timeline.publish("buyers")
    await timeline.refresh()
    assert [await timeline.is_in(f"u{number}", "buyers") for number in range(PEOPLE)] == [True] * PEOPLE
