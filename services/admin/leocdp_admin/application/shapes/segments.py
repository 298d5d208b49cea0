"""Segments, lists and computed traits, as they are read and asked for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from leocdp_admin.application.shapes.administration import Edited
from leocdp_admin.application.shapes.base import Asked, ListOf, Moment, PageAsked, Shape
from leocdp_admin.application.shapes.profiles import ProfileRow

SegmentStatus = Literal["building", "live", "paused", "broken", "archived"]
SegmentState = Literal["active", "paused", "archived"]
ListAction = Literal["add", "remove"]

CONDITION_EXAMPLE = {
    "all": [
        {"event": "Order Completed", "count": {"is": "gte", "value": 2}, "within": "30d"},
        {"consent": "marketing", "is": "granted"},
    ]
}


class BuildShape(Shape):
    """A new version that is computed beside the one in force."""

    version: int
    done: int = Field(description="People whose membership is computed.")
    total: int
    condition: dict[str, Any]


class SegmentShape(Shape):
    id: str = Field(examples=["sgm_4b1f0c9d2e7a6b58"])
    name: str
    description: str = ""
    condition: dict[str, Any] = Field(description="The one that members follow now; of a new segment the one it gets.")
    text: str = Field(description="The condition in plain words, in the language that was asked for.")
    size: int | None = Field(description="Members now; null while the profile store cannot be read.")
    status: SegmentStatus
    reason: str = Field(default="", description="Of a broken one: why.")
    condition_version: int = Field(description="Of the condition in force; 0 while the first one is computed.")
    building: BuildShape | None = None
    updated_at: Moment
    version: int


class SegmentAsked(Edited):
    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=1000)
    condition: dict[str, Any] = Field(examples=[CONDITION_EXAMPLE])


class SegmentStateAsked(Asked):
    state: SegmentState = Field(
        description="`active` goes on, `paused` keeps its members as they are, `archived`: all leave."
    )


class PreviewAsked(Asked):
    condition: dict[str, Any] = Field(examples=[CONDITION_EXAMPLE])
    exact: bool = Field(default=False, description="Count everybody, which may take a while, instead of a sample.")
    sample: int = Field(default=5, ge=0, le=50, description="How many people to show.")


class HeldAsText(Shape):
    """People whose trait is text where the condition compares numbers: they cannot satisfy it."""

    trait: str
    count: int
    exact: bool


class PreviewShape(Shape):
    count: int
    exact: bool
    error: int = Field(description="Half the width of the 95 % interval; 0 when exact.")
    total: int = Field(description="People there are in all.")
    sample: list[ProfileRow]
    description: str
    held_as_text: list[HeldAsText] = Field(
        default_factory=list, description='Traits to which `"as": "number"` would bring more people.'
    )


class MemberRow(ProfileRow):
    entered_at: Moment


class MembersAsked(PageAsked):
    format: Literal["json", "csv"] = "json"


class OverlapAsked(Asked):
    segments: list[str] = Field(min_length=2, max_length=5, description="Ids.")


class OverlapPart(Shape):
    segments: list[str]
    count: int


class OverlapShape(Shape):
    """People per exact combination: who is in all that are named and in none of the others."""

    parts: list[OverlapPart]
    sizes: dict[str, int]


class SizePoint(Shape):
    at: Moment
    size: int


class GrowthShape(Shape):
    points: list[SizePoint]


class SplitPart(Asked):
    name: str = Field(min_length=1, max_length=100)
    percent: float = Field(gt=0, le=100)


class SplitAsked(Asked):
    """Divide a segment at random into parts, each a segment of its own; together at most 100 %."""

    parts: list[SplitPart] = Field(min_length=1, max_length=20)
    salt: str = Field(default="", max_length=100, description="The same salt divides the same way again.")


class SeenEvent(Shape):
    at: Moment
    message_id: str
    value: Any = None


class ExplainedShape(Shape):
    """One node of a condition, for one person."""

    condition: dict[str, Any]
    text: str
    holds: bool
    until: Moment | None = Field(description="When this may change by itself; null: only by something new.")
    seen: Any = Field(default=None, description="The value that was compared.")
    events: list[SeenEvent] = Field(default_factory=list, description="Events that counted, at most 20.")
    parts: list[ExplainedShape] = Field(default_factory=list)


class ExplanationShape(Shape):
    profile_id: str
    segment_id: str
    member: bool = Field(description="Whether the person is a member as stored.")
    entered_at: Moment | None
    tree: ExplainedShape
    text: str


class SegmentList(ListOf[SegmentShape]):
    pass


class ListShape(Shape):
    id: str = Field(examples=["lst_4b1f0c9d2e7a6b58"])
    name: str
    description: str = ""
    updated_at: Moment
    version: int


class ListAsked(Edited):
    name: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=1000)


class ListMembersAsked(Asked):
    kind: str = Field(min_length=1, max_length=100, examples=["email"])
    values: list[str] = Field(min_length=1, max_length=10_000, examples=[["lan@example.vn"]])
    action: ListAction = "add"


class ImportedShape(Shape):
    """What became of the rows of an uploaded list."""

    rows: int
    matched: int
    unknown: int = Field(description="Identifiers that no person has (yet).")
    invalid: list[str] = Field(description="Rows that cannot be read, by number and reason; the first 50.")
    pending: bool = Field(default=False, description="The processor has not answered for all of it yet.")


class ComputedTraitShape(Shape):
    id: str
    trait: str
    description: str = ""
    definition: dict[str, Any]
    building: bool = False
    updated_at: Moment
    version: int


class ComputedTraitAsked(Edited):
    trait: str = Field(min_length=1, max_length=100, examples=["orders_90d"])
    description: str = Field(default="", max_length=1000)
    definition: dict[str, Any] = Field(
        examples=[{"event": "Order Completed", "fn": "sum", "property": "total", "within": "90d"}]
    )
