"""The gateway as a process: how it starts, refuses to start, and stops."""

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
import pytest

from tests.ports import free_port
from tests.unit.gateway.upstream import DEADLINE, SECRET, Upstream, served


@contextmanager
def process(folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [sys.executable, "-m", "leocdp_gateway"],
        env={"PATH": os.environ["PATH"], "LEOCDP_DATA_DIR": str(folder), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        if running.stderr is not None:
            running.stderr.close()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "LEOCDP_GATEWAY_SECRET (or LEOCDP_GATEWAY_SECRET_FILE) must be 32 characters or more"),
        ({"LEOCDP_GATEWAY_SECRET": "short"}, "must be 32 characters or more"),
        ({"LEOCDP_GATEWAY_SECRET_FILE": "/no/such/file"}, "/no/such/file"),
        ({"LEOCDP_GATEWAY_SECRET": SECRET, "LEOCDP_GATEWAY_PORT": "many"}, "LEOCDP_GATEWAY_PORT: "),
        ({"LEOCDP_GATEWAY_SECRET": SECRET, "LEOCDP_GATEWAY_ADMIN_URL": "admin"}, "LEOCDP_GATEWAY_ADMIN_URL must begin"),
        ({"LEOCDP_GATEWAY_SECRET": SECRET, "LEOCDP_GATEWAY_ADMIN_URL": "http://a/b"}, "http://a/b is no address"),
        ({"LEOCDP_GATEWAY_SECRET": SECRET, "LEOCDP_GATEWAY_TRUSTED_PROXIES": "x"}, "LEOCDP_GATEWAY_TRUSTED_PROXIES: "),
    ],
)
def test_settings_that_cannot_work_are_said_in_a_sentence(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    with process(tmp_path, **environment) as running:
        _, errors = running.communicate(timeout=60)
        assert running.returncode == 1
        assert sentence in errors
        assert "Traceback" not in errors


async def test_it_stops_at_once_with_a_live_page_open(tmp_path: Path, upstream: Upstream) -> None:
    port = free_port()
    async with served(upstream) as admin:
        environment = {
            "LEOCDP_GATEWAY_SECRET": SECRET,
            "LEOCDP_GATEWAY_PORT": str(port),
            "LEOCDP_GATEWAY_ADMIN_URL": f"http://127.0.0.1:{admin}",
        }
        address = f"http://127.0.0.1:{port}"
        with process(tmp_path, **environment) as running:
            async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
                await _alive(client, running)
                headers = {"authorization": "Bearer lk_good"}
                async with client.stream("GET", "/api/v1/events/stream", headers=headers) as events:
                    parts = events.aiter_raw()
                    assert await anext(parts) == b"first\n"
                    begun = time.monotonic()
                    running.send_signal(signal.SIGTERM)
                    with pytest.raises(StopAsyncIteration):
                        await anext(parts)
            _, errors = await asyncio.to_thread(running.communicate)
            assert running.returncode in (0, -signal.SIGTERM), errors
            assert time.monotonic() - begun < DEADLINE, "well before the grace period of 20 s"
        assert set(upstream.used) == {"k1"}, "the use of keys is reported before the end"


async def _alive(client: httpx.AsyncClient, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline
        assert running.poll() is None
        try:
            if (await client.get("/healthz")).is_success:
                return
        except httpx.ConnectError:
            continue
