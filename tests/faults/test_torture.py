"""Every service is killed with -9 at random under load; afterwards acknowledged = stored = counted.

``LEOCDP_TORTURE_KILLS`` sets how often (default 12; the long run is ``make torture`` with 40).
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random

import pytest

from tests.faults.client import RetryingClient, enough
from tests.faults.reconcile import lag, reconcile
from tests.faults.stack import API_KEY, SERVICES, WRITE_KEY, Stack, running_stack, wait_for

KILLS = int(os.environ.get("LEOCDP_TORTURE_KILLS", "12"))
PEOPLE = 40


@pytest.mark.timeout(300 + 20 * KILLS)
async def test_kill_9_loses_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    assert API_KEY
    with running_stack(tmp_path, LEOCDP_SUPERVISOR_HEALTHY_AFTER="3") as stack:
        client = RetryingClient(stack.observer, WRITE_KEY, seed=11, people=PEOPLE)
        sending = asyncio.create_task(client.run())
        await _torture(stack, Random(5))
        await enough(client, 10 * KILLS)
        client.stop()
        sent = await asyncio.wait_for(sending, 120)
        assert sent.unexpected == []
        await asyncio.to_thread(wait_for, lambda: all(map(stack.ready, SERVICES)), 60, stack.tail)
        await asyncio.to_thread(wait_for, lambda: lag(stack) == 0, 60, lambda: f"lag stays at {lag(stack)}")
        kills = sum(stack.killed.values())
        print(f"{kills} kills {stack.killed}, {len(sent.acknowledged)} events, {sent.retries} retries")
        await reconcile(stack, sent, PEOPLE)


async def _torture(stack: Stack, random: Random) -> None:
    """Kill until it was often enough: any service that is up, at any moment of its life."""
    done = 0
    while done < KILLS:
        await asyncio.sleep(random.uniform(0.1, 1.2))
        done += stack.kill(random.choice(SERVICES))
