"""A real observer in a process of its own, on a free port, with an embedded log in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.log_records import RejectedItem
from tests.ports import free_port
from tests.protocols import stored_items
from tests.protocols.sources import publish_sources
from tests.protocols.stored_items import Stored


@dataclass(slots=True)
class ObserverProcess:
    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            body: bytes = answer.read()
            return body

    async def stored(self) -> list[Stored]:
        return await self._read(stored_items.accepted)

    async def rejected(self) -> list[RejectedItem]:
        return await self._read(stored_items.rejected)

    async def stored_at_least(self, count: int, seconds: float = 20) -> list[Stored]:
        """What stands in the log, as soon as it is as many items; a moment later at the most, so extra ones show."""
        deadline = time.monotonic() + seconds
        while len(found := await self.stored()) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        return found

    async def _read(self, what):  # type: ignore[no-untyped-def]
        log = SQLiteEventLog(self.folder / "log.db")
        await log.start()
        try:
            return await what(log)
        finally:
            await log.close()


async def _prepare(folder: Path, publish: bool) -> None:
    log = SQLiteEventLog(folder / "log.db")
    await log.start()
    if publish:
        await publish_sources(log)
    await log.close()


@contextmanager
def observer_process(folder: Path, *, publish: bool = True, **settings: object) -> Iterator[ObserverProcess]:
    """A ready observer, which knows the sources unless they are to be published later. Not for use in a coroutine."""
    asyncio.run(_prepare(folder, publish))
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LEOCDP_")}
    environment |= {"LEOCDP_DATA_DIR": str(folder), "LEOCDP_OBSERVER_PORT": str(port), "LEOCDP_LOG_FORMAT": "json"}
    environment |= {f"LEOCDP_{name.upper()}": str(value) for name, value in settings.items()}
    with (folder / "observer.log").open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "leocdp_observer"], env=environment, stderr=output)
    observer = ObserverProcess(folder, port, process)
    try:
        wait_ready(observer)
        yield observer
    finally:
        if observer.alive:
            process.kill()
        process.wait(10)


def wait_ready(observer: ObserverProcess, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            observer.get("/readyz")
            return
        except (URLError, OSError) as error:
            if not observer.alive or time.monotonic() > deadline:
                log = (observer.folder / "observer.log").read_text(encoding="utf-8")
                raise AssertionError(f"the observer is not ready: {error}\n{log}") from error
            time.sleep(0.05)


def by_message_id(items: Sequence[Stored]) -> dict[str, Stored]:
    """Items by message id. Fails when one came twice."""
    found = {str(one.body["messageId"]): one for one in items}
    assert len(found) == len(items), "an item stands in the log twice"
    return found
