"""What stands in a condition, and what its answer depends on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Final

from leocdp.domain.segments.nodes import Node, Regularity, Score, Sequence_, Span, ValueTest

_RELATIVE: Final = frozenset({"within_last", "within_next", "older_than", "anniversary"})
_OF_DATES: Final = _RELATIVE | {"before", "after", "on_day"}


def walk(value: object) -> Iterator[object]:
    """A condition and everything inside it."""
    if isinstance(value, tuple):
        for one in value:
            yield from walk(one)
    elif is_dataclass(value):
        yield value
        for part in fields(value):
            yield from walk(getattr(value, part.name))
    elif isinstance(value, date):
        yield value


def depends_on_zone(condition: Node) -> bool:
    """It names a plain day, counts local days, or looks at dates, which may be plain days."""
    return any(
        isinstance(one, date | Regularity) or (isinstance(one, ValueTest) and one.op in _OF_DATES)
        for one in walk(condition)
    )


def may_change_by_itself(condition: Node) -> bool:
    return any(
        isinstance(one, Sequence_ | Regularity | Score)
        or (isinstance(one, Span) and one.within is not None)
        or (isinstance(one, ValueTest) and one.op in _RELATIVE)
        for one in walk(condition)
    )
