"""Indexes: definitions, and which entries a document has in a unique one.

Persistent: a non-sparse unique index takes null (or missing) as a value like any other, so it allows one document
without the attribute; a sparse one leaves out documents in which any indexed attribute is null. With ``a[*]`` every
element of the array is an entry (once per document); arrays that are empty or missing have none.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

from tests.doubles.arangodb.aql.values import canonical
from tests.doubles.arangodb.errors import ArangoProblem, Unknown
from tests.doubles.arangodb.storage.paths import column
from tests.doubles.arangodb.storage.versions import Versions

_COMMON: Final = frozenset({"type", "fields", "name", "inBackground"})
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "persistent": _COMMON | {"unique", "sparse", "deduplicate", "estimates", "storedValues", "cacheEnabled"},
    "ttl": _COMMON | {"expireAfter"},
}


@dataclass(slots=True)
class Index:
    id: str
    kind: str
    name: str
    fields: tuple[str, ...]
    unique: bool = False
    sparse: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    """What it was created with besides: stored values, expiry and the like."""
    entries: Versions = field(default_factory=Versions)
    """Of a unique index: values → key of the document."""

    def body(self) -> dict[str, Any]:
        shown = {"id": self.id, "type": self.kind, "name": self.name, "fields": list(self.fields)}
        return {**self.details, **shown, "unique": self.unique, "sparse": self.sparse}

    def same_as(self, other: Index) -> bool:
        mine = (self.kind, self.fields, self.unique, self.sparse, self.details)
        return mine == (other.kind, other.fields, other.unique, other.sparse, other.details)

    def values_of(self, document: Mapping[str, Any]) -> set[Hashable]:
        """Entries of a document, as hashable values."""
        columns = [list(column(document, path)) for path in self.fields]
        rows = product(*columns)
        found = {tuple(canonical(each) for each in row) for row in rows if not (self.sparse and None in row)}
        return set(found)


def define(wanted: Mapping[str, Any], number: int) -> Index:
    """An index as a request describes it. Raises Unknown for a type or attribute that the double does not have."""
    kind = str(wanted.get("type"))
    if kind not in KNOWN:
        raise Unknown(f"indexes of type {kind!r}")
    spare = sorted(wanted.keys() - KNOWN[kind])
    if spare:
        raise Unknown(f"{', '.join(spare)} in an index of type {kind}")
    fields = tuple(wanted.get("fields") or ())
    if not fields or not all(isinstance(each, str) and each for each in fields) or len(set(fields)) != len(fields):
        raise ArangoProblem(10, "fields must be an array of different attribute names")
    if wanted.get("deduplicate") is False:
        raise Unknown("indexes that do not fold equal elements of an array")
    details = {each: wanted[each] for each in ("storedValues", "expireAfter", "deduplicate") if each in wanted}
    if kind == "ttl" and (len(fields) != 1 or not isinstance(details.get("expireAfter"), int | float)):
        raise ArangoProblem(10, "a ttl index wants one field and expireAfter")
    _check_stored(details.get("storedValues", ()), fields)
    name = str(wanted.get("name") or f"idx_{number}")
    sparse = bool(wanted.get("sparse")) or kind == "ttl"
    return Index(str(number), kind, name, fields, bool(wanted.get("unique")), sparse, details)


def _check_stored(stored: Any, fields: tuple[str, ...]) -> None:
    if len(stored) > 32 or set(stored) & set(fields):
        raise ArangoProblem(10, "storedValues: at most 32, and none that is among the fields")
