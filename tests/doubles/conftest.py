"""A double for each test, and the real driver on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from arango.client import ArangoClient
from arango.collection import StandardCollection
from arango.database import StandardDatabase
from arango.http import DefaultHTTPClient

from tests.doubles.arangodb.double import Double, running
from tests.doubles.evaluator import Evaluator

PASSWORD = "secret"
DATABASE = "shop"


@pytest.fixture
def double() -> Iterator[Double]:
    with running(password=PASSWORD) as made:
        yield made


@pytest.fixture
def connect(double: Double) -> Iterator[Callable[..., StandardDatabase]]:
    """``connect()``: a client of its own, which sends nothing twice."""
    clients: list[ArangoClient] = []

    def make(database: str = DATABASE, user: str = "root", password: str = PASSWORD) -> StandardDatabase:
        http = DefaultHTTPClient(request_timeout=30, retry_attempts=0)
        clients.append(ArangoClient(hosts=double.url, http_client=http, resolver_max_tries=1))
        return clients[-1].db(database, username=user, password=password)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def db(connect: Callable[..., StandardDatabase]) -> StandardDatabase:
    connect("_system").create_database(DATABASE)
    return connect()


@pytest.fixture
def people(db: StandardDatabase) -> StandardCollection:
    made = db.create_collection("people", shard_count=1)
    assert isinstance(made, StandardCollection)
    return made


@pytest.fixture
def evaluate() -> Callable[..., list[Any]]:
    """``evaluate(query, name=value)``: the results, without a server; collections are in ``evaluate.data``."""
    return Evaluator({})
