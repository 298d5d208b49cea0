"""Segments on each profile store there is: in memory, embedded, and ArangoDB's double."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from leocdp.ports.profile_store import ProfileStore
from tests.contract.arango_backend import double_database
from tests.fakes.memory_store import MemoryStore
from tests.fakes.timeline import Timeline

STORES = ("memory", "sqlite", "arango")


@pytest.fixture(params=STORES)
async def timeline(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Timeline]:
    with ExitStack() as stack:
        store: ProfileStore
        if request.param == "memory":
            store = MemoryStore()
        elif request.param == "sqlite":
            store = SQLiteProfileStore(tmp_path / "profiles.db")
        else:
            _, connection = stack.enter_context(double_database())
            store = ArangoProfileStore(connection)
        await store.start()
        try:
            yield Timeline(store)
        finally:
            await store.close()
