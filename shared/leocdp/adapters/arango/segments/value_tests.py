"""Tests of one stored value in AQL, after ``domain.segments.values``.

AQL compares values of any two types and takes what is missing for null, so each text begins with the type it wants.
Its equality is of the stored bytes, as Python's. Not said in AQL, and left to Python: the case of letters beyond ASCII,
regular expressions, text as numbers, dates that are near to the boundary or written in an uncommon way, and whatever
lies behind a list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from leocdp.adapters.arango.segments.answers import (
    FALSE,
    NEVER,
    Answer,
    Names,
    either,
    exactly,
    guarded,
    negated,
    perhaps,
    unless,
)
from leocdp.adapters.arango.segments.date_tests import date_test
from leocdp.adapters.arango.segments.numbers import is_exact, number_test
from leocdp.domain.segments.nodes import NumberTest, Scalar, ValueTest
from leocdp.domain.segments.subject import Setting
from leocdp.domain.segments.values import NEGATIONS, RELATIVE

PLAIN: Final = "[^ -~]"
"""Finds what is not printable ASCII: of all else, lower case is what it is in Python."""
LIKE_A_NUMBER: Final = "^[+-]?[0-9]"
_BEYOND_16_BITS: Final = "\uffff"
"""Engines differ in whether characters above count as one or as two."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the tests of one question have in common."""

    names: Names
    now: int
    setting: Setting
    timeless: bool = False
    """What depends on the time is asked at another time than now, which AQL is not told."""


@dataclass(frozen=True, slots=True)
class Found:
    """A stored value: a variable, null where there is none. In doubt AQL cannot tell what the value is."""

    value: str
    doubt: str = FALSE


def value_test(test: ValueTest, found: Found, asked: Asked) -> Answer:
    return unless(found.doubt, _tests(test, found.value, asked))


def _tests(test: ValueTest, value: str, asked: Asked) -> Answer:
    positive = NEGATIONS.get(test.op, test.op)
    found = _positive(positive, test, value, asked)
    if test.as_number:
        # Text that may be a number is one then, in lists too.
        like = f"IS_STRING({value}) AND REGEX_TEST({value}, {asked.names.bind(LIKE_A_NUMBER)})"
        found = unless(f"IS_ARRAY({value}) OR ({like})", found)
    return found if positive == test.op else negated(found)


def _positive(op: str, test: ValueTest, value: str, asked: Asked) -> Answer:
    names = asked.names
    if op == "exists":
        return exactly(f"{value} != null")
    if op in ("gt", "gte", "lt", "lte", "between"):
        return _number(op, test, value, names)
    if op in ("eq", "in"):
        literals = (test.value,) if op == "eq" else test.values
        return _among(literals, test, value, names)
    if op in _TEXT:
        return _text(op, test, value, names)
    if op in ("contains_any", "contains_all"):
        return _list(op, test, value, names)
    if op == "size" and test.size is not None:
        return guarded(f"IS_ARRAY({value})", number_test(test.size, f"LENGTH({value})", f"LENGTH({value})", names))
    if asked.timeless and op in RELATIVE:
        return perhaps(f"IS_STRING({value})")
    return date_test(test, value, names, asked.now, asked.setting)


def _number(op: str, test: ValueTest, value: str, names: Names) -> Answer:
    ends = test.values if op == "between" else (test.value, 0)
    if len(ends) != 2 or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in ends):
        return NEVER
    low, high = ends
    asked = NumberTest(op, low, high)  # type: ignore[arg-type]
    return guarded(f"IS_NUMBER({value})", number_test(asked, value, value, names))


def _among(literals: Sequence[Scalar | None], test: ValueTest, value: str, names: Names) -> Answer:
    if not literals or literals == (None,):
        return NEVER
    if not all(map(is_exact, literals)):
        return perhaps(f"{value} != null")
    texts = [one for one in literals if isinstance(one, str)]
    others = [one for one in literals if not isinstance(one, str)]
    if test.ignore_case and texts:
        folded = names.bind([one.casefold() for one in texts])
        found = _caseless(value, lambda lower: f"{lower} IN {folded}", names)
        return either(found, _among(others, ValueTest("in"), value, names)) if others else found
    if len(literals) == 1:
        return exactly(f"{value} == {names.bind(literals[0])}")
    return exactly(f"{value} IN {names.bind(list(literals))}")


def _caseless(value: str, says: Callable[[str], str], names: Names) -> Answer:
    """``says`` of the text in lower case, where the text is such that Python's ``casefold`` is the same."""
    plain = f"!REGEX_TEST({value}, {names.bind(PLAIN)})"
    told = f"IS_STRING({value}) ? ({plain} ? ({says(f'LOWER({value})')}) : @unsure) : false"
    return Answer(told.replace("@unsure", "false"), told.replace("@unsure", "true"))


def _text(op: str, test: ValueTest, value: str, names: Names) -> Answer:
    part = str(test.value)
    if op == "matches":
        return perhaps(f"IS_STRING({value})")
    if test.ignore_case:
        return _caseless(value, lambda lower: _TEXT[op](lower, part.casefold(), names), names)
    if op == "ends_with" and max(part, default="") > _BEYOND_16_BITS:
        return perhaps(f"IS_STRING({value}) AND {_contains(value, part, names)}")
    return guarded(f"IS_STRING({value})", exactly(_TEXT[op](value, part, names)))


def _contains(value: str, part: str, names: Names) -> str:
    return f"CONTAINS({value}, {names.bind(part)})" if part else "true"


def _starts_with(value: str, part: str, names: Names) -> str:
    return f"STARTS_WITH({value}, {names.bind(part)})" if part else "true"


def _ends_with(value: str, part: str, names: Names) -> str:
    return f"RIGHT({value}, {names.bind(len(part))}) == {names.bind(part)}" if part else "true"


def _never(value: str, part: str, names: Names) -> str:
    return FALSE


_TEXT: Final[dict[str, Callable[[str, str, Names], str]]] = {
    "contains": _contains,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "matches": _never,
}


def _list(op: str, test: ValueTest, value: str, names: Names) -> Answer:
    if not all(map(is_exact, test.values)):
        return perhaps(f"IS_ARRAY({value})")
    if test.ignore_case and any(isinstance(one, str) for one in test.values):
        return perhaps(f"IS_ARRAY({value})")
    if op == "contains_any":
        return guarded(f"IS_ARRAY({value})", exactly(f"{names.bind(list(test.values))} ANY IN {value}"))
    return guarded(f"IS_ARRAY({value})", exactly(f"{names.bind(list(test.values))} ALL IN {value}"))
