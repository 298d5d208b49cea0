"""The store in memory, which other tests stand on, passes the contract of the store."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from leocdp.ports.profile_store import ProfileStore
from tests.contract.profile_erasure import ErasureStoreContract
from tests.contract.profile_segments import ProfileSegmentsContract
from tests.contract.profile_store import ProfileStoreContract
from tests.fakes.memory_store import MemoryStore


@dataclass(frozen=True)
class MemoryBackend:
    held: MemoryStore = field(default_factory=MemoryStore)

    def store(self) -> ProfileStore:
        return self.held


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


class TestMemoryStore(ProfileStoreContract):
    pass


class TestSegments(ProfileSegmentsContract):
    pass


class TestErasure(ErasureStoreContract):
    pass
