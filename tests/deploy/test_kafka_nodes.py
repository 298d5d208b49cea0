"""The script that starts the nodes of Kafka in Kubernetes, run as three processes on this machine.

They find each other, nobody gets in without the password, one of them may be lost, and comes back with an empty disk.
The script that changes the password is run as it is, too.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from leocdp.adapters.engines import open_event_log
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import LogError, NewRecord
from scripts.kafka import jars
from tests.deploy.cluster import K8S
from tests.deploy.kafka_nodes import Nodes, started, three_nodes

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """For both tests, in their order: starting them takes longest."""
    with three_nodes(tmp_path_factory.mktemp("kafka")) as running:
        yield running


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


async def test_three_nodes_one_of_which_is_lost_and_comes_back_empty(nodes: Nodes) -> None:
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


# What stands in is kubectl: it runs the same words on this machine instead of in a pod, and keeps what is patched.
KUBECTL = """#!/bin/sh
[ "$1 $2" = "-n leocdp" ] || exit 9
case "$3 $4" in
    "exec -i") sed -e 's,/tmp/,{folder}/,g; s,/opt/kafka/bin,{folder}/bin,; s,/secrets/kafka,{folder}/passwords,' \\
        -e 's,\\$HOSTNAME.kafka-nodes:9092,127.0.0.1:{port},' | bash -s ;;
    "patch secret") cat > "{folder}/$5.patch" ;;
    *) exit 9 ;;
esac
"""


def stand_in(nodes: Nodes) -> dict[str, str]:
    """An environment with a kubectl, and the tool that the script calls in the pod."""
    tool = nodes.folder / "bin" / "kafka-configs.sh"
    tool.write_text(f'#!/bin/sh\nexec java -Xmx128m -XX:+UseSerialGC -cp "{jars()}/*" kafka.admin.ConfigCommand "$@"\n')
    kubectl = nodes.folder / "bin" / "kubectl"
    kubectl.write_text(KUBECTL.format(folder=nodes.folder, port=nodes.ports[0]))
    for program in (tool, kubectl):
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{kubectl.parent}{os.pathsep}{os.environ['PATH']}"}


def patched(nodes: Nodes, secret: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((nodes.folder / f"{secret}.patch").read_text())["stringData"]
    return found


async def test_a_new_password_is_in_kafka_and_in_both_secrets(nodes: Nodes) -> None:
    before = open_event_log(nodes.settings())
    await started(nodes, before)
    try:
        await before.append([NewRecord(EVENTS_ACCEPTED, 0, b"before")])
        end = (await before.bounds(EVENTS_ACCEPTED))[0].end
        done = await asyncio.to_thread(
            subprocess.run,
            [str(K8S / "kafka-password")],
            env=stand_in(nodes),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        await before.append([NewRecord(EVENTS_ACCEPTED, 0, b"connections that are open go on")])
    finally:
        await before.close()
    new = patched(nodes, "kafka")["client"]
    assert patched(nodes, "leocdp-log") == {"password": new}
    assert new != nodes.password
    after = open_event_log(nodes.settings(password=new))
    await started(nodes, after)
    assert (await after.bounds(EVENTS_ACCEPTED))[0].end == end + 1
    await after.close()
    late = open_event_log(nodes.settings())
    with pytest.raises(LogError, match="invalid credentials"):
        await late.start()
    await late.close()
    assert not list(nodes.folder.glob("*.properties")), "no password is left behind"
