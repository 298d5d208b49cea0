"""The script that starts the nodes of Kafka in Kubernetes, run as three processes on this machine.

They find each other, nobody gets in without the password, one of them may be lost, and comes back with an empty disk.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from leocdp.adapters.engines import open_event_log
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import EventLog, LogError, NewRecord
from tests.deploy.kafka_nodes import Nodes, three_nodes

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.timeout(300)]


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


async def until_everywhere(nodes: Nodes) -> None:
    """Until all three nodes have all of every partition."""
    deadline = time.monotonic() + 120
    while await copies(nodes) != {3}:
        assert time.monotonic() < deadline, nodes.told(2)
        await asyncio.sleep(0.3)


async def copies(nodes: Nodes) -> set[int]:
    """On how many nodes with all of it the partitions of all topics are; empty while nobody can tell."""
    client = AIOKafkaAdminClient(
        bootstrap_servers=[f"127.0.0.1:{port}" for port in nodes.ports[:2]],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username="leocdp",
        sasl_plain_password=nodes.password,
    )
    try:
        await client.start()
        found = await client.describe_topics(await client.list_topics())
        return {len(part["isr"]) for topic in found for part in topic["partitions"]}
    except KafkaError:
        return set()
    finally:
        await client.close()


async def test_three_nodes_one_of_which_is_lost_and_comes_back_empty(tmp_path: Path) -> None:
    with three_nodes(tmp_path) as nodes:
        log = open_event_log(nodes.settings())
        await started(nodes, log)
        try:
            await log.append([NewRecord(EVENTS_ACCEPTED, n, b"before") for n in range(24)])
            nodes.kill(2)
            await log.append([NewRecord(EVENTS_ACCEPTED, n, b"after") for n in range(24)])
            bounds = await log.bounds(EVENTS_ACCEPTED)
            assert {number: bound.end for number, bound in bounds.items()} == dict.fromkeys(range(24), 2)
            # As on another server: under its name, with nothing. It copies everything, and is counted again.
            shutil.rmtree(nodes.folder / "node-2" / "data")
            nodes.start(2)
            await until_everywhere(nodes)
        finally:
            await log.close()
        stranger = open_event_log(nodes.settings(password="not the password", nodes=2))
        with pytest.raises(LogError, match="invalid credentials"):
            await stranger.start()
        await stranger.close()
