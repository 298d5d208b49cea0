"""Expressions: tree in, function of (context, row) out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql import operators
from tests.doubles.arangodb.aql.context import Context, Row, Scope, Value
from tests.doubles.arangodb.aql.functions import call as find_function
from tests.doubles.arangodb.aql.paths import path
from tests.doubles.arangodb.aql.syntax import Node, literal, name
from tests.doubles.arangodb.aql.values import number, text, tidy, truth
from tests.doubles.arangodb.errors import ArangoProblem, Unknown

Subquery = Callable[[Tree[Token], Scope], Value]
"""How a query in parentheses is compiled; given from outside, because queries are made of expressions."""
_PATHS: Final = frozenset({"attr", "attr_param", "index", "expansion"})


class Expressions:
    def __init__(self, subquery: Subquery) -> None:
        self._nested = subquery

    def compile(self, node: Node, scope: Scope) -> Value:
        """Raises 1203, 1540, 1541 for what does not exist and Unknown for what the double does not evaluate."""
        if isinstance(node, Token):
            return _token(node)
        if node.data in _PATHS:
            return path(node, scope, self.compile)
        build = getattr(self, f"_{node.data.rstrip('_')}", None)
        if build is None:
            raise Unknown(f"AQL's {node.data}")
        found: Value = build(node, scope)
        return found

    def _var(self, node: Tree[Token], scope: Scope) -> Value:
        variable = name(node.children[0])
        if variable in scope.variables:
            return lambda ctx, row: row[variable]
        if variable in ("OLD", "NEW", "CURRENT"):
            raise ArangoProblem(1512, f"'{variable}'")
        return partial(_whole_collection, variable)

    def _call(self, node: Tree[Token], scope: Scope) -> Value:
        return find_function(node, scope, self.compile)

    def _query(self, node: Tree[Token], scope: Scope) -> Value:
        return self._nested(node, scope)

    def _subquery(self, node: Tree[Token], scope: Scope) -> Value:
        inner = node.children[0]
        assert isinstance(inner, Tree)
        return self._nested(inner, scope)

    def _array(self, node: Tree[Token], scope: Scope) -> Value:
        items = [self.compile(each, scope) for each in node.children]
        return lambda ctx, row: [item(ctx, row) for item in items]

    def _object(self, node: Tree[Token], scope: Scope) -> Value:
        pairs = [self._pair(each, scope) for each in node.children if isinstance(each, Tree)]
        fixed = [key for key, _, _ in pairs if key is not None]
        if len(set(fixed)) != len(fixed):
            raise Unknown("object literals that name an attribute twice (3.x and 4.0 differ)")

        def build(ctx: Context, row: Row) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for key, computed, value in pairs:
                made.setdefault(text(computed(ctx, row)) if computed else key or "", value(ctx, row))
            return made

        return build

    def _pair(self, node: Tree[Token], scope: Scope) -> tuple[str | None, Value | None, Value]:
        first = node.children[0]
        if len(node.children) == 1:
            variable = name(first)
            return variable, None, self._var(node, scope)
        value = self.compile(node.children[1], scope)
        if isinstance(first, Token) and first.type in ("NAME", "STRING"):
            return name(first), None, value
        return None, self.compile(first, scope), value

    def _ternary(self, node: Tree[Token], scope: Scope) -> Value:
        test, then, other = (self.compile(each, scope) for each in node.children)
        return lambda ctx, row: then(ctx, row) if truth(test(ctx, row)) else other(ctx, row)

    def _elvis(self, node: Tree[Token], scope: Scope) -> Value:
        return self._or(node, scope)

    def _or(self, node: Tree[Token], scope: Scope) -> Value:
        """The first operand that is true, else the last one."""
        parts = [self.compile(each, scope) for each in node.children]
        return partial(_first, parts, True)

    def _and(self, node: Tree[Token], scope: Scope) -> Value:
        """The first operand that is false, else the last one."""
        parts = [self.compile(each, scope) for each in node.children]
        return partial(_first, parts, False)

    def _cmp(self, node: Tree[Token], scope: Scope) -> Value:
        if len(node.children) != 3:
            raise Unknown("chains of comparisons: put parentheses")
        left, sign, right = node.children
        assert isinstance(sign, Tree)
        run = self._operator(sign, scope)
        a, b = self.compile(left, scope), self.compile(right, scope)
        return lambda ctx, row: run(ctx, a(ctx, row), b(ctx, row))

    def _operator(self, sign: Tree[Token], scope: Scope) -> operators.Operator:
        last = sign.children[-1] if sign.children else None
        run: operators.Operator
        if sign.data in ("op_match", "op_not_match"):
            found = operators.match(str(last))
            wanted = sign.data == "op_match"
            return lambda ctx, left, right: found(ctx, left, right) == wanted
        if sign.data == "op_compare":
            run = operators.comparison(str(last))
        else:
            run = operators.is_in if sign.data == "op_in" else operators.is_not_in
        first = sign.children[0] if sign.children else None
        if not isinstance(first, Tree) or first.data != "quant":
            return run
        if not isinstance(first.children[0], Token) or first.children[0].type not in ("ANY_ALL_NONE", "ANYQ"):
            raise Unknown("AT LEAST")
        return operators.quantified(first.children[0].upper(), run)

    def _range(self, node: Tree[Token], scope: Scope) -> Value:
        first, last = (self.compile(each, scope) for each in node.children)
        return lambda ctx, row: operators.span(first(ctx, row), last(ctx, row))

    def _add(self, node: Tree[Token], scope: Scope) -> Value:
        return self._arithmetic(node, scope)

    def _mul(self, node: Tree[Token], scope: Scope) -> Value:
        return self._arithmetic(node, scope)

    def _arithmetic(self, node: Tree[Token], scope: Scope) -> Value:
        first = self.compile(node.children[0], scope)
        rest = [
            (str(sign), self.compile(operand, scope))
            for sign, operand in zip(node.children[1::2], node.children[2::2], strict=True)
        ]

        def run(ctx: Context, row: Row) -> Any:
            value = first(ctx, row)
            for sign, operand in rest:
                value = operators.arithmetic(sign, ctx, value, operand(ctx, row))
            return value

        return run

    def _sign(self, node: Tree[Token], scope: Scope) -> Value:
        operand = self.compile(node.children[1], scope)
        minus = node.children[0] == "-"
        return lambda ctx, row: tidy(-number(operand(ctx, row)) if minus else number(operand(ctx, row)))

    def _negation(self, node: Tree[Token], scope: Scope) -> Value:
        operand = self.compile(node.children[0], scope)
        return lambda ctx, row: not truth(operand(ctx, row))


def _first(parts: list[Value], wanted: bool, ctx: Context, row: Row) -> Any:
    value = None
    for part in parts:
        value = part(ctx, row)
        if truth(value) == wanted:
            break
    return value


def _token(token: Token) -> Value:
    if token.type == "PARAM":
        bound = str(token[1:])
        return lambda ctx, row: ctx.bind_vars[bound]
    if token.type == "COLLPARAM":
        parameter = str(token[1:])
        return lambda ctx, row: _whole_collection(ctx.bind_vars[parameter], ctx, row)
    value = literal(token)
    return lambda ctx, row: value


def _whole_collection(collection: str, ctx: Context, row: Row) -> Any:
    """A name that is no variable is a collection, and all of it is what the expression stands for."""
    if not ctx.data.is_collection(collection):
        raise ArangoProblem(1203, f"collection or view not found: {collection}")
    raise Unknown(f"collection {collection} as a value")
