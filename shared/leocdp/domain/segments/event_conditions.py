"""Conditions over events: which events, in which span of time, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, cast, get_args

from leocdp.domain.events import EVENT_TYPES
from leocdp.domain.segments.limits import MOST_COUNT, MOST_DAYS, MOST_NODES, MOST_STEPS, MOST_WEEKS
from leocdp.domain.segments.nodes import (
    Aggregate,
    EventCount,
    EventNode,
    EventQuery,
    FirstTime,
    Fn,
    NumberTest,
    Pick,
    PropertyTest,
    Regularity,
    Sequence_,
    Span,
    Step,
    ValueTest,
)
from leocdp.domain.segments.reading import Reader
from leocdp.domain.segments.value_tests import (
    ANY_VALUE,
    MOST_FREQUENT,
    RESULT,
    fields_of,
    read_number_test,
    read_test,
)

QUERY: Final = ("event", "type", "where")
SPAN: Final = ("within", "between")
FUNCTIONS: Final[tuple[str, ...]] = get_args(Fn)
_FORMS: Final = ("count", "first", "pick", "aggregate", "on_at_least")
"""What may be asked of events, by the field that says so; nothing is: at least once."""
_NAMED: Final = ("track", "page", "screen")


def read_event(reader: Reader, data: Mapping[str, Any], path: str) -> EventNode:
    forms = [form for form in _FORMS if form in data]
    form = forms[0] if forms else "count"
    for other in forms[1:]:
        reader.note(f"{path}.{other}", f"cannot stand beside “{form}”: make two conditions of it")
    rest = {name: value for name, value in data.items() if name not in forms[1:]}
    return _READERS[form](reader, rest, path)


def _count(reader: Reader, data: Mapping[str, Any], path: str) -> EventNode:
    reader.known(data, path, (*QUERY, "count", *SPAN))
    query, span = read_query(reader, data, path), read_span(reader, data, path)
    if "count" not in data:
        return EventCount(query, NumberTest("gte", 1), span)
    return EventCount(query, read_number_test(reader, data["count"], f"{path}.count", low=0, high=MOST_COUNT), span)


def _first(reader: Reader, data: Mapping[str, Any], path: str) -> EventNode:
    reader.known(data, path, (*QUERY, "first", *SPAN))
    reader.true(data["first"], f"{path}.first")
    return FirstTime(read_query(reader, data, path), read_span(reader, data, path))


def _pick(reader: Reader, data: Mapping[str, Any], path: str) -> EventNode:
    reader.known(data, path, (*QUERY, "pick", "property", *SPAN, *fields_of(data, ANY_VALUE)))
    which = reader.choice(data["pick"], f"{path}.pick", ("first", "last"))
    query, test = read_query(reader, data, path), read_test(reader, data, path, ANY_VALUE)
    return Pick(query, cast(Any, which), _property(reader, data, path), test, read_span(reader, data, path))


def _aggregate(reader: Reader, data: Mapping[str, Any], path: str) -> EventNode:
    inner, inner_path = reader.mapping(data["aggregate"], f"{path}.aggregate"), f"{path}.aggregate"
    if not isinstance(data["aggregate"], Mapping):
        return EventCount(read_query(reader, data, path), NumberTest("gte", 1), Span())
    reader.known(inner, inner_path, ("fn", "property", "as"))
    fn = reader.choice(inner.get("fn"), f"{inner_path}.fn", FUNCTIONS)
    allowed = MOST_FREQUENT if fn == "most_frequent" else RESULT
    reader.known(data, path, (*QUERY, "aggregate", *SPAN, *fields_of(data, allowed)))
    if "as" in inner:
        reader.choice(inner["as"], f"{inner_path}.as", ("number",))
    if "as" in inner and fn == "most_frequent":
        reader.note(f"{inner_path}.as", "is not possible for the most frequent value, which is a text")
    return Aggregate(
        read_query(reader, data, path),
        cast(Fn, fn),
        _property(reader, inner, inner_path),
        read_test(reader, data, path, allowed),
        read_span(reader, data, path),
        as_number="as" in inner,
    )


def _regularity(reader: Reader, data: Mapping[str, Any], path: str) -> EventNode:
    reader.known(data, path, (*QUERY, "on_at_least", "of_last", "unit"))
    query = read_query(reader, data, path)
    unit = reader.choice(data.get("unit", "days"), f"{path}.unit", ("days", "weeks"))
    most = MOST_DAYS if unit == "days" else MOST_WEEKS
    least = reader.whole(data["on_at_least"], f"{path}.on_at_least", 1, most)
    last = reader.whole(data.get("of_last"), f"{path}.of_last", 1, most)
    if least > last:
        reader.note(f"{path}.on_at_least", f"can never hold: the last {last} {unit} have no {least} {unit}")
    return Regularity(query, least, last, cast(Any, unit))


_READERS: Final = {
    "count": _count,
    "first": _first,
    "pick": _pick,
    "aggregate": _aggregate,
    "on_at_least": _regularity,
}


def read_sequence(reader: Reader, data: Mapping[str, Any], path: str) -> EventNode:
    reader.known(data, path, ("sequence", "within", "since", "same"))
    listed = reader.items(data["sequence"], f"{path}.sequence", least=2, most=MOST_STEPS)
    steps = [_step(reader, one, f"{path}.sequence[{index}]") for index, one in enumerate(listed)]
    for index, step in enumerate(steps[:-1]):
        if step.negated:
            reader.note(f"{path}.sequence[{index}].not", "is possible for the last step only")
    if "within" not in data:
        reader.note(f"{path}.within", "is missing: the longest time from the first step to the last, such as “2h”")
    return Sequence_(
        tuple(steps),
        reader.window(data["within"], f"{path}.within") if "within" in data else 0,
        reader.window(data["since"], f"{path}.since") if "since" in data else None,
        reader.dotted(data["same"], f"{path}.same") if "same" in data else None,
    )


def _step(reader: Reader, value: object, path: str) -> Step:
    data = reader.mapping(value, path)
    if not isinstance(value, Mapping) or not reader.node(path):
        return Step(EventQuery(None))
    reader.known(data, path, (*QUERY, "not"))
    return Step(read_query(reader, data, path), "not" in data and reader.flag(data["not"], f"{path}.not"))


def read_query(reader: Reader, data: Mapping[str, Any], path: str) -> EventQuery:
    name = reader.name(data["event"], f"{path}.event") if "event" in data else None
    type_ = None
    if "type" in data:
        type_ = reader.choice(data["type"], f"{path}.type", EVENT_TYPES if name is None else _NAMED)
    elif name is None:
        reader.note(path, "needs “event”, the name of an event, or “type” for all events of a type")
    where = reader.items(data["where"], f"{path}.where", least=0, most=MOST_NODES) if "where" in data else []
    tests = (_property_test(reader, one, f"{path}.where[{index}]") for index, one in enumerate(where))
    return EventQuery(name, tuple(tests), type_)


def _property_test(reader: Reader, value: object, path: str) -> PropertyTest:
    data = reader.mapping(value, path)
    if not isinstance(value, Mapping) or not reader.node(path):
        return PropertyTest(("",), ValueTest("exists"))
    reader.known(data, path, ("property", *fields_of(data, ANY_VALUE)))
    return PropertyTest(_property(reader, data, path), read_test(reader, data, path, ANY_VALUE))


def _property(reader: Reader, data: Mapping[str, Any], path: str) -> tuple[str, ...]:
    if "property" in data:
        return reader.dotted(data["property"], f"{path}.property")
    reader.note(f"{path}.property", "is missing: the name of a property of the event")
    return ("",)


def read_span(reader: Reader, data: Mapping[str, Any], path: str) -> Span:
    if "within" in data and "between" in data:
        reader.note(f"{path}.between", "cannot stand beside “within”: choose one of the two")
        return Span()
    if "within" in data:
        return Span(within=reader.window(data["within"], f"{path}.within"))
    if "between" not in data:
        return Span()
    ends = reader.items(data["between"], f"{path}.between", least=2, most=2)
    if len(ends) != 2:
        return Span()
    first, second = (reader.moment(end, f"{path}.between[{index}]") for index, end in enumerate(ends))
    if isinstance(first, date) and isinstance(second, date):
        reversed_ = first > second
    elif isinstance(first, int) and isinstance(second, int):
        reversed_ = first >= second
    else:
        reader.note(f"{path}.between", "must be two plain days or two full times, not one of each")
        return Span()
    if reversed_:
        reader.note(f"{path}.between", f"is reversed: {ends[0]} is not before {ends[1]}")
    return Span(between=(first, second))
