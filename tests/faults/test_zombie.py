"""A processor that is stopped in the middle of its work, given up by its group, and goes on as if nothing had been.

Another has its partitions by then. What it still wants to write must not be written: its positions have been moved.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.contracts.topics import TOPICS
from tests.contract.arango_backend import double_database
from tests.doubles.arangodb.faults import Fault, Matches, operation
from tests.doubles.arangodb.log import Entry
from tests.faults.databases import store_environment, store_settings
from tests.faults.event_load import EventLoad, until, worked_off
from tests.faults.processors import ITEMS, Processor, fleet
from tests.faults.reconcile import reconcile_store
from tests.kafka import Kafka, logs_at


def within_its_transaction(entry: Entry) -> bool:
    return entry.transaction is not None and entry.operation == "document.insert"


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(operation("transaction.begin"), id="decided, nothing written"),
        pytest.param(within_its_transaction, id="half of it written"),
    ],
)
async def test_a_processor_that_was_given_up_writes_nothing_twice(
    kafka: Kafka, tmp_path: Path, moment: Matches
) -> None:
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        with double_database() as (double, connection):
            double.server.sessions.idle = 2.0
            environment = {"LEOCDP_LOG_URL": logs.url, "LEOCDP_LOG_SESSION_TIMEOUT": "6"}
            with fleet(tmp_path, **environment, **store_environment(connection)) as processors:
                load = EventLoad(log)
                zombie = await asyncio.to_thread(processors.started)
                await load.portion()
                await until(lambda: zombie.applied == 20, 60, zombie.tail)

                stopped = double.fault(Fault("wait", moment))
                await load.broken()
                assert await asyncio.to_thread(stopped.reached, 60)
                zombie.send(signal.SIGSTOP)
                stopped.release()
                heir = processors.start()
                await load.portion()
                store = ArangoProfileStore(connection)
                await store.start()
                await worked_off(log, store, 90, heir.tail)
                await until(lambda: heir.metric(ITEMS) == 40, 60, heir.tail)
                mark = double.log.mark()
                zombie.send(signal.SIGCONT)

                await until(lambda: "partitions moved on" in zombie.log(), 60, zombie.tail)
                assert "another processor has moved the position" in zombie.log()
                assert [entry for entry in double.log.since(mark) if _has_written(entry)] == []
                await _share_the_work(load, zombie, heir)
                await worked_off(log, store, 90, processors.tail)
                await store.close()
                assert processors.failures() == []
            settings = store_settings(connection)
            counts = await reconcile_store(settings, load.acknowledged, load.users, dead_letters=load.dead_letters)
            assert counts.duplicates == 0


def _has_written(entry: Entry) -> bool:
    return entry.operation in ("document.insert", "document.replace") and entry.status in (200, 201, 202)


async def _share_the_work(load: EventLoad, *both: Processor) -> None:
    """It is let in again, and is as good as any other."""
    before = [one.applied for one in both]
    deadline = asyncio.get_running_loop().time() + 60
    while any(one.applied == count for one, count in zip(both, before, strict=True)):
        assert asyncio.get_running_loop().time() < deadline, "\n".join(one.tail() for one in both)
        await load.portion()
        await asyncio.sleep(0.2)
