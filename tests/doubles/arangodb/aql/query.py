"""A query from its text to its results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lark import Tree

from tests.doubles.arangodb.aql.context import Context, Scope, Value
from tests.doubles.arangodb.aql.facts import broken_order, collections, facts
from tests.doubles.arangodb.aql.statements import Compiler
from tests.doubles.arangodb.aql.syntax import parse
from tests.doubles.arangodb.errors import ArangoProblem, Unknown


@lru_cache(maxsize=1_024)
def compiled(text: str) -> Value:
    """Raises 1501 and the like for what no server would run, Unknown for what this one does not."""
    tree = parse(text)
    if len(tree.children) != 1:
        raise Unknown("WITH")
    query = tree.children[0]
    assert isinstance(query, Tree)
    return Compiler().query(query, Scope())


def prepare(text: str, bind_vars: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """All that is checked before a query runs. Returns the collections that it reads and those that it writes."""
    known = facts(text)
    for missing in sorted(known.binds - bind_vars.keys()):
        raise ArangoProblem(1551, f"'{missing}'")
    for spare in sorted(bind_vars.keys() - known.binds):
        raise ArangoProblem(1552, f"'{spare}'")
    for each in known.binds:
        if each.startswith("@") and not isinstance(bind_vars[each], str):
            raise ArangoProblem(1553, f"'{each}'")
    compiled(text)
    if (broken := broken_order(text, bind_vars)) is not None:
        raise ArangoProblem(1573 if known.nested_write else 1579, broken)
    return collections(text, bind_vars)


def run(text: str, ctx: Context) -> list[Any]:
    """Results, of a query that was prepared. Writes stay where an error comes later: the transaction decides."""
    found: list[Any] = compiled(text)(ctx, {})
    return found
