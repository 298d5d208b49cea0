"""INSERT, UPDATE, REPLACE, REMOVE. All rows are known before the first one is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.context import Context, Row, Scope, Stage, Value
from tests.doubles.arangodb.aql.facts import resolve
from tests.doubles.arangodb.aql.options import options
from tests.doubles.arangodb.aql.syntax import Node, child, name
from tests.doubles.arangodb.aql.values import truth
from tests.doubles.arangodb.errors import ArangoProblem, Unknown

Compile = Callable[[Node, Scope], Value]
_WRITING: Final = frozenset({"waitForSync", "ignoreErrors", "exclusive"})
KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "insert": _WRITING | {"overwriteMode", "keepNull", "mergeObjects"},
    "update": _WRITING | {"ignoreRevs", "keepNull", "mergeObjects"},
    "replace": _WRITING | {"ignoreRevs"},
    "remove": _WRITING | {"ignoreRevs"},
}


def modification(node: Tree[Token], scope: Scope, compile_: Compile, *, last: bool) -> tuple[Stage, Scope]:
    """``last``: nothing follows, so nobody sees which rows an ignored error has cost."""
    kind = str(node.data)
    if kind not in KNOWN:
        raise Unknown(kind.upper())
    target = child(node, "target_coll")
    assert target is not None
    written = [each for each in node.children if each is not target and each is not child(node, "options")]
    parts = [compile_(each, scope) for each in written]
    chosen = options(node, KNOWN[kind], compile_)
    named = target.children[0]

    def run(ctx: Context, rows: Iterator[Row]) -> Iterator[Row]:
        collection = resolve(name(named), ctx.bind_vars)
        with_options = chosen(ctx)
        if truth(with_options.get("ignoreErrors")) and not last:
            raise Unknown("ignoreErrors with something after it")
        yield from _write(ctx, kind, collection, [*rows], parts, with_options)

    return run, Scope(scope.variables | _pseudo(kind), scope.outer)


def _pseudo(kind: str) -> frozenset[str]:
    return {"insert": frozenset({"NEW", "OLD"}), "remove": frozenset({"OLD"})}.get(kind, frozenset({"OLD", "NEW"}))


def _write(
    ctx: Context, kind: str, collection: str, rows: list[Row], parts: list[Value], with_options: Mapping[str, Any]
) -> Iterator[Row]:
    done: list[Row] = []
    for row in rows:
        given = [part(ctx, row) for part in parts]
        subject, patch = given[0], given[-1]
        try:
            old, new = ctx.data.modify(kind, collection, subject, patch, with_options)
        except ArangoProblem as problem:
            if not truth(with_options.get("ignoreErrors")) or isinstance(problem, Unknown):
                raise
            ctx.ignored += 1
            continue
        ctx.writes += 1
        done.append({**row, "OLD": old, "NEW": new})
    yield from done
