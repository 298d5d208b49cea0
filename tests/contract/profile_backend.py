"""What a profile store adapter has to give to the contract suites, and the fixtures that all of them use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import pytest

from leocdp.domain.decisions import Changes, LoadRequest, Snapshot
from leocdp.domain.profiles.state import Profile
from leocdp.ports.profile_reader import ProfileReader
from leocdp.ports.profile_store import PositionMove, ProfileStore
from tests.contract.builders import T0


class Backend(Protocol):
    """One store's data. Each call gives another handle on it, not started."""

    def store(self) -> ProfileStore: ...

    def reader(self) -> ProfileReader: ...


class ProfileContract:
    """Base of the suites. A subclass has a fixture ``backend`` of an empty store, with the default bounds."""

    @pytest.fixture
    async def store(self, backend: Backend) -> AsyncIterator[ProfileStore]:
        store = backend.store()
        await store.start()
        yield store
        await store.close()

    @pytest.fixture
    async def reader(self, backend: Backend, store: ProfileStore) -> AsyncIterator[ProfileReader]:
        reader = backend.reader()
        await reader.start()
        yield reader
        await reader.close()


async def write(store: ProfileStore, *changes: Changes, positions: Sequence[PositionMove] = (), now: int = T0) -> None:
    """Commit after commit."""
    for one in changes:
        await store.commit(one, positions, now)


async def load(store: ProfileStore, *ids: str) -> dict[str, Profile]:
    return (await store.load(LoadRequest(profile_ids=frozenset(ids)))).profiles


async def load_one(store: ProfileStore, profile_id: str) -> Profile:
    return (await load(store, profile_id))[profile_id]


async def look_up(store: ProfileStore, *keys: str) -> Snapshot:
    return await store.load(LoadRequest(identifiers=frozenset(keys)))
