"""What ttl indexes do: documents whose time plus ``expireAfter`` has passed are removed, some while later.

The attribute holds seconds (a number) or an ISO 8601 string; documents with anything else never expire.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.doubles.arangodb.errors import ArangoProblem
from tests.doubles.arangodb.storage.collections import Collection, Database
from tests.doubles.arangodb.storage.documents import Document, Documents, WriteOptions
from tests.doubles.arangodb.storage.indexes import Index
from tests.doubles.arangodb.storage.paths import at_path
from tests.doubles.arangodb.storage.transaction import Engine


def expire(engine: Engine, databases: Iterable[Database], now: float) -> int:
    """One round over all collections, at ``now`` in seconds UTC. Returns how many documents went."""
    collections = [each for database in databases for each in database.collections.values()]
    return sum(
        _round(engine, collection, index, now)
        for collection in collections
        for index in collection.indexes
        if index.kind == "ttl"
    )


def _round(engine: Engine, collection: Collection, index: Index, now: float) -> int:
    transaction = engine.begin()
    documents = Documents(transaction, collection)
    limit = now - index.details["expireAfter"]
    gone = [each for each in transaction.rows(collection.documents) if _is_older(each, index, limit)]
    removed = sum(_remove(documents, each) for each in gone)
    engine.commit(transaction)
    return removed


def _remove(documents: Documents, document: Document) -> int:
    """A document that a transaction holds is left for the next round."""
    try:
        documents.remove(document["_key"], None, WriteOptions())
    except ArangoProblem:
        return 0
    return 1


def _is_older(document: Document, index: Index, limit: float) -> bool:
    value: Any = at_path(document, index.fields[0])
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return False
        value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return isinstance(value, int | float) and not isinstance(value, bool) and value <= limit
