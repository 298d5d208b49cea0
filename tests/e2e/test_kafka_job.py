"""The whole product with Kafka as its event log and SQLite as its store: ``LEOCDP_LOG_URL=kafka://… leocdp run``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from leocdp.contracts.topics import EVENTS_ACCEPTED, PROCESSOR_GROUP, TOPICS
from leocdp.ports.event_log import EventLog
from tests.faults.client import RetryingClient, enough
from tests.faults.reconcile import lag, reconcile
from tests.faults.stack import SERVICES, WRITE_KEY, Stack, running_stack, wait_for
from tests.kafka import Kafka, logs_at

PEOPLE = 25
KILLS = 6
LAN = "lan@example.vn"


@pytest.mark.timeout(300)
async def test_events_become_people_while_observer_processor_and_broker_are_killed(
    kafka: Kafka, tmp_path: Path
) -> None:
    async with logs_at(kafka.url()) as logs:
        with running_stack(tmp_path, LEOCDP_LOG_URL=logs.url, LEOCDP_SUPERVISOR_HEALTHY_AFTER="3") as stack:
            await asyncio.to_thread(_two_events_are_one_person, stack)
            client = RetryingClient(stack.observer, WRITE_KEY, seed=7, people=PEOPLE)
            sending = asyncio.create_task(client.run())
            await _hurt(stack, kafka, Random(3))
            await enough(client, 50)
            client.stop()
            sent = await asyncio.wait_for(sending, 120)
            assert sent.unexpected == []
            await asyncio.to_thread(wait_for, lambda: all(map(stack.ready, SERVICES)), 60, stack.tail)
            await asyncio.to_thread(wait_for, lambda: lag(stack) == 0, 60, lambda: f"lag stays at {lag(stack)}")
            await _positions_are_visible(stack, await logs.open(TOPICS))
        sent.acknowledged |= {"first-0", "first-1"}
        await reconcile(stack, sent, PEOPLE)


def _two_events_are_one_person(stack: Stack) -> None:
    """The e-mail comes with the second, from another device."""
    for number, traits in enumerate(({}, {"email": LAN})):
        body = {"messageId": f"first-{number}", "userId": "user-0", "anonymousId": f"lan-{number}", "traits": traits}
        answer = httpx.post(f"{stack.observer}/v1/identify", json=body, auth=(WRITE_KEY, ""), timeout=60)
        assert answer.status_code == 200
    wait_for(lambda: _total(stack, f"email:{LAN}") == 2, 60, stack.tail)
    told = _status(stack)
    assert told["engine"] == {"log": "kafka", "store": "sqlite"}
    assert len([row for row in told["log"] if row["topic"] == EVENTS_ACCEPTED]) == 24


def _total(stack: Stack, ref: str) -> int:
    with stack.api() as api:
        answer = api.get(f"/profiles/{ref}")
    return int(answer.json()["events"]["total"]) if answer.status_code == 200 else 0


def _status(stack: Stack) -> dict[str, Any]:
    with stack.api() as api:
        answer = api.get("/status")
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


async def _hurt(stack: Stack, kafka: Kafka, random: Random) -> None:
    """Kill observer and processor in turn, and the broker once, where it is ours."""
    for number in range(KILLS):
        await asyncio.sleep(random.uniform(0.3, 1.2))
        while not stack.kill(("observer", "processor")[number % 2]):
            await asyncio.sleep(0.05)
        if number == KILLS // 2 and kafka.cluster is not None:
            node = kafka.cluster.nodes[0]
            node.kill()
            kafka.cluster.launch(node)
            await asyncio.to_thread(node.wait_started)


async def _positions_are_visible(stack: Stack, log: EventLog) -> None:
    """The group's positions in Kafka, where its own tools show lag, follow the store's."""
    rows = [row for row in _status(stack)["log"] if row["topic"] == EVENTS_ACCEPTED]
    ends = {(row["topic"], row["partition"]): row["end"] for row in rows if row["end"]}
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        found = await log.group_positions(PROCESSOR_GROUP)
        if all(found.get(key) == end for key, end in ends.items()):  # type: ignore[call-overload]
            return
        assert asyncio.get_running_loop().time() < deadline, (found, ends)
        await asyncio.sleep(0.2)
