"""``python -m leocdp_admin`` as a process: it starts, says what is wrong in a sentence, and stops with open streams."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from leocdp.contracts.principal import HEADER, Principal
from tests.ports import free_port
from tests.unit.admin.stack import API_KEY, OWNER, SECRET, signed, until
from tests.unit.processor.driving import running


@contextmanager
def process(data_dir: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    given = {"DATA_DIR": str(data_dir), "GATEWAY_SECRET": SECRET, "BOOTSTRAP_API_KEY": API_KEY, **settings}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
    environment |= {f"LEOCDP_{name}": value for name, value in given.items()}
    command = [sys.executable, "-m", "leocdp_admin"]
    started = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()


def sentence(data_dir: Path, **settings: str) -> str:
    with process(data_dir, **settings) as failing:
        _, said = failing.communicate(timeout=60)
        assert failing.returncode not in (0, None)
        return said


def test_what_is_wrong_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    for settings, told in (
        ({"GATEWAY_SECRET": "short"}, "LEOCDP_GATEWAY_SECRET"),
        ({"BOOTSTRAP_API_KEY": "short"}, "LEOCDP_BOOTSTRAP_API_KEY needs 16 characters"),
        ({"BOOTSTRAP_ADMIN_EMAIL": OWNER[0]}, "go together"),
        ({"LOG_URL": "mysql://x"}, "LEOCDP_LOG_URL"),
    ):
        said = sentence(tmp_path, ADMIN_PORT=str(free_port()), **settings)
        assert told in said
        assert "Traceback" not in said


async def test_it_stops_within_seconds_although_somebody_follows_the_stream(tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    async with running(tmp_path), httpx.AsyncClient(timeout=60, trust_env=False) as http:
        with process(tmp_path, ADMIN_PORT=str(port)) as admin:

            async def ready() -> bool:
                try:
                    return (await http.get(f"{base}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(ready, 120)
            request = http.build_request("GET", f"{base}/api/v1/events/stream")
            principal = Principal(kind="key", key_id="k1", scopes=("events:read",))
            request.headers[HEADER] = signed(request, principal, time.time_ns() // 1_000_000)
            stream = await http.send(request, stream=True)
            assert stream.status_code == 200
            lines = stream.aiter_lines()
            assert await anext(lines) == ": ready"
            began = time.monotonic()
            admin.send_signal(signal.SIGTERM)
            async for _ in lines:
                pass
            await asyncio.to_thread(admin.wait, 60)
            # The server ends by the signal that it was sent, after it has drained.
            assert admin.returncode in (0, -signal.SIGTERM)
            assert time.monotonic() - began < 15, "well before the grace period of 20 s"
            _, said = admin.communicate()
            assert "Traceback" not in said
            assert "token=" not in said
