"""Definitions as they are in force, read and checked: what the catalogue of live tracks is made from."""

from __future__ import annotations

from dataclasses import dataclass

from leocdp.domain.scoring.model import Scoring
from leocdp.domain.segments.computed import Computed
from leocdp.domain.segments.nodes import Node


@dataclass(frozen=True, slots=True)
class VersionDefinition:
    """A version of a segment: ``since`` is the time of the change from which on its members are computed."""

    version: int
    condition: Node
    since: int
    current: bool


@dataclass(frozen=True, slots=True)
class SegmentDefinition:
    id: str
    at: int
    """ms, the latest change of the definition, also of its state alone."""
    versions: tuple[VersionDefinition, ...] = ()
    frozen: bool = False
    """Paused, broken or unreadable: nothing is evaluated and members stay as they are."""
    current: int | None = None
    """Version that conditions on the segment look at, also while it is frozen."""


@dataclass(frozen=True, slots=True)
class ComputedDefinition:
    trait: str
    computed: Computed
    since: int


@dataclass(frozen=True, slots=True)
class ScoringDefinition:
    scoring: Scoring
    since: int = 0
    """0: the defaults, which nobody has changed."""
