"""The distributed event log keeps the contract, on a real Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from leocdp.adapters.kafka.connection import Connection, parse_url
from leocdp.adapters.kafka.event_log import KafkaEventLog
from leocdp.ports.event_log import EventLog
from tests.contract.event_log import EventLogContract
from tests.contract.event_log_harness import Harness
from tests.kafka import Kafka, delete_topics


class KafkaHarness:
    def __init__(self, url: str) -> None:
        self.url = url
        self.opened: list[KafkaEventLog] = []

    async def open(self) -> EventLog:
        _, servers, namespace = parse_url(self.url)
        log = KafkaEventLog(Connection(servers, namespace))
        await log.start()
        self.opened.append(log)
        return log


class TestKafkaEventLog(EventLogContract):
    @pytest.fixture
    async def harness(self, kafka: Kafka) -> AsyncIterator[Harness]:
        harness = KafkaHarness(kafka.namespace_url())
        yield harness
        for log in harness.opened:
            await log.close()
        await delete_topics(harness.url)
