"""The tree of a condition: immutable nodes. ``parse`` makes it from JSON, ``evaluate`` says what it means.

A node holds literals as they are compared: text as ``str``, numbers as ``int`` or ``float``, ``bool``, durations in ms.
Dates stay what was written (a *moment*), because a plain day begins when it does in the workspace's time zone.
Nodes are hashable and equal by value. Nothing here depends on the time zone or on a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

Scalar: TypeAlias = str | int | float | bool
Moment: TypeAlias = date | int
"""A plain day of the workspace's time zone, or an instant in ms UTC."""

Compare = Literal["eq", "ne", "gt", "gte", "lt", "lte", "between"]
"""Of counts, sizes and scores. ``between`` is inclusive and takes two numbers."""

TestOperator = Literal[
    "eq", "ne", "gt", "gte", "lt", "lte", "between", "in", "not_in", "exists", "missing",
    "contains", "not_contains", "starts_with", "ends_with", "matches",
    "contains_any", "contains_all", "contains_none", "size",
    "before", "after", "on_day", "within_last", "within_next", "older_than", "anniversary",
]  # fmt: skip
Fn = Literal["sum", "avg", "min", "max", "distinct", "most_frequent"]
Path: TypeAlias = tuple[str, ...]
"""The parts of a dotted path. A trait or property whose name has the dots itself wins over the path (see values)."""


@dataclass(frozen=True, slots=True)
class NumberTest:
    """``{"is": "gte", "value": 3}``, ``{"is": "between", "value": [2, 5]}``: a number compared with one or two."""

    op: Compare
    low: int | float
    high: int | float = 0
    """Only of ``between``."""


@dataclass(frozen=True, slots=True)
class ValueTest:
    """A stored value compared with a literal; what each operator means stands in ``domain.segments.values``."""

    op: TestOperator
    value: Scalar | None = None
    """Of eq ne gt gte lt lte contains (of text: substring; of a list see ``values``) starts_with ends_with matches."""
    values: tuple[Scalar, ...] = ()
    """Of in, not_in, contains_any/all/none; of between: the two ends."""
    moment: Moment | None = None
    """Of before, after, on_day."""
    window: int = 0
    """ms, of within_last, within_next, older_than; of anniversary: whole days in ms from today on, 0 is today only."""
    size: NumberTest | None = None
    ignore_case: bool = False
    as_number: bool = False
    """Cast text that is a number before comparing (``"as": "number"``)."""


@dataclass(frozen=True, slots=True)
class Span:
    """When events count: within a window that ends now, between two moments, or ever (nothing set).

    ``between`` two plain days is [first 00:00, second + 1 day 00:00) local; full times are half-open as given.
    """

    within: int | None = None
    """ms: an event at t counts when now − within < t."""
    between: tuple[Moment, Moment] | None = None

    @property
    def ever(self) -> bool:
        return self.within is None and self.between is None


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """A condition on a property of one event."""

    path: Path
    test: ValueTest


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events: track, page and screen events of a name (one of the three with ``type``), or all of a type."""

    name: str | None
    where: tuple[PropertyTest, ...] = ()
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Everyone:
    """``{"everyone": true}``"""


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any_:
    """``{"any": […]}``"""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Trait:
    """``{"trait": "plan", "is": "eq", "value": "pro"}``. Computed traits are named like others, and win."""

    path: Path
    test: ValueTest


@dataclass(frozen=True, slots=True)
class EventCount:
    """``{"event": E, "count": {…}, "within": "30d"}``: no ``count`` is at least once; absence is a count of 0."""

    query: EventQuery
    count: NumberTest
    span: Span


@dataclass(frozen=True, slots=True)
class FirstTime:
    """``{"event": E, "first": true, "within": "14d"}``: the first one ever happened in the span."""

    query: EventQuery
    span: Span


@dataclass(frozen=True, slots=True)
class Pick:
    """``{"event": E, "pick": "last", "property": "total", "is": …}``: a property of the first or last in the span."""

    query: EventQuery
    which: Literal["first", "last"]
    path: Path
    test: ValueTest
    span: Span


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``{"event": E, "aggregate": {"fn": "sum", "property": "total"}, "is": "gt", "value": 500}``"""

    query: EventQuery
    fn: Fn
    path: Path
    test: ValueTest
    """On the result: a number, of most_frequent a string."""
    span: Span
    as_number: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    query: EventQuery
    negated: bool = False
    """Only the last one."""


@dataclass(frozen=True, slots=True)
class Sequence_:
    """``{"sequence": [A, B], "within": "2h", "since": "3d", "same": "product_id"}``"""

    steps: tuple[Step, ...]
    within: int
    """ms from the first step to the last."""
    since: int | None = None
    """ms: the first step in (now − since, now]."""
    same: Path | None = None


@dataclass(frozen=True, slots=True)
class Regularity:
    """``{"event": E, "on_at_least": 3, "of_last": 7, "unit": "days"}``: local days or weeks, with the current one."""

    query: EventQuery
    at_least: int
    of_last: int
    unit: Literal["days", "weeks"]


@dataclass(frozen=True, slots=True)
class InSegment:
    segment: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InList:
    list: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Bucket:
    """``low`` ≤ percentage < ``high``, where the percentage is of ``values.bucket_of(salt, root id)``."""

    salt: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """``{"score": "lead", "is": "gte", "value": 40}``. Somebody without points has 0."""

    name: str
    test: NumberTest


@dataclass(frozen=True, slots=True)
class Consent:
    purpose: str
    state: Literal["granted", "denied", "unknown"]


@dataclass(frozen=True, slots=True)
class HasIdentifier:
    """``{"identifier": "email", "is": "exists"|"missing"}``: an identifier of the kind that is not *shared*."""

    kind: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    state: Literal["identified", "anonymous"]


@dataclass(frozen=True, slots=True)
class Reachable:
    """Has an active contact of the channel, and no denial for the purpose ``marketing``."""

    channel: Literal["email", "phone", "push"]


@dataclass(frozen=True, slots=True)
class Fact:
    """``place`` and ``device`` (last seen), ``touch_first`` and ``touch_last``: one field, compared as text."""

    register: Literal["place", "device", "touch_first", "touch_last"]
    field: str
    test: ValueTest


@dataclass(frozen=True, slots=True)
class Stage:
    """``{"stage": "prospect", "is": "in"|"not_in"}``; also a list of stages."""

    stages: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    label: str
    negated: bool = False


EventNode: TypeAlias = EventCount | FirstTime | Pick | Aggregate | Sequence_ | Regularity
"""Nodes that look at events; a person keeps a bounded state for each (``domain.segments.audience``)."""
StateNode: TypeAlias = (
    Trait | InSegment | InList | Bucket | Score | Consent | HasIdentifier | Status | Reachable | Fact | Stage | Label
)
Node: TypeAlias = Everyone | All | Any_ | Not | EventNode | StateNode
