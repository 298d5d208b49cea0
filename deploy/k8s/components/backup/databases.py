"""ArangoDB as a backup needs it: where it is, what is in it, and a file that its own tools take that from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arango.client import ArangoClient
from arango.exceptions import ArangoClientError, ArangoServerError

from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.engines import EngineUnknown, arango_connections
from leocdp.kit.settings import AdminStoreSettings, ServiceSettings, StoreSettings

LEDGERS = ("ledger", "admin_ledger")
"""Collections with the head of a store: every commit of the store changes it."""
SECONDS = 600
"""For one request; to empty a collection is the longest of them."""


class Failed(Exception):
    """The sentence is for the log."""


class Database:
    def __init__(self, where: Connection) -> None:
        self._where = where
        client = ArangoClient(list(where.hosts), request_timeout=SECONDS, verify_override=where.verify)
        self._driver = client.db(where.database, where.user, where.password)

    @property
    def name(self) -> str:
        return self._where.database

    def same_as(self, other: Database) -> bool:
        return (self._where.hosts, self.name) == (other._where.hosts, other.name)

    def collections(self) -> list[str]:
        with self._asked("its collections"):
            found: Any = self._driver.collections()
            return sorted(each["name"] for each in found if not each["system"])

    def count(self, collection: str) -> int:
        with self._asked(f"the number of {collection}"):
            found: Any = self._driver.collection(collection).count()
            return int(found)

    def properties(self, collection: str) -> Mapping[str, Any]:
        """As the driver calls them: ``shard_count``, ``shard_like``, ``replication_factor`` …"""
        with self._asked(f"the layout of {collection}"):
            found: Any = self._driver.collection(collection).properties()
            return dict(found)

    def empty(self, collection: str) -> None:
        with self._asked(f"to empty {collection}"):
            self._driver.collection(collection).truncate()

    def heads(self) -> dict[str, str]:
        """Ledger → revision of its head. Equal ones mean that nothing was committed in between."""
        there = self.collections()
        with self._asked("the heads of its ledgers"):
            found: dict[str, Any] = {
                each: self._driver.collection(each).get("head") for each in LEDGERS if each in there
            }
        if missing := [each for each, head in found.items() if head is None]:
            raise Failed(f"{self.name} has no head in {', '.join(missing)}")
        return {each: head["_rev"] for each, head in found.items()}

    def is_cluster(self) -> bool:
        with self._asked("its role"):
            return self._driver.cluster.server_role() == "COORDINATOR"

    def version(self) -> str:
        with self._asked("its version"):
            return str(self._driver.version())

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        """Raises Failed. Where there are several hosts, the driver goes on to the next when one does not answer."""
        try:
            yield
        except ArangoServerError as error:
            raise Failed(f"ArangoDB, asked for {what} of {self.name}, answers {error.http_code} {error}") from error
        except (ArangoClientError, OSError) as error:
            raise Failed(f"ArangoDB does not answer at {', '.join(self._where.hosts)}: {error}") from error

    def configure(self, file: Path) -> Path:
        """Writes what the tools need to log in: a command line would show the password to whoever lists processes."""
        ends = (host.replace("https://", "ssl://").replace("http://", "tcp://") for host in self._where.hosts)
        lines = ["[server]", *(f"endpoint = {end}" for end in ends), f"database = {self.name}"]
        lines += [f"username = {self._where.user}", f"password = {self._where.password}"]
        lines += ["authentication = true", "request-timeout = 1200"]
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file


class Settings(ServiceSettings, StoreSettings, AdminStoreSettings):
    """From the environment, as the services have them."""


def databases() -> dict[str, Database]:
    """``profiles``, and ``admin`` where that is another one, as the settings of the services name them."""
    try:
        profiles, admin = arango_connections(Settings())
    except EngineUnknown as error:
        raise Failed(str(error)) from error
    if profiles is None or admin is None:
        raise Failed("LEOCDP_STORE_URL and LEOCDP_ADMIN_URL have to be arangodb://user@host:8529/database")
    found = {"profiles": Database(profiles), "admin": Database(admin)}
    if found["admin"].same_as(found["profiles"]):
        del found["admin"]
    return found
