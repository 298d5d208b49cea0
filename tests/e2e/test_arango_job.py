"""The whole product with ArangoDB as its profile store: ``LEOCDP_STORE_URL=arangodb://… leocdp run``."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.contract.arango_backend import double_database
from tests.doubles.arangodb.double import Double
from tests.doubles.arangodb.faults import Fault, operation
from tests.faults.client import RetryingClient, enough
from tests.faults.databases import store_settings, stores_environment
from tests.faults.reconcile import lag, reconcile
from tests.faults.stack import SERVICES, WRITE_KEY, Stack, running_stack, wait_for

PEOPLE = 20
KILLS = 4
IDLE_SECONDS = 2.0
"""After which the server ends the transaction of a processor that was killed."""


def migrate(folder: Path, environment: dict[str, str]) -> list[dict[str, Any]]:
    """``leocdp migrate``, before anything is started."""
    command = [sys.executable, "-m", "leocdp_cli", "migrate", "--json"]
    env = {**os.environ, **environment, "LEOCDP_DATA_DIR": str(folder / "var")}
    checked = subprocess.run([*command, "--check"], env=env, capture_output=True, check=False, timeout=60)
    assert checked.returncode == 1, checked.stderr
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(300)
async def test_events_become_people_while_processor_and_database_fail(tmp_path: Path) -> None:
    with double_database() as (double, connection):
        double.server.sessions.idle = IDLE_SECONDS
        settings = store_settings(connection)
        environment = stores_environment(connection)
        migrated = await asyncio.to_thread(migrate, tmp_path, environment)
        assert [(row["name"], row["version"] == row["known"]) for row in migrated if "http://" in row["place"]] == [
            ("profiles", True),
            ("admin", True),
        ]
        with running_stack(tmp_path, LEOCDP_SUPERVISOR_HEALTHY_AFTER="3", **environment) as stack:
            client = RetryingClient(stack.observer, WRITE_KEY, seed=5, people=PEOPLE)
            sending = asyncio.create_task(client.run())
            await _hurt(stack, double, Random(3))
            await enough(client, 50)
            client.stop()
            sent = await asyncio.wait_for(sending, 120)
            assert sent.unexpected == []
            await asyncio.to_thread(wait_for, lambda: all(map(stack.ready, SERVICES)), 60, stack.tail)
            await asyncio.to_thread(wait_for, lambda: lag(stack) == 0, 60, lambda: f"lag {lag(stack)}:\n{stack.tail()}")
            await asyncio.to_thread(_is_shown, stack)
        await reconcile(stack, sent, PEOPLE, settings)
        assert [path.name for path in (tmp_path / "var").glob("*.db")] == ["log.db"]


async def _hurt(stack: Stack, double: Double, random: Random) -> None:
    """Kill the processor, drop connections around commits, and take the database away once."""
    commits = operation("transaction.commit")
    faults = [
        double.fault(Fault("drop_after", commits, every=3, times=3)),
        double.fault(Fault("drop_before", commits, skip=1, every=3, times=3)),
    ]
    for number in range(KILLS):
        await asyncio.sleep(random.uniform(1, 2))
        while not stack.kill("processor"):
            await asyncio.sleep(0.05)
        if number == KILLS // 2:
            double.stop()
            await asyncio.sleep(1)
            double.start()
    async with asyncio.timeout(90):  # On a busy machine it is killed before it commits anything.
        while not all(fault.hits for fault in faults):
            await asyncio.sleep(0.05)


def _is_shown(stack: Stack) -> None:
    with stack.api() as api:
        told = api.get("/status").json()
        assert told["engine"]["store"] == "arangodb"
        found = api.get("/profiles", params={"q": "user-7"}).json()
        assert found["data"], found
        assert api.get(f"/profiles/{found['data'][0]['id']}").json()["events"]["total"] > 0
    assert httpx.get(f"{stack.gateway}/login", timeout=60).status_code == 200
