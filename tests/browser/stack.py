"""The services that a browser meets, as processes of their own on free ports and a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_ports

WRITE_KEY = "browser-write-key-0001"
API_KEY = "browser-api-key-00000001"
SECRET = "browser-tests-secret-0123456789abcdef"
OWNER = "owner@example.vn"
PASSWORD = "correct horse battery"
SERVICES = ("observer", "processor", "admin", "gateway")


@dataclass
class Stack:
    data_dir: Path
    ports: Mapping[str, int]

    @property
    def base(self) -> str:
        return f"http://localhost:{self.ports['gateway']}"

    @property
    def observer(self) -> str:
        return f"http://localhost:{self.ports['observer']}"

    @property
    def link_file(self) -> Path:
        return self.data_dir / "login-link"

    def send(self, *items: Mapping[str, Any], key: str = WRITE_KEY) -> int:
        """Send a batch as a server would; returns the status."""
        answer = httpx.post(f"{self.observer}/v1/batch", json={"batch": list(items)}, auth=(key, ""), timeout=60)
        return answer.status_code

    def status(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.base}/api/v1/status", headers={"authorization": f"Bearer {API_KEY}"}, timeout=60)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def settle(self, seconds: float = 30) -> dict[str, Any]:
        """Wait until everything that was accepted has its outcome; returns the counts."""
        wait_for(lambda: self.status()["lag"] == 0, seconds, lambda: f"still waiting: {self.status()}")
        counts: dict[str, Any] = self.status()["counts"]
        return counts

    def ready(self, service: str) -> bool:
        try:
            answer = httpx.get(f"http://localhost:{self.ports[service]}/readyz", timeout=10)
        except httpx.TransportError:
            return False
        return answer.status_code == 200


@contextmanager
def running_services(folder: Path, **environment: str) -> Iterator[Stack]:
    """Start all services, wait until they are ready, and stop them again."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    data = folder / "var"
    data.mkdir(parents=True, exist_ok=True)
    env = {
        **os.environ,
        "LEOCDP_DATA_DIR": str(data),
        "LEOCDP_GATEWAY_SECRET": SECRET,
        "LEOCDP_ADMIN_COMMAND_SECONDS": "45",
        "LEOCDP_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        "LEOCDP_BOOTSTRAP_API_KEY": API_KEY,
        **{f"LEOCDP_{name.upper()}_PORT": str(port) for name, port in ports.items()},
        **environment,
    }
    env.setdefault("LEOCDP_LOGIN_LINK_FILE", str(data / "login-link"))
    stack = Stack(data, ports)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for name in SERVICES:
            with (folder / f"{name}.log").open("wb") as output:
                running.append(
                    subprocess.Popen(
                        [sys.executable, "-m", f"leocdp_{name}"], env=env, stdout=output, stderr=subprocess.STDOUT
                    )
                )
        wait_for(lambda: all(map(stack.ready, SERVICES)), 120, lambda: _logs(folder))
        yield stack
    finally:
        _stop(running)


def _stop(running: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in reversed(running):
        process.terminate()
    for process in running:
        try:
            process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _logs(folder: Path) -> str:
    tails = []
    for name in SERVICES:
        lines = (folder / f"{name}.log").read_text(errors="replace").splitlines()[-8:]
        tails.append("\n".join([f"--- {name}", *lines]))
    return "\n".join(tails)


def wait_for(condition: Callable[[], bool], seconds: float, told: Callable[[], str]) -> None:
    """Poll until the condition holds; fail with ``told()`` at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(told())
        time.sleep(0.1)
