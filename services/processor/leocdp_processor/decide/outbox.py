"""What other systems are told about a batch, under ids that a repeated decision gives again."""

from __future__ import annotations

from leocdp.contracts.topics import PROFILES_CHANGED
from leocdp.domain.decisions import OutboxRecord
from leocdp.domain.identity.history import Change, Journal, Note, stable_id
from leocdp.domain.identity.working_set import WorkingSet


def outbox_records(people: WorkingSet, journal: Journal) -> list[OutboxRecord]:
    """The notes of a batch in their order, and one ``profile_changed`` for every person whose traits or
    identifiers changed. Counting an event alone is no change that is announced."""
    records = {record.id: record for record in map(_told, journal.notes)}
    for root, change in _by_person(people, journal).items():
        record = _changed(people, root, change)
        records[record.id] = record
    return list(records.values())


def _told(note: Note) -> OutboxRecord:
    return OutboxRecord(
        id=stable_id("out_", note.origin.id, note.kind, note.profile_id),
        topic=PROFILES_CHANGED,
        kind=note.kind,
        profile_id=note.profile_id,
        all_ids=note.all_ids,
        version=note.version,
        cause=note.cause,
        occurred_at=note.origin.occurred_at,
        changed=note.changed,
    )


def _by_person(people: WorkingSet, journal: Journal) -> dict[str, Change]:
    """Changes under the roots of now: people that were united in this batch have one."""
    found: dict[str, Change] = {}
    for profile, change in journal.changes.items():
        root = people.root_of(profile)
        if root in found:
            found[root].traits.update(change.traits)
        else:
            found[root] = Change(change.origin, set(change.traits))
    return found


def _changed(people: WorkingSet, root: str, change: Change) -> OutboxRecord:
    profile = people.profiles[root]
    return OutboxRecord(
        id=stable_id("out_", change.origin.id, "profile_changed", root),
        topic=PROFILES_CHANGED,
        kind="profile_changed",
        profile_id=root,
        all_ids=profile.leaf_ids,
        version=profile.revision + 1,
        cause=change.origin.cause,
        occurred_at=change.origin.occurred_at,
        changed=tuple(sorted(change.traits)),
    )
