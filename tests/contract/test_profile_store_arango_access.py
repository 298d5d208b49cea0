"""Starting on ArangoDB: schemas, damage, rights, and hosts that do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from arango.client import ArangoClient

from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from leocdp.domain.decisions import Changes
from leocdp.ports.profile_store import SchemaTooNew, StoreCorrupt, StoreUnavailable
from tests.contract.arango_backend import double_database
from tests.contract.builders import T0, person, profile_id
from tests.contract.profile_backend import load, load_one, write


@pytest.fixture
def connection() -> Iterator[Connection]:
    with double_database() as (_, found):
        yield found


@pytest.fixture
async def store(connection: Connection) -> AsyncIterator[ArangoProfileStore]:
    store = ArangoProfileStore(connection)
    await store.start()
    yield store
    await store.close()


def change(where: Connection, collection: str, document: dict[str, Any]) -> None:
    """As somebody with other tools would."""
    client = ArangoClient(hosts=where.hosts[0])
    client.db(where.database, where.user, where.password).collection(collection).update(document, merge=False)
    client.close()


async def test_a_newer_schema_that_still_serves_us_is_left_alone_and_another_is_refused(
    connection: Connection, store: ArangoProfileStore
) -> None:
    await write(store, person(1))
    change(connection, "ledger", {"_key": "schema", "version": 9, "oldest": 1})
    reopened = ArangoProfileStore(connection)
    await reopened.start()
    assert (await load_one(reopened, profile_id(1))).revision == 1
    await reopened.close()
    change(connection, "ledger", {"_key": "schema", "version": 9, "oldest": 8})
    with pytest.raises(SchemaTooNew, match="version 9"):
        await ArangoProfileStore(connection).start()


async def test_a_document_of_another_form_is_damage(connection: Connection, store: ArangoProfileStore) -> None:
    await write(store, person(1))
    change(connection, "profiles", {"_key": profile_id(1), "state": {"total": "many"}})
    with pytest.raises(StoreCorrupt, match="unknown form"):
        await load(store, profile_id(1))


async def test_several_may_start_at_once_in_an_empty_database(connection: Connection) -> None:
    stores = [ArangoProfileStore(connection) for _ in range(4)]
    await asyncio.gather(*(one.start() for one in stores))
    assert sorted([await one.commit(Changes(), [], T0) for one in stores]) == [1, 2, 3, 4]
    await asyncio.gather(*(one.close() for one in stores))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"password": "no"}, "LEOCDP_STORE_PASSWORD"),
        ({"database": "nowhere"}, "LEOCDP_STORE_"),
        ({"user": "nobody"}, "LEOCDP_STORE_URL"),
    ],
)
async def test_what_does_not_let_us_in_is_said(connection: Connection, wrong: dict[str, str], sentence: str) -> None:
    with pytest.raises(StoreUnavailable, match=sentence) as refused:
        await ArangoProfileStore(replace(connection, **wrong)).start()  # type: ignore[arg-type]
    assert connection.password not in str(refused.value)


async def test_the_next_host_is_asked_when_one_does_not_answer(connection: Connection) -> None:
    store = ArangoProfileStore(replace(connection, hosts=("http://127.0.0.1:1", *connection.hosts)))
    await store.start()
    assert await store.commit(person(1), [], T0) == 1
    assert (await load_one(store, profile_id(1))).revision == 1
    await store.close()
