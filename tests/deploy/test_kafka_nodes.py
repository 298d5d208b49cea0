"""The script that starts the nodes of Kafka in Kubernetes, run as three processes on this machine.

They find each other, nobody gets in without the password, and one of them may be killed while events are appended.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from leocdp.adapters.engines import open_event_log
from leocdp.contracts.topics import EVENTS_ACCEPTED
from leocdp.ports.event_log import LogError, NewRecord
from leocdp_observer.settings import ObserverSettings
from scripts.kafka import free_ports, jars
from tests.deploy.cluster import K8S

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.timeout(180)]

SCRIPT = K8S / "components" / "kafka" / "start.sh"
STORAGE = "kafka.tools.StorageTool"
SERVER = "kafka.Kafka"


@dataclass
class Nodes:
    ports: list[int]
    password: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def settings(self, password: str = "") -> ObserverSettings:
        servers = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        return ObserverSettings(
            log_url=f"kafka://leocdp@{servers}",
            log_password=SecretStr(password or self.password),
            log_sasl_mechanism="SCRAM-SHA-512",
            log_replication=3,
            log_timeout=30,
        )


@contextmanager
def three_nodes(folder: Path) -> Iterator[Nodes]:
    tools = folder / "bin"
    tools.mkdir()
    quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
    for name, main in (("kafka-storage.sh", STORAGE), ("kafka-server-start.sh", SERVER)):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\nexec java -Xmx320m -XX:+UseSerialGC {quiet} -cp "{jars()}/*" {main} "$@"\n')
        tool.chmod(0o755)
    passwords = folder / "passwords"
    passwords.mkdir()
    password = secrets.token_hex(16)
    (passwords / "client").write_text(password)
    (passwords / "broker").write_text(secrets.token_hex(16))
    ports = free_ports(9)
    voters = ",".join(f"{n + 1}@127.0.0.1:{ports[3 + n]}" for n in range(3))
    nodes = Nodes(ports[:3], password)
    with ExitStack() as stack:
        for n in range(3):
            own = folder / f"node-{n}"
            own.mkdir()
            environment = {
                **os.environ,
                "NODE_ID": str(n + 1),
                "CLUSTER_ID": "q1Sh-9_ISia_zwGINzRvyQ",
                "VOTERS": voters,
                "ADVERTISED": "127.0.0.1",
                "BIND": "127.0.0.1",
                "DATA": str(own / "data"),
                "PASSWORDS": str(passwords),
                "CONFIG": str(own / "server.properties"),
                "CLIENT_PORT": str(ports[n]),
                "CONTROLLER_PORT": str(ports[3 + n]),
                "BROKER_PORT": str(ports[6 + n]),
                "KAFKA_BIN": str(tools),
            }
            output = stack.enter_context((own / "output").open("wb"))
            command = ["bash", str(SCRIPT)]
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
            nodes.processes.append(process)
        try:
            yield nodes
        finally:
            for process in nodes.processes:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


async def test_three_nodes_one_of_which_is_lost(tmp_path: Path) -> None:
    with three_nodes(tmp_path) as nodes:
        log = open_event_log(nodes.settings())
        for _ in range(60):
            try:
                await log.start()
                break
            except LogError:
                assert all(each.poll() is None for each in nodes.processes), (tmp_path / "node-0/output").read_text()
                await asyncio.sleep(1)
        try:
            await log.append([NewRecord(EVENTS_ACCEPTED, n, b"before") for n in range(24)])
            os.killpg(nodes.processes[2].pid, signal.SIGKILL)
            await log.append([NewRecord(EVENTS_ACCEPTED, n, b"after") for n in range(24)])
            bounds = await log.bounds(EVENTS_ACCEPTED)
            assert {number: bound.end for number, bound in bounds.items()} == dict.fromkeys(range(24), 2)
        finally:
            await log.close()
        nodes.ports = nodes.ports[:2]
        stranger = open_event_log(nodes.settings("not the password"))
        with pytest.raises(LogError, match="invalid credentials"):
            await stranger.start()
        await stranger.close()
