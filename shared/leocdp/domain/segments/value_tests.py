"""Comparisons of a condition: the fields ``is``, ``value``, ``size`` … of traits, properties, counts and scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from leocdp.domain.segments.limits import DAY_MS, LONGEST_PATTERN, MOST_COUNT
from leocdp.domain.segments.nodes import Compare, NumberTest, Scalar, TestOperator, ValueTest
from leocdp.domain.segments.patterns import PatternError, compiled
from leocdp.domain.segments.reading import Reader, hint

EQUAL: Final = ("eq", "ne")
ORDER: Final = ("gt", "gte", "lt", "lte")
SETS: Final = ("in", "not_in")
PRESENCE: Final = ("exists", "missing")
TEXT: Final = ("contains", "not_contains", "starts_with", "ends_with", "matches")
LISTS: Final = ("contains_any", "contains_all", "contains_none")
MOMENTS: Final = ("before", "after", "on_day")
WINDOWS: Final = ("within_last", "within_next", "older_than")
ANNIVERSARY: Final = "anniversary"
COMPARISONS: Final = (*EQUAL, *ORDER, "between")
CASED: Final = (*EQUAL, *SETS, *TEXT, *LISTS)
"""Operators that may ignore case."""
CAST: Final = (*COMPARISONS, *SETS)
"""Operators that may compare text as the number it is."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be compared in one place of a definition."""

    what: str
    operators: tuple[str, ...]
    literal: str = ""
    """``text`` or ``number``; empty: either, and true or false."""
    cast: bool = True
    """``"as": "number"`` is possible."""
    size: bool = True


ANY_VALUE: Final = Allowed("this", (*COMPARISONS, *SETS, *PRESENCE, *TEXT, *LISTS, *MOMENTS, *WINDOWS, ANNIVERSARY))
TEXT_FACT: Final = Allowed("this", (*EQUAL, *SETS, *PRESENCE, *TEXT), "text", cast=False, size=False)
MOST_FREQUENT: Final = Allowed("the most frequent value", (*EQUAL, *SETS, *TEXT), "text", cast=False, size=False)
RESULT: Final = Allowed("a result that is a number", COMPARISONS, "number", cast=False, size=False)

_TEST_FIELDS: Final = ("is", "value", "size", "ignore_case", "as", "within_next")


def fields_of(data: Mapping[str, Any], allowed: Allowed) -> Collection[str]:
    """The fields that the comparison in ``data`` may have, by its operator."""
    if allowed.size and "size" in data and "is" not in data:
        return ("size",)
    operator = data.get("is")
    if not isinstance(operator, str) or operator not in allowed.operators:
        return _TEST_FIELDS
    found = ["is"]
    if operator == ANNIVERSARY:
        found.append("within_next")
    elif operator not in PRESENCE:
        found.append("value")
    if operator in CASED:
        found.append("ignore_case")
    if operator in CAST and allowed.cast:
        found.append("as")
    return found


def read_test(reader: Reader, data: Mapping[str, Any], path: str, allowed: Allowed) -> ValueTest:
    if allowed.size and "size" in data and "is" not in data:
        return ValueTest("size", size=read_number_test(reader, data["size"], f"{path}.size", low=0, high=MOST_COUNT))
    if "is" not in data:
        reader.note(path, f"needs “is”, the comparison: one of {', '.join(allowed.operators)}")
        return ValueTest("exists")
    operator = data["is"]
    if not isinstance(operator, str) or operator not in allowed.operators:
        reader.note(f"{path}.is", _not_possible(operator, allowed))
        return ValueTest("exists")
    return _Test(reader, data, path, operator, allowed).read()


_CALLED: Final = {
    "eq": "= == equals equal is exactly",
    "ne": "!= <> not_equals not_equal is_not neq",
    "gt": "> greater greater_than more_than",
    "gte": ">= at_least ge",
    "lt": "< less less_than",
    "lte": "<= at_most le",
    "in": "any_of one_of",
    "not_in": "none_of",
    "matches": "regex regexp",
    "contains": "like includes",
    "exists": "is_set present",
    "missing": "is_not_set not_exists empty",
}
"""What other systems call the operators: only to say what they are called here."""
_OTHER_NAMES: Final = {other: name for name, others in _CALLED.items() for other in others.split()}


def _not_possible(operator: object, allowed: Allowed) -> str:
    if not isinstance(operator, str):
        return f"must be a text{hint(None, allowed.operators)}"
    if operator in ANY_VALUE.operators:
        return f"“{operator}” is not possible for {allowed.what}{hint(None, allowed.operators)}"
    other = _OTHER_NAMES.get(operator.casefold(), "")
    close = f"; did you mean “{other}”?" if other in allowed.operators else hint(operator, allowed.operators)
    return f"“{operator[:50]}” is no comparison{close}"


