"""From stored events and problem events to their public shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leocdp.ports.profile_reader import ProblemEvent, StoredEvent
from leocdp_admin.application.shapes.base import moment, moment_or_none
from leocdp_admin.application.shapes.events import DeadLetterShape, EventShape, OutcomeName, RecentEvent

_OUTCOMES: Mapping[str, OutcomeName] = {
    "duplicate": "duplicate",
    "filtered": "filtered",
    "dead-lettered": "dead-lettered",
    "rejected": "rejected",
}


def event_shape(event: StoredEvent, profile_id: str | None, session_id: str | None = None) -> EventShape:
    """``profile_id`` is the root that the event's leaf belongs to now."""
    return EventShape(
        id=event.id,
        message_id=event.message_id,
        type=event.type,
        name=event.name,
        timestamp=moment(event.timestamp),
        received_at=moment(event.received_at),
        original_timestamp=moment_or_none(event.original_timestamp),
        source=event.source,
        protocol=event.protocol,
        profile_id=profile_id,
        anonymous_id=event.anonymous_id,
        user_id=event.user_id,
        session_id=session_id,
        properties=_object(event.body, "properties"),
        traits=_object(event.body, "traits"),
        context=_object(event.body, "context"),
    )


def recent_applied(event: StoredEvent, profile_id: str | None) -> RecentEvent:
    return RecentEvent(outcome="applied", **event_shape(event, profile_id).model_dump())


def recent_problem(problem: ProblemEvent) -> RecentEvent:
    return RecentEvent(
        outcome=outcome_name(problem),
        reason=problem.reason,
        error=problem.error or None,
        id=problem.id,
        message_id=problem.message_id,
        type=problem.type,
        name=problem.name,
        timestamp=moment(problem.at),
        received_at=moment(problem.at),
        source=problem.source,
        payload=problem.payload,
    )


def outcome_name(problem: ProblemEvent) -> OutcomeName:
    """Raises KeyError for a word outside the closed set: a store of another version."""
    return _OUTCOMES[problem.outcome]


def dead_letter_shape(problem: ProblemEvent) -> DeadLetterShape:
    return DeadLetterShape(
        id=problem.id,
        at=moment(problem.at),
        reason=problem.reason,
        error=problem.error,
        topic=problem.topic,
        partition=problem.partition,
        offset=problem.offset,
        index=problem.index,
        message_id=problem.message_id,
        payload=problem.payload,
        source=problem.source,
        type=problem.type,
        name=problem.name,
        replayed_at=moment_or_none(problem.replayed_at),
    )


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    return dict(part) if isinstance(part, Mapping) else {}
