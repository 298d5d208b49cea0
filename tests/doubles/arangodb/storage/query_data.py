"""A transaction's documents as AQL sees them, and the writes of AQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.doubles.arangodb.aql.values import truth
from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.storage.collections import Database
from tests.doubles.arangodb.storage.documents import Document, Documents, WriteOptions
from tests.doubles.arangodb.storage.transaction import Transaction

_MODES = ("conflict", "ignore", "replace", "update")


class QueryData:
    """Implements the query context's ``Data``."""

    def __init__(self, database: Database, transaction: Transaction) -> None:
        self._database = database
        self._transaction = transaction

    def is_collection(self, collection: str) -> bool:
        return collection in self._database.collections

    def documents(self, collection: str) -> Iterator[Document]:
        return self._transaction.rows(self._database.collection(collection).documents)

    def matching(self, collection: str, path: str, values: list[Any]) -> Iterator[Document]:
        return self._transaction.candidates(self._database.collection(collection).documents, path, values)

    def document(self, collection: str, key: str) -> Document | None:
        declared = self._transaction.declared
        if declared is not None and collection not in declared:
            raise Unknown(f"DOCUMENT() of {collection}, which the transaction did not declare")
        return self._in(collection).find(key)

    def has_index(self, collection: str, name: str) -> bool:
        return name == "primary" or self._database.collection(collection).index_called(name) is not None

    def modify(
        self, kind: str, collection: str, subject: Any, patch: Any, options: Mapping[str, Any]
    ) -> tuple[Document | None, Document | None]:
        documents = self._in(collection)
        chosen = _options(options)
        try:
            if kind == "insert":
                done = documents.insert(subject, chosen)
                return done.old, done.new
            key = _key(subject)
            if kind == "remove":
                revision = subject.get("_rev") if isinstance(subject, dict) else None
                done = documents.remove(key, revision, chosen)
            else:
                change = documents.update if kind == "update" else documents.replace
                done = change(key, _with_revision(patch, subject), chosen)
        except ArangoProblem as problem:
            raise _as_query_error(problem) from problem
        return done.old, done.new

    def _in(self, collection: str) -> Documents:
        return Documents(self._transaction, self._database.collection(collection))


def _options(given: Mapping[str, Any]) -> WriteOptions:
    mode = given.get("overwriteMode", "conflict")
    if mode not in _MODES:
        raise Unknown(f"overwriteMode {mode!r}")
    return WriteOptions(
        mode,
        keep_null=truth(given.get("keepNull", True)),
        merge_objects=truth(given.get("mergeObjects", True)),
        ignore_revs=truth(given.get("ignoreRevs", True)),
    )


def _key(subject: Any) -> str:
    """A key, or an object that has one; not an id. Raises 1221, 1226, 1227."""
    key = subject.get("_key") if isinstance(subject, dict) else subject
    if key is None:
        raise ArangoProblem(1226 if isinstance(subject, dict) else 1227)
    if not isinstance(key, str) or "/" in key:
        raise ArangoProblem(1221, str(key))
    return key


def _with_revision(patch: Any, subject: Any) -> Any:
    """``UPDATE {_key, _rev} WITH …``: the revision that is checked is the subject's."""
    if not isinstance(patch, dict) or not isinstance(subject, dict):
        return patch
    without = {name: value for name, value in patch.items() if name != "_rev"}
    return {**without, **{name: subject[name] for name in ("_rev",) if name in subject}}


def _as_query_error(problem: ArangoProblem) -> ArangoProblem:
    """A revision that does not match is a conflict with 409 in AQL, where the document API says 412."""
    return ArangoProblem(1200, "_rev values do not match") if problem.status == 412 else problem
