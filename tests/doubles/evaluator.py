"""Queries on documents in memory, without a server and without a transaction: for tests of AQL itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.arangodb.aql.context import Context, Data
from tests.doubles.arangodb.aql.query import prepare, run


@dataclass(slots=True)
class Evaluator:
    data: dict[str, list[dict[str, Any]]]
    warnings: list[tuple[int, str]] = field(default_factory=list)
    """Of the last query."""

    def __call__(self, query: str, /, *, bind: Mapping[str, Any] | None = None, **more: Any) -> list[Any]:
        bind_vars = {**(bind or {}), **more}
        prepare(query, bind_vars)
        context = Context(self, bind_vars, lambda: 1_700_000_000_123)
        results = run(query, context)
        self.warnings = context.warnings
        return results

    def is_collection(self, collection: str) -> bool:
        return collection in self.data

    def documents(self, collection: str) -> Iterator[dict[str, Any]]:
        return iter(self.data[collection])

    def matching(self, collection: str, path: str, values: list[Any]) -> Iterator[dict[str, Any]]:
        return self.documents(collection)

    def document(self, collection: str, key: str) -> dict[str, Any] | None:
        return next((each for each in self.data[collection] if each["_key"] == key), None)

    def has_index(self, collection: str, name: str) -> bool:
        return name == "primary"

    def modify(self, kind: str, collection: str, subject: Any, patch: Any, options: Mapping[str, Any]) -> Any:
        raise AssertionError("queries of these tests only read")


def evaluate_on(data: Data, query: str, /, **bind_vars: Any) -> list[Any]:
    """Results of a query, and no warnings."""
    prepare(query, bind_vars)
    return run(query, Context(data, bind_vars, lambda: 0))
