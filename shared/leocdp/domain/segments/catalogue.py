"""All live definitions, put in order and indexed, so that a decision looks only at what an event can touch.

Immutable: made anew (``assembly``) when a definition changes. A *track* is one version of one segment that members are
computed for; of a segment that is being edited there are two, and only the current one is announced and counts for
conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC

from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.scoring.model import Scoring
from leocdp.domain.segments.computed import Computed
from leocdp.domain.segments.nodes import EventNode, Node
from leocdp.domain.segments.subject import Setting


@dataclass(frozen=True, slots=True)
class Counted:
    """An event node that people keep a state of, shared by all tracks that ask for the same."""

    key: str
    node: EventNode
    since: int
    """The state that people of an earlier generation have, if any, lacks events."""
    names: frozenset[str]
    types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Track:
    place: int
    """In the order of evaluation: after all that its condition refers to."""
    segment: str
    version: int
    key: str
    condition: Node
    current: bool
    at: int
    """The latest change of the segment's definition."""
    ready: int
    """People of this generation or a later one have all that the condition needs."""
    nodes: frozenset[str]
    timed: bool
    """The answer may change by itself."""


@dataclass(frozen=True, slots=True)
class ComputedTrack:
    trait: str
    computed: Computed
    key: str
    """Of its node."""
    since: int
    timed: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    generation: int = 0
    """ms, the latest change of any definition, deletions included. 0: nothing was ever defined."""
    setting: Setting = field(default_factory=lambda: Setting(UTC))
    tracks: tuple[Track, ...] = ()
    computed: tuple[ComputedTrack, ...] = ()
    nodes: Mapping[str, Counted] = field(default_factory=dict)
    by_name: Mapping[str, tuple[Counted, ...]] = field(default_factory=dict)
    by_type: Mapping[str, tuple[Counted, ...]] = field(default_factory=dict)
    users: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Key of a node → tracks."""
    computed_users: Mapping[str, tuple[ComputedTrack, ...]] = field(default_factory=dict)
    traits: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """First part of a trait's path → tracks."""
    uses: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Other kind of state (``references``) → tracks."""
    scores: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Score → tracks."""
    scoring: Scoring | None = None
    """None: nobody asks for scores, and none are kept."""
    scoring_since: int = 0
    """The points that people of an earlier generation have, if any, lack events."""
    scored_types: frozenset[str] = frozenset()
    """Types of which all events give points."""
    dependents: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Segment → tracks whose conditions refer to it."""
    timed: tuple[int, ...] = ()
    always: tuple[int, ...] = ()
    """Tracks that somebody may be in without anything that could be seen as a change: asked for new people."""
    current: Mapping[str, str] = field(default_factory=dict)
    """Member key → segment, of the versions that conditions on a segment look at."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """The same the other way: segment → version."""
    live: frozenset[str] = frozenset()
    """Member keys of the tracks."""
    frozen: frozenset[str] = frozenset()
    """Segments whose members stay as they are."""

    def keeps(self, key: str) -> bool:
        """Whether members under this member key are still kept."""
        return key in self.live or key.rpartition(":")[0] in self.frozen

    @property
    def is_empty(self) -> bool:
        return not (self.tracks or self.computed)

    def counted_for(self, type: str, name: str | None) -> tuple[Counted, ...]:
        """Nodes that an event may be one for."""
        named = self.by_name.get(name, ()) if name is not None and type in NAMED_TYPES else ()
        typed = self.by_type.get(type, ())
        return named + typed if named and typed else named or typed
