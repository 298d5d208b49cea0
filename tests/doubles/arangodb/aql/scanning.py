"""Reading a collection in a FOR: all of it, or the documents with the keys that its FILTER asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.doubles.arangodb.aql.context import Context, Row, Value
from tests.doubles.arangodb.aql.values import truth
from tests.doubles.arangodb.errors import ArangoProblem


def scan(ctx: Context, row: Row, collection: str, hints: Mapping[str, Any], keys: Value | None) -> Iterator[Any]:
    """Documents in no order. ``keys`` narrows down; the FILTER itself is applied all the same."""
    if not ctx.data.is_collection(collection):
        raise ArangoProblem(1203, f"collection or view not found: {collection}")
    wanted = hints.get("indexHint")
    if truth(hints.get("forceIndexHint")) and not ctx.data.has_index(collection, str(wanted)):
        raise ArangoProblem(1577, str(wanted))
    found = ctx.data.documents(collection) if keys is None else _with_keys(ctx, collection, keys(ctx, row))
    for document in found:
        ctx.scanned += 1
        yield document


def _with_keys(ctx: Context, collection: str, asked: Any) -> Iterator[Any]:
    keys = list(
        dict.fromkeys(each for each in (asked if isinstance(asked, list) else [asked]) if isinstance(each, str))
    )
    ctx.random.shuffle(keys)
    documents = (ctx.data.document(collection, each) for each in keys)
    return (document for document in documents if document is not None)
