"""The script that starts the nodes of Kafka in Kubernetes, run as three processes on this machine.

They find each other, nobody gets in without the password, and one of them may be killed while events are appended.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from leocdp.adapters.engines import open_event_log
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import EventLog, LogError, NewRecord
from tests.deploy.kafka_nodes import Nodes, three_nodes

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.timeout(180)]


async def started(nodes: Nodes, log: EventLog) -> None:
    for _ in range(90):
        try:
            await log.start()
        except LogError:
            assert all(each.poll() is None for each in nodes.processes.values()), nodes.told(0)
            await asyncio.sleep(1)
        else:
            return
    raise AssertionError(nodes.told(0))


async def test_three_nodes_one_of_which_is_lost(tmp_path: Path) -> None:
    with three_nodes(tmp_path) as nodes:
        log = open_event_log(nodes.settings())
        await started(nodes, log)
        try:
            await log.append([NewRecord(EVENTS_ACCEPTED, n, b"before") for n in range(24)])
            nodes.kill(2)
            await log.append([NewRecord(EVENTS_ACCEPTED, n, b"after") for n in range(24)])
            bounds = await log.bounds(EVENTS_ACCEPTED)
            assert {number: bound.end for number, bound in bounds.items()} == dict.fromkeys(range(24), 2)
        finally:
            await log.close()
        stranger = open_event_log(nodes.settings(password="not the password", nodes=2))
        with pytest.raises(LogError, match="invalid credentials"):
            await stranger.start()
        await stranger.close()
