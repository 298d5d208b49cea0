"""An equal condition that is easier to say: no double negations, nothing that says “everyone” inside a group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeVar

from leocdp.domain.segments.nodes import (
    All,
    Any_,
    Compare,
    EventCount,
    Everyone,
    Fact,
    HasIdentifier,
    InList,
    InSegment,
    Label,
    Node,
    Not,
    NumberTest,
    Score,
    Stage,
    Status,
    TestOperator,
    Trait,
    ValueTest,
)

NOBODY: Final = Not(Everyone())
_Group = TypeVar("_Group", All, Any_)

_TESTS: Final[dict[TestOperator, TestOperator]] = {
    "eq": "ne",
    "in": "not_in",
    "exists": "missing",
    "contains": "not_contains",
    "contains_any": "contains_none",
}
_OPPOSITES: Final = {**_TESTS, **{other: one for one, other in _TESTS.items()}}
"""Only of operators that are exactly the negation of each other, whatever the stored value is."""
_COMPARES: Final[dict[Compare, Compare]] = {
    "eq": "ne",
    "ne": "eq",
    "gt": "lte",
    "lte": "gt",
    "gte": "lt",
    "lt": "gte",
}


def simplified(node: Node) -> Node:
    if isinstance(node, All):
        return _grouped(All, node.parts, neutral=Everyone(), absorbing=NOBODY)
    if isinstance(node, Any_):
        return _grouped(Any_, node.parts, neutral=NOBODY, absorbing=Everyone())
    if isinstance(node, Not):
        part = simplified(node.part)
        return opposite(part) or Not(part)
    return node


def _grouped(kind: type[_Group], parts: Iterable[Node], *, neutral: Node, absorbing: Node) -> Node:
    made: list[Node] = []
    for part in map(simplified, parts):
        if part == absorbing:
            return absorbing
        if isinstance(part, kind):
            made.extend(part.parts)
        elif part != neutral:
            made.append(part)
    if not made:
        return neutral
    return made[0] if len(made) == 1 else kind(tuple(made))


def opposite(node: Node) -> Node | None:
    """A condition that holds exactly where ``node`` does not, if it can be said without “not”."""
    if isinstance(node, Not):
        return node.part
    if isinstance(node, Trait | Fact):
        test = _opposite_test(node.test)
        return None if test is None else replace(node, test=test)
    if isinstance(node, EventCount):
        count = _opposite_number(node.count)
        return None if count is None else replace(node, count=_plain(count))
    if isinstance(node, Score):
        number = _opposite_number(node.test)
        return None if number is None else replace(node, test=number)
    if isinstance(node, InSegment | InList | Label | Stage | HasIdentifier):
        return replace(node, negated=not node.negated)
    if isinstance(node, Status):
        return Status("anonymous" if node.state == "identified" else "identified")
    return None


def _opposite_test(test: ValueTest) -> ValueTest | None:
    op = _OPPOSITES.get(test.op)
    return None if op is None else replace(test, op=op)


def _opposite_number(test: NumberTest) -> NumberTest | None:
    op = _COMPARES.get(test.op)
    return None if op is None else NumberTest(op, test.low)


def _plain(count: NumberTest) -> NumberTest:
    """Of whole numbers from 0 on: “less than 1” is “0”, “not 0” and “more than 0” are “at least 1”."""
    if (count.op, count.low) in (("lt", 1), ("lte", 0)):
        return NumberTest("eq", 0)
    if (count.op, count.low) in (("ne", 0), ("gt", 0)):
        return NumberTest("gte", 1)
    return count
