"""Reading a collection in a FOR: all of it, or what the equalities of its FILTER leave over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.doubles.arangodb.aql.context import Context, Row, Value
from tests.doubles.arangodb.aql.values import truth
from tests.doubles.arangodb.errors import ArangoProblem


@dataclass(frozen=True, slots=True)
class Sieve:
    """An equality in the FILTER behind the loop, which narrows down what has to be looked at."""

    path: str
    value: Value
    several: bool
    """The value is an array of values."""


def scan(ctx: Context, row: Row, collection: str, hints: Mapping[str, Any], sieve: Sieve | None) -> Iterator[Any]:
    """Documents in no order. The FILTER itself is applied all the same."""
    if not ctx.data.is_collection(collection):
        raise ArangoProblem(1203, f"collection or view not found: {collection}")
    wanted = hints.get("indexHint")
    if truth(hints.get("forceIndexHint")) and not ctx.data.has_index(collection, str(wanted)):
        raise ArangoProblem(1577, str(wanted))
    found = ctx.data.documents(collection) if sieve is None else _sifted(ctx, row, collection, sieve)
    for document in found:
        ctx.scanned += 1
        yield document


def _sifted(ctx: Context, row: Row, collection: str, sieve: Sieve) -> Iterator[Any]:
    value = sieve.value(ctx, row)
    if not sieve.several:
        return ctx.data.matching(collection, sieve.path, [value])
    return ctx.data.matching(collection, sieve.path, value if isinstance(value, list) else [])
