"""The catalogue is put together from the definitions: their order, what they share, and what each of them needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from leocdp.domain.profiles.state import State
from leocdp.domain.scoring.model import Scoring
from leocdp.domain.segments.audience import member_key
from leocdp.domain.segments.catalogue import Catalogue, ComputedTrack, Counted, Track
from leocdp.domain.segments.definitions import (
    ComputedDefinition,
    ScoringDefinition,
    SegmentDefinition,
    VersionDefinition,
)
from leocdp.domain.segments.evaluate import answer, event_nodes_of
from leocdp.domain.segments.inside import depends_on_zone, may_change_by_itself, walk
from leocdp.domain.segments.node_state import node_key
from leocdp.domain.segments.nodes import Bucket, EventQuery, InSegment
from leocdp.domain.segments.references import References, references
from leocdp.domain.segments.subject import Setting, Subject

_MAKES_LISTS: Final = "list"


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
        inside = event_nodes_of(user.condition) if isinstance(user, VersionDefinition) else (user.computed.node,)
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
        inside = frozenset(node_key(node) for node in event_nodes_of(condition))
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
