"""Load: everything a batch can see, in a constant number of statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from leocdp.adapters.sqlite.profiles.codec import (
    AUDIENCES,
    MERGES,
    PERSONS,
    STATES,
    PackedId,
    pack_id,
    pack_key,
    unpack_id,
    unpack_optional,
)
from leocdp.adapters.sqlite.profiles.erasure import read_latest, read_ledger
from leocdp.adapters.sqlite.profiles.heads import COLUMNS, Heads
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.decisions import LoadRequest, Owner, Snapshot
from leocdp.domain.profiles.state import Profile

PROFILE_COLUMNS: Final = f"id, created_at, state, person, audience, {COLUMNS}"


def load_snapshot(connection: sqlite3.Connection, request: LoadRequest, heads: Heads) -> Snapshot:
    """Owners, their leaves and roots, what commands refer to. Deduplication keys are the caller's business."""
    snapshot = Snapshot()
    _load_commands(connection, request, snapshot)
    snapshot.erased_until = read_latest(connection)
    if request.erasures:
        snapshot.erased = read_ledger(connection, request.erasures)
    trees = request.trees | {merge.source for merge in snapshot.merges.values()}
    named = _load_owners(connection, request.identifiers, snapshot)
    named.update(map(pack_id, request.profile_ids | trees))
    profiles = snapshot.profiles
    _add(profiles, load_profiles(connection, named, heads))
    roots = {profile.root for profile in profiles.values()} - profiles.keys()
    _add(profiles, load_profiles(connection, map(pack_id, roots), heads))
    tops = {profiles[one].root for one in trees if one in profiles}
    if tops:
        _add(profiles, load_trees(connection, tops, heads))
    return snapshot


def _load_owners(connection: sqlite3.Connection, keys: Iterable[str], snapshot: Snapshot) -> set[PackedId]:
    """Fill ``owners``; returns their leaves. Owners that are equal are one object."""
    asked = {pack_key(key): key for key in keys}
    same: dict[tuple[PackedId, str | None], Owner] = {}
    owners = snapshot.owners
    for key, leaf, state in select_in(
        connection, "SELECT key, leaf, state FROM identifiers WHERE key IN ({in})", asked
    ):
        owner = same.get((leaf, state))
        if owner is None:
            owner = same[leaf, state] = Owner(unpack_id(leaf), state or "active")
        owners[asked[key]] = owner
    return {leaf for leaf, _ in same}


def load_profiles(
    connection: sqlite3.Connection, ids: Iterable[PackedId], heads: Heads | None = None
) -> Sequence[Profile]:
    sql = f"SELECT {PROFILE_COLUMNS} FROM profiles WHERE id IN ({{in}})"  # noqa: S608
    return [profile_of(row, heads) for row in select_in(connection, sql, ids)]


def load_trees(connection: sqlite3.Connection, roots: Iterable[str], heads: Heads | None = None) -> Sequence[Profile]:
    """All leaves under the given roots, without the roots themselves."""
    sql = f"SELECT {PROFILE_COLUMNS} FROM profiles WHERE root IN ({{in}})"  # noqa: S608
    return [profile_of(row, heads) for row in select_in(connection, sql, map(pack_id, roots))]


def profile_of(row: tuple[Any, ...], heads: Heads | None = None) -> Profile:
    """A profile from the columns of ``PROFILE_COLUMNS``."""
    packed, created_at, state, person, audience, _, revision, merged_into, root, *_ = row
    if heads is not None:
        heads.remember(packed, row[5:])
    own = unpack_id(packed)
    return Profile(
        own,
        created_at,
        STATES.decode(state),
        revision,
        unpack_optional(merged_into),
        own if root is None else unpack_id(root),
        None if person is None else PERSONS.decode(person),
        None if audience is None else AUDIENCES.decode(audience),
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
