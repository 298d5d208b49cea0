"""Operations on documents inside a transaction: keys, revisions, unique entries, merging.

A failing operation leaves nothing behind but its locks: everything is checked before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal

from tests.doubles.arangodb.errors import ArangoProblem
from tests.doubles.arangodb.storage.collections import Collection
from tests.doubles.arangodb.storage.transaction import Transaction
from tests.doubles.arangodb.storage.versions import ABSENT

OverwriteMode = Literal["conflict", "ignore", "replace", "update"]
Document = dict[str, Any]
_KEY: Final = re.compile(r"[A-Za-z0-9_\-.@()+,=;$!*'%:]{1,254}")
_SYSTEM: Final = frozenset({"_key", "_id", "_rev"})
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_revisions: Final = count(1)
_keys: Final = count(1)
SINGLE_WAIT: Final = 1.0
"""Seconds that an operation on one document waits for the lock of its key."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    overwrite_mode: OverwriteMode = "conflict"
    keep_null: bool = True
    merge_objects: bool = True
    ignore_revs: bool = True
    wait: float = 0.0
    """Seconds to wait for a lock: only operations on a single document, outside of transactions, do."""


@dataclass(frozen=True, slots=True)
class Written:
    key: str
    old: Document | None
    new: Document | None
    """None after a removal, and where ``overwriteMode: ignore`` has found the key."""


def _revision() -> str:
    """Opaque: no order can be read from it."""
    number = (next(_revisions) * 0x9E3779B97F4A7C15) % (1 << 48)
    return "_" + "".join(_ALPHABET[(number >> shift) & 63] for shift in range(0, 48, 6)) + "--"


@dataclass(frozen=True, slots=True)
class Documents:
    """One collection as a transaction sees and writes it."""

    transaction: Transaction
    collection: Collection
    touched: set[str] = field(default_factory=set)

    def find(self, key: str) -> Document | None:
        found = self.transaction.read(self.collection.documents, key)
        return None if found is ABSENT else found

    def get(self, key: str) -> Document:
        """Raises 1202."""
        found = self.find(key)
        if found is None:
            raise ArangoProblem(1202)
        return found

    def insert(self, given: Any, options: WriteOptions) -> Written:
        document = _object(given)
        key = self._new_key(document)
        self._lock(key, options)
        old = self.find(key)
        if old is None:
            return self._store(key, None, _content(document))
        if options.overwrite_mode == "ignore":
            return Written(key, old, None)
        if options.overwrite_mode == "replace":
            return self._store(key, old, _content(document))
        if options.overwrite_mode == "update":
            return self._store(key, old, patched(_content(old), _content(document), options))
        raise ArangoProblem(1210, f"in index primary of type primary over '_key'; conflicting key: {key}")

    def update(self, key: str, patch: Any, options: WriteOptions) -> Written:
        old = self._to_change(key, _object(patch).get("_rev"), options)
        return self._store(key, old, patched(_content(old), _content(patch), options))

    def replace(self, key: str, given: Any, options: WriteOptions) -> Written:
        old = self._to_change(key, _object(given).get("_rev"), options)
        return self._store(key, old, _content(given))

    def remove(self, key: str, revision: Any, options: WriteOptions) -> Written:
        old = self._to_change(key, revision, options)
        self._claim(old, {})
        self.transaction.write(self.collection.documents, key, ABSENT)
        return Written(key, old, None)

    def _lock(self, key: str, options: WriteOptions) -> None:
        self.transaction.lock(self.collection.documents, key, options.wait)

    def _to_change(self, key: str, revision: Any, options: WriteOptions) -> Document:
        """The document, locked. Raises 1202, and 1200 with status 412 for another revision than wanted."""
        self._lock(key, options)
        old = self.get(key)
        if not options.ignore_revs and isinstance(revision, str) and revision != old["_rev"]:
            raise stale(old)
        return old

    def _new_key(self, document: Document) -> str:
        if "_key" not in document:
            return str(90_000_000 + next(_keys))
        key = document["_key"]
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ArangoProblem(1221, str(key))
        return key

    def _store(self, key: str, old: Document | None, content: Document) -> Written:
        if self.collection.is_edge and not all(isinstance(content.get(each), str) for each in ("_from", "_to")):
            raise ArangoProblem(1233)
        new = {"_key": key, "_id": f"{self.collection.name}/{key}", "_rev": _revision(), **content}
        self._claim(old or {}, new)
        self.transaction.write(self.collection.documents, key, new)
        return Written(key, old, new)

    def _claim(self, old: Document, new: Document) -> None:
        """Moves the unique entries from one state of the document to the other. Raises 1210 for a taken one."""
        changes: list[tuple[Any, Hashable, Any]] = []
        for index in (each for each in self.collection.indexes if each.unique):
            before = index.values_of(old) if old else set()
            after = index.values_of(new) if new else set()
            for values in before ^ after:
                self.transaction.lock(index.entries, values)
                taken = self.transaction.read(index.entries, values)
                if values in after and taken is not ABSENT:
                    fields = ", ".join(index.fields)
                    raise ArangoProblem(1210, f"in index {index.name} of type {index.kind} over '{fields}'")
                changes.append((index.entries, values, new["_key"] if values in after else ABSENT))
        for entries, values, owner in changes:
            self.transaction.write(entries, values, owner)


def stale(old: Mapping[str, Any]) -> ArangoProblem:
    shown = {each: old[each] for each in ("_id", "_key", "_rev")}
    return ArangoProblem(1200, "_rev values do not match", status=412, extra=shown)


def _object(given: Any) -> Document:
    if not isinstance(given, dict):
        raise ArangoProblem(1227)
    return given


def _content(document: Mapping[str, Any]) -> Document:
    return {name: value for name, value in document.items() if name not in _SYSTEM}


def patched(base: Document, patch: Mapping[str, Any], options: WriteOptions) -> Document:
    """Objects are merged unless ``mergeObjects`` is off, arrays replaced, nulls dropped without ``keepNull``."""
    result = dict(base)
    for name, value in patch.items():
        if value is None and not options.keep_null:
            result.pop(name, None)
            continue
        old = result.get(name)
        if isinstance(value, dict):
            under = old if isinstance(old, dict) and options.merge_objects else {}
            result[name] = patched(under, value, options)
        else:
            result[name] = value
    return result
