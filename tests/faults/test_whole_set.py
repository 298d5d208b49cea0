"""The whole product as on several servers, on one machine: one process of each kind is killed under load.

Three nodes of Kafka started by the script of the manifests, two observers, two processors, admin and gateway with the
settings of the manifests, prepared by their jobs; a stand-in for ArangoDB. Everything acknowledged is stored once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.contract.arango_backend import double_database
from tests.deploy.kafka_nodes import three_nodes
from tests.faults.client import RetryingClient, enough
from tests.faults.databases import store_settings, stores_environment
from tests.faults.reconcile import reconcile_store
from tests.faults.stack import API_KEY, WRITE_KEY, wait_for
from tests.ports import free_ports

pytestmark = [pytest.mark.needs("kafka"), pytest.mark.timeout(420)]

PEOPLE = 20
SET = ("observer", "observer", "processor", "processor", "admin", "gateway")
SECRET = "a secret between gateway and admin"


@dataclass
class Services:
    """The processes of the product, each with a port of its own that stays the same over a restart."""

    folder: Path
    environment: dict[str, str]
    ports: list[int] = field(default_factory=lambda: free_ports(len(SET)))
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, number: int) -> None:
        kind = SET[number]
        port = self.ports[number]
        own = {
            f"LEOCDP_{kind.upper()}_PORT": str(port),
            "LEOCDP_INSTANCE": f"{kind}-{number}",
            "LEOCDP_DATA_DIR": str(self.folder),
            "LEOCDP_GATEWAY_ADMIN_URL": f"http://127.0.0.1:{self.ports[4]}",
            **({"LEOCDP_LOG_MEMBER": f"processor-{number}"} if kind == "processor" else {}),
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
        with (self.folder / f"{kind}-{number}.log").open("ab") as output:
            self.running[number] = subprocess.Popen(
                [sys.executable, "-m", f"leocdp_{kind}"],
                env={**clean, **self.environment, **own},
                stdout=output,
                stderr=output,
            )

    def kill(self, number: int) -> None:
        self.running[number].send_signal(signal.SIGKILL)
        self.running[number].wait()

    def ready(self, number: int) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[number]}/readyz", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    def all_ready(self) -> bool:
        """What has ended, such as a service that finds no log when it starts, is started again as a pod would be."""
        for number, process in self.running.items():
            if process.poll() is not None:
                self.start(number)
        return all(map(self.ready, range(len(SET))))

    def tail(self) -> str:
        logs = [self.folder / f"{kind}-{number}.log" for number, kind in enumerate(SET)]
        return "\n".join("\n".join(log.read_text(errors="replace").splitlines()[-8:]) for log in logs if log.exists())

    def lag(self) -> int:
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{self.ports[5]}/api/v1/status",
                headers={"authorization": f"Bearer {API_KEY}"},
                timeout=60,
            )
        except httpx.TransportError:
            return -1
        waiting = answer.json()["lag"] if answer.status_code == 200 else None
        return -1 if waiting is None else int(waiting)

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
        for process in self.running.values():
            process.wait()


def prepare(folder: Path, environment: dict[str, str]) -> None:
    """The jobs of the manifests."""
    for command in (["topics", "--wait", "120"], ["migrate", "--wait", "60"]):
        done = subprocess.run(
            [sys.executable, "-m", "leocdp_cli", *command],
            env={**os.environ, **environment, "LEOCDP_DATA_DIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr


async def test_one_process_of_each_kind_is_killed_under_load(tmp_path: Path) -> None:
    with three_nodes(tmp_path / "kafka") as nodes, double_database() as (double, connection):
        double.server.sessions.idle = 2.0
        environment = {
            **nodes.environment(),
            **stores_environment(connection),
            "LEOCDP_LOG_SESSION_TIMEOUT": "6",
            "LEOCDP_GATEWAY_SECRET": SECRET,
            "LEOCDP_ERASURE_KEY": "a key that erasures are remembered with",
            "LEOCDP_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
            "LEOCDP_BOOTSTRAP_API_KEY": API_KEY,
            "LEOCDP_LOG_FORMAT": "json",
        }
        await asyncio.to_thread(prepare, tmp_path, environment)
        services = Services(tmp_path, {**environment, "LEOCDP_LOG_CREATE_TOPICS": "false"})
        try:
            for number in range(len(SET)):
                services.start(number)
            await asyncio.to_thread(wait_for, services.all_ready, 120, services.tail)
            observers = ",".join(f"http://127.0.0.1:{port}" for port in services.ports[:2])
            client = RetryingClient(observers, WRITE_KEY, seed=9, people=PEOPLE, workers=4)
            sending = asyncio.create_task(client.run())
            await kill_one_of_each(services)
            nodes.kill(1)
            await asyncio.sleep(3)
            nodes.start(1)
            await asyncio.to_thread(wait_for, services.all_ready, 120, services.tail)
            await enough(client, 50)
            client.stop()
            sent = await asyncio.wait_for(sending, 120)
            assert sent.unexpected == []
            await asyncio.to_thread(wait_for, lambda: services.lag() == 0, 120, services.tail)
        finally:
            services.end()
        users = [f"user-{number}" for number in range(PEOPLE)]
        await reconcile_store(store_settings(connection), sent.acknowledged, users)


async def kill_one_of_each(services: Services) -> None:
    """The others go on meanwhile; what was killed comes back as its pod would."""
    for number in (0, 2, 4, 5):
        services.kill(number)
        await asyncio.sleep(2)
        services.start(number)
        await asyncio.sleep(2)
