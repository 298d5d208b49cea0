"""Conversions, checks of type, and functions that choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.functions.registry import MANY, function
from tests.doubles.arangodb.aql.values import TYPE_NAMES, number, rank, text, truth
from tests.doubles.arangodb.errors import ArangoProblem


@function("TO_NUMBER", 1)
def to_number(ctx: Context, value: Any) -> Any:
    return number(value)


@function("TO_STRING", 1)
def to_string(ctx: Context, value: Any) -> str:
    return text(value)


@function("TO_BOOL", 1)
def to_bool(ctx: Context, value: Any) -> bool:
    return truth(value)


@function("TO_ARRAY TO_LIST", 1)
def to_array(ctx: Context, value: Any) -> list[Any]:
    """null is empty, an object is its values, anything else one element."""
    if value is None:
        return []
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


@function("TYPENAME", 1)
def typename(ctx: Context, value: Any) -> str:
    return TYPE_NAMES[rank(value)]


def _type_check(wanted: int) -> Callable[[Context, Any], bool]:
    return lambda ctx, value: rank(value) == wanted


for _place, _names in enumerate(
    ("IS_NULL", "IS_BOOL", "IS_NUMBER", "IS_STRING", "IS_ARRAY IS_LIST", "IS_OBJECT IS_DOCUMENT")
):
    function(_names, 1)(_type_check(_place))


@function("NOT_NULL", 1, MANY)
def not_null(ctx: Context, *given: Any) -> Any:
    """The first that is not null."""
    return next((each for each in given if each is not None), None)


@function("FIRST_LIST", 1, MANY)
def first_list(ctx: Context, *given: Any) -> Any:
    return next((each for each in given if isinstance(each, list)), None)


@function("FIRST_DOCUMENT", 1, MANY)
def first_document(ctx: Context, *given: Any) -> Any:
    return next((each for each in given if isinstance(each, dict)), None)


@function("IN_RANGE", 5)
def in_range(ctx: Context, value: Any, low: Any, high: Any, with_low: Any, with_high: Any) -> bool:
    under, over = ctx.compare(value, low), ctx.compare(value, high)
    return (under > 0 or (under == 0 and truth(with_low))) and (over < 0 or (over == 0 and truth(with_high)))


@function("ASSERT", 2)
def assertion(ctx: Context, condition: Any, message: Any) -> bool:
    if not truth(condition):
        raise ArangoProblem(1569, text(message))
    return True


@function("FAIL", 0, 1)
def fail(ctx: Context, message: Any = "") -> None:
    raise ArangoProblem(1569, text(message))


@function("NOOPT NOEVAL PASSTHRU", 1)
def passed_through(ctx: Context, value: Any) -> Any:
    return value
