"""Two processors on a Kafka and a store in ArangoDB: they take turns, answers get lost, nothing is applied twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from leocdp.adapters.engines import open_profile_reader
from leocdp.contracts.topics import EVENTS_ACCEPTED, TOPICS
from leocdp.domain.identity.identifiers import Identifier
from leocdp.kit.settings import ServiceSettings, StoreSettings
from leocdp.ports.event_log import EventLog
from leocdp.ports.profile_reader import ProfileReader
from leocdp_processor.environment import Environment
from leocdp_processor.settings import ProcessorSettings
from tests.contract.arango_backend import double_database
from tests.doubles.arangodb.faults import Fault, operation
from tests.faults.test_kafka_processors import Load, applied, until
from tests.kafka import Kafka, logs_at


class Portions(Load):
    """Portion by portion, because the stand-in is slower than what it stands for."""

    number = 0

    async def some(self, portions: int) -> None:
        for _ in range(portions):
            await self._log.append([self._record(self.number + step) for step in range(20)])
            self.number += 20


class ReaderSettings(ServiceSettings, StoreSettings):
    pass


@pytest.mark.timeout(300)
async def test_two_processors_share_a_store_while_answers_get_lost(kafka: Kafka, tmp_path: Path) -> None:
    async with logs_at(kafka.url()) as logs:
        log = await logs.open(TOPICS)
        with double_database() as (double, connection):
            url = f"arangodb://{connection.user}@{connection.hosts[0].removeprefix('http://')}/{connection.database}"
            password = SecretStr(connection.password)
            commits = operation("transaction.commit")
            faults = [
                double.fault(Fault("drop_after", commits, skip=5, every=6, times=8)),
                double.fault(Fault("drop_before", commits, skip=7, every=6, times=8)),
                double.fault(Fault("lose_transaction", commits, skip=9, every=12, times=4)),
            ]
            load = Portions(log)
            settings = ProcessorSettings(
                data_dir=tmp_path,
                log_url=logs.url,
                log_session_timeout=6,
                processor_batch_bytes=65_536,
                store_url=url,
                store_password=password,
            )
            await _two_processors(settings, log, load, faults)
            reader = open_profile_reader(ReaderSettings(store_url=url, store_password=password))
            await reader.start()
            await _everything_once(reader, load.sent)
            await reader.close()


async def _two_processors(settings: ProcessorSettings, log: EventLog, load: Portions, faults: list[Fault]) -> None:
    """The second comes, and the first leaves, while there is load; answers get lost meanwhile."""
    async with AsyncExitStack() as both:
        second, first = Environment(settings), Environment(settings)
        async with first.running():
            await load.some(40)
            await until(lambda: applied(first) > 100)
            await both.enter_async_context(second.running())
            # How long partitions take to be shared out anew is the broker's affair: there is load for as long.
            deadline = asyncio.get_running_loop().time() + 90
            while applied(second) <= 100 or not all(fault.hits for fault in faults):
                assert asyncio.get_running_loop().time() < deadline, "nothing for the second, or no answer lost"
                await load.some(2)
                await asyncio.sleep(0.1)
        await load.some(20)
        bounds = await log.bounds(EVENTS_ACCEPTED)
        ends = {(EVENTS_ACCEPTED, partition): bound.end for partition, bound in bounds.items() if bound.end}
        deadline = asyncio.get_running_loop().time() + 90
        while not ends.items() <= (await second.store.positions(log.log_id)).items():
            assert asyncio.get_running_loop().time() < deadline, "the backlog is not worked off"
            await asyncio.sleep(0.1)


async def _everything_once(reader: ProfileReader, sent: Counter[str]) -> None:
    counts = await reader.counts()
    # Positions alone keep it so: not even the message ids had to tell a duplicate.
    assert (counts.events, counts.duplicates, counts.dead_letters) == (sum(sent.values()), 0, 0)
    for user, count in sent.items():
        person = await reader.find(Identifier("user_id", user))
        assert person is not None
        assert person.folded.total == count
