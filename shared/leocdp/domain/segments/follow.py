"""Segments in the path of events: what a decided batch changes for each person it touches, once per person.

Pure, and bounded by what the batch brings: no event reads a history. What cannot be told from the kept states alone is
left as it is and marked as due, and :mod:`leocdp.domain.segments.refresh` reads the events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from leocdp.domain.decisions import EventWrite, MemberWrite
from leocdp.domain.events import Envelope
from leocdp.domain.identity.history import Journal, Origin, of_event
from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments.audience import UNKNOWN, Audience
from leocdp.domain.segments.catalogue import Catalogue, Track
from leocdp.domain.segments.changed import NOTHING, may_know_more, touched_by_state
from leocdp.domain.segments.judge import Judge
from leocdp.domain.segments.lineage import Lineage
from leocdp.domain.segments.moves import Move, Why, announce, own_copy, write_members
from leocdp.domain.segments.node_state import add
from leocdp.domain.segments.scored import settle, touched_by_scores, with_events
from leocdp.domain.segments.subject import EventFact


@dataclass(slots=True)
class Followed:
    members: list[MemberWrite] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    failed: list[tuple[str, Exception]] = field(default_factory=list)
    """People of whom a defect of ours let nothing be decided: the refresh makes theirs from the events."""


def follow(
    catalogue: Catalogue,
    changed: Sequence[Profile],
    before: Mapping[str, Profile],
    events: Iterable[EventWrite],
    journal: Journal,
    root_of: Callable[[str], str],
    now: int,
) -> Followed:
    """``changed``: the profiles that the decision writes, of which the audiences are set; ``before``: as loaded."""
    followed = Followed()
    if not catalogue.generation and all(profile.audience is None for profile in changed):
        return followed  # Nothing was ever defined, as far as anybody knows.
    batch = _Batch(catalogue, before, journal, root_of, now)
    batch.take(events)
    lineage = Lineage(changed, before) if journal.merges else None
    for profile in changed:
        if profile.merged_into is not None:
            profile.audience = None
            continue
        if lineage is not None:
            base, merged = lineage.audience(catalogue, profile.id, now), lineage.merged(profile.id)
        else:
            base, merged = profile.audience, False
            if profile.id not in before:
                base = Audience(generation=catalogue.generation)
        if base is None:
            continue  # Nothing was ever kept for this person: the refresh makes it from the events.
        try:
            profile.audience = _Person(batch, profile, base, merged).follow(followed)
        except Exception as error:  # noqa: BLE001 - an event must not be lost because somebody's segments cannot be told
            followed.failed.append((profile.id, error))
            profile.audience = replace(base, generation=UNKNOWN, due=now)
    return followed


class _Batch:
    """What all people of a batch have in common."""

    def __init__(
        self,
        catalogue: Catalogue,
        before: Mapping[str, Profile],
        journal: Journal,
        root_of: Callable[[str], str],
        now: int,
    ) -> None:
        self.catalogue = catalogue
        self.before = before
        self.now = now
        self.events: dict[str, list[Envelope]] = {}
        self._journal = journal
        self._root_of = root_of
        self._actions: dict[str, Why] | None = None

    def take(self, events: Iterable[EventWrite]) -> None:
        found, root_of = self.events, self._root_of
        for write in events:
            if write.leaf is not None:
                found.setdefault(root_of(write.leaf), []).append(write.envelope)

    def action(self, root: str) -> Why | None:
        """The latest merge, un-merge or other action that concerned a person."""
        if self._actions is None:
            notes = ((note.profile_id, note.cause, note.origin) for note in self._journal.notes)
            self._actions = {self._root_of(one): _why(cause, origin) for one, cause, origin in notes}
            for one, origin in self._journal.imports.items():
                self._actions[self._root_of(one)] = _why("import", origin)
        return self._actions.get(root)

    def traits_changed(self, root: str) -> set[str]:
        changes = self._journal.changes
        if root in changes:
            return changes[root].traits
        return set().union(*(each.traits for one, each in changes.items() if self._root_of(one) == root))


def _why(cause: str, origin: Origin) -> Why:
    return Why(cause, origin.occurred_at, origin.id)  # type: ignore[arg-type]


class _Person:
    """One person of the batch. ``base`` is a value: it is copied before anything in it changes."""

    def __init__(self, batch: _Batch, root: Profile, base: Audience, merged: bool) -> None:
        self._batch = batch
        self._catalogue = batch.catalogue
        self._root = root
        self._base = base
        self._merged = merged
        loaded = batch.before.get(root.id)
        self._before = loaded if loaded is not None and loaded.root == root.id else None
        """The person as loaded, if there was one under this id."""
        self._events = batch.events.get(root.id, ())
        self._audience = base
        self._counted: dict[str, Envelope] = {}
        """Key of a node → the last event that changed its state."""
        self._due: int | None = None
        """The timer that has run out, if it has."""
        self._by_event: set[int] = set()
        self._touched_places: frozenset[int] = frozenset()

    def follow(self, followed: Followed) -> Audience:
        if self._base.generation > self._catalogue.generation:
            # Whoever knows later definitions than this worker brings the person up to them again.
            self._audience = replace(self._base, generation=self._catalogue.generation)
        self._count()
        places = self._touched() | self._score()
        if self._is_current and self._base.due is not None and self._base.due <= self._batch.now:
            self._due = self._base.due
        if places or self._counted or self._merged or self._due is not None:
            self._decide(places, followed)
        return self._audience

    @property
    def _is_current(self) -> bool:
        return self._audience.generation >= self._catalogue.generation

    def _own(self) -> Audience:
        if self._audience.nodes is self._base.nodes:
            self._audience = own_copy(self._audience)
        return self._audience

    def _count(self) -> None:
        """Add the events to the states of the nodes that they are for."""
        catalogue = self._catalogue
        for event in self._events:
            counted_for = catalogue.counted_for(event.type, event.name)
            if not counted_for:
                continue
            fact = EventFact(event.timestamp, event.message_id, event.type, event.name, event.properties)
            for counted in counted_for:
                held = self._audience.nodes.get(counted.key)
                state = add(counted.node, held, fact, catalogue.setting)
                if state is not held and state is not None:
                    self._own().nodes[counted.key] = state
                    self._counted[counted.key] = event
                elif held is not None and held.cut:
                    # Perhaps one that the state cannot take in, and yet may matter.
                    self._counted[counted.key] = event

    def _touched(self) -> set[int]:
        catalogue, before = self._catalogue, self._before
        touched = touched_by_state(catalogue, before.folded if before else NOTHING, self._root.folded)
        if self._root.id not in self._batch.before:
            touched.update(catalogue.always)
        for key in self._counted:
            self._by_event.update(catalogue.users.get(key, ()))
        if self._merged:
            own = before.audience.nodes if before is not None and before.audience is not None else {}
            for key, state in self._audience.nodes.items():
                if state is not own.get(key):
                    touched.update(catalogue.users.get(key, ()))
            for name in self._batch.traits_changed(self._root.id):
                self._by_event.update(catalogue.traits.get(name, ()))
        return touched | self._by_event

    def _score(self) -> set[int]:
        """Points of the events, what follows from them, and the tracks that ask for it."""
        catalogue, scoring, state = self._catalogue, self._catalogue.scoring, self._root.folded
        if scoring is None:
            return set()
        before = self._before
        held = before.audience if before is not None else None
        events = ((event.type, event.name, event.timestamp) for event in self._events)
        scores = with_events(self._audience.scores, events, scoring)
        audience = self._own()
        known = self._merged or before is None or may_know_more(before.folded, state)
        settle(audience, scores, state, scoring, quality=known)
        places = touched_by_scores(catalogue, held, audience)
        if self._events:
            self._by_event |= places
        return places

    def _decide(self, places: set[int], followed: Followed) -> None:
        catalogue, audience = self._catalogue, self._own()
        judge = Judge(catalogue, self._root, audience, self._batch.now)
        timed = self._due is not None
        judge.compute(
            one
            for one in catalogue.computed
            if one.since <= audience.generation and (self._merged or one.key in self._counted or (timed and one.timed))
        )
        for name in judge.computed_changed:
            places.update(catalogue.traits.get(name, ()))
        self._touched_places = frozenset(places)
        judge.ask(places | set(catalogue.timed) if timed else places, audience.generation)
        audience.due = _earlier(None if timed else audience.due, judge.next)
        flipped = [(catalogue.tracks[place], holds) for place, holds in judge.flipped.items()]
        if not flipped and not self._merged:
            return
        writes, whys = write_members(audience, self._root.id, flipped, self._why)
        segments = set(whys)
        if self._merged and self._is_current:
            segments |= audience.announced.keys()
        followed.members += writes
        followed.moves += announce(catalogue, audience, self._root, segments, whys, lambda _: self._reason())

    def _why(self, track: Track) -> Why:
        events = [self._counted[key] for key in track.nodes if key in self._counted]
        if events:
            return _of_event(max(events, key=lambda event: event.address))
        if self._due is not None and track.place not in self._touched_places:
            return Why("time", self._due, f"time/{self._due}")
        if self._events and track.place in self._by_event:
            return _of_event(self._events[-1])
        return self._reason()

    def _reason(self) -> Why:
        """Why anything of the person has changed that no single event explains."""
        action = self._batch.action(self._root.id)
        if self._events and not (self._merged and action is not None):
            return _of_event(self._events[-1])
        return action or Why("event", self._batch.now, f"time/{self._batch.now}")


def _of_event(event: Envelope) -> Why:
    return _why("event", of_event(event))


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
