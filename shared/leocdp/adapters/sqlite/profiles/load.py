"""Load: everything a batch can see, in a constant number of statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from leocdp.adapters.sqlite.profiles.codec import (
    MERGES,
    PERSONS,
    STATES,
    PackedId,
    pack_id,
    pack_key,
    unpack_id,
    unpack_optional,
)
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.decisions import LoadRequest, Owner, Snapshot
from leocdp.domain.profiles.state import Profile

PROFILE_COLUMNS: Final = "id, revision, merged_into, root, created_at, state, person"


def load_snapshot(connection: sqlite3.Connection, request: LoadRequest) -> Snapshot:
    """Owners, their leaves and roots, what commands refer to. Deduplication keys are the caller's business."""
    snapshot = Snapshot(owners=load_owners(connection, request.identifiers))
    _load_commands(connection, request, snapshot)
    trees = request.trees | {merge.source for merge in snapshot.merges.values()}
    named = {owner.leaf for owner in snapshot.owners.values()} | request.profile_ids | trees
    profiles = snapshot.profiles
    _add(profiles, load_profiles(connection, map(pack_id, named)))
    roots = {profile.root for profile in profiles.values()} - profiles.keys()
    _add(profiles, load_profiles(connection, map(pack_id, roots)))
    tops = {profiles[one].root for one in trees if one in profiles}
    if tops:
        _add(profiles, load_trees(connection, tops))
    return snapshot


def load_owners(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, Owner]:
    asked = {pack_key(key): key for key in keys}
    rows = select_in(connection, "SELECT key, leaf, state FROM identifiers WHERE key IN ({in})", asked)
    return {asked[key]: Owner(unpack_id(leaf), state or "active") for key, leaf, state in rows}


def load_profiles(connection: sqlite3.Connection, ids: Iterable[PackedId]) -> Sequence[Profile]:
    rows = select_in(connection, f"SELECT {PROFILE_COLUMNS} FROM profiles WHERE id IN ({{in}})", ids)  # noqa: S608
    return [profile_of(row) for row in rows]


def load_trees(connection: sqlite3.Connection, roots: Iterable[str]) -> Sequence[Profile]:
    """All leaves under the given roots, without the roots themselves."""
    sql = f"SELECT {PROFILE_COLUMNS} FROM profiles WHERE root IN ({{in}})"  # noqa: S608
    return [profile_of(row) for row in select_in(connection, sql, map(pack_id, roots))]


def profile_of(row: tuple[Any, ...]) -> Profile:
    """A profile from the columns of ``PROFILE_COLUMNS``."""
    packed, revision, merged_into, root, created_at, state, person = row
    own = unpack_id(packed)
    return Profile(
        own,
        created_at,
        STATES.decode(state),
        revision,
        unpack_optional(merged_into),
        own if root is None else unpack_id(root),
        None if person is None else PERSONS.decode(person),
    )


def _load_commands(connection: sqlite3.Connection, request: LoadRequest, snapshot: Snapshot) -> None:
    if request.merge_ids:
        sql = "SELECT body FROM history WHERE kind = 'merge' AND id IN ({in})"
        for (body,) in select_in(connection, sql, request.merge_ids):
            merge = MERGES.decode(body)
            snapshot.merges[merge.id] = merge
    if request.command_ids:
        rows = select_in(connection, "SELECT id FROM commands WHERE id IN ({in})", request.command_ids)
        snapshot.commands.update(row[0] for row in rows)


def _add(profiles: dict[str, Profile], found: Iterable[Profile]) -> None:
    for profile in found:
        profiles.setdefault(profile.id, profile)
