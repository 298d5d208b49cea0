"""Collections and databases: what exists, apart from what is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from tests.doubles.arangodb.errors import ArangoProblem
from tests.doubles.arangodb.storage.indexes import Index
from tests.doubles.arangodb.storage.versions import Versions

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,255}")
_numbers: Final = count(10_001)


def next_id() -> int:
    """Ids of things, unlike each other on all servers of a process."""
    return next(_numbers)


@dataclass(eq=False, slots=True)
class Collection:
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: int = field(default_factory=next_id)
    documents: Versions = field(default_factory=Versions)
    indexes: list[Index] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ArangoProblem(1208, self.name)

    @property
    def waits_for_sync(self) -> bool:
        return bool(self.properties.get("waitForSync"))

    @property
    def is_edge(self) -> bool:
        return self.properties.get("type") == 3

    def all_indexes(self) -> list[dict[str, Any]]:
        primary = {"id": "0", "type": "primary", "name": "primary", "fields": ["_key"], "unique": True, "sparse": False}
        shown = [primary, *(each.body() for each in self.indexes)]
        return [{**each, "id": f"{self.name}/{each['id']}"} for each in shown]

    def index_called(self, name: str) -> Index | None:
        """By name or id."""
        return next((each for each in self.indexes if name in (each.name, each.id)), None)


@dataclass(slots=True)
class Database:
    name: str
    collections: dict[str, Collection] = field(default_factory=dict)

    def collection(self, name: str) -> Collection:
        found = self.collections.get(name)
        if found is None:
            raise ArangoProblem(1203, name)
        return found
