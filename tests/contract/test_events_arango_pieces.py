"""The events of somebody who has very many are fetched a piece at a time, and are of one moment all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from leocdp.adapters.arango import database
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.ports.profile_store import StoreUnavailable
from tests.contract.arango_backend import double_database
from tests.contract.builders import T0, applied, event, person, profile_id, together
from tests.doubles.arangodb.double import Double
from tests.doubles.arangodb.faults import Fault, operation

EVENTS = 25
WHO = profile_id(1)


@pytest.fixture
async def place(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Double, ArangoProfileStore]]:
    monkeypatch.setattr(database, "PIECE", 10)
    with double_database() as (double, connection):
        store = ArangoProfileStore(connection)
        await store.start()
        events = [event(f"m-{number:02}", T0 + number) for number in range(EVENTS)]
        await store.commit(together(person(1), applied(WHO, *events)), [], T0)
        yield double, store
        await store.close()


async def read(store: ArangoProfileStore) -> list[str]:
    found = await store.person_events({WHO: [WHO]}, names={"Product Viewed"}, types=set())
    return [one.message_id for one in found[WHO]]


async def test_all_of_them_come(place: tuple[Double, ArangoProfileStore]) -> None:
    double, store = place
    begun = double.log.mark()
    assert await read(store) == [f"m-{number:02}" for number in range(EVENTS)]
    assert [entry.operation for entry in double.log.since(begun)] == ["cursor.create", "cursor.next", "cursor.next"]


async def test_where_the_rest_is_gone_nothing_is_left_out(place: tuple[Double, ArangoProfileStore]) -> None:
    double, store = place
    double.fault(Fault("answer_before", operation("cursor.next"), status=404, number=1600))
    with pytest.raises(StoreUnavailable):
        await read(store)
    assert len(await read(store)) == EVENTS


async def test_a_server_that_does_not_answer_is_asked_again_from_the_beginning(
    place: tuple[Double, ArangoProfileStore],
) -> None:
    double, store = place
    double.fault(Fault("drop_after", operation("cursor.next"), skip=1))
    assert len(await read(store)) == EVENTS
