"""What a comparison of a stored value with a literal means. This is the meaning; what stores print has to agree.

| stored | kind |
|---|---|
| text | text; a *date* where it is one of ISO 8601 in its extended form, see ``time_rules.moment_of`` |
| integers and floats | number, compared as the double next to it; what no double is near to is of no kind |
| true, false | boolean: never a number |
| list | list: no scalar operator holds on it |
| object | of no kind: it exists, and nothing else is true of it |
| null, NaN and the infinities | missing: they are no values of JSON, and stores write null for them |

A *path* names a value: first the one whose name is the whole path, dots included; else each part is looked up in the
object before it, and in every object of a list before it. So a path may find several values, and a test holds if it
holds of one of them.

``ne``, ``not_in``, ``not_contains``, ``contains_none`` and ``missing`` are exactly the negations of ``eq``, ``in``,
``contains``, ``contains_any`` and ``exists``: true where there is no value, or one of another kind.

Everything is total: what makes no sense does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from hashlib import sha1
from math import isfinite
from re import compile
from typing import Any, Final, Literal

from leocdp.domain.segments.answers import Answer, Interval, negated, within_any
from leocdp.domain.segments.nodes import NumberTest, Path, Scalar, TestOperator, ValueTest
from leocdp.domain.segments.patterns import PatternError, compiled
from leocdp.domain.segments.time_rules import (
    anniversaries,
    day_of,
    end_of,
    instant_of,
    midnight_of,
    moment_of,
    older_than,
    start_of,
    within_last,
    within_next,
)

Kind = Literal["missing", "text", "number", "boolean", "list", "other"]
NEGATIONS: Final[Mapping[TestOperator, TestOperator]] = {
    "ne": "eq",
    "not_in": "in",
    "not_contains": "contains",
    "contains_none": "contains_any",
    "missing": "exists",
}
RELATIVE: Final[frozenset[TestOperator]] = frozenset({"within_last", "within_next", "older_than", "anniversary"})
"""Operators whose answer changes as time passes."""
_NUMBERS: Final = (int, float)
_LISTS: Final = (list, tuple)
_NUMBER: Final = compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def kind_of(value: object) -> Kind:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "boolean"
    if number_of(value) is not None:
        return "number"
    if isinstance(value, _LISTS):
        return "list"
    return "other" if is_there(value) else "missing"


def is_there(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and not isfinite(value))


def number_of(value: object) -> float | None:
    """A number as a double, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def cast_number(value: Any) -> Any:
    """``"as": "number"``: text that is a number becomes one (no blanks, no hex, no ``inf``); all else stays."""
    if isinstance(value, _LISTS):
        return [cast_number(one) for one in value]
    if not isinstance(value, str) or len(value) > 400 or _NUMBER.fullmatch(value) is None:
        return value
    number = float(value)
    return number if isfinite(number) else value


def found(holder: Mapping[str, Any], path: Path) -> Sequence[Any]:
    """The values that a path finds, without those that are missing."""
    named = holder.get(".".join(path))
    if is_there(named):
        return (named,)
    if len(path) < 2:
        return ()
    level: list[Any] = [holder]
    for part in path:
        level = [value for held in level for value in _inside(held, part) if is_there(value)]
    return level


def _inside(held: object, part: str) -> Iterator[Any]:
    if isinstance(held, Mapping):
        yield held.get(part)
    elif isinstance(held, _LISTS):
        for one in held:
            if isinstance(one, Mapping):
                yield one.get(part)


def holds_number(test: NumberTest, number: float) -> bool:
    """Of counts, sizes and scores."""
    low, high = number_of(test.low), number_of(test.high)
    if low is None:
        return False
    if test.op == "between":
        return high is not None and low <= number <= high
    return _ORDER[test.op](number, low)


def answer_values(test: ValueTest, values: Sequence[Any], now: int, zone: tzinfo) -> Answer:
    """The test of the values that a path has found (none: it is missing), and when it may be otherwise."""
    if test.as_number:
        values = [cast_number(one) for one in values]
    positive = NEGATIONS.get(test.op)
    if positive is not None:
        return negated(_test(test, positive, values, now, zone))
    return _test(test, test.op, values, now, zone)


def _test(test: ValueTest, op: TestOperator, values: Sequence[Any], now: int, zone: tzinfo) -> Answer:
    if op in RELATIVE:
        return within_any([one for value in values for one in _when(test, value, now, zone)], now)
    return Answer(any(_holds(test, op, value, zone) for value in values))


