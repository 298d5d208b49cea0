"""INSERT, UPDATE, REPLACE, REMOVE. All rows are known before the first one is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.context import Context, Row, Scope, Stage, Value
from tests.doubles.arangodb.aql.facts import resolve
from tests.doubles.arangodb.aql.options import options
from tests.doubles.arangodb.aql.syntax import Node, child, name, subtrees
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

    return run, Scope(scope.variables | _pseudo(kind, node), scope.outer)


def _pseudo(kind: str, node: Tree[Token]) -> frozenset[str]:
    """OLD is known after an INSERT only where it may overwrite, which has to be written out."""
    if kind == "insert":
        pairs = subtrees(child(node, "options") or node)
        modes = {name(each.children[1]) for each in pairs if each.data == "pair" and _is_mode(each)}
        return frozenset({"NEW", "OLD"}) if modes & {"update", "replace"} else frozenset({"NEW"})
    return frozenset({"OLD"}) if kind == "remove" else frozenset({"OLD", "NEW"})


def _is_mode(pair: Tree[Token]) -> bool:
    key, value = pair.children[0], pair.children[-1]
    return isinstance(key, Token) and name(key) == "overwriteMode" and isinstance(value, Token)


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
