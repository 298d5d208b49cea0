"""Statements: FOR, LET, FILTER, SORT, LIMIT, COLLECT, RETURN and the modifications, each a stage of a pipeline.

The closed subset. A query is a sequence of

* ``FOR x IN`` a collection (bound or by name), an array, a range or a subquery; options ``indexHint``,
  ``forceIndexHint`` (1577 where the index is not there), ``disableIndex``, ``maxProjections``, ``useCache``;
* ``LET``, ``FILTER``, ``SORT … ASC|DESC``, ``LIMIT [offset,] count``, ``RETURN [DISTINCT]``;
* ``COLLECT`` groups, ``WITH COUNT INTO``, ``AGGREGATE``, ``INTO [= expression] [KEEP]``;
* ``INSERT``, ``UPDATE``, ``REPLACE``, ``REMOVE`` with OLD and NEW;

of expressions with ``|| && !``, ternary and ``?:``, ``== != < <= > >= IN NOT IN LIKE =~ !~``, ``ALL ANY NONE``, ranges,
arithmetic, literals, paths with ``[*]`` and ``[**]``, subqueries, and the functions of the package ``functions``.

Refused with their name: traversals, UPSERT, WINDOW, SEARCH and views, WITH, destructuring, AT LEAST, ``[? …]``,
user-defined functions, a chain of comparisons, a collection as a value (except to count it), ranges over a million.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.collecting import collect
from tests.doubles.arangodb.aql.context import Context, Row, Scope, Stage, Value
from tests.doubles.arangodb.aql.expressions import Expressions
from tests.doubles.arangodb.aql.facts import MODIFICATIONS
from tests.doubles.arangodb.aql.functions.arrays import distinct
from tests.doubles.arangodb.aql.modifications import modification
from tests.doubles.arangodb.aql.options import options
from tests.doubles.arangodb.aql.plans import condition, conjuncts
from tests.doubles.arangodb.aql.scanning import Sieve, scan
from tests.doubles.arangodb.aql.syntax import Node, child, name
from tests.doubles.arangodb.aql.values import sort_key, truth
from tests.doubles.arangodb.errors import ArangoProblem, Unknown

_FOR_OPTIONS: Final = frozenset({"indexHint", "forceIndexHint", "disableIndex", "maxProjections", "useCache"})
_COLLECT_OPTIONS: Final = frozenset({"method"})

Result = Callable[[Context, Iterator[Row]], list[Any]]
Source = Callable[[Context, Row, Mapping[str, Any]], Iterable[Any]]


class Compiler:
    """Makes a function of a query's tree. What it makes can be run any number of times."""

    def __init__(self) -> None:
        self._expressions = Expressions(self.query)

    def expression(self, node: Node, scope: Scope) -> Value:
        return self._expressions.compile(node, scope)

    def query(self, node: Tree[Token], scope: Scope) -> Value:
        """The query's results as an array, for each row around it."""
        stages, result = self._stages(node, scope.inner())

        def run(ctx: Context, row: Row) -> list[Any]:
            rows: Iterator[Row] = iter([row])
            for stage in stages:
                rows = stage(ctx, rows)
            return result(ctx, rows)

        return run

    def _stages(self, node: Tree[Token], scope: Scope) -> tuple[list[Stage], Result]:
        stages: list[Stage] = []
        for place, each in enumerate(node.children):
            assert isinstance(each, Tree)
            if each.data == "return_stmt":
                return stages, self._return(each, scope)
            stage, scope = self._stage(each, scope, node.children[place + 1 :])
            stages.append(stage)
        return stages, _nothing

    def _stage(self, node: Tree[Token], scope: Scope, rest: Sequence[Node]) -> tuple[Stage, Scope]:
        if node.data in MODIFICATIONS:
            return modification(node, scope, self.expression, last=not rest)
        if node.data == "for_stmt":
            return self._for(node, scope, rest)
        build = getattr(self, f"_{node.data.removesuffix('_stmt')}", None)
        if build is None:
            raise Unknown(f"AQL's {node.data}")
        made: tuple[Stage, Scope] = build(node, scope)
        return made

    def _for(self, node: Tree[Token], scope: Scope, rest: Sequence[Node]) -> tuple[Stage, Scope]:
        variable, tail = name(node.children[0]), child(node, "for_tail")
        assert tail is not None
        if child(tail, "search"):
            raise Unknown("SEARCH")
        hints = options(tail, _FOR_OPTIONS, self.expression)
        source = self._source(node.children[1], scope, self._sieve(variable, scope, rest))

        def run(ctx: Context, rows: Iterator[Row]) -> Iterator[Row]:
            chosen = hints(ctx)
            for row in rows:
                for item in source(ctx, row, chosen):
                    yield {**row, variable: item}

        return run, scope.declare(variable)

    def _sieve(self, variable: str, scope: Scope, rest: Sequence[Node]) -> Sieve | None:
        following = rest[0] if rest else None
        if not isinstance(following, Tree) or following.data != "filter_stmt":
            return None
        asked = [condition(variable, each, {variable}) for each in conjuncts(following.children[0])]
        usable = [each for each in asked if each is not None and each.sign in ("==", "in")]
        if not usable:
            return None
        best = next((each for each in usable if each.field == "_key"), usable[0])
        return Sieve(best.field, self.expression(best.value, scope), best.sign == "in")

    def _source(self, node: Node, scope: Scope, sieve: Sieve | None) -> Source:
        if isinstance(node, Token) and node.type == "COLLPARAM":
            bound = str(node[1:])
            return lambda ctx, row, hints: scan(ctx, row, str(ctx.bind_vars[bound]), hints, sieve)
        if isinstance(node, Tree) and node.data == "var" and name(node.children[0]) not in scope.variables:
            collection = name(node.children[0])
            return lambda ctx, row, hints: scan(ctx, row, collection, hints, sieve)
        value = self.expression(node, scope)
        return lambda ctx, row, hints: _items(ctx, value(ctx, row))

    def _let(self, node: Tree[Token], scope: Scope) -> tuple[Stage, Scope]:
        assigned: list[tuple[str, Value]] = []
        for each in node.children:
            assert isinstance(each, Tree)
            if each.data != "let_item":
                raise Unknown("destructuring (3.12 only)")
            assigned.append((name(each.children[0]), self.expression(each.children[1], scope)))
            scope = scope.declare(assigned[-1][0])

        def run(ctx: Context, rows: Iterator[Row]) -> Iterator[Row]:
            for row in rows:
                made = dict(row)
                for variable, value in assigned:
                    made[variable] = value(ctx, made)
                yield made

        return run, scope

    def _filter(self, node: Tree[Token], scope: Scope) -> tuple[Stage, Scope]:
        condition = self.expression(node.children[0], scope)
        return lambda ctx, rows: (row for row in rows if truth(condition(ctx, row))), scope

    def _sort(self, node: Tree[Token], scope: Scope) -> tuple[Stage, Scope]:
        elements = [each for each in node.children if isinstance(each, Tree)]
        wanted = [(self.expression(each.children[0], scope), _is_descending(each)) for each in elements]

        def run(ctx: Context, rows: Iterator[Row]) -> Iterator[Row]:
            found = list(rows)
            key = sort_key(ctx.compare)
            for value, descending in reversed(wanted):
                found = _sorted(found, [key(value(ctx, row)) for row in found], descending=descending)
            return iter(found)

        return run, scope

    def _limit(self, node: Tree[Token], scope: Scope) -> tuple[Stage, Scope]:
        parts = [self.expression(each, Scope()) for each in node.children]

        def run(ctx: Context, rows: Iterator[Row]) -> Iterator[Row]:
            numbers = [_whole(part(ctx, {})) for part in parts]
            offset, count = numbers if len(numbers) == 2 else (0, numbers[0])
            return islice(list(rows), offset, None if count is None else (offset or 0) + count)

        return run, scope

    def _collect(self, node: Tree[Token], scope: Scope) -> tuple[Stage, Scope]:
        options(node, _COLLECT_OPTIONS, self.expression)
        return collect(node, scope, self.expression)

    def _return(self, node: Tree[Token], scope: Scope) -> Result:
        value = self.expression(node.children[-1], scope)
        once = len(node.children) == 2

        def run(ctx: Context, rows: Iterator[Row]) -> list[Any]:
            found = [value(ctx, row) for row in rows]
            return distinct(found) if once else found

        return run


def _nothing(ctx: Context, rows: Iterator[Row]) -> list[Any]:
    """The results of a query that ends with a modification: it is run to its end."""
    deque(rows, maxlen=0)
    return []


def _is_descending(element: Tree[Token]) -> bool:
    return len(element.children) == 2 and str(element.children[1]).upper() == "DESC"


def _sorted(rows: list[Row], keys: list[Any], *, descending: bool) -> list[Row]:
    places = sorted(range(len(rows)), key=keys.__getitem__, reverse=descending)
    return [rows[place] for place in places]


def _whole(value: Any) -> int | None:
    """A null stands for no limit."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ArangoProblem(1504, "LIMIT wants a number that is not negative")


def _items(ctx: Context, value: Any) -> list[Any]:
    """FOR over what is no array is an error, null included."""
    if isinstance(value, list):
        return value
    raise ArangoProblem(1563, "FOR")
