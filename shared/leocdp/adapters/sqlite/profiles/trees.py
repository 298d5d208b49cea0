"""The cached root of every leaf: rewritten for a whole tree when a pointer in it changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from leocdp.adapters.sqlite.profiles.codec import PackedId
from leocdp.adapters.sqlite.profiles.statements import select_in


class _Member(NamedTuple):
    num: int
    merged_into: PackedId | None
    root: PackedId | None


def repoint(connection: sqlite3.Connection, pointers: Mapping[PackedId, PackedId | None]) -> dict[PackedId, PackedId]:
    """Inside a transaction: set ``merged_into`` of the given profiles and the root of every leaf under them.

    Returns where the pointers of the given profiles end now.

    Raises:
        ValueError: a pointer to a profile that is not stored, or a cycle: a defect of the decision.
    """
    members = _members(connection, pointers)
    now = {one: pointers.get(one, member.merged_into) for one, member in members.items()}
    targets = {target for target in now.values() if target is not None and target not in now}
    outside = dict(select_in(connection, "SELECT id, coalesce(root, id) FROM profiles WHERE id IN ({in})", targets))
    roots = {one: _follow(one, now, outside) for one in members}
    rows = []
    for one, member in members.items():
        root = None if now[one] is None else roots[one]
        if (now[one], root) != (member.merged_into, member.root):
            rows.append((now[one], root, member.num))
    connection.executemany("UPDATE profiles SET merged_into = ?, root = ? WHERE num = ?", rows)
    return {one: roots[one] for one in pointers}


def _members(connection: sqlite3.Connection, pointers: Mapping[PackedId, PackedId | None]) -> dict[PackedId, _Member]:
    """The given profiles and every profile of the trees that they are in so far."""
    columns = "SELECT id, num, merged_into, root FROM profiles WHERE"
    found = {row[0]: _Member(*row[1:]) for row in select_in(connection, f"{columns} id IN ({{in}})", pointers)}
    tops = {member.root or one for one, member in found.items()}
    for where in ("id IN ({in})", "root IN ({in})"):
        for one, *rest in select_in(connection, f"{columns} {where}", tops):
            found.setdefault(one, _Member(*rest))
    return found


def _follow(
    start: PackedId, pointers: Mapping[PackedId, PackedId | None], outside: Mapping[PackedId, PackedId]
) -> PackedId:
    at = start
    for _ in range(len(pointers) + 1):
        target = pointers[at]
        if target is None:
            return at
        if target not in pointers:
            if target not in outside:
                raise ValueError("a profile points to one that is not stored")
            return outside[target]
        at = target
    raise ValueError("the pointers of profiles form a cycle")
