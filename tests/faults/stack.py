"""The whole product as its user starts it, on free ports and a folder of its own, and the means to hurt it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.ports import free_ports

WRITE_KEY = "torture-write-key-0001"
API_KEY = "torture-api-key-00000001"
SERVICES = ("observer", "processor", "admin", "gateway")


@dataclass
class Stack:
    """A running ``leocdp run``. ``data_dir`` holds the embedded engine's files."""

    data_dir: Path
    ports: dict[str, int]
    process: subprocess.Popen[bytes]
    output: Path
    killed: dict[str, int] = field(default_factory=dict)

    @property
    def observer(self) -> str:
        return f"http://127.0.0.1:{self.ports['observer']}"

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.ports['gateway']}"

    def api(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.gateway}/api/v1", headers={"authorization": f"Bearer {API_KEY}"}, timeout=60
        )

    def pid(self, service: str) -> int | None:
        """The process of a service now: the child of the supervisor that runs its module."""
        module = f"leocdp_{service}".encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                status = (entry / "status").read_text()
            except OSError:
                continue
            parent = int(status.partition("PPid:")[2].split()[0])
            if parent == self.process.pid and module in command:
                return int(entry.name)
        return None

    def kill(self, service: str) -> bool:
        """Kill a service with -9; False when it is down at the moment."""
        pid = self.pid(service)
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        self.killed[service] = self.killed.get(service, 0) + 1
        return True

    def ready(self, service: str) -> bool:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ports[service]}/readyz", timeout=10)
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def running_stack(folder: Path, **environment: str) -> Iterator[Stack]:
    """Start, wait until all four services are ready, and stop again with SIGTERM."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    env = {
        **os.environ,
        "LEOCDP_DATA_DIR": str(folder / "var"),
        "LEOCDP_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        "LEOCDP_BOOTSTRAP_API_KEY": API_KEY,
        "LEOCDP_BOOTSTRAP_ADMIN_EMAIL": "owner@example.vn",
        "LEOCDP_BOOTSTRAP_ADMIN_PASSWORD": "correct horse battery",
        "LEOCDP_ADMIN_COMMAND_SECONDS": "45",  # on a busy machine it may take longer than people like to wait
        "LEOCDP_START_TIMEOUT": "15",  # then it says who is waited for
        **{f"LEOCDP_{name.upper()}_PORT": str(port) for name, port in ports.items()},
        **environment,
    }
    output = folder / "output.log"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "leocdp_cli", "run"], env=env, stdout=stream, stderr=subprocess.STDOUT
        )
        stack = Stack(folder / "var", ports, process, output)
        try:
            wait_for(
                lambda: process.poll() is not None or all(map(stack.ready, SERVICES)),
                120,
                lambda: f"not ready:\n{stack.tail()}",
            )
            assert process.poll() is None, f"it ended:\n{stack.tail()}"
            yield stack
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def wait_for(condition: Callable[[], bool], seconds: float, told: Callable[[], str]) -> None:
    """Poll until the condition holds; fail with ``told()`` at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(told())
        time.sleep(0.1)
