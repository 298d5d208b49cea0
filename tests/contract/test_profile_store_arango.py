"""The store in ArangoDB passes the contract: on the double always, on a server where there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.arango_backend import SERVERS, ArangoBackend, any_database
from tests.contract.profile_effects import ProfileStoreEffectsContract
from tests.contract.profile_erasure import ErasureEffectsContract, ErasureStoreContract
from tests.contract.profile_events import ProfileEventsContract
from tests.contract.profile_identity import IdentityOnStoreContract
from tests.contract.profile_lists import ProfileListsContract
from tests.contract.profile_members import SegmentMembersContract
from tests.contract.profile_reader import ProfileReaderContract
from tests.contract.profile_segments import ProfileSegmentsContract
from tests.contract.profile_store import ProfileStoreContract
from tests.contract.segment_questions import SegmentQuestionsContract


@pytest.fixture(params=SERVERS)
def backend(request: pytest.FixtureRequest) -> Iterator[ArangoBackend]:
    with any_database(request.param) as connection:
        yield ArangoBackend(connection)


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


class TestErasure(ErasureStoreContract):
    pass


class TestErasureEffects(ErasureEffectsContract):
    pass


class TestIdentity(IdentityOnStoreContract):
    pass


class TestQuestions(SegmentQuestionsContract):
    # The stand-in takes milliseconds for each person: the long run is `make fuzz-segments`.
    PEOPLE = 8
    CONDITIONS = 12
    WORLDS = 1
