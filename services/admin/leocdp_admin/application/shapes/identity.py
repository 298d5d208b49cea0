"""The identity of a person: identifiers with provenance, and how profiles came together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leocdp_admin.application.shapes.base import Moment, PageAsked, Shape
from leocdp_admin.application.shapes.profiles import IdentifierShape, ShortIdentifier


class LeafIdentifier(IdentifierShape):
    message_id: str = Field(description="The message that brought it to the profile first.")
    leaf: str = Field(description="The profile that holds it.")


class MergeShape(Shape):
    id: str
    at: Moment
    by: Literal["event", "user"]
    actor: str
    into: str
    from_: str = Field(validation_alias="from", serialization_alias="from")
    message_id: str | None
    identifier: ShortIdentifier | None = Field(description="What connected the two.")
    undone_at: Moment | None
    undone_by: str | None = None


class SwitchShape(Shape):
    """A device that went from one person to another."""

    at: Moment
    identifier: ShortIdentifier
    from_: str = Field(validation_alias="from", serialization_alias="from")
    to: str
    message_id: str
    count: int


class RefusalShape(Shape):
    """An identifier that did not join the event's person."""

    at: Moment
    identifier: ShortIdentifier
    owner: str | None
    reason: str
    message_id: str


class IdentityShape(Shape):
    profile_id: str
    identifiers: list[LeafIdentifier]
    merges: list[MergeShape]
    switches: list[SwitchShape]
    refusals: list[RefusalShape]
    cannot_link: list[str]


class ReviewShape(Shape):
    """Two profiles that a person should look at."""

    id: str
    at: Moment
    left: str
    right: str
    reason: str
    identifier: ShortIdentifier | None
    state: Literal["open", "merged", "rejected"]


class ReviewsAsked(PageAsked):
    state: Literal["open", "merged", "rejected"] = "open"