class _Test:
    """One comparison, by the family of its operator."""

    def __init__(self, reader: Reader, data: Mapping[str, Any], path: str, operator: str, allowed: Allowed) -> None:
        self._reader = reader
        self._data = data
        self._path = path
        self._op = cast(TestOperator, operator)
        self._allowed = allowed
        self._fold = (
            "ignore_case" in data and operator in CASED and reader.flag(data["ignore_case"], f"{path}.ignore_case")
        )
        self._cast = "as" in data and operator in CAST and allowed.cast
        if self._cast:
            reader.choice(data["as"], f"{path}.as", ("number",))

    def read(self) -> ValueTest:
        op = self._op
        if op in PRESENCE:
            return ValueTest(op)
        if op == ANNIVERSARY:
            return self._anniversary()
        if "value" not in self._data:
            self._reader.note(f"{self._path}.value", f"is missing: “{op}” compares with something")
            return ValueTest(op)
        value, path = self._data["value"], f"{self._path}.value"
        if op in ORDER:
            return ValueTest(op, value=self._reader.number(value, path), as_number=self._cast)
        if op == "between":
            return ValueTest(op, values=read_range(self._reader, value, path), as_number=self._cast)
        if op in WINDOWS:
            return ValueTest(op, window=self._reader.window(value, path))
        if op in MOMENTS:
            read = self._reader.day if op == "on_day" else self._reader.moment
            return ValueTest(op, moment=read(value, path))
        if op in TEXT:
            return ValueTest(op, value=self._text(value, path), ignore_case=self._fold)
        return self._equal(value, path)

    def _equal(self, value: object, path: str) -> ValueTest:
        op = self._op
        if op in EQUAL:
            literal = self._literal(value, path)
            return ValueTest(op, value=literal, ignore_case=self._fold, as_number=self._cast)
        listed = self._reader.listed(value, path)
        values = tuple(self._literal(one, f"{path}[{index}]") for index, one in enumerate(listed))
        return ValueTest(op, values=values, ignore_case=self._fold, as_number=self._cast)

    def _literal(self, value: object, path: str) -> Scalar:
        if self._cast or self._allowed.literal == "number":
            return self._reader.number(value, path)
        if self._fold and not isinstance(value, str):
            self._reader.note(path, "must be a text where case is ignored")
            return ""
        if self._allowed.literal == "text":
            return self._reader.text(value, path, least=0)
        return self._reader.scalar(value, path)

    def _text(self, value: object, path: str) -> str:
        if self._op != "matches":
            return self._reader.text(value, path)
        pattern = self._reader.text(value, path, most=LONGEST_PATTERN)
        if pattern and len(pattern) <= LONGEST_PATTERN:
            try:
                compiled(pattern, self._fold)
            except (PatternError, UnicodeError) as error:
                self._reader.note(path, f"is not a regular expression of RE2: {error}")
        return pattern

    def _anniversary(self) -> ValueTest:
        if "within_next" not in self._data:
            return ValueTest("anniversary")
        path = f"{self._path}.within_next"
        window = self._reader.window(self._data["within_next"], path, days=True, most=366 * DAY_MS)
        return ValueTest("anniversary", window=window)


def read_range(reader: Reader, value: object, path: str) -> tuple[int | float, int | float]:
    """Two numbers, the smaller first."""
    ends = reader.items(value, path, least=2, most=2)
    if len(ends) != 2:
        return 0, 0
    low, high = (reader.number(end, f"{path}[{index}]") for index, end in enumerate(ends))
    if low > high:
        reader.note(path, f"is reversed: {low} is more than {high}")
    return low, high


def read_number_test(
    reader: Reader, data: object, path: str, *, low: int | None = None, high: int | None = None
) -> NumberTest:
    """``{"is": "gte", "value": 3}``; with ``low`` and ``high`` of whole numbers."""
    if not isinstance(data, Mapping):
        reader.note(path, 'must be an object such as {"is": "gte", "value": 3}')
        return NumberTest("gte", 0)
    reader.known(data, path, ("is", "value"))
    return number_test(reader, data, path, low=low, high=high)


def number_test(
    reader: Reader, data: Mapping[str, Any], path: str, *, low: int | None = None, high: int | None = None
) -> NumberTest:
    """The fields ``is`` and ``value`` of ``data``."""
    if "is" not in data:
        reader.note(path, f"needs “is”, the comparison: one of {', '.join(COMPARISONS)}")
        return NumberTest("gte", 0)
    op = cast(Compare, reader.choice(data["is"], f"{path}.is", COMPARISONS))
    if "value" not in data:
        reader.note(f"{path}.value", "is missing: the number to compare with")
        return NumberTest("gte", 0)
    value, at = data["value"], f"{path}.value"
    if op == "between":
        first, last = read_range(reader, value, at)
        if low is not None and high is not None:
            first, last = reader.whole(first, f"{at}[0]", low, high), reader.whole(last, f"{at}[1]", low, high)
        return NumberTest(op, first, last)
    if low is None or high is None:
        return NumberTest(op, reader.number(value, at))
    number = reader.whole(value, at, low, high)
    if op == "lt" and number == low:
        reader.note(at, f"can never hold: nothing is less than {low}")
    return NumberTest(op, number)
