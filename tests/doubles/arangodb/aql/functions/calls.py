"""A call in a query: the function is looked up and its arguments counted when the query is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.context import Context, Row, Scope, Value
from tests.doubles.arangodb.aql.facts import function_name
from tests.doubles.arangodb.aql.functions import arrays, checks, dates, numbers, objects, strings
from tests.doubles.arangodb.aql.functions.registry import TABLE
from tests.doubles.arangodb.aql.syntax import FUNCTIONS, Node, name
from tests.doubles.arangodb.errors import ArangoProblem, Unknown

Compile = Callable[[Node, Scope], Value]
LOADED: Final = (arrays, checks, dates, numbers, objects, strings)
"""Modules that fill the table."""
_COUNTING: Final = frozenset({"LENGTH", "COUNT", "COLLECTION_COUNT"})


def call(node: Tree[Token], scope: Scope, compile_: Compile) -> Value:
    called = function_name(node)
    arguments = node.children[called.count("::") + 1 :]
    if called in _COUNTING and len(arguments) == 1 and (counted := _collection(arguments[0], scope)):
        return lambda ctx, row: _count(counted(ctx), ctx)
    if called == "DOCUMENT":
        return _document([compile_(each, scope) for each in arguments])
    _known(called, len(arguments))
    body = TABLE[called].body
    compiled = [compile_(each, scope) for each in arguments]
    return lambda ctx, row: body(ctx, *[each(ctx, row) for each in compiled])


def _known(called: str, given: int) -> None:
    if called not in FUNCTIONS:
        raise ArangoProblem(1540, f"{called}()")
    if called not in TABLE:
        raise Unknown(f"AQL's function {called}()")
    if not TABLE[called].fewest <= given <= TABLE[called].most:
        raise ArangoProblem(1541, f"{called}()")


def _collection(node: Node, scope: Scope) -> Callable[[Context], str] | None:
    """The collection that an argument names, if it names one."""
    if isinstance(node, Token) and node.type == "COLLPARAM":
        bound = str(node[1:])
        return lambda ctx: str(ctx.bind_vars[bound])
    if isinstance(node, Tree) and node.data == "var" and name(node.children[0]) not in scope.variables:
        fixed = name(node.children[0])
        return lambda ctx: fixed
    return None


def _count(collection: str, ctx: Context) -> int:
    if not ctx.data.is_collection(collection):
        raise ArangoProblem(1203, f"collection or view not found: {collection}")
    return sum(1 for _ in ctx.data.documents(collection))


def _document(arguments: list[Value]) -> Value:
    """DOCUMENT(id or ids), DOCUMENT(collection, key or keys): null for what is missing; missing ones of many drop."""
    if len(arguments) not in (1, 2):
        raise ArangoProblem(1541, "DOCUMENT()")

    def run(ctx: Context, row: Row) -> Any:
        given = [each(ctx, row) for each in arguments]
        prefix, wanted = (f"{given[0]}/", given[1]) if len(given) == 2 else ("", given[0])
        if isinstance(wanted, list):
            return [found for each in wanted if (found := _one(ctx, prefix, each)) is not None]
        return _one(ctx, prefix, wanted)

    return run


def _one(ctx: Context, prefix: str, wanted: Any) -> Any:
    given = wanted.get("_id") if isinstance(wanted, dict) else wanted
    if not isinstance(given, str):
        return None
    collection, _, key = (given if "/" in given else prefix + given).partition("/")
    if not ctx.data.is_collection(collection):
        raise ArangoProblem(1203, f"collection or view not found: {collection}")
    return ctx.data.document(collection, key)
