"""What becomes of identifiers that did not join the event's person: devices switch, verified contacts move, and
everything else stays where it is and is kept for a person to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from leocdp.domain.decisions import SwitchRecord
from leocdp.domain.identity.candidates import Candidate
from leocdp.domain.identity.cells import beside, carried, refused, seen, switched
from leocdp.domain.identity.history import stable_id
from leocdp.domain.identity.limits import CANNOT_LINK
from leocdp.domain.identity.merging import note
from leocdp.domain.identity.obstacles import BROWSER_SOURCE, DEVICE_RULE, claim_obstacle
from leocdp.domain.profiles.state import IdentifierCell

if TYPE_CHECKING:
    from leocdp.domain.identity.resolution import Resolution

DEVICE_REASONS_TO_REVIEW: Final = frozenset({DEVICE_RULE, BROWSER_SOURCE})
"""A device that was refused for these may belong to one person after all."""


def settle_refused(resolution: Resolution) -> None:
    for candidate, reason in resolution.refused:
        owner = resolution.people.owners.get(candidate.key)
        if owner is None:
            _stays_unowned(resolution, candidate, reason)
        elif resolution.people.root_of(owner.leaf) == resolution.root:
            resolution.see(candidate)
        elif candidate.rule.device:
            _switch(resolution, candidate, owner.leaf, reason)
        elif resolution.is_verified(candidate) and _may_have(resolution, candidate):
            _move(resolution, candidate, owner.leaf)
        else:
            _stays(resolution, candidate, owner.leaf, reason)


def _stays_unowned(resolution: Resolution, candidate: Candidate, reason: str) -> None:
    """A limit or cap stopped the claim: nobody gets the identifier, and the refusal is visible."""
    resolution.people.nobody_has(candidate.key)
    if resolution.journal.refused(resolution.origin, candidate.key, "", resolution.leaf, reason):
        _tell(resolution, "identifier_refused")


def _switch(resolution: Resolution, candidate: Candidate, from_leaf: str, reason: str) -> None:
    """Re-point a device to the current person from this event on; earlier events stay where they are."""
    people, event = resolution.people, resolution.event
    before = people.root_of(from_leaf)
    if reason in DEVICE_REASONS_TO_REVIEW:
        resolution.journal.review(resolution.origin, before, resolution.root, reason, candidate.key)
    full = claim_obstacle(people, resolution.root, (), candidate)
    if full:
        _refuse(resolution, candidate, from_leaf, full)
        return
    cell = seen(people.cell(candidate.key), event, False)
    cell = carried(cell, before, resolution.root, event, people.rules.shared)
    if not resolution.keep(candidate, from_leaf, cell):
        _hand_over(resolution, candidate, from_leaf, cell, "device")


def _move(resolution: Resolution, candidate: Candidate, from_leaf: str) -> None:
    """A verified contact goes to whom it was verified for (a recycled number); the old owner loses it."""
    people = resolution.people
    cell = seen(people.cell(candidate.key), resolution.event, True)
    cell = beside(cell, resolution.users, people.rules.shared)
    if not resolution.keep(candidate, from_leaf, cell):
        _hand_over(resolution, candidate, from_leaf, cell, "verified")


def _hand_over(
    resolution: Resolution,
    candidate: Candidate,
    from_leaf: str,
    cell: IdentifierCell,
    kind: Literal["device", "verified"],
) -> None:
    people, journal, event, key = resolution.people, resolution.journal, resolution.event, candidate.key
    before = people.root_of(from_leaf)
    cell, today = switched(cell, from_leaf, event)
    people.move(key, candidate.rule, resolution.leaf, cell)
    record_id = stable_id("swi_", key, kind, str(today.day))
    to_leaf, message_id = resolution.leaf, event.message_id
    journal.switched(
        SwitchRecord(record_id, event.received_at, key, today.from_leaf, to_leaf, message_id, today.count, kind)
    )
    journal.renamed.update((before, resolution.root))
    if today.count == 1 or kind == "verified":
        for root in (resolution.root, before):
            note(people, journal, resolution.origin, "identifier_switched", root)


def _stays(resolution: Resolution, candidate: Candidate, owner: str, reason: str) -> None:
    """A contact or stronger kind of somebody else never moves. It counts as seen beside this event's user ids."""
    people = resolution.people
    cell = refused(people.cell(candidate.key), resolution.event)
    if candidate.rule.contact:
        cell = beside(cell, resolution.users, people.rules.shared)
    resolution.keep(candidate, owner, cell)
    _refuse(resolution, candidate, owner, reason)
    if reason != CANNOT_LINK:
        other = people.root_of(owner)
        resolution.journal.review(resolution.origin, other, resolution.root, reason, candidate.key)


def _refuse(resolution: Resolution, candidate: Candidate, owner: str, reason: str) -> None:
    if resolution.journal.refused(resolution.origin, candidate.key, owner, resolution.leaf, reason):
        _tell(resolution, "identifier_refused")


def _tell(resolution: Resolution, kind: Literal["identifier_refused"]) -> None:
    note(resolution.people, resolution.journal, resolution.origin, kind, resolution.root)


def _may_have(resolution: Resolution, candidate: Candidate) -> bool:
    return claim_obstacle(resolution.people, resolution.root, (), candidate) is None
