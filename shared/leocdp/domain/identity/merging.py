"""Merges and un-merges of people, with what has to be told about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from leocdp.domain.decisions import Cause, MergeRecord
from leocdp.domain.identity.history import Journal, Note, NoteKind, Origin
from leocdp.domain.identity.working_set import WorkingSet
from leocdp.domain.profiles.joins import later
from leocdp.domain.profiles.state import Register, State


def note(
    people: WorkingSet,
    journal: Journal,
    origin: Origin,
    kind: NoteKind,
    root: str,
    *,
    cause: Cause | None = None,
    also: Iterable[str] = (),
    changed: tuple[str, ...] = (),
) -> None:
    """Tell other systems about a person; all ids under the root go along, and ``also``."""
    profile = people.profiles[root]
    all_ids = tuple(sorted({*profile.leaf_ids, *also}))
    journal.notes.append(Note(origin, kind, root, all_ids, profile.revision + 1, cause or origin.cause, changed))


def merge(
    people: WorkingSet, journal: Journal, origin: Origin, one: str, other: str, identifier: str | None
) -> MergeRecord:
    """Unite two people, given by their roots. Whether they may be united has been decided."""
    into, lost, counts = people.unite(one, other)
    record = journal.merged(origin, into, lost, identifier, counts)
    journal.renamed.update((into, lost))
    note(people, journal, origin, "profiles_merged", into, cause="merge")
    return record


def unmerge(people: WorkingSet, journal: Journal, origin: Origin, record: MergeRecord) -> tuple[str, str]:
    """Clear the pointer of a merge and fold the two sides again, exactly as if they had never been united.

    A cannot-link between the two stays behind. Returns the two roots, the one that keeps its id in place first.
    Raises SnapshotIncomplete.
    """
    top = record.source
    rest = people.divide(top)
    keep_apart(people, top, rest, origin)
    journal.merges[record.id] = replace(record, undone_at=origin.at, undone_by=origin.actor)
    journal.renamed.update((top, rest))
    for root, other in ((rest, top), (top, rest)):
        note(people, journal, origin, "profile_unmerged", root, cause="unmerge", also=people.profiles[other].leaf_ids)
    return rest, top


def keep_apart(people: WorkingSet, one: str, other: str, origin: Origin) -> None:
    """Write the cannot-link of two roots on both sides, later than any word on it so far."""
    for mine, theirs in ((one, other), (other, one)):
        word = _word(True, people.person(mine).cannot_link.get(theirs), origin)
        for state in people.states(mine):
            _link(state, theirs, word)


def lift_cannot_link(people: WorkingSet, one: str, other: str, origin: Origin) -> bool:
    """Take back every cannot-link between two people, on the leaves that hold them; False when there was none.

    Raises SnapshotIncomplete.
    """
    lifted = False
    for mine, theirs in ((one, other), (other, one)):
        links = people.person(mine).cannot_link
        against = [leaf for leaf in people.profiles[theirs].leaf_ids if leaf in links and links[leaf].value]
        if not against:
            continue
        for leaf in people.leaves(mine):
            for target in against:
                lifted |= _lift(people, leaf.id, target, origin)
    return lifted


def _lift(people: WorkingSet, leaf: str, target: str, origin: Origin) -> bool:
    held = people.profiles[leaf].state.cannot_link.get(target)
    if held is None or not held.value:
        return False
    word = _word(None, held, origin)
    for state in people.states(leaf):
        _link(state, target, word)
    return True


def _word(value: bool | None, before: Register | None, origin: Origin) -> Register:
    return Register(value, max(origin.at, before.at + 1 if before else 0), origin.id, origin.actor)


def _link(state: State, target: str, word: Register) -> None:
    held = state.cannot_link.get(target)
    state.cannot_link[target] = word if held is None else later(held, word)
