"""A session with one database, for one thread: the few calls of the driver that are used, with typed answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

from arango.client import ArangoClient
from arango.database import Database as Driver
from arango.database import StandardDatabase, TransactionDatabase

from leocdp.adapters.arango.breaker import Breaker
from leocdp.adapters.arango.connection import Connection
from leocdp.adapters.arango.failures import DRIVER_ERRORS, Failure, Kind, failure
from leocdp.adapters.arango.transport import Transport, from_json, to_json

Document = dict[str, Any]
Mode = Literal["conflict", "ignore", "replace"]
LOCK_SECONDS: Final = 10
"""How long a transaction waits for collections that somebody else has locked."""
PIECE: Final = 20_000
"""Rows of one answer, where there may be so many that they should not be held twice."""
_WHOLE: Final = 1_000_000
"""Rows of one answer: results come in one piece."""
CHUNK: Final = 10_000
"""Documents of one writing request, so that none grows without bound; below that, one request is enough."""


@contextmanager
def translated() -> Iterator[None]:
    """Raises Failure instead of what the driver raises."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise failure(error) from error


class Documents:
    """Reading and writing, outside or inside a transaction. Every method raises Failure."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def query(self, text: str, **binds: Any) -> list[Any]:
        """All rows of a query of this package."""
        with translated():
            cursor: Any = self._driver.aql.execute(text, bind_vars=binds, batch_size=_WHOLE)
            return list(cursor)

    def rows(self, text: str, **binds: Any) -> Iterator[Any]:
        """The same, a piece at a time; all of one moment. Each piece has to be asked for within half a minute."""
        with translated():
            cursor: Any = self._driver.aql.execute(text, bind_vars=binds, batch_size=PIECE)
        while True:
            with translated():
                row = next(cursor, None)
            if row is None:
                return
            yield row

    def first(self, text: str, **binds: Any) -> Any:
        """The first row, or None."""
        found = self.query(text, **binds)
        return found[0] if found else None

    def document(self, collection: str, key: str) -> Document | None:
        """``key`` is one that this package has made."""
        with translated():
            found: Any = self._driver.collection(collection).get(key)
            return found if found is None else dict(found)

    def insert(self, collection: str, documents: Sequence[Document], mode: Mode = "conflict") -> None:
        """Raises Failure EXISTS, in the mode *conflict*, for the first key that is there."""
        for chunk in _chunks(documents):
            with translated():
                _check(self._driver.collection(collection).insert_many(chunk, overwrite_mode=mode))

    def replace(self, collection: str, documents: Sequence[Document]) -> None:
        """Each with its ``_key`` and the ``_rev`` that it must have: Failure CONFLICT otherwise."""
        for chunk in _chunks(documents):
            with translated():
                _check(self._driver.collection(collection).replace_many(chunk, check_rev=True))

    def patch(self, collection: str, documents: Sequence[Document], *, check_rev: bool = True) -> None:
        """Set the given attributes, objects as a whole."""
        for chunk in _chunks(documents):
            with translated():
                updated = self._driver.collection(collection).update_many(chunk, check_rev=check_rev, merge=False)
                _check(updated)

    def patch_one(self, collection: str, document: Document) -> Document:
        """Set the given attributes of one document, whatever its revision; returns all of it as it is now."""
        with translated():
            updated: Any = self._driver.collection(collection).update(
                document, check_rev=False, merge=False, return_new=True
            )
            return dict(updated["new"])

    def remove(self, collection: str, keys: Sequence[str]) -> None:
        """Keys that are not there are none's loss."""
        for chunk in _chunks(keys):
            documents = [{"_key": key} for key in chunk]
            with translated():
                removed = self._driver.collection(collection).delete_many(documents, check_rev=False)
                _check(removed, ignored=Kind.MISSING)


class Transaction(Documents):
    """A transaction that was begun. Whoever has it ends it."""

    def __init__(self, driver: TransactionDatabase) -> None:
        super().__init__(driver)
        self._transaction = driver

    def commit(self) -> None:
        with translated():
            self._transaction.commit_transaction()

    def abort(self) -> None:
        with translated():
            self._transaction.abort_transaction()


class Database(Documents):
    """The database itself: begins transactions, makes collections and indexes."""

    def __init__(self, connection: Connection, breaker: Breaker, host: str) -> None:
        self._client = ArangoClient(
            hosts=host,
            # Once: a request that is sent again by itself could be carried out twice.
            resolver_max_tries=1,
            http_client=Transport(breaker, connection.answer_seconds, connection.verify),
            serializer=to_json,
            deserializer=from_json,
            verify_override=connection.verify,
        )
        self._standard: StandardDatabase = self._client.db(
            connection.database, connection.user, connection.password, auth_method="basic"
        )
        super().__init__(self._standard)

    def close(self) -> None:
        self._client.close()

    def begin(self, write: Sequence[str], *, sync: bool = False) -> Transaction:
        """All collections that are read or written. ``sync``: a commit waits for the disk."""
        with translated():
            begun = self._standard.begin_transaction(write=list(write), sync=sync, lock_timeout=LOCK_SECONDS)
        return Transaction(begun)

    def truncate(self, collection: str) -> None:
        with translated():
            self._standard.collection(collection).truncate()

    def create_collection(self, name: str, like: str | None) -> None:
        """One shard, beside that of ``like``. One that is there stays as it is."""
        try:
            with translated():
                self._standard.create_collection(name, shard_count=1, shard_like=like)
        except Failure as error:
            if error.kind is not Kind.EXISTS:
                raise

    def create_index(self, collection: str, definition: Mapping[str, Any]) -> None:
        """One of the same form that is there stays as it is."""
        with translated():
            self._standard.collection(collection).add_index(dict(definition))

    def create_database(self, name: str, copies: int) -> bool:
        """From ``_system``. ``copies`` of every document in a cluster, 0: as the server does it. False: it is there."""
        with translated():
            if self._standard.has_database(name):
                return False
        try:
            with translated():
                self._standard.create_database(name, replication_factor=copies or None)
        except Failure as error:
            if error.kind is not Kind.EXISTS:
                raise
            return False
        return True

    def set_user(self, name: str, password: str) -> bool:
        """From ``_system``: an active user with this password. False: the user was there."""
        with translated():
            if self._standard.has_user(name):
                self._standard.update_user(name, password, active=True)
                return False
            self._standard.create_user(name, password, active=True)
            return True

    def grant(self, user: str, database: str, level: Literal["rw", "ro"]) -> None:
        """From ``_system``: on the database and on all its collections that have no grant of their own."""
        with translated():
            self._standard.update_permission(user, level, database)
            self._standard.update_permission(user, level, database, collection="*")


def _chunks(items: Sequence[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(items), CHUNK):
        yield list(items[start : start + CHUNK])


def _check(results: Any, ignored: Kind | None = None) -> None:
    """Answers to several documents come as a list in which the refused ones are exceptions."""
    for result in results:
        if isinstance(result, BaseException):
            found = failure(result)
            if found.kind is not ignored:
                raise found from result
