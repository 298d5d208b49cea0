"""A store that answers slowly: events pile up in the log, not in the processor, and observers do not notice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.contract.arango_backend import double_database
from tests.doubles.arangodb.faults import Fault, operation
from tests.faults.client import RetryingClient
from tests.faults.databases import store_environment, store_settings
from tests.faults.event_load import until
from tests.faults.processors import memory_of
from tests.faults.reconcile import lag, reconcile
from tests.faults.stack import WRITE_KEY, Stack, running_stack
from tests.kafka import Kafka, logs_at

PEOPLE = 20
EVENT_BYTES = 24_000
MEGABYTE = 1 << 20
BACKLOG = 200 * MEGABYTE
COMMIT_SECONDS = 4.0


@pytest.mark.timeout(300)
async def test_events_wait_in_the_log_while_the_store_is_slow(kafka: Kafka, tmp_path: Path) -> None:
    async with logs_at(kafka.url()) as logs:
        with double_database() as (double, connection):
            environment = {"LEOCDP_LOG_URL": logs.url, "LEOCDP_PROCESSOR_BATCH_BYTES": "1048576"}
            with running_stack(tmp_path, **environment, **store_environment(connection)) as stack:
                double.fault(Fault("wait", operation("transaction.commit"), times=None, seconds=COMMIT_SECONDS))
                client = RetryingClient(stack.observer, WRITE_KEY, seed=9, people=PEOPLE, padding=EVENT_BYTES)
                sending = asyncio.create_task(client.run())
                growth = await _growth_while_events_pile_up(stack, client)
                assert stack.ready("processor"), "slow is not broken"
                client.stop()
                sent = await asyncio.wait_for(sending, 60)

                assert (sent.unexpected, sent.retries) == ([], 0)
                took = sorted(sent.took)
                assert took[len(took) * 95 // 100] < COMMIT_SECONDS / 2, took[-20:]
                print(f"{len(sent.acknowledged)} events, slowest answer {took[-1]:.2f} s, {growth:.0f} MB more")
                # What is read ahead is bounded for each partition; the rest waits in the log.
                assert growth < 100

                double.faults.clear()
                await until(lambda: lag(stack) == 0, 90, lambda: f"lag {lag(stack)}\n{stack.tail()}")
            await reconcile(stack, sent, PEOPLE, store_settings(connection))


async def _growth_while_events_pile_up(stack: Stack, client: RetryingClient) -> float:
    """MB that the processor has taken when most of 200 MB wait for it."""
    pid = stack.pid("processor")
    assert pid is not None
    before = memory_of(pid)
    wanted = BACKLOG // EVENT_BYTES
    await until(lambda: len(client.sent.acknowledged) >= wanted, 90, lambda: f"{len(client.sent.acknowledged)} events")
    assert lag(stack) > 0
    return (memory_of(pid) - before) / MEGABYTE
