"""Why a condition holds of a person, or does not: part by part, with the value seen and the events that counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from leocdp.domain.segments.answers import Answer
from leocdp.domain.segments.evaluate import answer_with
from leocdp.domain.segments.event_answers import answer_events, counted, picked, result
from leocdp.domain.segments.matching import counted_values, in_between, matches
from leocdp.domain.segments.node_state import build_all
from leocdp.domain.segments.nodes import (
    Aggregate,
    All,
    Any_,
    EventCount,
    EventNode,
    EventQuery,
    FirstTime,
    Node,
    Not,
    Pick,
    Regularity,
    Sequence_,
)
from leocdp.domain.segments.states import answer_state, seen_by
from leocdp.domain.segments.subject import EventFact, Setting, Subject
from leocdp.domain.segments.time_rules import period_of
from leocdp.domain.segments.values import found

MOST_EVENTS: Final = 20


@dataclass(frozen=True, slots=True)
class CountedEvent:
    """An event that a part looked at. ``value`` is of the property that the part is about, None where it has none."""

    message_id: str
    at: int
    type: str
    name: str | None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Explained:
    """``seen`` is the value that was compared: of a trait, a count, a sum …; None where there is none."""

    node: Node
    holds: bool
    next: int | None
    """When time alone may change it."""
    seen: Any = None
    events: tuple[CountedEvent, ...] = ()
    """The newest that counted, at most ``MOST_EVENTS``, newest first."""
    parts: tuple[Explained, ...] = ()


def explain(node: Node, subject: Subject, events: Sequence[EventFact], now: int, setting: Setting) -> Explained:
    """``holds`` and ``next`` are what ``evaluate`` says of the same."""
    if isinstance(node, All | Any_ | Not):
        inside = (node.part,) if isinstance(node, Not) else node.parts
        parts = tuple(explain(part, subject, events, now, setting) for part in inside)
        answer = answer_with(node, subject, lambda one: build_all(one, events, setting), now, setting)
        return Explained(node, answer.holds, answer.next, parts=parts)
    if isinstance(node, EventCount | FirstTime | Pick | Aggregate | Sequence_ | Regularity):
        return _of_events(node, events, now, setting)
    answer = answer_state(node, subject, now, setting)
    return Explained(node, answer.holds, answer.next, seen_by(node, subject, now))


def _of_events(node: EventNode, events: Sequence[EventFact], now: int, setting: Setting) -> Explained:
    state = build_all(node, events, setting)
    answer: Answer = answer_events(node, state, now, setting)
    chosen = sorted(_chosen(node, events, now, setting), key=lambda one: (one.at, one.message_id))
    seen: Any = len(chosen)
    match node:
        case EventCount():
            seen = counted(node, state, now)
        case FirstTime():
            chosen = chosen[:1]
            seen = chosen[0].at if chosen else None
        case Pick():
            values = picked(node, state, now)[0]
            seen = values[0] if len(values) == 1 else list(values) or None
            chosen = chosen[:1] if node.which == "first" else chosen[-1:]
        case Aggregate():
            seen = result(node, state, now)[0]
        case Regularity():
            seen = len({period_of(one.at, node.unit, setting.zone) for one in chosen})
        case Sequence_():
            seen = None
    newest = chosen[: -MOST_EVENTS - 1 : -1]
    return Explained(node, answer.holds, answer.next, seen, tuple(_counted_event(node, one) for one in newest))


def _chosen(node: EventNode, events: Sequence[EventFact], now: int, setting: Setting) -> Iterable[EventFact]:
    """Events that count at ``now``; of a sequence all that match one of its steps, while the first may begin one."""
    if isinstance(node, Sequence_):
        since = None if node.since is None else now - node.since
        steps = [one for one in events if any(matches(step.query, one, setting) for step in node.steps)]
        return [one for one in steps if since is None or one.at > since]
    matching = [one for one in events if matches(node.query, one, setting)]
    if isinstance(node, Regularity):
        today = period_of(now, node.unit, setting.zone)
        return [one for one in matching if today - node.of_last < period_of(one.at, node.unit, setting.zone) <= today]
    if isinstance(node, FirstTime):
        return matching
    within = node.span.within
    inside = [
        one for one in matching if in_between(node.span, one.at, setting) and (within is None or one.at > now - within)
    ]
    return [one for one in inside if counted_values(node, one.properties)] if isinstance(node, Aggregate) else inside


def _counted_event(node: EventNode, event: EventFact) -> CountedEvent:
    values = _shown(node, event)
    value = values[0] if len(values) == 1 else list(values) or None
    return CountedEvent(event.message_id, event.at, event.type, event.name, value)


def _shown(node: EventNode, event: EventFact) -> Sequence[Any]:
    """Of the property that the node is about; of a node without one, the first that its condition looks at."""
    if isinstance(node, Pick | Aggregate):
        return found(event.properties, node.path)
    if isinstance(node, Sequence_):
        return () if node.same is None else found(event.properties, node.same)
    query: EventQuery = node.query
    return found(event.properties, query.where[0].path) if query.where else ()
