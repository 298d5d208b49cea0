"""What the state of an event node says at a time. The same rules for bounded states and for those of all events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from leocdp.domain.segments.aggregates import accumulated, aggregated
from leocdp.domain.segments.answers import NO, Answer, earliest, within_any
from leocdp.domain.segments.audience import Match, NodeState
from leocdp.domain.segments.nodes import (
    Aggregate,
    EventCount,
    EventNode,
    FirstTime,
    Pick,
    Regularity,
    Sequence_,
)
from leocdp.domain.segments.sequences import answer_sequence
from leocdp.domain.segments.subject import Setting
from leocdp.domain.segments.time_rules import bounds_of, period_of, period_start
from leocdp.domain.segments.values import answer_values, holds_number


def answer_events(node: EventNode, state: NodeState | None, now: int, setting: Setting) -> Answer:
    return _ANSWERS[type(node)](node, state or NodeState(), now, setting)


def in_window(kept: Sequence[Match], within: int | None, now: int) -> Sequence[Match]:
    """Matches at t with now − within < t; all of them without a window."""
    return kept if within is None else kept[bisect_right(kept, now - within, key=_time) :]


def picked(node: Pick, state: NodeState | None, now: int) -> tuple[Sequence[Any], int | None]:
    """The values of the property (none: missing), and when the event that they are of leaves the window."""
    within = node.span.within
    inside = in_window(state.kept, within, now) if state else ()
    if not inside:
        return (), None
    match = inside[0 if node.which == "first" else -1]
    return match.value or (), None if within is None else match.at + within


def result(node: Aggregate, state: NodeState | None, now: int) -> tuple[float | str | None, int | None]:
    """The value (None: there is none), and when it may be another one."""
    state = state or NodeState()
    within = node.span.within
    if within is None:
        values = [match.value for match in state.kept]
        return (aggregated(node.fn, values) if values else accumulated(node, state)), None
    inside = in_window(state.kept, within, now)
    value = aggregated(node.fn, [match.value for match in inside if match.value is not None])
    return value, inside[0].at + within if inside else None


def counted(node: EventCount, state: NodeState | None, now: int) -> int:
    """How many; of a bounded state with a window at most as many as its test can tell apart."""
    if state is None:
        return 0
    return state.n if node.span.within is None else len(in_window(state.kept, node.span.within, now))


def _count(node: EventCount, state: NodeState, now: int, setting: Setting) -> Answer:
    within = node.span.within
    holds = holds_number(node.count, counted(node, state, now))
    if within is None:
        return Answer(holds)
    times = [match.at for match in in_window(state.kept, within, now)]
    for at in dict.fromkeys(times):
        # At at + within the matches up to this one have left the window.
        if holds_number(node.count, len(times) - bisect_right(times, at)) != holds:
            return Answer(holds, at + within)
    return Answer(holds)


def _first(node: FirstTime, state: NodeState, now: int, setting: Setting) -> Answer:
    if not state.kept:
        return NO
    at = state.kept[0].at
    if node.span.within is not None:
        return within_any(((None, at + node.span.within),), now)
    if node.span.between is None:
        return Answer(True)
    start, end = bounds_of(node.span.between, setting.zone)
    return Answer(start <= at < end)


def _pick(node: Pick, state: NodeState, now: int, setting: Setting) -> Answer:
    values, leaves = picked(node, state, now)
    answer = answer_values(node.test, values, now, setting.zone)
    return Answer(answer.holds, earliest((answer.next, leaves)))


def _aggregate(node: Aggregate, state: NodeState, now: int, setting: Setting) -> Answer:
    value, changes = result(node, state, now)
    if value is None:
        # An average of nothing is not "not equal to 5": without a value no test holds.
        return Answer(False, changes)
    answer = answer_values(node.test, (value,), now, setting.zone)
    return Answer(answer.holds, earliest((answer.next, changes)))


def _regularity(node: Regularity, state: NodeState, now: int, setting: Setting) -> Answer:
    def number(at: int) -> int:
        return period_of(at, node.unit, setting.zone)

    active = sorted({number(match.at) for match in state.kept})

    def enough(period: int) -> bool:
        return sum(period - node.of_last < one <= period for one in active) >= node.at_least

    today = number(now)
    holds = enough(today)
    # The count changes where a period with the event comes, and where it leaves the last n.
    changes = sorted({day for one in active for day in (one, one + node.of_last) if day > today})
    turn = next((day for day in changes if enough(day) != holds), None)
    return Answer(holds, None if turn is None else period_start(turn, node.unit, setting.zone))


def _sequence(node: Sequence_, state: NodeState, now: int, setting: Setting) -> Answer:
    return Answer(True) if state.n else answer_sequence(node, state.kept, now)


def _time(match: Match) -> int:
    return match.at


_ANSWERS: Final[Mapping[type, Callable[[Any, NodeState, int, Setting], Answer]]] = {
    EventCount: _count,
    FirstTime: _first,
    Pick: _pick,
    Aggregate: _aggregate,
    Regularity: _regularity,
    Sequence_: _sequence,
}
