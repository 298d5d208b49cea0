"""The database is away for a while: the processor says so, leaves it alone, and goes on by itself.

``LEOCDP_TORTURE_SECONDS`` sets for how long (default 8; the long run is ``make torture`` with 60).
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from leocdp.adapters.arango.breaker import LIMIT
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from tests.contract.arango_backend import double_database
from tests.faults.databases import store_environment, store_settings
from tests.faults.event_load import EventLoad, until, worked_off
from tests.faults.processors import fleet
from tests.faults.reconcile import reconcile_store

SECONDS = float(os.environ.get("LEOCDP_TORTURE_SECONDS", "8"))
BODY = b'{"error":true,"errorNum":503,"code":503,"errorMessage":"the server is starting"}'
HEAD = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close"
STARTING = HEAD % len(BODY) + b"\r\n\r\n" + BODY


@dataclass
class Closed:
    """What stands in for a server that is away: counts who comes, and sends them away."""

    answer: bytes
    asked: int = 0

    def serve(self, door: socket.socket) -> None:
        while True:
            try:
                visitor, _ = door.accept()
            except OSError:
                return
            self.asked += 1
            visitor.settimeout(5)
            with visitor, suppress(OSError):
                if self.answer and visitor.recv(65_536):
                    visitor.sendall(self.answer)


@contextmanager
def closed(port: int, answer: bytes) -> Iterator[Closed]:
    found = Closed(answer)
    with socket.create_server(("127.0.0.1", port)) as door:
        serving = threading.Thread(target=found.serve, args=(door,), daemon=True)
        serving.start()
        try:
            yield found
        finally:
            door.shutdown(socket.SHUT_RDWR)
            serving.join(60)


@pytest.mark.timeout(300 + 4 * SECONDS)
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(b"", "cannot be reached, or the connection broke", id="nobody answers"),
        pytest.param(STARTING, "answers", id="it is starting"),
    ],
)
async def test_processing_goes_on_when_the_store_is_back(tmp_path: Path, answer: bytes, told: str) -> None:
    log = SQLiteEventLog(tmp_path / "log.db")
    await log.start()
    with double_database() as (double, connection), fleet(tmp_path, **store_environment(connection)) as processors:
        load = EventLoad(log)
        processor = await asyncio.to_thread(processors.started)
        await load.portion()
        await until(lambda: processor.applied == 20, 60, processor.tail)

        double.stop()
        with closed(double.port, answer) as door:
            began = time.monotonic()
            await load.portion()
            await until(lambda: processor.says(told), 60, processor.tail)
            while time.monotonic() < began + SECONDS:
                await load.portion()
                await asyncio.sleep(0.5)
            reasons = processor.reasons()
            print(f"{door.asked} tries, {reasons}")
            assert reasons
            assert "ArangoDB" in reasons[0]
            assert double.url in reasons[0], "where it is looked for"
            # Until it is known to be away, then less and less often.
            assert LIMIT <= door.asked <= 2 * LIMIT + int((time.monotonic() - began) / 2)
        double.start()

        await until(lambda: processor.reasons() == [], 60, processor.tail)
        store = ArangoProfileStore(connection)
        await store.start()
        await worked_off(log, store, 60, processor.tail)
        await store.close()
        assert processors.alive == [processor], "nobody had to restart it"
        assert processors.failures() == []
        counts = await reconcile_store(store_settings(connection), load.acknowledged, load.users)
        assert counts.duplicates == 0
    await log.close()
