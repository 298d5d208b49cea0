"""Comparisons of numbers: of one that is known exactly, and of one that is known to lie between two."""

from __future__ import annotations

from leocdp.adapters.arango.segments.answers import Answer, Names, exactly, perhaps
from leocdp.domain.segments.nodes import Compare, NumberTest

EXACT = 2**53
"""Below, whole numbers and doubles compare in AQL as in Python."""


def number_test(test: NumberTest, low: str, high: str, names: Names) -> Answer:
    """Of a number that is not below ``low`` nor above ``high``, which may be the same text."""
    if not (is_exact(test.low) and is_exact(test.high)):
        return perhaps("true")
    if low == high:
        return exactly(_compared(test.op, low, names, test.low, test.high))
    return _within(test, low, high, names)


def is_exact(value: object) -> bool:
    return not isinstance(value, int | float) or abs(value) < EXACT


def _compared(op: Compare, number: str, names: Names, low: float, high: float) -> str:
    if op == "between":
        return f"{number} >= {names.bind(low)} AND {number} <= {names.bind(high)}"
    signs = {"eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    return f"{number} {signs[op]} {names.bind(low)}"


def _within(test: NumberTest, low: str, high: str, names: Names) -> Answer:
    one = names.bind(test.low)
    match test.op:
        case "gt":
            return Answer(f"{low} > {one}", f"{high} > {one}")
        case "gte":
            return Answer(f"{low} >= {one}", f"{high} >= {one}")
        case "lt":
            return Answer(f"{high} < {one}", f"{low} < {one}")
        case "lte":
            return Answer(f"{high} <= {one}", f"{low} <= {one}")
        case "eq":
            return Answer(f"{low} == {one} AND {high} == {one}", f"{low} <= {one} AND {high} >= {one}")
        case "ne":
            return Answer(f"{low} > {one} OR {high} < {one}", f"{low} != {one} OR {high} != {one}")
        case "between":
            other = names.bind(test.high)
            return Answer(f"{low} >= {one} AND {high} <= {other}", f"{high} >= {one} AND {low} <= {other}")
