"""Operators: arithmetic, comparison with and without quantifier, pattern matching, ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from tests.doubles.arangodb.aql.context import Context
from tests.doubles.arangodb.aql.values import canonical, equal, number, text, tidy
from tests.doubles.arangodb.errors import ArangoProblem, Unknown

Operator = Callable[[Context, Any, Any], Any]
_SHORT: Final = 8
"""Arrays up to this length are searched one by one."""
_LONGEST_RANGE: Final = 1_000_000


def arithmetic(sign: str, ctx: Context, left: Any, right: Any) -> Any:
    """Operands are converted to numbers; division by zero is null with warning 1562."""
    a, b = number(left), number(right)
    if sign in "/%" and b == 0:
        ctx.warn(1562)
        return None
    if sign == "/":
        return tidy(a / b)
    if sign == "%":
        return tidy(math.fmod(a, b))
    result = a + b if sign == "+" else a - b if sign == "-" else a * b
    if isinstance(result, float) and not math.isfinite(result):
        return None
    return tidy(result)


def comparison(sign: str) -> Operator:
    if sign == "==":
        return lambda ctx, left, right: equal(left, right)
    if sign == "!=":
        return lambda ctx, left, right: not equal(left, right)
    tests: dict[str, Callable[[int], bool]] = {
        "<": lambda found: found < 0,
        "<=": lambda found: found <= 0,
        ">": lambda found: found > 0,
        ">=": lambda found: found >= 0,
    }
    holds = tests[sign]
    return lambda ctx, left, right: holds(ctx.compare(left, right))


def is_in(ctx: Context, left: Any, right: Any) -> bool:
    """False, with warning 1563, where the right side is no array; so is NOT IN."""
    if not isinstance(right, list):
        ctx.warn(1563)
        return False
    if len(right) <= _SHORT:
        return any(equal(left, each) for each in right)
    if id(right) not in ctx.sets:
        ctx.sets[id(right)] = (right, {canonical(each) for each in right})
    return canonical(left) in ctx.sets[id(right)][1]


def is_not_in(ctx: Context, left: Any, right: Any) -> bool:
    return isinstance(right, list) and not is_in(ctx, left, right)


def quantified(quantifier: str, inner: Operator, least: int = 0) -> Operator:
    """ALL, ANY, NONE and AT LEAST over the elements of the left side; false where it is no array."""

    def run(ctx: Context, left: Any, right: Any) -> bool:
        if not isinstance(left, list):
            return False
        hits = sum(bool(inner(ctx, each, right)) for each in left)
        wanted = {"ALL": hits == len(left), "ANY": hits > 0, "NONE": hits == 0, "LEAST": hits >= least}
        return wanted[quantifier]

    return run


def like(subject: Any, pattern: Any, *, ignore_case: bool = False) -> bool:
    """``%`` any text, ``_`` any one character, a backslash takes the meaning away. The whole subject must match."""
    return _like(text(pattern), ignore_case).fullmatch(text(subject)) is not None


@lru_cache(maxsize=4_096)
def _like(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    meaning = {"%": ".*", "_": "."}
    written = (re.escape(each[-1]) if each[0] == "\\" else meaning.get(each, re.escape(each)) for each in parts)
    return re.compile("".join(written), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@lru_cache(maxsize=1_024)
def regex(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """A pattern that Python and ICU read alike; others are refused."""
    if re.search(r"\\[pPQEXRGZAzhHvVNk]|\(\?[^:=!]|\[\[|&&|[*+?}]\+", pattern):
        raise Unknown(f"regular expressions like {pattern!r}")
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise ArangoProblem(10, f"invalid regex value: {error}") from error


def match(sign: str) -> Operator:
    if sign.upper() == "LIKE":
        return lambda ctx, left, right: like(left, right)
    found = sign == "=~"
    return lambda ctx, left, right: (regex(text(right)).search(text(left)) is not None) == found


def span(left: Any, right: Any) -> list[int]:
    """``a..b``: whole numbers, downwards too."""
    first, last = int(number(left)), int(number(right))
    if abs(last - first) > _LONGEST_RANGE:
        raise Unknown("ranges of more than a million numbers")
    return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))
