"""The person that a condition is asked about, as ``evaluate`` sees them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from msgspec import Struct

from leocdp.domain.profiles.state import State


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
