"""Every service is killed with -9 at random under load; afterwards acknowledged = stored = counted.

``LEOCDP_TORTURE_KILLS`` sets how often (default 12; the long run is ``make torture`` with 40).
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from leocdp.adapters.engines import open_profile_reader
from leocdp.domain.identity.identifiers import parse_key
from leocdp.kit.settings import ServiceSettings, StoreSettings
from leocdp.ports.profile_reader import EventQuery, ProfileReader
from tests.faults.client import RetryingClient, Sent
from tests.faults.stack import API_KEY, SERVICES, WRITE_KEY, Stack, running_stack, wait_for

KILLS = int(os.environ.get("LEOCDP_TORTURE_KILLS", "12"))
PEOPLE = 40


class ReaderSettings(ServiceSettings, StoreSettings):
    pass


@pytest.mark.timeout(120 + 20 * KILLS)
async def test_kill_9_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    assert API_KEY
    with running_stack(tmp_path, LEOCDP_SUPERVISOR_HEALTHY_AFTER="3") as stack:
        client = RetryingClient(stack.observer, WRITE_KEY, seed=11, people=PEOPLE)
        sending = asyncio.create_task(client.run())
        await _torture(stack, Random(5))
        client.stop()
        sent = await asyncio.wait_for(sending, 60)
        assert sent.unexpected == []
        assert len(sent.acknowledged) > 10 * KILLS, "the load was too small to mean anything"
        await asyncio.to_thread(wait_for, lambda: all(map(stack.ready, SERVICES)), 60, stack.tail)
        await asyncio.to_thread(wait_for, lambda: _lag(stack) == 0, 60, lambda: f"lag stays at {_lag(stack)}")
        kills = sum(stack.killed.values())
        print(f"{kills} kills {stack.killed}, {len(sent.acknowledged)} events, {sent.retries} retries")
        await _reconcile(stack, sent)


async def _torture(stack: Stack, random: Random) -> None:
    """Kill until it was often enough: any service that is up, at any moment of its life."""
    done = 0
    while done < KILLS:
        await asyncio.sleep(random.uniform(0.1, 1.2))
        done += stack.kill(random.choice(SERVICES))


def _lag(stack: Stack) -> int:
    with stack.api() as api:
        answer = api.get("/status")
        return int(answer.json()["lag"]) if answer.status_code == 200 else -1


async def _reconcile(stack: Stack, sent: Sent) -> None:
    """Stored events are exactly the acknowledged ones, and each person counts exactly theirs."""
    reader = open_profile_reader(ReaderSettings(data_dir=stack.data_dir))
    await reader.start()
    try:
        counts = await reader.counts()
        assert counts.events == len(sent.acknowledged)
        assert counts.dead_letters == 0
        stored: Counter[str] = Counter()
        for number in range(PEOPLE):
            total, ids = await _person(reader, f"user-{number}")
            assert total == len(ids), f"user-{number} counts {total}, but has {len(ids)} events"
            stored.update(ids)
        assert set(stored) == sent.acknowledged
        assert set(stored.values()) == {1}
        assert counts.people == PEOPLE
    finally:
        await reader.close()


async def _person(reader: ProfileReader, user: str) -> tuple[int, list[str]]:
    """(events counted on the profile, message ids of the stored events)."""
    root = await reader.find(parse_key(f"user_id:{user}"))
    assert root is not None, f"{user} is lost"
    ids: list[str] = []
    cursor = None
    while True:
        page = await reader.events(root.leaf_ids, EventQuery(limit=200, cursor=cursor))
        ids.extend(event.message_id for event in page.data)
        cursor = page.next
        if cursor is None:
            return root.folded.total, ids
