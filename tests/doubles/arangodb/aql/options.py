"""OPTIONS of statements: known names only, values known before the query runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from lark import Token, Tree

from tests.doubles.arangodb.aql.context import Context, Scope, Value
from tests.doubles.arangodb.aql.syntax import Node, child, name
from tests.doubles.arangodb.errors import ArangoProblem, Unknown

Options = Callable[[Context], Mapping[str, Any]]


def no_options(ctx: Context) -> Mapping[str, Any]:
    return {}


def options(node: Tree[Token], known: Collection[str], compile_: Callable[[Node, Scope], Value]) -> Options:
    """The OPTIONS among a statement's children. Raises Unknown for a name that is not ``known``."""
    found = child(node, "options")
    if found is None:
        return no_options
    written = found.children[0]
    if not isinstance(written, Tree):
        raise Unknown("OPTIONS that are bound as a whole")
    values: dict[str, Value] = {}
    for pair in written.children:
        assert isinstance(pair, Tree)
        if not isinstance(pair.children[0], Token) or len(pair.children) != 2:
            raise ArangoProblem(1575)
        key = name(pair.children[0])
        if key not in known:
            raise Unknown(f"the option {key} here")
        values[key] = compile_(pair.children[1], Scope())
    return lambda ctx: {key: value(ctx, {}) for key, value in values.items()}
