"""A backup holds two processors at its barrier while events come in, and one of them dies there."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from leocdp.adapters.arango.barrier import ArangoBarrier
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.contracts.topics import TOPICS
from leocdp.ports.barrier import Barrier
from tests.contract.arango_backend import double_database
from tests.faults.databases import store_environment, store_settings
from tests.faults.event_load import EventLoad, until, worked_off
from tests.faults.processors import Fleet, fleet
from tests.faults.reconcile import reconcile_store
from tests.kafka import Kafka, logs_at

PER_SECOND = 60


class Operator:
    """``leocdp barrier``."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment

    async def run(self, *arguments: str) -> Any:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "leocdp_cli", "barrier", *arguments),
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    async def set(self) -> str:
        status, out, err = await self.run("set", "--minutes", "10", "--json")
        assert status == 0, err
        return str(json.loads(out)["id"])


@pytest.mark.timeout(500)
async def test_processors_wait_at_the_barrier_and_go_on(kafka: Kafka, tmp_path: Path) -> None:
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        with double_database() as (_, connection):
            environment = {
                **store_environment(connection),
                "LEOCDP_LOG_URL": logs.url,
                "LEOCDP_LOG_SESSION_TIMEOUT": "6",
            }
            store = ArangoProfileStore(connection)
            await store.start()
            load = EventLoad(log)
            with fleet(tmp_path, **environment) as processors:
                for _ in range(2):
                    await asyncio.to_thread(processors.started)
                await load.portion()
                await worked_off(log, store, 120, processors.tail)
                operator = Operator({**environment, "LEOCDP_DATA_DIR": str(tmp_path)})
                running = asyncio.create_task(load.run(PER_SECOND))
                await _hold(operator, processors, store, log.log_id)
                load.stop()
                await running
                await worked_off(log, store, 150, processors.tail)
                await _expire(connection, load)
                await worked_off(log, store, 120, processors.tail)
                await until(lambda: all(one.reasons() == [] for one in processors.alive), 120, processors.tail)
                assert not processors.failures()
            await reconcile_store(store_settings(connection), load.acknowledged, load.users)
            await store.close()


async def _expire(connection: Connection, load: EventLoad) -> None:
    """A barrier that nobody lifts; after a while ``worked_off`` without anybody's doing."""
    control = ArangoBarrier(connection)
    await control.start()
    now = int(time.time() * 1000)
    await control.set(Barrier("bar_of_a_backup_that_died", now, now + 3_000, "0.1.0"))
    await control.close()
    await load.portion()


async def _hold(operator: Operator, processors: Fleet, store: ArangoProfileStore, log_id: str) -> None:
    barrier = await operator.set()
    before = await store.positions(log_id)
    await until(lambda: all(one.says("Paused for a backup") for one in processors.alive), 120, processors.tail)
    held = [1, 1]
    await until(lambda: [one.metric("leocdp_processor_held") for one in processors.alive] == held, 120, processors.tail)
    status, _, said = await operator.run("set")
    assert (status, f"{barrier} stands already" in said) == (1, True)
    processors.alive[0].send(signal.SIGKILL)
    another = processors.start()
    await until(lambda: another.says("Paused for a backup"), 120, processors.tail)
    assert await store.positions(log_id) == before
    assert (await operator.run("check", barrier))[0] == 0
    status, said, _ = await operator.run("show")
    assert (status, barrier in said, "stands until" in said) == (0, True, True)
    assert (await operator.run("lift", barrier))[:2] == (0, "Lifted.\n")
    assert (await operator.run("lift", barrier))[:2] == (0, "No barrier was set.\n")
    status, _, said = await operator.run("check", barrier)
    assert (status, "Discard the dump" in said) == (1, True)
