"""The embedded store passes the contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from leocdp.adapters.sqlite.profile_reader import SQLiteProfileReader
from leocdp.adapters.sqlite.profile_store import SQLiteProfileStore
from tests.contract.profile_effects import ProfileStoreEffectsContract
from tests.contract.profile_erasure import ErasureEffectsContract, ErasureStoreContract
from tests.contract.profile_events import ProfileEventsContract
from tests.contract.profile_lists import ProfileListsContract
from tests.contract.profile_members import SegmentMembersContract
from tests.contract.profile_reader import ProfileReaderContract
from tests.contract.profile_segments import ProfileSegmentsContract
from tests.contract.profile_store import ProfileStoreContract
from tests.contract.segment_questions import SegmentQuestionsContract


@dataclass(frozen=True)
class SQLiteBackend:
    path: Path

    def store(self) -> SQLiteProfileStore:
        return SQLiteProfileStore(self.path)

    def reader(self) -> SQLiteProfileReader:
        return SQLiteProfileReader(self.path)


@pytest.fixture
def backend(tmp_path: Path) -> SQLiteBackend:
    return SQLiteBackend(tmp_path / "profiles.db")


class TestStore(ProfileStoreContract):
    pass


class TestEffects(ProfileStoreEffectsContract):
    pass


class TestReader(ProfileReaderContract):
    pass


class TestLists(ProfileListsContract):
    pass


class TestEvents(ProfileEventsContract):
    pass


class TestSegments(ProfileSegmentsContract):
    pass


class TestMembers(SegmentMembersContract):
    pass


class TestQuestions(SegmentQuestionsContract):
    pass


class TestErasure(ErasureStoreContract):
    pass


class TestErasureEffects(ErasureEffectsContract):
    pass
