"""Segments beside the path of events: people whose time has come, and people whom a definition has left behind.

Pure. First :func:`wanted` tells which events have to be read, if any; :func:`refresh` then decides on one person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from leocdp.domain.decisions import AudienceWrite, MemberWrite
from leocdp.domain.profiles.bounds import OTHER
from leocdp.domain.profiles.state import Profile, State
from leocdp.domain.scoring.points import build as build_points
from leocdp.domain.segments.audience import RECOMPUTE_EVERY_MS, Audience, NodeState
from leocdp.domain.segments.catalogue import Catalogue, Counted, Track
from leocdp.domain.segments.judge import Judge
from leocdp.domain.segments.moves import Move, Why, announce, own_copy, write_members
from leocdp.domain.segments.node_state import build
from leocdp.domain.segments.scored import known_names, settle
from leocdp.domain.segments.subject import EventFact


@dataclass(frozen=True, slots=True)
class Reading:
    """The events of one person that a refresh asks for, and the nodes that are made from them."""

    keys: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    scores: bool = False
    """The points are made from them, too."""

    @property
    def is_nothing(self) -> bool:
        return not (self.keys or self.scores)


AGAIN_AFTER_MS: Final = 3_600_000
"""When somebody whom a defect of ours keeps from being decided on is tried again."""
EVENTS_PER_MS: Final = 10
"""For so many events of a person they are read 1 ms later the next time: about a tenth of the time goes into it."""
_EVERYTHING: Final = ""
"""In the place of a node: points are to be made again, too."""


@dataclass(slots=True)
class Refreshed:
    audience: AudienceWrite
    members: list[MemberWrite] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    delay: int | None = None
    """ms since the timer ran out, of somebody who was due."""


def is_wanted(catalogue: Catalogue, root: Profile, now: int) -> bool:
    """Whether there is anything to do for a person whom a worker with these definitions may decide on."""
    audience = root.audience or Audience()
    if root.merged_into is not None or audience.generation > catalogue.generation:
        return False
    return audience.generation < catalogue.generation or _is_due(audience, now)


def wanted(catalogue: Catalogue, root: Profile, now: int) -> Reading:
    """What has to be read of a person: for states that are missing, and where only the events can tell, the latter at
    most once in a while."""
    audience = root.audience or Audience()
    keys: set[str] = set()
    if audience.generation < catalogue.generation:
        keys.update(key for key, one in catalogue.nodes.items() if one.since > audience.generation)
    scores = catalogue.scoring is not None and catalogue.scoring_since > audience.generation
    scores = scores or (catalogue.scoring is not None and _EVERYTHING in audience.nodes)
    if keys or scores or now >= audience.read_at + RECOMPUTE_EVERY_MS:
        keys |= _cut(audience) & catalogue.nodes.keys()
    if not keys and not scores:
        return Reading()
    # Where only the events can tell, they are asked for the whole condition.
    together = keys.union(*(track.nodes for track in catalogue.tracks if not keys.isdisjoint(track.nodes)))
    nodes = [catalogue.nodes[key] for key in together]
    names, types = _happened(root.folded, nodes)
    if scores and catalogue.scoring is not None:
        more_names, more_types = known_names(catalogue.scoring, catalogue.scored_types, root.folded)
        names, types = names | more_names, types | more_types
    return Reading(frozenset(keys), names, types, scores)


def _happened(state: State, nodes: Iterable[Counted]) -> tuple[frozenset[str], frozenset[str]]:
    """Names and types that the person has events of, as far as the counters know."""
    names = frozenset().union(*(one.names for one in nodes))
    types = frozenset().union(*(one.types for one in nodes))
    if OTHER not in state.by_name:
        names &= state.by_name.keys()
    return names, types & state.by_type.keys()


def refresh(catalogue: Catalogue, root: Profile, reading: Reading, events: Sequence[EventFact], now: int) -> Refreshed:
    """``events``: all that ``reading`` names, or more, in order of time."""
    return _Refresh(catalogue, root, reading, events, now).decide()


def set_aside(catalogue: Catalogue, root: Profile, now: int) -> Refreshed:
    """Somebody who cannot be decided on keeps their answers for a while, and keeps nobody else waiting."""
    audience = root.audience or Audience()
    generation = max(audience.generation, catalogue.generation)
    lost = {key: NodeState(cut=True) for key in (_EVERYTHING, *catalogue.nodes)}
    kept = replace(audience, generation=generation, due=now + AGAIN_AFTER_MS, nodes=lost, read_at=now)
    return Refreshed(AudienceWrite(root.id, root.revision, kept))


class _Refresh:
    def __init__(
        self, catalogue: Catalogue, root: Profile, reading: Reading, events: Sequence[EventFact], now: int
    ) -> None:
        self._catalogue = catalogue
        self._root = root
        self._now = now
        self._base = root.audience or Audience()
        self._audience = own_copy(self._base)
        self._reading = reading
        self._keys = reading.keys
        self._events = events
        self._behind = self._base.generation < catalogue.generation

    def decide(self) -> Refreshed:
        catalogue, audience, base, root = self._catalogue, self._audience, self._base, self._root
        removed = self._bring_up() if self._behind else []
        self._build()
        self._score()
        judge = Judge(catalogue, root, audience, self._now, None if self._reading.is_nothing else self._events)
        cut = _cut(audience)
        judge.compute(one for one in catalogue.computed if self._behind or one.timed or one.key in cut)
        judge.ask(self._places(judge.computed_changed, cut), catalogue.generation)
        audience.due = judge.next
        flipped = [(catalogue.tracks[place], holds) for place, holds in judge.flipped.items()]
        writes, whys = write_members(audience, root.id, flipped, self._why)
        segments = set(whys)
        if self._behind:
            segments |= audience.announced.keys() | {track.segment for track in catalogue.tracks}
        moves = announce(catalogue, audience, root, segments, whys, self._redefined)
        delay = self._now - base.due if base.due is not None and _is_due(base, self._now) else None
        return Refreshed(AudienceWrite(root.id, root.revision, audience), removed + writes, moves, delay)

    def _bring_up(self) -> list[MemberWrite]:
        """Forget what belongs to definitions that are no more."""
        catalogue, audience = self._catalogue, self._audience
        audience.generation = catalogue.generation
        audience.nodes = {key: state for key, state in audience.nodes.items() if key in catalogue.nodes}
        traits = {one.trait for one in catalogue.computed}
        audience.computed = {name: value for name, value in audience.computed.items() if name in traits}
        gone = [key for key in audience.members if not catalogue.keeps(key)]
        for key in gone:
            del audience.members[key]
        return [MemberWrite(key, self._root.id, None) for key in gone]

    def _build(self) -> None:
        nodes, catalogue = self._audience.nodes, self._catalogue
        for key in self._keys:
            state = build(catalogue.nodes[key].node, self._events, catalogue.setting)
            if state is None:
                nodes.pop(key, None)
            else:
                nodes[key] = state
        if not self._reading.is_nothing:
            nodes.pop(_EVERYTHING, None)
            # Somebody with very many events is read the less often, so that reading them never fills the day.
            self._audience.read_at = self._now + len(self._events) // EVENTS_PER_MS

    def _score(self) -> None:
        """People who are not behind have the points that their events have given them."""
        audience, scoring, state = self._audience, self._catalogue.scoring, self._root.folded
        if not self._behind and not self._reading.scores:
            return
        if scoring is None:
            audience.scores, audience.stage = {}, ""
            return
        scores = build_points(self._events, scoring) if self._reading.scores else audience.scores
        settle(audience, scores, state, scoring, quality=True)

    def _places(self, computed_changed: Iterable[str], cut: Collection[str]) -> set[int]:
        catalogue = self._catalogue
        if self._behind:
            return set(range(len(catalogue.tracks)))
        places = set(catalogue.timed)
        for name in computed_changed:
            places.update(catalogue.traits.get(name, ()))
        for key in (*cut, *self._keys):
            places.update(catalogue.users.get(key, ()))
        return places

    def _why(self, track: Track) -> Why:
        base = self._base
        if base.generation == 0 and base.due is not None:
            return Why("unmerge", base.due, f"unmerge/{base.due}")
        if track.ready <= base.generation and base.due is not None and base.due <= self._now:
            return Why("time", base.due, f"time/{base.due}")
        return self._redefined(track.segment, track)

    def _redefined(self, segment: str, track: Track | None = None) -> Why:
        """Another definition made it: the first one of a segment, or a later change."""
        catalogue = self._catalogue
        if self._base.generation == 0 and self._base.due is not None:
            return Why("unmerge", self._base.due, f"unmerge/{self._base.due}")
        one = track or next((each for each in catalogue.tracks if each.segment == segment and each.current), None)
        if one is None:
            return Why("edit", catalogue.generation, f"definition/{catalogue.generation}")
        return Why("backfill" if one.version == 1 else "edit", one.at, f"definition/{one.at}")


def _is_due(audience: Audience, now: int) -> bool:
    return audience.due is not None and audience.due <= now


def _cut(audience: Audience) -> set[str]:
    return {key for key, state in audience.nodes.items() if state.cut}
