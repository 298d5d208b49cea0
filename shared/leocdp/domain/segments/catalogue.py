"""All live definitions, put in order and indexed, so that a decision looks only at what an event can touch.

Immutable: made anew when a definition changes. A *track* is one version of one segment that members are computed for;
of a segment that is being edited there are two, and only the current one is announced and counts for conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, tzinfo
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from leocdp.domain.profiles.apply import NAMED_TYPES
from leocdp.domain.profiles.state import State
from leocdp.domain.scoring.model import Scoring
from leocdp.domain.segments.audience import member_key
from leocdp.domain.segments.computed import Computed
from leocdp.domain.segments.evaluate import answer
from leocdp.domain.segments.node_state import node_key
from leocdp.domain.segments.nodes import (
    Aggregate,
    Bucket,
    EventCount,
    EventNode,
    EventQuery,
    FirstTime,
    InSegment,
    Node,
    Pick,
    Regularity,
    Score,
    Sequence_,
    Span,
    ValueTest,
)
from leocdp.domain.segments.references import References, references
from leocdp.domain.segments.subject import Setting, Subject

EVENT_NODES: Final = (EventCount, FirstTime, Pick, Aggregate, Sequence_, Regularity)
_RELATIVE: Final = frozenset({"within_last", "within_next", "older_than", "anniversary"})
_OF_DATES: Final = _RELATIVE | {"before", "after", "on_day"}
_MAKES_LISTS: Final = "list"


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
    setting: Setting = field(default_factory=lambda: Setting(_utc()))
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


def build(
    segments: Iterable[SegmentDefinition],
    computed: Iterable[ComputedDefinition],
    *,
    generation: int,
    zone: tzinfo,
    zone_since: int = 0,
    scoring: ScoringDefinition | None = None,
) -> Catalogue:
    """Put definitions in order. Segments that refer to each other in a circle are frozen.

    ``zone_since``: the change that brought the time zone; what depends on it is made anew for people from before.
    ``scoring``: kept where somebody has set it or a segment asks for scores.
    """
    segments = sorted(segments, key=lambda one: one.id)
    order, circular = _order(segments)
    traits = sorted(computed, key=lambda one: one.trait)
    nodes = _nodes([*_versions(order), *traits], zone_since)
    since = _scoring_since(scoring, _versions(order)) if scoring else None
    made = _Tracks(nodes, {one.trait: one for one in traits}, zone_since, since or 0, Setting(zone))
    for segment, version in ((one, each) for one in order for each in one.versions):
        made.add(segment, version)
    computed_tracks = tuple(_computed_track(one, nodes) for one in traits)
    kept = scoring.scoring if scoring and since is not None else None
    return made.catalogue(generation, segments, circular, computed_tracks, kept)


def _scoring_since(scoring: ScoringDefinition, versions: Iterable[VersionDefinition]) -> int | None:
    """Since when scores are kept as they are now; None: they are not."""
    users = [one.since for one in versions if _asks_for_scores(references(one.condition))]
    if scoring.since:
        users.append(scoring.since)
    return max(scoring.since, min(users)) if users else None


def _asks_for_scores(needs: References) -> bool:
    return bool(needs.scores) or "stage" in needs.uses


def _versions(segments: Iterable[SegmentDefinition]) -> Iterator[VersionDefinition]:
    for segment in segments:
        yield from segment.versions


def _order(segments: Sequence[SegmentDefinition]) -> tuple[list[SegmentDefinition], frozenset[str]]:
    """Live segments, each after those that it refers to, and the ids of those that cannot be ordered."""
    live = {one.id: one for one in segments if one.versions and not one.frozen}
    circular: set[str] = set()
    while True:
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for one in live.values():
            needs = frozenset().union(*(references(each.condition).segments for each in one.versions))
            sorter.add(one.id, *sorted(needs & live.keys()))
        try:
            return [live[one] for one in sorter.static_order()], frozenset(circular)
        except CycleError as error:
            for one in error.args[1]:
                live.pop(one, None)
                circular.add(one)


def _nodes(users: Iterable[VersionDefinition | ComputedDefinition], zone_since: int) -> dict[str, Counted]:
    found: dict[str, Counted] = {}
    for user in users:
        inside = event_nodes(user.condition) if isinstance(user, VersionDefinition) else (user.computed.node,)
        for node in inside:
            key = node_key(node)
            since = max(user.since, zone_since if depends_on_zone(node) else 0)
            if key not in found or since < found[key].since:
                queries = [one for one in walk(node) if isinstance(one, EventQuery)]
                names = frozenset(one.name for one in queries if one.name is not None)
                types = frozenset(one.type for one in queries if one.name is None and one.type is not None)
                found[key] = Counted(key, node, since, names, types)
    return found


class _Tracks:
    """Collects tracks in order, with what each needs."""

    def __init__(
        self,
        nodes: Mapping[str, Counted],
        traits: Mapping[str, ComputedDefinition],
        zone_since: int,
        scoring_since: int,
        setting: Setting,
    ) -> None:
        self._nodes = nodes
        self._traits = traits
        self._zone_since = zone_since
        self._scoring_since = scoring_since
        self._setting = setting
        self._tracks: list[Track] = []
        self._needs: list[References] = []
        self._ready: dict[str, int] = {}
        """Segment → generation from which on its current version can be relied on."""

    def add(self, segment: SegmentDefinition, version: VersionDefinition) -> None:
        condition, needs = version.condition, references(version.condition)
        inside = frozenset(node_key(node) for node in event_nodes(condition))
        computed = [self._traits[one] for one in needs.traits if one in self._traits]
        ready = max(
            version.since,
            self._zone_since if depends_on_zone(condition) else 0,
            self._scoring_since if _asks_for_scores(needs) else 0,
            *(self._nodes[key].since for key in inside),
            *(max(one.since, self._nodes[node_key(one.computed.node)].since) for one in computed),
            *(self._ready.get(one, 0) for one in needs.segments),
        )
        track = Track(
            place=len(self._tracks),
            segment=segment.id,
            version=version.version,
            key=member_key(segment.id, version.version),
            condition=condition,
            current=version.current,
            at=segment.at,
            ready=ready,
            nodes=inside,
            timed=may_change_by_itself(condition),
        )
        if version.current:
            # Another current version: those who refer to it are asked again.
            self._ready[segment.id] = max(ready, segment.at)
        self._tracks.append(track)
        self._needs.append(needs)

    def catalogue(
        self,
        generation: int,
        segments: Sequence[SegmentDefinition],
        circular: frozenset[str],
        computed: tuple[ComputedTrack, ...],
        scoring: Scoring | None,
    ) -> Catalogue:
        tracks, nodes, needs = self._tracks, self._nodes.values(), list(enumerate(self._needs))
        return Catalogue(
            generation=generation,
            setting=self._setting,
            tracks=tuple(tracks),
            computed=computed,
            nodes=self._nodes,
            by_name=_index((name, one) for one in nodes for name in sorted(one.names)),
            by_type=_index((type_, one) for one in nodes for type_ in sorted(one.types)),
            users=_index((key, track.place) for track in tracks for key in sorted(track.nodes)),
            computed_users=_index((one.key, one) for one in computed),
            traits=_index((name, place) for place, one in needs for name in sorted(one.traits)),
            uses=_index(
                (use, place)
                for place, one in needs
                for use in (*sorted(one.uses), *([_MAKES_LISTS] if one.lists else ()))
            ),
            scores=_index((name, place) for place, one in needs for name in sorted(one.scores)),
            scoring=scoring,
            scoring_since=self._scoring_since,
            scored_types=frozenset(
                type_ for one in (scoring.metrics.values() if scoring else ()) for type_ in one.types
            ),
            dependents=_index((other, place) for place, one in needs for other in sorted(one.segments)),
            timed=tuple(track.place for track in tracks if track.timed),
            always=tuple(track.place for track in tracks if _always(track, self._setting)),
            current={member_key(one.id, one.current): one.id for one in segments if one.current is not None},
            versions={one.id: one.current for one in segments if one.current is not None},
            live=frozenset(track.key for track in tracks),
            frozen=frozenset(one.id for one in segments if one.frozen) | circular,
        )


def _always(track: Track, setting: Setting) -> bool:
    """Whether nothing at all is known of somebody, and yet the condition may hold or have an instant to wait for."""
    parts = list(walk(track.condition))
    if any(isinstance(one, Bucket | InSegment) for one in parts):
        return True
    found = answer(track.condition, Subject("", State()), {}, 0, setting)
    return found.holds or found.next is not None


def _index(pairs: Iterable[tuple[str, Any]]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _computed_track(one: ComputedDefinition, nodes: Mapping[str, Counted]) -> ComputedTrack:
    key = node_key(one.computed.node)
    return ComputedTrack(
        one.trait, one.computed, key, max(one.since, nodes[key].since), may_change_by_itself(one.computed.node)
    )


# What stands in a condition


def walk(value: object) -> Iterator[object]:
    """A condition and everything inside it."""
    if isinstance(value, tuple):
        for one in value:
            yield from walk(one)
    elif is_dataclass(value):
        yield value
        for part in fields(value):
            yield from walk(getattr(value, part.name))
    elif isinstance(value, date):
        yield value


def event_nodes(condition: Node) -> Iterator[EventNode]:
    for one in walk(condition):
        if isinstance(one, EVENT_NODES):
            yield one


def depends_on_zone(condition: Node) -> bool:
    """It names a plain day, counts local days, or looks at dates, which may be plain days."""
    return any(
        isinstance(one, date | Regularity) or (isinstance(one, ValueTest) and one.op in _OF_DATES)
        for one in walk(condition)
    )


def may_change_by_itself(condition: Node) -> bool:
    return any(
        isinstance(one, Sequence_ | Regularity | Score)
        or (isinstance(one, Span) and one.within is not None)
        or (isinstance(one, ValueTest) and one.op in _RELATIVE)
        for one in walk(condition)
    )


def _utc() -> tzinfo:
    from datetime import UTC

    return UTC
