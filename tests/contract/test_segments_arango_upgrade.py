"""A database that a program without segments has written, and that one has gone on writing to, is brought up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from arango.client import ArangoClient

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.failures import Failure
from leocdp.adapters.arango.migrations import migrate, stored_version
from leocdp.adapters.arango.profiles.schema import SCHEMA
from leocdp.adapters.arango.segments import shards
from leocdp.domain.decisions import Changes
from leocdp.domain.segments.audience import SHARDS
from tests.contract.arango_backend import PASSWORD, ArangoBackend, double_database
from tests.contract.builders import DAY, T0, merge, person, profile_id, state
from tests.contract.profile_backend import load, load_one, write
from tests.doubles.arangodb.double import Double
from tests.doubles.arangodb.faults import Fault, operation

EVERY = range(SHARDS)
NEW = ("shard", "sample", "generation", "due", "audience")


@pytest.fixture
def place() -> Iterator[tuple[Double, Connection]]:
    with double_database() as both:
        yield both


def documents(connection: Connection) -> dict[str, dict[str, Any]]:
    client = ArangoClient(hosts=connection.hosts[0])
    found = client.db(connection.database, connection.user, PASSWORD).collection("profiles").all()
    stored = {str(one["_key"]): dict(one) for one in found}  # type: ignore[union-attr]
    client.close()
    return stored


def make_old(connection: Connection) -> None:
    """As version 1 has left it: no attributes for segments, and the version says so."""
    client = ArangoClient(hosts=connection.hosts[0])
    database = client.db(connection.database, connection.user, PASSWORD)
    for one in documents(connection).values():
        kept = {name: value for name, value in one.items() if name not in NEW}
        database.collection("profiles").replace(kept, check_rev=False)
    database.collection("ledger").update({"_key": "schema", "version": 1})
    client.close()


def session(connection: Connection) -> Database:
    return Database(connection, Breaker(), connection.hosts[0])


async def filled(connection: Connection, count: int) -> None:
    """Some people; the last one is merged into the first."""
    store = ArangoBackend(connection).store()
    await store.start()
    await write(store, *(person(number, f"email:a{number}@x.vn") for number in range(count)))
    two = await load(store, profile_id(0), profile_id(count - 1))
    united = state("email:a0@x.vn", f"email:a{count - 1}@x.vn")
    await write(store, merge(two[profile_id(0)], two[profile_id(count - 1)], united))
    await store.close()


async def test_people_of_an_earlier_program_are_behind_and_nothing_else_of_them_changes(
    place: tuple[Double, Connection],
) -> None:
    connection = place[1]
    await filled(connection, 5)
    before = documents(connection)
    make_old(connection)
    store = ArangoBackend(connection).store()
    await store.start()
    after = documents(connection)
    people = {profile_id(number) for number in range(4)}
    assert set(await store.people_behind(EVERY, 1, 10)) == people
    assert {one: {**after[one], "_rev": ""} for one in after} == {one: {**before[one], "_rev": ""} for one in before}
    assert (await load_one(store, profile_id(1))).audience is None
    await store.close()


async def test_an_upgrade_that_was_cut_short_goes_on_where_it_was(
    place: tuple[Double, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    double, connection = place
    await filled(connection, 9)
    make_old(connection)
    monkeypatch.setattr(shards, "STEP", 3)
    database = session(connection)
    double.faults.add(Fault("drop_after", operation("document", collection="profiles")))
    with pytest.raises(Failure):
        migrate(database, SCHEMA)
    assert stored_version(database, SCHEMA) == 1
    done = [one for one, stored in documents(connection).items() if "shard" in stored]
    assert len(done) == 3
    migrate(database, SCHEMA)
    assert stored_version(database, SCHEMA) == SCHEMA.version == 2
    assert all(stored["shard"] is not None for stored in documents(connection).values())
    database.close()


async def test_what_an_earlier_program_still_writes_during_an_upgrade_is_found_when_tidying(
    place: tuple[Double, Connection],
) -> None:
    connection = place[1]
    await filled(connection, 3)
    store = ArangoBackend(connection).store()
    await store.start()
    make_old(connection)
    assert await store.people_behind(EVERY, 1, 10) == []
    await store.tidy(T0 + DAY)
    assert len(await store.people_behind(EVERY, 1, 10)) == 2
    await store.close()


async def test_merged_people_are_nobodys_work_and_come_back_with_an_unmerge(place: tuple[Double, Connection]) -> None:
    connection = place[1]
    await filled(connection, 2)
    store = ArangoBackend(connection).store()
    await store.start()
    assert documents(connection)[profile_id(1)]["shard"] == shards.MERGED
    found = await load(store, profile_id(0), profile_id(1))
    apart = [replace(found[profile_id(0)], person=None), replace(found[profile_id(1)], merged_into=None, root="")]
    await write(store, Changes(profiles=apart))
    assert set(await store.people_behind(EVERY, 1, 10)) == {profile_id(0), profile_id(1)}
    await store.close()
