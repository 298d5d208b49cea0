"""The person that a condition is asked about, as ``evaluate`` sees them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from math import fsum
from typing import Any

from msgspec import Struct

from leocdp.domain.profiles.state import Profile, State
from leocdp.domain.segments.audience import Audience, Points, member_key


class EventFact(Struct, frozen=True):
    """An applied event as conditions see it. ``at`` is its corrected, clamped timestamp (ms UTC)."""

    at: int
    message_id: str
    type: str
    name: str | None
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScoreNow:
    """A score as it stands at ``at``, with the half-life (ms) it decays by; None does not decay."""

    value: float
    at: int
    half_life: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything about a person but the events."""

    id: str
    """The root's profile id."""
    state: State
    """Folded over all leaves."""
    computed: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, ScoreNow] = field(default_factory=dict)
    stage: str = ""
    segments: Collection[str] = frozenset()
    """Ids of the segments whose current version the person is in."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for everybody: the workspace's time zone."""

    zone: tzinfo


def subject_of(
    profile: Profile, *, segments: Mapping[str, int], half_lives: Mapping[str, int | None], now: int
) -> Subject:
    """A root as conditions see it. ``segments``: id → current version; ``half_lives``: score → ms, None is no decay."""
    audience = profile.audience or Audience()
    return Subject(
        profile.id,
        profile.folded,
        audience.computed,
        {name: score_now(points.values(), now, half_lives.get(name)) for name, points in audience.scores.items()},
        audience.stage,
        {one for one, version in segments.items() if member_key(one, version) in audience.members},
    )


def score_now(points: Iterable[Points], now: int, half_life: int | None) -> ScoreNow:
    """The sum of what all metrics gave, decayed to ``now``; rounded to 9 digits, so that order cannot matter."""
    if half_life is None:
        return ScoreNow(round(fsum(each.value for each in points), 9), now)
    values = (each.value * 2.0 ** ((each.at - now) / half_life) for each in points)
    return ScoreNow(round(fsum(values), 9), now, half_life)
