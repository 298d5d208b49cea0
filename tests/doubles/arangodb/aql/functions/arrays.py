"""Functions of arrays and the aggregates over them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.functions.registry import MANY, function, wrong_type
from tests.doubles.arangodb.aql.paths import flatten
from tests.doubles.arangodb.aql.values import canonical, equal, number, sort_key, text, tidy, truth


def distinct(items: Iterable[Any]) -> list[Any]:
    """First of each; AQL promises no order here."""
    seen: dict[Hashable, Any] = {}
    for each in items:
        seen.setdefault(canonical(each), each)
    return list(seen.values())


def _lists(ctx: Context, name: str, given: Iterable[Any]) -> list[list[Any]] | None:
    lists = [each for each in given if isinstance(each, list)]
    if len(lists) == len(list(given)):
        return lists
    wrong_type(ctx, name)
    return None


@function("LENGTH COUNT", 1)
def length(ctx: Context, value: Any) -> int:
    """Elements, attributes or characters; of null 0, of a number the length of its text."""
    if isinstance(value, list | dict | str):
        return len(value)
    if value is None or value is False:
        return 0
    return 1 if value is True else len(text(value))


@function("FIRST", 1)
def first(ctx: Context, items: Any) -> Any:
    if not isinstance(items, list):
        return wrong_type(ctx, "FIRST")
    return items[0] if items else None


@function("LAST", 1)
def last(ctx: Context, items: Any) -> Any:
    if not isinstance(items, list):
        return wrong_type(ctx, "LAST")
    return items[-1] if items else None


@function("NTH", 2)
def nth(ctx: Context, items: Any, place: Any) -> Any:
    if not isinstance(items, list):
        return wrong_type(ctx, "NTH")
    index = int(number(place))
    return items[index] if 0 <= index < len(items) else None


@function("APPEND", 2, 3)
def append(ctx: Context, items: Any, more: Any, unique: Any = False) -> Any:
    """A null takes the other side; a value that is no array is one element."""
    if items is not None and not isinstance(items, list):
        return wrong_type(ctx, "APPEND")
    added = more if isinstance(more, list) else [] if more is None else [more]
    joined = [*(items or []), *added]
    return distinct(joined) if truth(unique) else joined


@function("PUSH", 2, 3)
def push(ctx: Context, items: Any, value: Any, unique: Any = False) -> Any:
    if items is not None and not isinstance(items, list):
        return wrong_type(ctx, "PUSH")
    base = list(items or [])
    return base if truth(unique) and any(equal(value, each) for each in base) else [*base, value]


@function("UNION", 2, MANY)
def union(ctx: Context, *given: Any) -> Any:
    lists = _lists(ctx, "UNION", given)
    return None if lists is None else [each for items in lists for each in items]


@function("UNION_DISTINCT", 2, MANY)
def union_distinct(ctx: Context, *given: Any) -> Any:
    lists = _lists(ctx, "UNION_DISTINCT", given)
    return None if lists is None else distinct(each for items in lists for each in items)


@function("INTERSECTION", 2, MANY)
def intersection(ctx: Context, *given: Any) -> Any:
    lists = _lists(ctx, "INTERSECTION", given)
    if lists is None:
        return None
    common = set.intersection(*({canonical(each) for each in items} for items in lists))
    return distinct(each for each in lists[0] if canonical(each) in common)


@function("MINUS", 2, MANY)
def minus(ctx: Context, *given: Any) -> Any:
    lists = _lists(ctx, "MINUS", given)
    if lists is None:
        return None
    away = {canonical(each) for items in lists[1:] for each in items}
    return distinct(each for each in lists[0] if canonical(each) not in away)


@function("UNIQUE", 1)
def unique(ctx: Context, items: Any) -> Any:
    return distinct(items) if isinstance(items, list) else wrong_type(ctx, "UNIQUE")


@function("SORTED", 1)
def in_order(ctx: Context, items: Any) -> Any:
    if not isinstance(items, list):
        return wrong_type(ctx, "SORTED")
    return sorted(items, key=sort_key(ctx.compare))


@function("SORTED_UNIQUE", 1)
def sorted_unique(ctx: Context, items: Any) -> Any:
    return in_order(ctx, distinct(items)) if isinstance(items, list) else wrong_type(ctx, "SORTED_UNIQUE")


@function("FLATTEN", 1, 2)
def flat(ctx: Context, items: Any, depth: Any = 1) -> Any:
    return flatten(items, int(number(depth))) if isinstance(items, list) else wrong_type(ctx, "FLATTEN")


@function("REVERSE", 1)
def reverse(ctx: Context, items: Any) -> Any:
    return items[::-1] if isinstance(items, list | str) else wrong_type(ctx, "REVERSE")


@function("SLICE", 2, 3)
def cut(ctx: Context, items: Any, start: Any, count: Any = None) -> Any:
    """A negative start counts from the end; a negative count leaves out that many at the end."""
    if not isinstance(items, list):
        return wrong_type(ctx, "SLICE")
    begin = int(number(start))
    rest = items[begin:] if begin >= 0 or -begin <= len(items) else items[:]
    return rest if count is None else rest[: int(number(count))]


@function("POSITION CONTAINS_ARRAY", 2, 3)
def position(ctx: Context, items: Any, wanted: Any, as_index: Any = False) -> Any:
    """Whether it is among them; with a third argument that is true, where: -1 for nowhere."""
    if not isinstance(items, list):
        return wrong_type(ctx, "POSITION")
    place = next((index for index, each in enumerate(items) if equal(each, wanted)), -1)
    return place if truth(as_index) else place >= 0


@function("REMOVE_VALUE", 2)
def remove_value(ctx: Context, items: Any, value: Any) -> Any:
    return remove_values(ctx, items, [value])


@function("REMOVE_VALUES", 2)
def remove_values(ctx: Context, items: Any, values: Any) -> Any:
    if not isinstance(items, list):
        return [] if items is None else wrong_type(ctx, "REMOVE_VALUES")
    away = {canonical(each) for each in values or []}
    return [each for each in items if canonical(each) not in away]


@function("COUNT_DISTINCT COUNT_UNIQUE", 1)
def count_distinct(ctx: Context, items: Any) -> Any:
    return len(distinct(items)) if isinstance(items, list) else wrong_type(ctx, "COUNT_DISTINCT")


@function("MIN", 1)
def smallest(ctx: Context, items: Any) -> Any:
    """Nulls do not count; of nothing it is null."""
    return _extreme(ctx, items, "MIN", largest=False)


@function("MAX", 1)
def largest(ctx: Context, items: Any) -> Any:
    return _extreme(ctx, items, "MAX", largest=True)


def _extreme(ctx: Context, items: Any, name: str, *, largest: bool) -> Any:
    if not isinstance(items, list):
        return wrong_type(ctx, name)
    given = [each for each in items if each is not None]
    if not given:
        return None
    return (max if largest else min)(given, key=sort_key(ctx.compare))


def _numbers(ctx: Context, items: Any, name: str) -> list[Any] | None:
    """The numbers of an array; null where there is something else than numbers and nulls."""
    given = [each for each in items if each is not None] if isinstance(items, list) else [None]
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in given):
        return given
    wrong_type(ctx, name)
    return None


@function("SUM", 1)
def total(ctx: Context, items: Any) -> Any:
    """Nulls do not count; of nothing it is 0; anything else than numbers makes it null."""
    found = _numbers(ctx, items, "SUM")
    return None if found is None else tidy(sum(found))


@function("AVERAGE AVG", 1)
def average(ctx: Context, items: Any) -> Any:
    found = _numbers(ctx, items, "AVERAGE")
    return tidy(sum(found) / len(found)) if found else None
