"""AQL's values: types and their order, equality, truth, conversions.

``null < bool < number < string < array < object`` across types. Arrays compare element by element and objects
attribute by attribute (names sorted), where what is missing counts as null: ``[] == [null]``, ``{} == {a: null}``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Hashable, Sequence
from functools import cmp_to_key
from typing import Any, Final

from tests.doubles.arangodb.aql.collation import Order

TYPE_NAMES: Final = ("null", "bool", "number", "string", "array", "object")
_NUMBER: Final = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*")
_INT64: Final = 1 << 63


def rank(value: Any) -> int:
    """Place of the value's type in the order of types."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        return 2
    if isinstance(value, str):
        return 3
    return 4 if isinstance(value, list) else 5


def truth(value: Any) -> bool:
    """null, false, 0 and "" are false; every array and object is true, also the empty ones."""
    return bool(value) or isinstance(value, list | dict)


def equal(left: Any, right: Any) -> bool:
    if type(left) is type(right) and isinstance(left, str | int | float):
        return bool(left == right)
    kind = rank(left)
    if kind != rank(right):
        return False
    if kind < 4:
        return bool(left == right)
    if kind == 4:
        longest = max(len(left), len(right))
        return all(equal(at(left, index), at(right, index)) for index in range(longest))
    return all(equal(left.get(name), right.get(name)) for name in {**left, **right})


def at(items: Sequence[Any], index: int) -> Any:
    """The element, or null outside the array."""
    return items[index] if 0 <= index < len(items) else None


def comparer(order: Order) -> Callable[[Any, Any], int]:
    """Three-way comparison of any two values, with this order of strings."""

    def compare(left: Any, right: Any) -> int:
        kind, other = rank(left), rank(right)
        if kind != other:
            return -1 if kind < other else 1
        if kind in (0, 1, 2):
            return _sign(left or 0, right or 0)
        if kind == 3:
            return 0 if left == right else _sign(order(left), order(right))
        if kind == 4:
            pairs = ((at(left, index), at(right, index)) for index in range(max(len(left), len(right))))
        else:
            pairs = ((left.get(name), right.get(name)) for name in sorted({**left, **right}))
        return next((found for found in (compare(*pair) for pair in pairs) if found), 0)

    return compare


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def sort_key(compare: Callable[[Any, Any], int]) -> Callable[[Any], Any]:
    return cmp_to_key(compare)


def canonical(value: Any) -> Hashable:
    """A hashable stand-in: two values have the same one exactly when they are equal."""
    kind = rank(value)
    if kind < 4:
        return (kind, value)
    if kind == 4:
        items = list(value)
        while items and _is_nothing(items[-1]):
            items.pop()
        return (kind, tuple(canonical(item) for item in items))
    return (kind, frozenset((name, canonical(each)) for name, each in value.items() if not _is_nothing(each)))


def _is_nothing(value: Any) -> bool:
    return value is None


def number(value: Any) -> int | float:
    """TO_NUMBER: null, false, objects and what is no number in a string are 0, true is 1, [x] is what x is."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return tidy(float(value)) if _NUMBER.fullmatch(value) else 0
    if isinstance(value, list) and len(value) == 1:
        return number(value[0])
    return 0


def tidy(value: float) -> int | float:
    """Numbers as JSON shows them: whole ones without a point; beyond 64 bits a whole number becomes a double."""
    if isinstance(value, int):
        return value if -_INT64 <= value < 2 * _INT64 else float(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def is_finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def text(value: Any) -> str:
    """TO_STRING: null is the empty string, arrays and objects are their JSON without blanks."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
