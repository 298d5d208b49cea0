"""Profiles, as they are read and asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from leocdp_admin.application.shapes.base import Asked, ListOf, Moment, PageAsked, Shape

Status = Literal["identified", "anonymous"]
ConsentStatus = Literal["granted", "denied", "unknown"]


class IdentifierShape(Shape):
    kind: str = Field(examples=["email"])
    value: str = Field(examples=["lan@example.vn"])
    id_space: str = Field(default="default", description="Whose numbering a user id follows.")
    state: Literal["active", "former", "shared", "retired"]
    first_seen: Moment
    last_seen: Moment
    source: str = Field(description="Source that brought it first.")
    verified: bool = False


class EventCounts(Shape):
    total: int = Field(description="Every applied item of all six types.")
    by_name: dict[str, int] = Field(default_factory=dict)
    by_type: dict[str, int] = Field(default_factory=dict)


class EventTotal(Shape):
    total: int = Field(description="Every applied item of all six types.")


class SegmentOf(Shape):
    id: str
    name: str
    entered_at: Moment


class ScorePartShape(Shape):
    """What one metric, or one field of data quality, gave to a score."""

    id: str
    name: str
    value: float = Field(description="Points that are left now.")
    count: int = Field(description="Events that gave them.")
    latest_at: Moment | None


class ScoreShape(Shape):
    score: str
    value: float
    half_life_days: float | None = Field(description="Points are halved after so many days; null: they stay.")
    parts: list[ScorePartShape]


class StageOf(Shape):
    id: str
    name: str


class ScoresShape(Shape):
    """Why the scores and the funnel stage of a person are what they are."""

    profile_id: str
    stage: StageOf | None
    scores: list[ScoreShape]


class ConsentShape(Shape):
    status: ConsentStatus
    at: Moment | None = None
    source: str | None = None


class TraitOrigin(Shape):
    source: str
    updated_at: Moment


class ProfileShape(Shape):
    """A person."""

    id: str = Field(examples=["prf_018f3a5c1d2e0123456789abcdef"])
    merged_ids: list[str] = Field(description="Profiles that became part of this one.")
    status: Status
    name: str = Field(default="", description="What to call the person in a list.")
    first_seen: Moment | None
    last_seen: Moment | None
    stage: str | None = None
    identifiers: list[IdentifierShape]
    traits: dict[str, Any]
    events: EventCounts
    segments: list[SegmentOf] = Field(default_factory=list)
    scores: dict[str, float] = Field(default_factory=dict)
    consents: dict[str, ConsentShape]
    labels: list[str]
    provenance: dict[str, TraitOrigin] | None = Field(
        default=None, description="Per trait, where and when it was last set; only with `include=provenance`."
    )

    @model_serializer(mode="wrap")
    def _without_empty_provenance(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        shown: dict[str, Any] = handler(self)
        if self.provenance is None:
            shown.pop("provenance", None)
        return shown


class ShortIdentifier(Shape):
    kind: str
    value: str


class ProfileRow(Shape):
    """A person in a list."""

    id: str
    status: Status
    name: str
    first_seen: Moment
    last_seen: Moment
    identifiers: list[ShortIdentifier] = Field(description="At most six, of the kinds that identify.")
    events: EventTotal
    labels: list[str]


class ProfileList(ListOf[ProfileRow]):
    total: int | Literal["1000+"] = Field(description='How many there are in all, or "1000+".')


class LookupAsked(Asked):
    kind: str = Field(min_length=1, max_length=100, examples=["email"])
    value: str = Field(min_length=1, max_length=1000, examples=["lan@example.vn"])
    id_space: str = Field(default="default", max_length=100)
    include: Literal["", "provenance"] = ""


class ProfilesAsked(PageAsked):
    q: str = Field(default="", max_length=200, description="Name, contact or id, or the beginning or a part of one.")
    status: Literal["", "identified", "anonymous"] = ""
    label: str = Field(default="", max_length=100)
    segment: str = Field(
        default="", max_length=100, description="Members of this segment, in an order of their own; alone."
    )
    sort: Literal["last_seen", "first_seen", "name"] = "last_seen"


class ProfileEventsAsked(PageAsked):
    name: str = Field(default="", max_length=500)
    type: Literal["", "identify", "track", "page", "screen", "group", "alias"] = ""
    from_: datetime | None = Field(
        default=None, validation_alias="from", serialization_alias="from", description="Not before this time."
    )
    to: datetime | None = Field(default=None, description="Before this time.")


class MergeAsked(Asked):
    with_: str = Field(
        validation_alias="with",
        serialization_alias="with",
        min_length=1,
        max_length=1000,
        description="The other profile: id or `kind:value`.",
    )


class UnmergeAsked(Asked):
    merge_id: str = Field(min_length=1, max_length=200)
    identifier: Literal["keep", "shared"] = Field(
        default="keep", description="`shared`: the identifier that connected the two resolves nobody any more."
    )


class LabelsAsked(Asked):
    labels: list[str] = Field(max_length=100, description="All labels that the profile shall have.")


class IdentifierStateAsked(Asked):
    kind: str = Field(min_length=1, max_length=100)
    value: str = Field(min_length=1, max_length=1000)
    id_space: str = Field(default="default", max_length=100)
    state: Literal["active", "shared"]
