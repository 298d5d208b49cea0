"""The nodes of Kafka as Kubernetes starts them, by its own script, as three processes on this machine."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from leocdp.ports.event_log import EventLog, LogError
from leocdp_observer.settings import ObserverSettings
from scripts.kafka import free_ports, jars
from tests.deploy.cluster import K8S

SCRIPT = K8S / "components" / "kafka" / "start.sh"
STORAGE = "kafka.tools.StorageTool"
SERVER = "kafka.Kafka"


@dataclass
class Nodes:
    folder: Path
    ports: list[int]
    """Those that clients come in by; then come the controllers' and the brokers' own."""
    password: str
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"kafka://leocdp@{','.join(f'127.0.0.1:{port}' for port in self.ports[:3])}"

    def environment(self) -> dict[str, str]:
        """Of services."""
        return {
            "LEOCDP_LOG_URL": self.url,
            "LEOCDP_LOG_PASSWORD": self.password,
            "LEOCDP_LOG_SASL_MECHANISM": "SCRAM-SHA-512",
            "LEOCDP_LOG_REPLICATION": "3",
            "LEOCDP_LOG_TIMEOUT": "30",
        }

    def settings(self, *, password: str = "", nodes: int = 3) -> ObserverSettings:
        servers = ",".join(f"127.0.0.1:{port}" for port in self.ports[:nodes])
        return ObserverSettings(
            log_url=f"kafka://leocdp@{servers}",
            log_password=SecretStr(password or self.password),
            log_sasl_mechanism="SCRAM-SHA-512",
            log_replication=3,
            log_timeout=90,
        )

    def start(self, number: int) -> None:
        """Also one that was killed: its folder is still there."""
        own = self.folder / f"node-{number}"
        own.mkdir(exist_ok=True)
        voters = ",".join(f"{n + 1}@127.0.0.1:{self.ports[3 + n]}" for n in range(3))
        environment = {
            **os.environ,
            "NODE_ID": str(number + 1),
            "CLUSTER_ID": "q1Sh-9_ISia_zwGINzRvyQ",
            "VOTERS": voters,
            "ADVERTISED": "127.0.0.1",
            "BIND": "127.0.0.1",
            "DATA": str(own / "data"),
            "PASSWORDS": str(self.folder / "passwords"),
            "CONFIG": str(own / "server.properties"),
            "CLIENT_PORT": str(self.ports[number]),
            "CONTROLLER_PORT": str(self.ports[3 + number]),
            "BROKER_PORT": str(self.ports[6 + number]),
            "KAFKA_BIN": str(self.folder / "bin"),
        }
        with (own / "output").open("ab") as output:
            self.processes[number] = subprocess.Popen(
                ["bash", str(SCRIPT)], env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def kill(self, number: int) -> None:
        os.killpg(self.processes[number].pid, signal.SIGKILL)
        self.processes[number].wait()

    def told(self, number: int) -> str:
        return (self.folder / f"node-{number}" / "output").read_text(errors="replace")


@contextmanager
def three_nodes(folder: Path) -> Iterator[Nodes]:
    """Started, and not waited for: they need some seconds to agree on who leads."""
    tools = folder / "bin"
    tools.mkdir(parents=True)
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
    nodes = Nodes(folder, free_ports(9), password)
    try:
        for number in range(3):
            nodes.start(number)
        yield nodes
    finally:
        for number, process in nodes.processes.items():
            if process.poll() is None:
                nodes.kill(number)


async def started(nodes: Nodes, log: EventLog) -> None:
    for _ in range(180):
        try:
            await log.start()
        except LogError:
            assert all(each.poll() is None for each in nodes.processes.values()), nodes.told(0)
            await asyncio.sleep(1)
        else:
            return
    raise AssertionError(nodes.told(0))
