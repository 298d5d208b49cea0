"""One event: find its person, then join it into the states of its leaf and of the person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from leocdp.domain.decisions import Changes, EventWrite
from leocdp.domain.events import Envelope
from leocdp.domain.identity.history import Journal
from leocdp.domain.identity.merging import note
from leocdp.domain.identity.resolution import Resolution, resolve
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.profiles.apply import addition, join_event
from leocdp.domain.profiles.consent import person_consent

NAME_TRAITS: Final = frozenset(
    {"name", "full_name", "fullName", "first_name", "firstName", "firstname", "last_name", "lastName", "lastname"}
)
"""Traits that a person's displayed name is made of."""


def decide_event(
    event: Envelope, people: WorkingSet, journal: Journal, dropped: Counter[tuple[str, str]], changes: Changes
) -> None:
    for reason in event.dropped:
        dropped[reason] += 1
    resolution = resolve(event, people, journal, dropped)
    if resolution is None:
        changes.events.append(EventWrite(event, None))
        return
    changes.events.append(EventWrite(event, resolution.leaf))
    _absorb(event, resolution)


def _absorb(event: Envelope, resolution: Resolution) -> None:
    """Add the event to its leaf and its person, and note what that changed."""
    people, root = resolution.people, resolution.root
    added = addition(event, [candidate.key for candidate in resolution.found] if event.consent else ())
    before = _consent_status(people, root, event.consent) if event.consent else []
    changed: Sequence[str] = ()
    for state in people.states(resolution.leaf):
        changed = join_event(state, added)
    if changed:
        resolution.journal.changed(root, resolution.origin, changed)
        if not NAME_TRAITS.isdisjoint(changed):
            resolution.journal.renamed.add(root)
    if event.consent and before != _consent_status(people, root, event.consent):
        purposes = tuple(sorted(event.consent))
        note(people, resolution.journal, resolution.origin, "consent_changed", root, changed=purposes)


def _consent_status(people: WorkingSet, root: str, purposes: Iterable[str]) -> list[str]:
    person = people.person(root)
    return [person_consent(person, purpose).status for purpose in sorted(purposes)]
