"""Computed traits: values that follow from a person's events and are used like any other trait.

```json
{"event": "Order Completed", "where": [{"property": "total", "is": "gt", "value": 0}],
 "fn": "sum", "property": "total", "as": "number", "within": "90d"}
```

| ``fn`` | value | when no event counts any more |
|---|---|---|
| ``count`` | number of events (takes no ``property``) | 0 |
| ``sum``, ``distinct`` | number; ``distinct`` is how many different values | 0 |
| ``avg``, ``min``, ``max`` | number | no value |
| ``first``, ``last`` | the property of the first or last event: text, number, boolean or a list of them | no value |
| ``most_frequent`` | text; a tie goes to the smaller one | no value |
| ``distinct_list`` | the different texts (of up to 200 characters), numbers and booleans, at most 1,000 | no value |

Somebody who never did the event has no value at all: the trait is missing, as it is of people it does not fit.
The value comes from the same bounded state as that of a condition on events (``node_state``), so it is current within
an event, a late one and the passing of time included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from leocdp.domain.errors import Invalid
from leocdp.domain.segments.audience import MOST_KEPT, Match, NodeState
from leocdp.domain.segments.event_answers import in_window, picked, result
from leocdp.domain.segments.event_conditions import QUERY, SPAN, read_query, read_span
from leocdp.domain.segments.limits import LARGEST_NUMBER, MOST_COUNT
from leocdp.domain.segments.matching import value_of
from leocdp.domain.segments.node_state import build_all
from leocdp.domain.segments.nodes import (
    Aggregate,
    EventCount,
    EventNode,
    EventQuery,
    Fn,
    NumberTest,
    Path,
    Pick,
    Span,
    ValueTest,
)
from leocdp.domain.segments.printing import dotted, query, span
from leocdp.domain.segments.reading import Reader
from leocdp.domain.segments.subject import EventFact, Setting
from leocdp.domain.segments.values import cast_number

ComputedFn = Literal[
    "count", "sum", "avg", "min", "max", "first", "last", "most_frequent", "distinct_list", "distinct"
]  # fmt: skip
FUNCTIONS: Final[tuple[str, ...]] = get_args(ComputedFn)
MOST_LISTED: Final = MOST_KEPT
_CAST: Final = ("sum", "avg", "min", "max", "first", "last", "distinct", "distinct_list")
"""Functions that may take text as the number it is."""


class ComputedInvalid(Invalid):
    """A definition that cannot be saved; ``problems`` lists every mistake with its path."""

    code = "computed_trait_invalid"


@dataclass(frozen=True, slots=True)
class Computed:
    fn: ComputedFn
    node: EventNode
    """What a person keeps a state of. The test in it only says how much is kept."""
    as_number: bool = False


def parse_computed(data: object, path: str = "definition") -> Computed:
    """The definition of a computed trait.

    Raises:
        ComputedInvalid: with the path and the problem of every mistake.
    """
    reader = Reader()
    computed = _read(reader, data, path)
    if reader.problems:
        raise ComputedInvalid("computed trait", reader.problems)
    return computed


def to_json(computed: Computed) -> dict[str, Any]:
    """The canonical spelling: ``parse_computed(to_json(computed)) == computed``."""
    node = computed.node
    assert isinstance(node, EventCount | Pick | Aggregate)
    found = {**query(node.query), "fn": computed.fn}
    if not isinstance(node, EventCount):
        found["property"] = dotted(node.path)
    if computed.as_number:
        found["as"] = "number"
    return {**found, **span(node.span)}


def value(
    computed: Computed, state: NodeState | None, now: int, setting: Setting, events: Sequence[EventFact] | None = None
) -> tuple[Any, int | None]:
    """The value at ``now`` (None: there is none), and the next instant at which it may be another one.

    ``events``, all of the person, are needed where ``state.cut``: without them the value is of what the state holds.
    """
    node = computed.node
    if events is not None:
        state = build_all(node, events, setting)
    if state is None or not (state.n or state.kept):
        return None, None
    if isinstance(node, EventCount):
        return _count(node, state, now)
    if isinstance(node, Pick):
        values, leaves = picked(node, state, now)
        return _one(_cast(values) if computed.as_number else values), leaves
    assert isinstance(node, Aggregate)
    if computed.fn == "distinct_list":
        return _distinct_list(node, state, now)
    number, changes = result(node, state, now)
    return _plain(number), changes


# Reading


def _read(reader: Reader, value: object, path: str) -> Computed:
    data = reader.mapping(value, path)
    if not isinstance(value, Mapping):
        return Computed("count", _node("count", EventQuery(None), (), Span(), False))
    if data.get("fn") not in FUNCTIONS:
        # What else is wrong depends on what is asked for.
        reader.choice(data.get("fn"), f"{path}.fn", FUNCTIONS)
        return Computed(
            "count", _node("count", read_query(reader, data, path), (), read_span(reader, data, path), False)
        )
    fn = cast(ComputedFn, data["fn"])
    known = [*QUERY, *SPAN, "fn", *(["property"] if fn != "count" else []), *(["as"] if fn in _CAST else [])]
    reader.known(data, path, known)
    if "as" in data and fn in _CAST:
        reader.choice(data["as"], f"{path}.as", ("number",))
    asked, when = read_query(reader, data, path), read_span(reader, data, path)
    number = "as" in data and fn in _CAST
    return Computed(fn, _node(fn, asked, _property(reader, data, path, fn), when, number), number)


def _property(reader: Reader, data: Mapping[str, Any], path: str, fn: ComputedFn) -> Path:
    if fn == "count":
        return ()
    if "property" in data:
        return reader.dotted(data["property"], f"{path}.property")
    reader.note(f"{path}.property", f"is missing: “{fn}” is of a property of the event")
    return ("",)


def _node(fn: ComputedFn, asked: EventQuery, path: Path, when: Span, number: bool) -> EventNode:
    if fn == "count":
        # A test that no count that is kept decides: so as much is kept as can be.
        return EventCount(asked, NumberTest("gte", MOST_COUNT), when)
    if fn == "first" or fn == "last":
        return Pick(asked, fn, path, ValueTest("exists"), when)
    inner: Fn = "distinct" if fn == "distinct_list" else fn
    return Aggregate(asked, inner, path, ValueTest("exists"), when, as_number=number)


# Values


def _count(node: EventCount, state: NodeState, now: int) -> tuple[int, int | None]:
    within = node.span.within
    if within is None:
        return state.n, None
    inside = in_window(state.kept, within, now)
    return len(inside), _leaves(inside, within)


def _distinct_list(node: Aggregate, state: NodeState, now: int) -> tuple[list[Any] | None, int | None]:
    """Texts, then numbers, then booleans, each sorted: the same whatever the order of the events was."""
    within = node.span.within
    if within is None:
        # All events of a person are not tallied but kept.
        tokens, leaves = {*state.tally, *(match.value for match in state.kept)}, None
    else:
        inside = in_window(state.kept, within, now)
        tokens, leaves = {match.value for match in inside}, _leaves(inside, within)
    values = [found for one in tokens for found in value_of(one)]
    values.sort(key=lambda one: (isinstance(one, bool), not isinstance(one, str), one))
    return values[:MOST_LISTED] or None, leaves


def _leaves(inside: Sequence[Match], within: int) -> int | None:
    return inside[0].at + within if inside else None


def _cast(values: Sequence[Any]) -> list[Any]:
    return [cast_number(one) for one in values]


def _one(values: Sequence[Any]) -> Any:
    """A path that leads into a list finds several values: they are a list. Objects are no values of traits."""
    kept = [_plain(one) for one in values if not isinstance(one, Mapping)]
    if not kept:
        return None
    return kept[0] if len(values) == 1 else kept


def _plain(found: Any) -> Any:
    """Whole numbers without a point: people see them."""
    if isinstance(found, list | tuple):
        return [_plain(one) for one in found if not isinstance(one, Mapping)]
    if isinstance(found, float) and found.is_integer() and abs(found) <= LARGEST_NUMBER:
        return int(found)
    return found
