"""Attribute paths: ``a.b``, ``a[i]``, ``a[*].b``, ``a[**]``, ``a[* FILTER CURRENT.x > 1 LIMIT 2 RETURN CURRENT.y]``.

What is missing is null, all the way down. ``[*]`` maps the rest of the path over the elements (of what is no array:
none); ``[**]`` first takes one level of arrays away from what the path has given so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lark import Token, Tree

from tests.doubles.arangodb.aql.context import Context, Row, Scope, Value
from tests.doubles.arangodb.aql.syntax import Node, child, name
from tests.doubles.arangodb.aql.values import number, truth
from tests.doubles.arangodb.errors import Unknown

Compile = Callable[[Node, Scope], Value]
_STEPS: Final = frozenset({"attr", "attr_param", "index", "expansion"})


@dataclass(frozen=True, slots=True)
class Expansion:
    levels: int
    """Number of stars."""
    keep: Value | None
    offset: Value | None
    limit: Value | None
    result: Value | None


Step = Value | Expansion
"""A plain step gives the key or place to look up."""


def path(node: Tree[Token], scope: Scope, compile_: Compile) -> Value:
    base, steps = _split(node, scope, compile_)
    if not any(isinstance(step, Expansion) for step in steps):
        plain = [step for step in steps if not isinstance(step, Expansion)]
        return lambda ctx, row: _plain(base(ctx, row), plain, ctx, row)
    return lambda ctx, row: _walk(base(ctx, row), steps, ctx, row)


def _split(node: Node, scope: Scope, compile_: Compile) -> tuple[Value, list[Step]]:
    if not isinstance(node, Tree) or node.data not in _STEPS:
        return compile_(node, scope), []
    base, steps = _split(node.children[0], scope, compile_)
    return base, [*steps, _step(node, scope, compile_)]


def _step(node: Tree[Token], scope: Scope, compile_: Compile) -> Step:
    what = node.children[1]
    if node.data == "attr":
        attribute = name(what)
        return lambda ctx, row: attribute
    if node.data != "expansion":
        return compile_(what, scope)
    inline = child(node, "inline")
    assert inline is not None
    inner = Scope(scope.variables | {"CURRENT"}, scope.outer)

    def part(kind: str, place: int) -> Value | None:
        found = child(inline, kind)
        return compile_(found.children[place], inner) if found and len(found.children) > place else None

    limits = child(inline, "inline_limit")
    two = limits is not None and len(limits.children) == 2
    offset, limit = (part("inline_limit", 0), part("inline_limit", 1)) if two else (None, part("inline_limit", 0))
    return Expansion(len(str(what)), part("inline_filter", 0), offset, limit, part("inline_return", 0))


def _plain(value: Any, steps: list[Value], ctx: Context, row: Row) -> Any:
    for step in steps:
        value = look_up(value, step(ctx, row))
    return value


def _walk(value: Any, steps: list[Step], ctx: Context, row: Row) -> Any:
    for place, step in enumerate(steps):
        if not isinstance(step, Expansion):
            value = look_up(value, step(ctx, row))
            continue
        flat = _next_flattening(steps, place)
        rest, after = steps[place + 1 : flat], steps[flat:]
        mapped = [_walk(each, rest, ctx, row) for each in _elements(value, step, ctx, row)]
        return _walk(mapped, after, ctx, row) if after else mapped
    return value


def _next_flattening(steps: list[Step], place: int) -> int:
    """Where the rest of the path belongs to the whole again instead of to each element."""
    later = range(place + 1, len(steps))
    return next((i for i in later if isinstance(each := steps[i], Expansion) and each.levels > 1), len(steps))


def _elements(value: Any, step: Expansion, ctx: Context, row: Row) -> list[Any]:
    if not isinstance(value, list):
        if value is not None:
            ctx.warn(1563)
        return []
    items = flatten(value, step.levels - 1)
    if step.keep is not None:
        keep = step.keep
        items = [each for each in items if truth(keep(ctx, {**row, "CURRENT": each}))]
    start = int(number(step.offset(ctx, row))) if step.offset else 0
    end = start + int(number(step.limit(ctx, row))) if step.limit else len(items)
    if step.result is None:
        return items[start:end]
    result = step.result
    return [result(ctx, {**row, "CURRENT": each}) for each in items[start:end]]


def flatten(items: list[Any], depth: int) -> list[Any]:
    if depth < 1:
        return list(items)
    flat: list[Any] = []
    for each in items:
        flat.extend(flatten(each, depth - 1) if isinstance(each, list) else [each])
    return flat


def look_up(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        if isinstance(key, list):
            raise Unknown("attribute paths bound as an array")
        return value.get(key if isinstance(key, str) else str(key))
    if isinstance(value, list) and isinstance(key, int | float) and not isinstance(key, bool):
        place = int(key)
        return value[place] if -len(value) <= place < len(value) else None
    return None