def _holds(test: ValueTest, op: TestOperator, value: Any, zone: tzinfo) -> bool:
    """A test that time does not change, of one value that is there."""
    if op == "exists":
        return True
    if op in ("before", "after", "on_day"):
        return _holds_date(test, op, instant_of(value, zone), zone)
    if op in ("gt", "gte", "lt", "lte", "between"):
        return _holds_order(test, op, number_of(value))
    if isinstance(value, _LISTS):
        return _holds_list(test, op, value)
    if op in _TEXT:
        return isinstance(value, str) and isinstance(test.value, str) and _TEXT[op](value, test.value, test.ignore_case)
    if op == "eq":
        return test.value is not None and same(value, test.value, test.ignore_case)
    return op == "in" and any(same(value, literal, test.ignore_case) for literal in test.values)


def same(value: object, literal: Scalar, ignore_case: bool = False) -> bool:
    """Equal, and of the same kind."""
    if isinstance(value, bool) or isinstance(literal, bool):
        return isinstance(value, bool) and isinstance(literal, bool) and value is literal
    if isinstance(literal, str):
        return isinstance(value, str) and _folded(value, ignore_case) == _folded(literal, ignore_case)
    number = number_of(value)
    return number is not None and number == number_of(literal)


def _holds_order(test: ValueTest, op: TestOperator, number: float | None) -> bool:
    if number is None:
        return False
    if op == "between":
        ends = [number_of(one) for one in test.values]
        return len(ends) == 2 and ends[0] is not None and ends[1] is not None and ends[0] <= number <= ends[1]
    limit = number_of(test.value)
    return limit is not None and _ORDER[op](number, limit)


def _holds_list(test: ValueTest, op: TestOperator, value: Sequence[Any]) -> bool:
    if op == "size":
        return test.size is not None and holds_number(test.size, len(value))
    has = (any(same(one, literal, test.ignore_case) for one in value) for literal in test.values)
    return (op == "contains_any" and any(has)) or (op == "contains_all" and all(has))


def _holds_date(test: ValueTest, op: TestOperator, at: int | None, zone: tzinfo) -> bool:
    if at is None or test.moment is None:
        return False
    if op == "before":
        return at < start_of(test.moment, zone)
    if op == "after":
        end = end_of(test.moment, zone)
        # A day is over at the first instant of the next one; an instant is not after itself.
        return at > end if isinstance(test.moment, int) else at >= end
    day = _day_bounds(test, zone)
    return day[0] <= at < day[1]


def _day_bounds(test: ValueTest, zone: tzinfo) -> tuple[int, int]:
    moment = test.moment
    ordinal = day_of(moment, zone) if isinstance(moment, int) else moment.toordinal() if moment else 0
    return midnight_of(ordinal, zone), midnight_of(ordinal + 1, zone)


def _when(test: ValueTest, value: object, now: int, zone: tzinfo) -> Sequence[Interval]:
    moment = moment_of(value, zone)
    if moment is None:
        return ()
    if test.op == "anniversary":
        return anniversaries(moment, test.window, now, zone)
    at = start_of(moment, zone)
    if test.op == "within_last":
        return (within_last(at, test.window),)
    return (within_next(at, test.window) if test.op == "within_next" else older_than(at, test.window),)


def bucket_of(salt: str, root_id: str) -> float:
    """0 ≤ percentage < 100: the first 32 bits of SHA-1(salt, 0x1F, id) as a fraction."""
    digest = sha1(f"{salt}\x1f{root_id}".encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) * 100 / 2**32


# Text


def _folded(text: str, ignore_case: bool) -> str:
    return text.casefold() if ignore_case else text


def _contains(text: str, part: str, ignore_case: bool) -> bool:
    return _folded(part, ignore_case) in _folded(text, ignore_case)


def _starts(text: str, part: str, ignore_case: bool) -> bool:
    return _folded(text, ignore_case).startswith(_folded(part, ignore_case))


def _ends(text: str, part: str, ignore_case: bool) -> bool:
    return _folded(text, ignore_case).endswith(_folded(part, ignore_case))


def _matches(text: str, pattern: str, ignore_case: bool) -> bool:
    try:
        return compiled(_sendable(pattern), ignore_case).search(_sendable(text)) is not None
    except PatternError:
        return False


def _sendable(text: str) -> str:
    """RE2 takes UTF-8: half of a surrogate pair, which no JSON that we read can hold, is a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


_TEXT: Final[Mapping[str, Callable[[str, str, bool], bool]]] = {
    "contains": _contains,
    "starts_with": _starts,
    "ends_with": _ends,
    "matches": _matches,
}
_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "eq": lambda number, limit: number == limit,
    "ne": lambda number, limit: number != limit,
    "gt": lambda number, limit: number > limit,
    "gte": lambda number, limit: number >= limit,
    "lt": lambda number, limit: number < limit,
    "lte": lambda number, limit: number <= limit,
}
