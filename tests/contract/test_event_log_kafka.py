"""The distributed event log keeps the contract, on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from leocdp.contracts.topics import TOPICS
from leocdp.ports.event_log import EventLog
from tests.contract.event_log import EventLogContract
from tests.contract.event_log_harness import Harness
from tests.kafka import Kafka, Logs, logs_at


class KafkaHarness:
    def __init__(self, logs: Logs) -> None:
        self.url = logs.url
        self._logs = logs

    async def open(self) -> EventLog:
        return await self._logs.open(TOPICS)


class TestKafkaEventLog(EventLogContract):
    @pytest.fixture
    async def harness(self, kafka: Kafka) -> AsyncIterator[Harness]:
        async with logs_at(kafka.url()) as logs:
            yield KafkaHarness(logs)
