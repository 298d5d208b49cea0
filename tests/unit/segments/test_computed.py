"""Computed traits: their definitions, and values that follow from bounded states as from all events."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leocdp.domain.profiles.state import State
from leocdp.domain.segments.computed import FUNCTIONS, ComputedInvalid, parse_computed, to_json, value
from leocdp.domain.segments.evaluate import evaluate
from leocdp.domain.segments.node_state import add, build, join
from leocdp.domain.segments.parse import parse_condition
from leocdp.domain.segments.subject import EventFact, Setting, Subject

SETTING = Setting(UTC)
HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 100 * DAY


def orders(*totals: Any, every: int = DAY) -> list[EventFact]:
    """One per day, the last one a millisecond ago."""
    last = NOW - 1
    return [
        EventFact(last - every * (len(totals) - 1 - place), f"m{place}", "track", "Order Completed", {"total": total})
        for place, total in enumerate(totals)
    ]


def definition(fn: str, **more: Any) -> dict[str, Any]:
    made = {"event": "Order Completed", "fn": fn, **more}
    return made if fn == "count" else {"property": "total", **made}


def computed(data: dict[str, Any], events: list[EventFact], now: int = NOW) -> Any:
    """The value from the bounded state, and that it is the one from all events."""
    one = parse_computed(data)
    state = build(one.node, events, SETTING)
    found = value(one, state, now, SETTING)
    assert found == value(one, None, now, SETTING, events)
    return found[0]


VALUES = [10, 20.5, "30", None, 20.5, True, "vip", "30"]


@pytest.mark.parametrize(
    ("fn", "expected", "recent"),
    [
        ("count", 8, 3),
        ("sum", 51, 0),
        ("avg", 17, None),
        ("min", 10, None),
        ("max", 20.5, None),
        ("first", 10, True),
        ("last", "30", "30"),
        ("most_frequent", "30", "30"),
        ("distinct", 5, 3),
        ("distinct_list", ["30", "vip", 10, 20.5, True], ["30", "vip", True]),
    ],
)
def test_values_ever_and_in_a_window(fn: str, expected: Any, recent: Any) -> None:
    assert computed(definition(fn), orders(*VALUES)) == expected
    assert computed(definition(fn, within="3d"), orders(*VALUES)) == recent


def test_every_function_is_tried() -> None:
    assert {parse_computed(definition(fn)).fn for fn in FUNCTIONS} == set(FUNCTIONS)


def test_text_that_is_a_number_counts_as_one_on_request() -> None:
    number = {"as": "number"}
    assert computed(definition("sum", **number), orders(*VALUES)) == 111
    assert computed(definition("last", **number), orders(*VALUES)) == 30
    assert computed(definition("distinct_list", **number), orders(*VALUES)) == ["vip", 10, 20.5, 30, True]


def test_who_never_did_it_has_no_value_and_who_did_long_ago_counts_zero() -> None:
    for fn in FUNCTIONS:
        assert computed(definition(fn), []) is None
    assert computed(definition("count", within="1h"), orders(1), NOW + DAY) == 0
    assert computed(definition("sum", within="1h"), orders(1), NOW + DAY) == 0
    assert computed(definition("last", within="1h"), orders(1), NOW + DAY) is None


def test_conditions_on_the_events_count_and_a_span_between_days() -> None:
    events = orders(5, 50, 500)
    assert computed(definition("count", where=[{"property": "total", "is": "gte", "value": 50}]), events) == 2
    # Day 98 is 9 April 1970.
    assert computed(definition("sum", between=["1970-04-09", "1970-04-09"]), events) == 50


def test_a_path_into_a_list_gives_a_list_and_objects_are_no_values() -> None:
    event = EventFact(
        NOW - 1, "m", "track", "Order Completed", {"items": [{"id": "b"}, {"id": 2}], "address": {"a": 1}}
    )
    assert computed(definition("last", property="items.id"), [event]) == ["b", 2]
    assert computed(definition("distinct_list", property="items.id"), [event]) == ["b", 2]
    assert computed(definition("last", property="address"), [event]) is None


def test_a_window_that_lets_an_event_go_changes_the_value_then_and_not_before() -> None:
    for fn in FUNCTIONS:
        one = parse_computed(definition(fn, within="10d"))
        state = build(one.node, orders("a", "b") if fn == "most_frequent" else orders(1, 2), SETTING)
        first, change = value(one, state, NOW, SETTING)
        assert change is not None, fn
        assert value(one, state, change - 1, SETTING)[0] == first
        if fn not in ("last", "max", "most_frequent"):
            assert value(one, state, change, SETTING)[0] != first, fn


def test_beyond_what_is_kept_the_state_says_so_and_the_events_tell() -> None:
    one = parse_computed(definition("count", within="30d"))
    events = orders(*range(1_200), every=60_000)
    state = build(one.node, events, SETTING)
    assert state is not None
    assert state.cut
    assert value(one, state, NOW, SETTING, events)[0] == 1_200


def test_long_texts_are_counted_but_not_listed() -> None:
    events = orders("short", "x" * 200, "y" * 201)
    assert computed(definition("distinct"), events) == 3
    assert computed(definition("distinct_list"), events) == ["short", "x" * 200]


_EVENTS = st.lists(
    st.builds(
        lambda at, total: (NOW - at, total),
        st.integers(0, 5 * DAY),
        st.none() | st.booleans() | st.integers(-50, 50) | st.sampled_from([0.1, 0.2, 1e15, "5", "a", "b", ["a", 1]]),
    ),
    max_size=12,
)
_DEFINITIONS = st.builds(
    lambda fn, span: definition(fn, **span),
    st.sampled_from(FUNCTIONS),
    st.sampled_from([{}, {"within": "2d"}, {"between": ["1970-04-08", "1970-04-10"]}]),
)


@given(_DEFINITIONS, _EVENTS, st.randoms())
def test_late_events_and_merges_give_the_value_of_all_events(data: dict[str, Any], made: Any, random: Any) -> None:
    events = [
        EventFact(at, f"m{n}", "track", "Order Completed", {"total": total}) for n, (at, total) in enumerate(made)
    ]
    one = parse_computed(data)
    random.shuffle(events)
    half = len(events) // 2
    state = None
    for event in events[:half]:
        state = add(one.node, state, event, SETTING)
    other = build(one.node, events[half:], SETTING)
    both = join(one.node, state, other) if state and other else state or other
    assert value(one, both, NOW, SETTING) == value(one, None, NOW, SETTING, events)


def test_it_is_a_trait_like_any_other() -> None:
    total = computed(definition("sum", within="90d"), orders(100, 250))
    subject = Subject("p", State(), {"spent": total})
    condition = parse_condition({"trait": "spent", "is": "gte", "value": 300})
    assert evaluate(condition, subject, [], NOW, SETTING).holds


@pytest.mark.parametrize("fn", FUNCTIONS)
def test_definitions_are_printed_as_they_are_read(fn: str) -> None:
    data = definition(fn, type="track", where=[{"property": "total", "is": "exists"}], within="90d")
    assert to_json(parse_computed(data)) == data


INVALID = [
    ([], "definition", "must be an object"),
    ({"fn": "count"}, "definition", "needs “event”"),
    ({"event": "E"}, "definition.fn", "is missing; known are count, sum"),
    ({"event": "E", "fn": "total", "property": "a"}, "definition.fn", "“total” is not known"),
    ({"event": "E", "fn": "sum"}, "definition.property", "is missing"),
    ({"event": "E", "fn": "count", "property": "a"}, "definition.property", "is not known here"),
    ({"event": "E", "fn": "count", "as": "number"}, "definition.as", "is not known here"),
    ({"event": "E", "fn": "sum", "property": "a", "as": "text"}, "definition.as", "“text” is not known"),
    ({"event": "E", "fn": "last", "property": "a", "is": "exists"}, "definition.is", "is not known here"),
    ({"event": "E", "fn": "count", "within": "1y"}, "definition.within", "must be a duration"),
    (
        {"event": "E", "fn": "count", "where": [{"property": "a", "is": "gt"}]},
        "definition.where[0].value",
        "is missing",
    ),
]


@pytest.mark.parametrize(("data", "path", "part"), INVALID)
def test_a_problem_is_told_with_its_path(data: object, path: str, part: str) -> None:
    with pytest.raises(ComputedInvalid) as caught:
        parse_computed(data)
    found = {one.path: one.problem for one in caught.value.problems}
    assert list(found) == [path]
    assert part in found[path]
