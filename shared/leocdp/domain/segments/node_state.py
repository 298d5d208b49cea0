"""The bounded state that a person keeps for an event node: how it grows, unites and is trimmed.

| node | what is kept |
|---|---|
| count, ever or between | ``n`` |
| count within | the newest matches: as many as it takes to tell counts apart, at most ``MOST_KEPT`` |
| first time | the earliest match |
| pick | the first or last match with the values of the property; first within: those that may be in the window |
| aggregate, ever or between | what its function needs of ``n``, ``total`` (exact), ``low``, ``high``, ``tally`` |
| aggregate within | one match per value that may still be in the window |
| regularity | one match per local day or week, at its beginning |
| sequence | one match per event, step and key; of a positive one without ``since`` that was completed only ``n`` = 1 |

A match that cannot matter any more is dropped: it is older than the window before the newest one. If one is left out
that may matter, the state is *cut* and only the events can tell. Events may be ``SLACK_MS`` ahead of who asks.

States are values: every function gives a new one, or the one that it was given when nothing is different.
A late event is like any other, and two states of different events unite to that of all of them.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor
from typing import Any, Final

from msgspec.structs import replace

from leocdp.domain.segments.audience import MOST_KEPT, Match, NodeState
from leocdp.domain.segments.matching import counted_values, in_between, matches, tokens
from leocdp.domain.segments.node_keys import node_key
from leocdp.domain.segments.nodes import (
    Aggregate,
    EventCount,
    EventNode,
    FirstTime,
    NumberTest,
    Pick,
    Regularity,
    Sequence_,
)
from leocdp.domain.segments.picked_values import storable
from leocdp.domain.segments.sequences import is_completed, is_negated
from leocdp.domain.segments.subject import EventFact, Setting
from leocdp.domain.segments.sums import grown
from leocdp.domain.segments.time_rules import period_of, period_start
from leocdp.domain.segments.values import found, number_of

__all__ = ["SLACK_MS", "add", "build", "build_all", "join", "node_key"]

SLACK_MS: Final = 3_600_000
"""How far the newest event may lie ahead of the clock of who asks. Times are clamped to when an observer accepted the
event, so this is how far the clocks of two machines may differ."""
_OF_VALUES: Final = (Pick, Aggregate)
LONGEST_TEXT: Final = 1_000
"""Texts that are tallied or kept; longer ones are for the events to tell."""


def add(node: EventNode, state: NodeState | None, event: EventFact, setting: Setting) -> NodeState | None:
    """The state with one more event, which it has not seen before; the same object when that changes nothing."""
    grown_state = _copy(state)
    if not _take(node, grown_state, event, setting, MOST_KEPT):
        return state
    _settle(node, grown_state, MOST_KEPT)
    return state if grown_state == state else grown_state


def build(node: EventNode, events: Iterable[EventFact], setting: Setting) -> NodeState | None:
    """The state of all events of a person, in any order; None without any that counts."""
    return _built(node, events, setting, MOST_KEPT)


def build_all(node: EventNode, events: Iterable[EventFact], setting: Setting) -> NodeState:
    """Everything that counts, however much it is: nothing is left out, and never ``cut``."""
    return _built(node, events, setting, None) or NodeState()


def join(node: EventNode, a: NodeState, b: NodeState) -> NodeState:
    """The state of the events of both, of which none is in the two of them.

    What one side has cut off may lie between matches of the other: those before it are left out as well.
    """
    if isinstance(node, Sequence_) and (a.n or b.n):
        return NodeState(n=1)
    known_from = max((one.kept[0].at for one in (a, b) if one.cut and one.kept), default=None)
    made = NodeState(
        n=a.n + b.n,
        kept=sorted(a.kept + b.kept, key=_order),
        cut=a.cut or b.cut,
        low=min((one.low for one in (a, b) if one.low is not None), default=None),
        high=max((one.high for one in (a, b) if one.high is not None), default=None),
        tally=_united(a.tally, b.tally),
    )
    if known_from is not None and _is_windowed(node):
        made.kept = [match for match in made.kept if match.at >= known_from]
    made.total = list(a.total)
    for number in b.total:
        _sum(made, number)
    _settle(node, made, MOST_KEPT)
    return made


def _built(node: EventNode, events: Iterable[EventFact], setting: Setting, most: int | None) -> NodeState | None:
    state = NodeState()
    took = [
        _take(node, state, event, setting, most) for event in sorted(events, key=lambda one: (one.at, one.message_id))
    ]
    if not any(took):
        return None
    _settle(node, state, most)
    return state


def _copy(state: NodeState | None) -> NodeState:
    if state is None:
        return NodeState()
    return replace(state, kept=list(state.kept), total=list(state.total), tally=dict(state.tally))


def _order(match: Match) -> tuple[int, str]:
    return match.at, match.tie


# Taking an event


def _take(node: EventNode, state: NodeState, event: EventFact, setting: Setting, most: int | None) -> bool:
    """Put what the event says into a state of ours; whether it says anything."""
    return _TAKERS[type(node)](node, state, event, setting, most)


def _take_count(node: EventCount, state: NodeState, event: EventFact, setting: Setting, most: int | None) -> bool:
    if not matches(node.query, event, setting) or not in_between(node.span, event.at, setting):
        return False
    if node.span.within is not None:
        return _keep(state, Match(event.at, ""))
    state.n += 1
    return True


def _take_first(node: FirstTime, state: NodeState, event: EventFact, setting: Setting, most: int | None) -> bool:
    # The first one ever is looked for: where it lies is asked later.
    if not matches(node.query, event, setting):
        return False
    return _keep_one(state, Match(event.at, event.message_id), first=True)


def _take_pick(node: Pick, state: NodeState, event: EventFact, setting: Setting, most: int | None) -> bool:
    if not matches(node.query, event, setting) or not in_between(node.span, event.at, setting):
        return False
    values = list(found(event.properties, node.path))
    match = Match(event.at, event.message_id, values if most is None else storable(values))
    if _keeps_one(node):
        return _keep_one(state, match, first=node.which == "first")
    return _keep(state, match)


def _take_aggregate(node: Aggregate, state: NodeState, event: EventFact, setting: Setting, most: int | None) -> bool:
    if not matches(node.query, event, setting) or not in_between(node.span, event.at, setting):
        return False
    values = counted_values(node, event.properties)
    if node.span.within is not None:
        return _keep_all(state, [Match(event.at, "", one) for one in values])
    for one in values:
        if isinstance(one, str):
            _tally(state, one, most)
        else:
            _accumulate(node, state, one, most)
    return bool(values)


def _take_period(node: Regularity, state: NodeState, event: EventFact, setting: Setting, most: int | None) -> bool:
    if not matches(node.query, event, setting):
        return False
    start = period_start(period_of(event.at, node.unit, setting.zone), node.unit, setting.zone)
    match = Match(start, "")
    return match not in state.kept and _keep(state, match)


def _take_step(node: Sequence_, state: NodeState, event: EventFact, setting: Setting, most: int | None) -> bool:
    if state.n:
        return False
    steps = [number for number, step in enumerate(node.steps) if matches(step.query, event, setting)]
    keys = [None] if node.same is None else tokens(event.properties, node.same)
    made = [Match(event.at, event.message_id, step=step, key=key) for step in steps for key in keys]
    return _keep_all(state, made)


_TAKERS: Final[Mapping[type, Callable[[Any, NodeState, EventFact, Setting, int | None], bool]]] = {
    EventCount: _take_count,
    FirstTime: _take_first,
    Pick: _take_pick,
    Aggregate: _take_aggregate,
    Regularity: _take_period,
    Sequence_: _take_step,
}


def _keep_all(state: NodeState, made: Sequence[Match]) -> bool:
    kept = [_keep(state, match) for match in made]
    return any(kept)


def _keep(state: NodeState, match: Match) -> bool:
    if state.cut and state.kept and match.at < state.kept[0].at:
        # It lies before matches that were left out: what is kept stays without gaps.
        return False
    if not state.kept or _order(state.kept[-1]) <= _order(match):
        state.kept.append(match)
    else:
        insort(state.kept, match, key=_order)
    return True


def _keep_one(state: NodeState, match: Match, *, first: bool) -> bool:
    if state.kept and (_order(match) >= _order(state.kept[0])) == first:
        return False
    state.kept = [match]
    return True


def _accumulate(node: Aggregate, state: NodeState, number: float, most: int | None) -> None:
    state.n += 1
    if most is None:
        # All numbers, for there is nothing that a sum of them could not be told from.
        state.kept.append(Match(0, "", number))
    elif node.fn == "min":
        state.low = number if state.low is None else min(state.low, number)
    elif node.fn == "max":
        state.high = number if state.high is None else max(state.high, number)
    else:
        _sum(state, number)


def _sum(state: NodeState, number: float) -> None:
    parts = grown(state.total, number)
    if parts is None:
        state.cut = True
    else:
        state.total = parts


def _tally(state: NodeState, text: str, most: int | None) -> None:
    state.n += 1
    if most is not None and (len(text) > LONGEST_TEXT or (text not in state.tally and len(state.tally) >= most)):
        state.cut = True
    else:
        state.tally[text] = state.tally.get(text, 0) + 1


def _united(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    made = dict(a)
    for text, count in b.items():
        made[text] = made.get(text, 0) + count
    return made


# Trimming


def _is_windowed(node: EventNode) -> bool:
    """It keeps more than one match, of which the oldest go first."""
    return isinstance(node, Sequence_ | Regularity) or (node.span.within is not None and not _keeps_one(node))


def _keeps_one(node: EventNode) -> bool:
    return isinstance(node, FirstTime) or (
        isinstance(node, Pick) and (node.span.within is None or node.which == "last")
    )


def _settle(node: EventNode, state: NodeState, most: int | None) -> None:
    """Drop what cannot matter, and say so where something is dropped that may."""
    if most is None or not state.kept:
        if most is not None and len(state.tally) > most:
            state.cut, state.tally = True, dict(list(state.tally.items())[:most])
        return
    if _keeps_one(node):
        last = isinstance(node, Pick) and node.which == "last"
        state.kept = state.kept[-1:] if last else state.kept[:1]
        state.cut = isinstance(node, Pick) and state.kept[0].value is None
        return
    if isinstance(node, Sequence_) and node.since is None and not is_negated(node) and is_completed(node, state.kept):
        state.n, state.kept, state.cut = 1, [], False
        return
    _trim(node, state, most)


def _trim(node: EventNode, state: NodeState, most: int) -> None:
    kept = state.kept
    if isinstance(node, Regularity):
        kept = [match for place, match in enumerate(kept) if not place or match.at != kept[place - 1].at]
    reach = _reach(node)
    if reach is not None:
        until = kept[-1].at - reach - SLACK_MS
        if kept[0].at <= until:
            # Everything in the window is here, so what was left out is out of it.
            kept, state.cut = [match for match in kept if match.at > until], False
    if isinstance(node, EventCount):
        kept = kept[-telling(node.count) :]
    if len(kept) > most:
        kept, state.cut = kept[-most:], True
    if isinstance(node, _OF_VALUES):
        kept = [_bounded(match, state) for match in kept]
    state.kept = kept


def _bounded(match: Match, state: NodeState) -> Match:
    if match.value is None or (isinstance(match.value, str) and len(match.value) > LONGEST_TEXT):
        state.cut = True
        return Match(match.at, match.tie)
    return match


def _reach(node: EventNode) -> int | None:
    """How far back from now matches count, in ms; None for ever."""
    if isinstance(node, Sequence_):
        return node.since
    if isinstance(node, Regularity):
        # Local days have 25 hours at most; twice that of slack for the zones that skip one.
        days = (node.of_last + 1) * (1 if node.unit == "days" else 7)
        return (days + 1) * 25 * 3_600_000
    return node.span.within


def telling(test: NumberTest) -> int:
    """As many matches as it takes to tell all counts apart that the test tells apart."""
    ends = [number_of(test.low), number_of(test.high) if test.op == "between" else None]
    limit = max((one for one in ends if one is not None), default=0.0)
    wanted = ceil(limit) if test.op in ("gte", "lt") else floor(limit) + 1
    return max(wanted, 1)
