"""The metric table and all that scores follow from, as one immutable value (kind ``scoring`` of the configuration).

An event is one of a *metric* by its name (track events) or its type. The metric gives points to one score, by its
model, and loyalty points to the score ``loyalty``; it leads to a funnel stage, and belongs to one of the five stages of
a customer's journey (awareness, attraction, ask, action, advocacy).

| model | score |
|---|---|
| ``lead`` | lead |
| ``prospect`` | prospect |
| ``engagement``, ``lifetime_value``, ``effort``, ``satisfaction``, ``feedback``, ``promoter`` | engagement |
| ``detractor`` | engagement: its points are negative and count against it |
| ``loyalty`` | loyalty |
| ``data_quality``, ``acquisition``, ``credit`` | none: counted, but they say nothing about a person's interest |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from leocdp.domain.segments.nodes import Path

Model = Literal[
    "lead", "prospect", "engagement", "loyalty", "lifetime_value", "effort", "satisfaction", "feedback", "promoter",
    "detractor", "data_quality", "acquisition", "credit",
]  # fmt: skip
Journey = Literal["awareness", "attraction", "ask", "action", "advocacy"]
StageKind = Literal["ordinary", "customer", "negative"]
Language = Literal["en", "vi"]

LEAD: Final = "lead"
PROSPECT: Final = "prospect"
ENGAGEMENT: Final = "engagement"
LOYALTY: Final = "loyalty"
DATA_QUALITY: Final = "data_quality"
EVENT_SCORES: Final = (LEAD, PROSPECT, ENGAGEMENT, LOYALTY)
SCORES: Final = (*EVENT_SCORES, DATA_QUALITY)
"""The scores that conditions may ask for."""
UNSCORED: Final = "unscored"
"""Where metrics without a score are counted: stages follow from them, too. No score, and not shown as one."""
SCORE_OF: Final[Mapping[Model, str]] = {
    "lead": LEAD,
    "prospect": PROSPECT,
    "engagement": ENGAGEMENT,
    "lifetime_value": ENGAGEMENT,
    "effort": ENGAGEMENT,
    "satisfaction": ENGAGEMENT,
    "feedback": ENGAGEMENT,
    "promoter": ENGAGEMENT,
    "detractor": ENGAGEMENT,
    "loyalty": LOYALTY,
    "data_quality": UNSCORED,
    "acquisition": UNSCORED,
    "credit": UNSCORED,
}


@dataclass(frozen=True, slots=True)
class Label:
    """What people call it. An empty Vietnamese name is the English one."""

    en: str
    vi: str = ""

    def told(self, language: str) -> str:
        return (self.vi or self.en) if language == "vi" else self.en


@dataclass(frozen=True, slots=True)
class Metric:
    id: str
    label: Label
    points: int = 0
    model: Model = "lead"
    stage: str = ""
    """Funnel stage that one such event leads to; empty: none."""
    again: str = ""
    """Funnel stage that the second one leads to."""
    loyalty: int = 0
    journey: Journey | None = None
    events: tuple[str, ...] = ()
    """Names of track events, compared without case, blanks and punctuation; the id is one of them by itself."""
    types: tuple[str, ...] = ()
    """Types of which all events are of this metric, such as ``page``."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.id, *self.events)


@dataclass(frozen=True, slots=True)
class Stage:
    """Of the funnel. Later ones in the table are higher; what *negative* and *customer* mean: ``stages``."""

    id: str
    label: Label
    kind: StageKind = "ordinary"


@dataclass(frozen=True, slots=True)
class Field:
    """Something worth knowing about a person: one of the traits has a value, or there is an identifier of a kind."""

    id: str
    label: Label
    weight: int
    traits: tuple[Path, ...] = ()
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scoring:
    metrics: Mapping[str, Metric]
    half_lives: Mapping[str, int | None]
    """Of each score of events: ms, None is no decay."""
    stages: tuple[Stage, ...]
    """From the lowest to the highest."""
    fields: Mapping[str, Field]
    contact_stage: str = ""
    """Stage that somebody with an e-mail address or phone number has at least."""
    returning_stage: str = ""
    """Stage that somebody has at least who was seen again ``returning_after`` ms after the first time, or later."""
    returning_after: int = 0
    _by_name: Mapping[str, Metric] = field(init=False, repr=False, compare=False)
    _by_type: Mapping[str, Metric] = field(init=False, repr=False, compare=False)
    ranks: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        metrics = self.metrics.values()
        object.__setattr__(self, "_by_name", {normal(name): one for one in metrics for name in one.names})
        object.__setattr__(self, "_by_type", {type_: one for one in metrics for type_ in one.types})
        object.__setattr__(self, "ranks", {stage.id: rank for rank, stage in enumerate(self.stages)})

    def metric_of(self, type: str, name: str | None) -> Metric | None:
        """The metric that an event is one of. Pages and screens are known by their type: their names are titles."""
        if type == "track" and name:
            found = self._by_name.get(normal(name))
            if found is not None:
                return found
        return self._by_type.get(type)

    def stage(self, stage_id: str) -> Stage | None:
        rank = self.ranks.get(stage_id)
        return None if rank is None else self.stages[rank]


def gains(metric: Metric) -> Iterator[tuple[str, int]]:
    """(score, points) that one event of the metric gives."""
    score = SCORE_OF[metric.model]
    if score == LOYALTY:
        yield LOYALTY, metric.points + metric.loyalty
        return
    yield score, metric.points
    if metric.loyalty:
        yield LOYALTY, metric.loyalty


@lru_cache(maxsize=4_096)
def normal(name: str) -> str:
    """“Order Completed”, ``order_completed`` and ``orderCompleted`` are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
