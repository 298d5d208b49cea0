"""The meaning of conditions: ``evaluate`` from all events; ``answer`` the same from the bounded states of a person.

Both ask the same rules of a state per event node; they differ in how much of the events the state holds. Nothing that
is in a condition, a person or an event can make them raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from leocdp.domain.segments.answers import Answer, all_of, any_of, negated
from leocdp.domain.segments.audience import NodeState
from leocdp.domain.segments.event_answers import answer_events
from leocdp.domain.segments.node_state import build_all, node_key
from leocdp.domain.segments.nodes import (
    Aggregate,
    All,
    Any_,
    EventCount,
    EventNode,
    FirstTime,
    Node,
    Not,
    Pick,
    Regularity,
    Sequence_,
)
from leocdp.domain.segments.states import answer_state
from leocdp.domain.segments.subject import EventFact, Setting, Subject

__all__ = ["Answer", "answer", "evaluate", "needs_events"]
# Unions would be made anew with every question, and take longer than the rest of it.
_GROUPS: Final = (All, Any_)
_OF_EVENTS: Final = (EventCount, FirstTime, Pick, Aggregate, Sequence_, Regularity)
StateOf: TypeAlias = Callable[[EventNode], NodeState | None]


def evaluate(node: Node, subject: Subject, events: Sequence[EventFact], now: int, setting: Setting) -> Answer:
    """Whether the condition holds of a person at ``now`` (ms), from all their events in any order."""
    return answer_with(node, subject, lambda one: build_all(one, events, setting), now, setting)


def answer(node: Node, subject: Subject, states: Mapping[str, NodeState], now: int, setting: Setting) -> Answer:
    """The same from ``node_key`` → state; a node without matches has none. Wrong where ``needs_events``."""
    return answer_with(node, subject, lambda one: states.get(node_key(one)), now, setting)


def needs_events(node: Node, states: Mapping[str, NodeState]) -> bool:
    """Whether a state that matters has left out matches: only ``evaluate`` can tell."""
    found = (states.get(node_key(one)) for one in event_nodes_of(node))
    return any(state is not None and state.cut for state in found)


def answer_with(node: Node, subject: Subject, state_of: StateOf, now: int, setting: Setting) -> Answer:
    if isinstance(node, _GROUPS):
        parts = [answer_with(part, subject, state_of, now, setting) for part in node.parts]
        return all_of(parts) if isinstance(node, All) else any_of(parts)
    if isinstance(node, Not):
        return negated(answer_with(node.part, subject, state_of, now, setting))
    if isinstance(node, _OF_EVENTS):
        return answer_events(node, state_of(node), now, setting)
    return answer_state(node, subject, now, setting)


def event_nodes_of(node: Node) -> Iterator[EventNode]:
    """All event nodes of a condition."""
    if isinstance(node, _GROUPS):
        for part in node.parts:
            yield from event_nodes_of(part)
    elif isinstance(node, Not):
        yield from event_nodes_of(node.part)
    elif isinstance(node, _OF_EVENTS):
        yield node
