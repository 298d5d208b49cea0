"""Events, as they are read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from leocdp_admin.application.shapes.base import Asked, Moment, PageAsked, Shape

OutcomeName = Literal["applied", "duplicate", "filtered", "dead-lettered", "rejected"]


class EventShape(Shape):
    """An applied event."""

    id: str
    message_id: str
    type: str
    name: str | None
    timestamp: Moment
    received_at: Moment
    original_timestamp: Moment | None
    source: str
    protocol: str
    profile_id: str | None = Field(description="The person now; null when no identifier was usable.")
    anonymous_id: str | None
    user_id: str | None
    session_id: str | None = Field(
        default=None, description="Known where the events around it are: in a profile's timeline."
    )
    properties: dict[str, Any]
    traits: dict[str, Any]
    context: dict[str, Any]


class EventOutcome(Shape):
    """What became of a message."""

    outcome: OutcomeName
    reason: str | None = None
    profile_id: str | None = None
    event: EventShape | None = Field(default=None, description="Null when it was not applied.")


class RecentEvent(Shape):
    """An event that came in lately, whatever became of it."""

    outcome: OutcomeName
    reason: str | None = None
    error: str | None = None
    id: str
    message_id: str | None
    type: str | None
    name: str | None
    timestamp: Moment
    received_at: Moment
    original_timestamp: Moment | None = None
    source: str | None
    protocol: str | None = None
    profile_id: str | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    traits: dict[str, Any] = Field(default_factory=dict)
    context: dict[str, Any] = Field(default_factory=dict)
    payload: str | None = Field(
        default=None, description="As it came, when it was not applied; never shown to viewers."
    )


class RecentAsked(Asked):
    outcome: Literal["", "applied", "duplicate", "filtered", "dead-lettered", "rejected"] = ""
    source: str = Field(default="", max_length=200)
    name: str = Field(default="", max_length=500)
    limit: int = Field(default=50, ge=1, le=200)


class StreamAsked(Asked):
    outcome: Literal["", "applied", "duplicate", "filtered", "dead-lettered", "rejected"] = ""
    source: str = Field(default="", max_length=200)
    name: str = Field(default="", max_length=500)


class CatalogueRow(Shape):
    type: str
    name: str
    count: int
    first_seen: Moment
    last_seen: Moment
    properties: dict[str, list[str]] = Field(description="Property names with the types seen.")


class DeadLetterShape(Shape):
    """What processing could not apply."""

    id: str
    at: Moment
    reason: str
    error: str
    topic: str
    partition: int
    offset: int
    index: int
    message_id: str | None
    payload: str
    source: str | None = None
    type: str | None = None
    name: str | None = None
    replayed_at: Moment | None = None


class DeadLettersAsked(PageAsked):
    reason: str = Field(default="", max_length=200)
    source: str = Field(default="", max_length=200)
    waiting: bool = Field(default=True, description="Only those that were not replayed yet.")


class ReplayAsked(Asked):
    """Either `ids`, or any of `reason`, `from` and `to`."""

    ids: list[str] | None = Field(default=None, min_length=1, max_length=10_000)
    reason: str | None = Field(default=None, min_length=1, max_length=200)
    from_: datetime | None = Field(default=None, validation_alias="from", serialization_alias="from")
    to: datetime | None = None
