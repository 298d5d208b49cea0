"""ArangoDB databases for tests: of the double in memory, and of a server that ``LEOCDP_TEST_ARANGO`` names.

``LEOCDP_TEST_ARANGO=http://user:password@host:port`` is a user that may create databases and users.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from arango.client import ArangoClient
from arango.database import StandardDatabase

from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.profile_reader import ArangoProfileReader
from leocdp.adapters.arango.profile_store import ArangoProfileStore
from tests.doubles.arangodb.double import Double, running

SERVERS = ("double", pytest.param("server", marks=pytest.mark.needs("arango")))
"""Parameters of a fixture: every test once with the double, and once with a real server where there is one."""
USER, PASSWORD = "leo", "secret"


@contextmanager
def double_database() -> Iterator[tuple[Double, Connection]]:
    """A database of its own in a double of its own."""
    with running(password="root") as double, database(double.url, "root", "root", drop=False) as connection:
        yield double, connection


@contextmanager
def server_database() -> Iterator[Connection]:
    url = urlsplit(os.environ["LEOCDP_TEST_ARANGO"])
    host = f"{url.scheme}://{url.hostname}:{url.port or 8529}"
    with database(host, url.username or "root", url.password or "", drop=True) as connection:
        yield connection


@contextmanager
def database(url: str, user: str, password: str, *, drop: bool) -> Iterator[Connection]:
    """A new database with a user who can do no more than write to it."""
    client = ArangoClient(hosts=url)
    system: StandardDatabase = client.db("_system", user, password)
    name = f"test_{uuid4().hex[:12]}"
    own_user = f"{USER}_{name}"
    try:
        system.create_database(name)
        system.create_user(own_user, PASSWORD, active=True)
        system.update_permission(own_user, "rw", name)
        yield Connection((url,), name, own_user, PASSWORD)
        if drop:
            system.delete_database(name)
            system.delete_user(own_user)
    finally:
        client.close()


@contextmanager
def any_database(server: str) -> Iterator[Connection]:
    """``server``: one of ``SERVERS``."""
    if server == "server":
        with server_database() as connection:
            yield connection
    else:
        with double_database() as (_, connection):
            yield connection


@dataclass(frozen=True)
class ArangoBackend:
    connection: Connection

    def store(self) -> ArangoProfileStore:
        return ArangoProfileStore(self.connection)

    def reader(self) -> ArangoProfileReader:
        return ArangoProfileReader(self.connection)

    def at(self, url: str) -> ArangoBackend:
        return ArangoBackend(replace(self.connection, hosts=(url,)))
