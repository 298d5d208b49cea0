"""The embedded event log keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.ports.event_log import EventLog
from tests.contract.event_log import EventLogContract
from tests.contract.event_log_harness import Harness


class SQLiteHarness:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "log.db"
        self.url = f"sqlite:///{self.path}"
        self.opened: list[SQLiteEventLog] = []

    async def open(self) -> EventLog:
        log = SQLiteEventLog(self.path)
        await log.start()
        self.opened.append(log)
        return log


class TestSQLiteEventLog(EventLogContract):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[Harness]:
        harness = SQLiteHarness(tmp_path)
        yield harness
        for log in harness.opened:
            await log.close()
