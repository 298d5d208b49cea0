"""Admin's store in ArangoDB passes the contract, and what is only true where several share it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from leocdp.adapters.arango.admin_store import ArangoAdminStore
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.transport import Transport
from leocdp.ports.admin_store import AdminStoreUnavailable, AlreadyExists
from tests.contract.admin_store import AdminStoreContract, actions, entry, key, user
from tests.contract.arango_backend import SERVERS, any_database, double_database
from tests.doubles.arangodb.faults import Fault, operation


@pytest.fixture(params=SERVERS)
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    with any_database(request.param) as found:
        yield found


@pytest.fixture
async def store(connection: Connection) -> AsyncIterator[ArangoAdminStore]:
    opened = ArangoAdminStore(connection)
    await opened.start()
    yield opened
    await opened.close()


class TestArangoAdminStore(AdminStoreContract):
    async def test_two_services_share_it(self, store: ArangoAdminStore, connection: Connection) -> None:
        other = ArangoAdminStore(connection)
        await other.start()
        await other.add_user(user())
        assert await store.user("usr_1") == user()
        await other.close()

    async def test_of_two_services_one_gets_the_address(self, store: ArangoAdminStore, connection: Connection) -> None:
        other = ArangoAdminStore(connection)
        await other.start()
        calls = [
            one.add_user(user(number, email="same@example.vn"), audit=[entry("user.create", f"usr_{number}")])
            for number, one in enumerate((store, other), 1)
        ]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results if result] == [AlreadyExists]
        assert len(await store.users()) == 1
        assert await actions(store) == ["user.create"]
        await other.close()


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
async def test_a_change_whose_answer_is_lost_is_made_once(kind: str) -> None:
    with double_database() as (double, connection):
        store = ArangoAdminStore(connection)
        await store.start()
        fault = double.fault(Fault(kind, operation("transaction.commit")))  # type: ignore[arg-type]
        await store.add_key(key("a"), audit=[entry("key.create", "a")])
        assert fault.hits == 1
        assert [found.id for found in await store.keys()] == ["a"]
        assert await actions(store) == ["key.create"]
        await store.close()


async def test_a_commit_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """People, keys and configuration are nothing that a log could bring back."""
    begun: list[str] = []
    send = Transport.send_request

    def noting(self: Transport, session: Any, method: str, url: str, **rest: Any) -> Any:
        if url.endswith("/_api/transaction/begin"):
            begun.append(rest["data"])
        return send(self, session, method, url, **rest)

    monkeypatch.setattr(Transport, "send_request", noting)
    with double_database() as (_, connection):
        store = ArangoAdminStore(connection)
        await store.start()
        await store.add_user(user())
        await store.close()
    assert [json.loads(body)["waitForSync"] for body in begun] == [True]


async def test_a_store_that_is_away_is_unavailable_and_comes_back() -> None:
    with double_database() as (double, connection):
        store = ArangoAdminStore(connection)
        await store.start()
        double.stop()
        with pytest.raises(AdminStoreUnavailable):
            await store.users()
        with pytest.raises(AdminStoreUnavailable):
            await store.add_user(user())
        double.start()
        deadline = asyncio.get_running_loop().time() + 30
        while True:
            try:
                assert await store.users() == []
                break
            except AdminStoreUnavailable:
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.05)
        await store.add_user(user())
        await store.close()
