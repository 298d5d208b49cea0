"""Functions of numbers."""

from __future__ import annotations

import math
from typing import Any

from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.functions.registry import function
from tests.doubles.arangodb.aql.operators import span
from tests.doubles.arangodb.aql.values import number, tidy
from tests.doubles.arangodb.errors import Unknown


@function("ABS", 1)
def absolute(ctx: Context, value: Any) -> Any:
    return abs(number(value))


@function("FLOOR", 1)
def floor(ctx: Context, value: Any) -> int:
    return math.floor(number(value))


@function("CEIL", 1)
def ceil(ctx: Context, value: Any) -> int:
    return math.ceil(number(value))


@function("ROUND", 1)
def rounded(ctx: Context, value: Any) -> int:
    """Halves go up, towards plus infinity."""
    return math.floor(number(value) + 0.5)


@function("SQRT", 1)
def root(ctx: Context, value: Any) -> Any:
    given = number(value)
    return tidy(math.sqrt(given)) if given >= 0 else None


@function("POW", 2)
def power(ctx: Context, base: Any, exponent: Any) -> Any:
    try:
        result = number(base) ** float(number(exponent))
    except (OverflowError, ZeroDivisionError):
        return None
    return tidy(result) if isinstance(result, float) and math.isfinite(result) else None


@function("LOG", 1)
def logarithm(ctx: Context, value: Any) -> Any:
    given = number(value)
    return tidy(math.log(given)) if given > 0 else None


@function("LOG2", 1)
def binary_logarithm(ctx: Context, value: Any) -> Any:
    given = number(value)
    return tidy(math.log2(given)) if given > 0 else None


@function("EXP", 1)
def exponential(ctx: Context, value: Any) -> Any:
    try:
        return tidy(math.exp(number(value)))
    except OverflowError:
        return None


@function("EXP2", 1)
def power_of_two(ctx: Context, value: Any) -> Any:
    return power(ctx, 2, value)


@function("RANGE", 2, 3)
def numbers_between(ctx: Context, first: Any, last: Any, step: Any = 1) -> Any:
    if step != 1:
        raise Unknown("RANGE() with a step")
    return span(first, last)


@function("RAND", 0)
def rand(ctx: Context) -> float:
    return ctx.random.random()
