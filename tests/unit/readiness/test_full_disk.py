"""A store that cannot grow: processor and admin are not ready, say why, and go on when there is room again.

SQLite is told to keep to the pages that it has, which it reports like a full disk. The observer's disk is filled in
``tests/faults/test_disk_full.py``.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from leocdp.adapters import doubt
from leocdp.ports.admin_store import AdminStoreUnavailable, AuditEntry
from leocdp_admin.environment import Environment
from leocdp_admin.settings import AdminSettings
from tests.unit.admin.stack import SECRET
from tests.unit.processor.driving import running, track

DEADLINE = 60.0


async def told(ready: Callable[[], Awaitable[Sequence[str]]], words: str) -> None:
    """Poll until a reason holds these words; empty words: until it is ready."""
    deadline = time.monotonic() + DEADLINE
    while not (any(words in one for one in await ready()) if words else not await ready()):
        assert time.monotonic() < deadline, (words, await ready())
        await asyncio.sleep(0.02)


def full(connection: sqlite3.Connection) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")


def roomy(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 1000000")


async def test_a_processor_says_that_the_disk_of_its_profiles_is_full_and_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as processor:
        await told(processor.environment.ready, "")
        store: Any = processor.environment.store
        await store._run(lambda: full(store._open_connection()))
        await processor.send(*(track(f"m{n}", userId=f"u{n}", properties={"text": "x" * 500}) for n in range(300)))
        await told(processor.environment.ready, "cannot grow: the disk is full. Free some space")
        await store._run(lambda: roomy(store._open_connection()))
        await processor.counted(lambda counts: counts.events == 300)
        await told(processor.environment.ready, "")


async def test_admin_says_that_its_disk_is_full_although_it_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doubt, "SECONDS", 600.0)
    environment = Environment(AdminSettings(data_dir=tmp_path, gateway_secret=SecretStr(SECRET)))
    async with environment.running():
        await told(environment.ready, "")
        store: Any = environment.store
        await store._file._writer.run(full)
        with pytest.raises(AdminStoreUnavailable, match="its disk is full"):
            await fill(environment)
        await told(environment.ready, "admin store: The admin store")
        await store._file._writer.run(roomy)
        await fill(environment)
        await told(environment.ready, "")


async def fill(environment: Environment) -> None:
    entry = AuditEntry(at=1, actor="cli", actor_name="cli", action="test.fill", details={"text": "x" * 20_000})
    await environment.store.record([entry])
