"""COLLECT: grouping, counting, aggregates.

Variables of the query around it stay; its own are gone, except for the groups and what COLLECT itself names. Groups
come in the order of their values, null included as a value. Without groups there is one, also over no rows at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.context import Context, Row, Scope, Stage, Value
from tests.doubles.arangodb.aql.facts import function_name
from tests.doubles.arangodb.aql.functions.registry import TABLE
from tests.doubles.arangodb.aql.syntax import Node, child, name, tokens
from tests.doubles.arangodb.aql.values import canonical, sort_key
from tests.doubles.arangodb.errors import ArangoProblem, Unknown

Compile = Callable[[Node, Scope], Value]
AGGREGATES: Final = frozenset(
    {"LENGTH", "COUNT", "SUM", "MIN", "MAX", "AVERAGE", "AVG", "UNIQUE", "SORTED_UNIQUE", "COUNT_DISTINCT"}
    | {"COUNT_UNIQUE"}
)


@dataclass(frozen=True, slots=True)
class Aggregate:
    variable: str
    function: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class Into:
    variable: str
    value: Value | None
    keep: tuple[str, ...]
    """Variables that each member of the group is made of, where no expression says so."""


@dataclass(frozen=True, slots=True)
class Collect:
    outer: frozenset[str]
    groups: tuple[tuple[str, Value], ...]
    aggregates: tuple[Aggregate, ...]
    into: Into | None


def collect(node: Tree[Token], scope: Scope, compile_: Compile) -> tuple[Stage, Scope]:
    body = child(node, "collect_body")
    assert body is not None
    groups = _groups(child(body, "groups"), scope, compile_)
    aggregates = _aggregates(child(body, "aggregate"), scope, compile_)
    aggregates += tuple(Aggregate(each, "COUNT", None) for each in tokens(body, "NAME"))
    into = _into(child(body, "into"), scope, compile_)
    made = [each for each, _ in groups] + [each.variable for each in aggregates] + ([into.variable] if into else [])
    plan = Collect(scope.outer, groups, aggregates, into)
    return partial(_run, plan), scope.collected(*made)


def _groups(node: Tree[Token] | None, scope: Scope, compile_: Compile) -> tuple[tuple[str, Value], ...]:
    assigned = [each for each in (node.children if node else ()) if isinstance(each, Tree)]
    return tuple((name(each.children[0]), compile_(each.children[1], scope)) for each in assigned)


def _aggregates(node: Tree[Token] | None, scope: Scope, compile_: Compile) -> tuple[Aggregate, ...]:
    return tuple(
        _aggregate(each, scope, compile_) for each in (node.children if node else ()) if isinstance(each, Tree)
    )


def _aggregate(node: Tree[Token], scope: Scope, compile_: Compile) -> Aggregate:
    called = node.children[1]
    assert isinstance(called, Tree)
    function, arguments = function_name(called), called.children[1:]
    if function not in AGGREGATES:
        raise Unknown(f"{function}() as an aggregate")
    if len(arguments) > 1 or (not arguments and function not in ("LENGTH", "COUNT")):
        raise ArangoProblem(1541, f"{function}()")
    return Aggregate(name(node.children[0]), function, compile_(arguments[0], scope) if arguments else None)


def _into(node: Tree[Token] | None, scope: Scope, compile_: Compile) -> Into | None:
    if node is None:
        return None
    kept = child(node, "name_list")
    own = tuple(tokens(kept, "NAME")) if kept else tuple(sorted(scope.own))
    parts = [each for each in node.children[1:] if each is not kept]
    return Into(name(node.children[0]), compile_(parts[0], scope) if parts else None, own)


def _run(plan: Collect, ctx: Context, rows: Iterator[Row]) -> Iterator[Row]:
    found: dict[Any, tuple[list[Any], list[Row]]] = {}
    base: Row = {}
    for row in rows:
        base = row
        values = [value(ctx, row) for _, value in plan.groups]
        found.setdefault(canonical(values), (values, []))[1].append(row)
    if not plan.groups and not found:
        found[()] = ([], [])
    key = sort_key(ctx.compare)
    for values, members in sorted(found.values(), key=lambda group: key(group[0])):
        yield {each: base[each] for each in plan.outer if each in base} | _made(plan, ctx, values, members)


def _made(plan: Collect, ctx: Context, values: list[Any], members: list[Row]) -> Row:
    made: Row = {variable: value for (variable, _), value in zip(plan.groups, values, strict=True)}
    for each in plan.aggregates:
        made[each.variable] = _aggregated(each, ctx, members)
    if plan.into is not None:
        made[plan.into.variable] = [_member(plan.into, ctx, row) for row in members]
    return made


def _aggregated(aggregate: Aggregate, ctx: Context, members: list[Row]) -> Any:
    if aggregate.function in ("LENGTH", "COUNT") or aggregate.value is None:
        return len(members)
    value = aggregate.value
    return TABLE[aggregate.function].body(ctx, [value(ctx, row) for row in members])


def _member(into: Into, ctx: Context, row: Row) -> Any:
    return into.value(ctx, row) if into.value else {each: row[each] for each in into.keep}
