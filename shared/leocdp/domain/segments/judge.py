"""One person and the live definitions: which answers change, and when they may change by themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from heapq import heapify, heappop, heappush

from leocdp.domain.profiles.state import Profile
from leocdp.domain.segments import computed
from leocdp.domain.segments.audience import RECOMPUTE_EVERY_MS, Audience
from leocdp.domain.segments.catalogue import Catalogue, ComputedTrack, Track
from leocdp.domain.segments.changed import same
from leocdp.domain.segments.evaluate import Answer, answer, evaluate, needs_events
from leocdp.domain.segments.scored import scores_now
from leocdp.domain.segments.subject import EventFact, Subject


class Judge:
    """Asks conditions about a person whose ``audience`` is a copy that may be changed.

    ``events`` are all the person's events that any of the conditions asked may need; None: they were not read. Then a
    condition that only the events can tell is left as it is, and asked again when they may be read.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        root: Profile,
        audience: Audience,
        now: int,
        events: Sequence[EventFact] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._audience = audience
        self._now = now
        self._events = events
        self._cut = frozenset(key for key, state in audience.nodes.items() if state.cut)
        current = catalogue.current
        self._segments = {current[key] for key in audience.members if key in current}
        scores = scores_now(catalogue, audience, now)
        self.subject = Subject(root.id, root.folded, audience.computed, scores, audience.stage, self._segments)
        self.next: int | None = None
        """The earliest instant at which one of the answers given may change by itself."""
        self.flipped: dict[int, bool] = {}
        """Place of a track → whether the person is in it now, of those where that has changed."""
        self.computed_changed: set[str] = set()

    def compute(self, tracks: Iterable[ComputedTrack]) -> None:
        """Values of computed traits, before the conditions that may look at them."""
        audience = self._audience
        for track in tracks:
            state = audience.nodes.get(track.key)
            if state is not None and state.cut and self._events is None:
                self._wait_for_events()
                continue
            value, due = computed.value(
                track.computed,
                state,
                self._now,
                self._catalogue.setting,
                self._events if track.key in self._cut else None,
            )
            self._expect(due)
            if not same(value, audience.computed.get(track.trait)):
                self.computed_changed.add(track.trait)
                if value is None:
                    audience.computed.pop(track.trait, None)
                else:
                    audience.computed[track.trait] = value

    def ask(self, places: Collection[int], generation: int) -> None:
        """Ask the tracks at these places, and those that refer to a segment whose answer changes.

        ``generation`` of the person: tracks that need more than they have are left to the time when they have it.
        """
        waiting, known = list(places), set(places)
        heapify(waiting)
        tracks, dependents = self._catalogue.tracks, self._catalogue.dependents
        while waiting:
            track = tracks[heappop(waiting)]
            if track.ready > generation or not self._ask(track) or not track.current:
                continue
            for place in dependents.get(track.segment, ()):
                if place not in known:
                    known.add(place)
                    heappush(waiting, place)

    def _ask(self, track: Track) -> bool:
        """Whether the answer is another one than before."""
        found = self._answer(track)
        if found is None:
            self._wait_for_events()
            return False
        self._expect(found.next)
        if found.holds == (track.key in self._audience.members):
            return False
        self.flipped[track.place] = found.holds
        if track.current:
            (self._segments.add if found.holds else self._segments.discard)(track.segment)
        return True

    def _answer(self, track: Track) -> Answer | None:
        nodes, setting = self._audience.nodes, self._catalogue.setting
        if self._cut and not self._cut.isdisjoint(track.nodes) and needs_events(track.condition, nodes):
            if self._events is None:
                return None
            return evaluate(track.condition, self.subject, self._events, self._now, setting)
        return answer(track.condition, self.subject, nodes, self._now, setting)

    def _wait_for_events(self) -> None:
        self._note(max(self._now, self._audience.read_at + RECOMPUTE_EVERY_MS))

    def _expect(self, due: int | None) -> None:
        if due is not None:
            self._note(max(due, self._now + 1))

    def _note(self, due: int) -> None:
        if self.next is None or due < self.next:
            self.next = due
