"""Functions of objects."""

from __future__ import annotations

from typing import Any

from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.functions.registry import MANY, function, wrong_type
from tests.doubles.arangodb.aql.paths import look_up
from tests.doubles.arangodb.aql.values import sort_key, text, truth

SYSTEM = frozenset({"_key", "_id", "_rev", "_from", "_to"})


def merged(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Objects inside objects are merged too; everything else is replaced."""
    result = dict(base)
    for name, value in patch.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _names(given: tuple[Any, ...]) -> set[str]:
    single = [each for each in given if not isinstance(each, list)]
    return {text(each) for each in [*single, *(each for items in given if isinstance(items, list) for each in items)]}


@function("ATTRIBUTES KEYS", 1, 3)
def attributes(ctx: Context, value: Any, remove_system: Any = False, sort: Any = False) -> Any:
    """Names in no promised order, unless the third argument is true."""
    if not isinstance(value, dict):
        return wrong_type(ctx, "ATTRIBUTES")
    names = [each for each in value if not (truth(remove_system) and each.startswith("_"))]
    return sorted(names, key=sort_key(ctx.compare)) if truth(sort) else names


@function("VALUES", 1, 2)
def values(ctx: Context, value: Any, remove_system: Any = False) -> Any:
    if not isinstance(value, dict):
        return wrong_type(ctx, "VALUES")
    return [each for name, each in value.items() if not (truth(remove_system) and name.startswith("_"))]


@function("HAS", 2)
def has(ctx: Context, value: Any, name: Any) -> bool:
    return isinstance(value, dict) and text(name) in value


@function("KEEP", 2, MANY)
def keep(ctx: Context, value: Any, *names: Any) -> Any:
    if not isinstance(value, dict):
        return wrong_type(ctx, "KEEP")
    wanted = _names(names)
    return {name: each for name, each in value.items() if name in wanted}


@function("UNSET", 2, MANY)
def unset(ctx: Context, value: Any, *names: Any) -> Any:
    if not isinstance(value, dict):
        return wrong_type(ctx, "UNSET")
    away = _names(names)
    return {name: each for name, each in value.items() if name not in away}


@function("MERGE", 1, MANY)
def merge(ctx: Context, *given: Any) -> Any:
    """Attribute by attribute, the last one wins; objects inside are replaced. One array of objects counts as many."""
    objects = given[0] if len(given) == 1 and isinstance(given[0], list) else given
    if not all(isinstance(each, dict) for each in objects):
        return wrong_type(ctx, "MERGE")
    result: dict[str, Any] = {}
    for each in objects:
        result.update(each)
    return result


@function("MERGE_RECURSIVE", 1, MANY)
def merge_recursive(ctx: Context, *given: Any) -> Any:
    objects = given[0] if len(given) == 1 and isinstance(given[0], list) else given
    if not all(isinstance(each, dict) for each in objects):
        return wrong_type(ctx, "MERGE_RECURSIVE")
    result: dict[str, Any] = {}
    for each in objects:
        result = merged(result, each)
    return result


@function("ZIP", 2)
def zipped(ctx: Context, names: Any, given: Any) -> Any:
    if not (isinstance(names, list) and isinstance(given, list) and len(names) == len(given)):
        return wrong_type(ctx, "ZIP")
    result: dict[str, Any] = {}
    for name, value in zip(names, given, strict=True):
        result.setdefault(text(name), value)
    return result


@function("VALUE", 2)
def value_at(ctx: Context, value: Any, steps: Any) -> Any:
    """The value at a path of attribute names and places in arrays."""
    if not isinstance(value, dict) or not isinstance(steps, list):
        return wrong_type(ctx, "VALUE")
    for step in steps:
        value = look_up(value, step)
    return value
