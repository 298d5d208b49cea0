"""Which person an event belongs to: the rules of "Resolution of one event", one event at a time.

The anchor is the strongest identifier; its person, or one still to be made, is the *current* person. Every other
identifier is then that person's already, or claimed, or brings its owner with it (a merge), or is refused. A
refused device switches to the current person, a refused contact stays where it is unless it was verified.
"""

from __future__ import annotations

from collections import Counter

from leocdp.domain.events import Envelope, profile_id_for
from leocdp.domain.identity.candidates import USER_ID, Candidate, candidates
from leocdp.domain.identity.cells import beside, first_cell, is_crowd, restated, seen, user_mark
from leocdp.domain.identity.history import Journal, Origin, of_event
from leocdp.domain.identity.merging import merge, note
from leocdp.domain.identity.obstacles import claim_obstacle, merge_obstacle
from leocdp.domain.identity.refusals import settle_refused
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.profiles.state import IdentifierCell


class Resolution:
    """One event on its way to its person. Made by :func:`resolve`; ``leaf`` and ``root`` are the answer."""

    __slots__ = (
        "_origin",
        "claims",
        "event",
        "found",
        "journal",
        "leaf",
        "own",
        "people",
        "refused",
        "root",
        "users",
        "verified",
    )

    def __init__(self, event: Envelope, found: list[Candidate], people: WorkingSet, journal: Journal) -> None:
        self.event = event
        self.found = found
        self.people = people
        self.journal = journal
        self.root = ""
        """The current person's root; empty while that person is still to be made."""
        self.leaf = ""
        self.claims: list[Candidate] = []
        self.own: list[Candidate] = []
        self.refused: list[tuple[Candidate, str]] = []
        self.users = tuple([user_mark(one.key) for one in found if one.rule.name == USER_ID and not one.former])
        self.verified = event.verified if event.source.authenticated else frozenset()
        self._origin: Origin | None = None

    @property
    def origin(self) -> Origin:
        if self._origin is None:
            self._origin = of_event(self.event)
        return self._origin

    def meet(self, candidate: Candidate) -> None:
        """Rule 3: what becomes of the next identifier."""
        owner = self.people.owners.get(candidate.key)
        if owner is None:
            reason = claim_obstacle(self.people, self.root, self.claims, candidate)
            if reason is None:
                self.claims.append(candidate)
            else:
                self.refused.append((candidate, reason))
            return
        root = self.people.root_of(owner.leaf)
        if root != self.root:
            is_anchor = not self.root and not self.claims
            reason = None if is_anchor else self._obstacle(candidate, root)
            if reason is not None:
                self.refused.append((candidate, reason))
                return
            self._unite(candidate, root, owner.leaf)
        self.own.append(candidate)

    def _obstacle(self, candidate: Candidate, root: str) -> str | None:
        return merge_obstacle(self.people, self.event, self.found, self.claims, self.root, root, candidate)

    def _unite(self, candidate: Candidate, root: str, leaf: str) -> None:
        """The current person is found at last, or unites with another."""
        if not self.root:
            self.root, self.leaf = root, leaf
        else:
            record = merge(self.people, self.journal, self.origin, self.root, root, candidate.key)
            self.root = record.into

    def settle(self) -> None:
        """The person is known: write down who has which identifier now."""
        if not self.leaf:
            event = self.event
            profile = self.people.create(
                profile_id_for(event.source.id, event.message_id, event.received_at), event.received_at
            )
            self.leaf = self.root = profile.id
        for candidate in self.claims:
            self._claim(candidate)
        if self.claims:
            self.journal.changed(self.root, self.origin, ())
            self.journal.renamed.add(self.root)
        for candidate in self.own:
            self.see(candidate)

    def _claim(self, candidate: Candidate) -> None:
        users = self.users if candidate.rule.contact else ()
        cell = first_cell(self.event, self.is_verified(candidate), users)
        self.people.claim(candidate.key, candidate.rule, self.leaf, cell)

    def see(self, candidate: Candidate) -> None:
        """An identifier of the person was seen once more; it may turn out to be everybody's."""
        leaf, cell = self.people.find(candidate.key)
        cell = seen(cell, self.event, self.is_verified(candidate))
        if candidate.rule.contact and self.users:
            cell = beside(cell, self.users, self.people.rules.shared)
        self.keep(candidate, leaf, cell)

    def keep(self, candidate: Candidate, leaf: str, cell: IdentifierCell) -> bool:
        """Write the cell of an identifier to the leaf that has it; True when it became *shared* by that."""
        crowd = is_crowd(cell, candidate.rule, self.people.rules.shared)
        if crowd:
            self._share(candidate, leaf, cell)
        else:
            self.people.put(candidate.key, leaf, cell)
        return crowd

    def _share(self, candidate: Candidate, leaf: str, cell: IdentifierCell) -> None:
        """It is everybody's: known where it is, and from now on it resolves nobody."""
        self.people.put(candidate.key, leaf, restated(cell, "shared"))
        self.journal.refused(self.origin, candidate.key, leaf, self.leaf, "shared")
        owner = self.people.root_of(leaf)
        self.journal.renamed.add(owner)
        note(self.people, self.journal, self.origin, "identifier_shared", owner)

    def is_verified(self, candidate: Candidate) -> bool:
        """Only an authenticated source's word counts."""
        return candidate.identifier in self.verified if self.verified else False


def resolve(
    event: Envelope, people: WorkingSet, journal: Journal, dropped: Counter[tuple[str, str]]
) -> Resolution | None:
    """Find or make the event's person, and write all changes of identity to ``people`` and ``journal``.

    None when the event has no usable identifier: it is kept without a person.
    """
    found = candidates(event, people, dropped)
    if not found:
        return None
    resolution = Resolution(event, found, people, journal)
    for candidate in found:
        resolution.meet(candidate)
    resolution.settle()
    if resolution.refused:
        settle_refused(resolution)
    if event.type == "alias":
        retire_former(resolution)
    return resolution


def retire_former(resolution: Resolution) -> None:
    """Rule 6, ``user_id`` → ``user_id``: the old one becomes *former* (it still resolves and is not counted), the
    new one active, once both are of one person. Only authenticated sources may say so."""
    former = next((one for one in resolution.found if one.former), None)
    if former is None or not resolution.users or not resolution.event.source.authenticated:
        return
    if _is_own(resolution, former):
        for candidate in resolution.found:
            if candidate.is_user and _is_own(resolution, candidate):
                _restate(resolution, candidate, "former" if candidate.former else "active")


def _is_own(resolution: Resolution, candidate: Candidate) -> bool:
    owner = resolution.people.owners.get(candidate.key)
    return owner is not None and resolution.people.root_of(owner.leaf) == resolution.root


def _restate(resolution: Resolution, candidate: Candidate, state: str) -> None:
    owner = resolution.people.owners[candidate.key]
    if owner.state not in (state, "shared"):
        cell = restated(resolution.people.cell(candidate.key), state)
        resolution.people.put(candidate.key, owner.leaf, cell)
