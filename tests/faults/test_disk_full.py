"""The disk of the embedded log is full: observers refuse what they cannot keep, and go on when there is room again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.faults.client import RetryingClient
from tests.faults.reconcile import lag, reconcile
from tests.faults.small_disk import small_disk
from tests.faults.stack import SERVICES, WRITE_KEY, Stack, running_stack, wait_for

pytestmark = [pytest.mark.timeout(300), pytest.mark.needs("disk")]

PEOPLE = 10
SMALL, LARGE = 12, 256
EVENT = {"type": "track", "event": "Item Viewed", "userId": "user-0", "properties": {"text": "x" * 20_000}}


async def test_nothing_acknowledged_is_lost_when_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", SMALL) as disk:
        log = f"sqlite:///{disk.folder}/log.db"
        with running_stack(tmp_path, LEOCDP_LOG_URL=log, LEOCDP_SUPERVISOR_HEALTHY_AFTER="3") as stack:
            client = RetryingClient(stack.observer, WRITE_KEY, seed=21, people=PEOPLE, workers=4, padding=3_000)
            sending = asyncio.create_task(client.run())
            probe = Probe(stack.observer)
            await asyncio.to_thread(wait_for, probe.refused, 90, stack.tail)
            assert probe.answer is not None
            assert (probe.answer.status_code, probe.answer.json()["code"]) == (503, "log_unavailable")
            # Something smaller may have found room meanwhile.
            await asyncio.to_thread(wait_for, lambda: says_full(stack), 60, stack.tail)
            assert int(probe.answer.headers["retry-after"]) >= 1
            before = len(client.sent.acknowledged)
            assert before > 20, "the disk was full before anything was in it"
            disk.grow(LARGE)
            await asyncio.to_thread(wait_for, lambda: len(client.sent.acknowledged) > before + 50, 60, stack.tail)
            client.stop()
            sent = await asyncio.wait_for(sending, 90)
            assert sent.unexpected == []
            await asyncio.to_thread(wait_for, lambda: all(map(stack.ready, SERVICES)), 60, stack.tail)
            await asyncio.to_thread(wait_for, lambda: lag(stack) == 0, 60, lambda: f"lag {lag(stack)}:\n{stack.tail()}")
        sent.acknowledged |= probe.taken
        await reconcile(stack, sent, PEOPLE)


def says_full(stack: Stack) -> bool:
    answer = httpx.get(f"{stack.observer}/readyz", timeout=60)
    return any("full" in reason for reason in answer.json()["reasons"])


@dataclass
class Probe:
    """One more event, again and again, until the observer does not take it."""

    observer: str
    taken: set[str] = field(default_factory=set)
    number: int = 0
    answer: httpx.Response | None = None

    def refused(self) -> bool:
        self.number += 1
        message = f"probe-{self.number}"
        body = {**EVENT, "messageId": message}
        answer = httpx.post(f"{self.observer}/v1/track", json=body, auth=(WRITE_KEY, ""), timeout=60)
        if answer.status_code == 200:
            self.taken.add(message)
            return False
        self.answer = answer
        return True
