"""Members of segments in a commit: which rows come and go, and by how many each segment grows in which hour.

A row knows the hour that it was counted in, so that an erased person can be taken out of the curve where they came in.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from leocdp.adapters.sqlite.profiles.codec import PackedId, pack_id
from leocdp.adapters.sqlite.profiles.rollups import RollupKey
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.decisions import MemberWrite

METRIC: Final = "members"
"""Of the roll-ups: by how many a segment has grown in an hour; the key is the segment key."""
_GROW: Final = "UPDATE member_keys SET n = n + ? WHERE num = ?"

_Row = tuple[int, PackedId]


class MemberTable:
    """The writer's side. The numbers of segments that it knows are read again after a rollback."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._nums: dict[str, int] | None = None

    def reload(self) -> None:
        self._nums = None

    def write(self, writes: Sequence[MemberWrite], merged: Collection[PackedId], hour: int) -> Counter[RollupKey]:
        """Inside a transaction. ``merged``: profiles that are nobody's members from now on."""
        nums = self._numbered({write.segment_key for write in writes})
        wanted = {(nums[write.segment_key], pack_id(write.profile_id)): write.since for write in writes}
        stored = self._stored({*merged, *(profile for _, profile in wanted)})
        wanted.update((row, None) for row in stored if row[1] in merged)
        gone = [row for row, since in wanted.items() if since is None and row in stored]
        come = [
            (*row, since, stored[row][1] if row in stored else hour)
            for row, since in wanted.items()
            if since is not None and row[1] not in merged and stored.get(row, (None,))[0] != since
        ]
        self._connection.executemany("DELETE FROM members WHERE segment = ? AND profile = ?", gone)
        self._connection.executemany("INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?)", come)
        grown = Counter(segment for segment, profile, *_ in come if (segment, profile) not in stored)
        grown.subtract(segment for segment, _ in gone)
        return self._count(grown, hour)

    def _stored(self, profiles: Collection[PackedId]) -> dict[_Row, tuple[int, int]]:
        sql = "SELECT segment, profile, since, hour FROM members WHERE profile IN ({in})"
        return {(row[0], row[1]): (row[2], row[3]) for row in select_in(self._connection, sql, profiles)}

    def _count(self, grown: Counter[int], hour: int) -> Counter[RollupKey]:
        rows = [(n, segment) for segment, n in grown.items() if n]
        self._connection.executemany(_GROW, rows)
        if not rows:
            return Counter()
        keys = {num: key for key, num in self._known().items()}
        return Counter({(METRIC, keys[segment], hour): n for n, segment in rows})

    def _numbered(self, keys: Collection[str]) -> dict[str, int]:
        """The numbers of these segment keys and others; keys that are new get one."""
        known = self._known()
        new = sorted(key for key in keys if key not in known)
        if new:
            self._connection.executemany("INSERT INTO member_keys (key, n) VALUES (?, 0)", [(key,) for key in new])
            self._nums = None
            known = self._known()
        return known

    def _known(self) -> dict[str, int]:
        if self._nums is None:
            self._nums = dict(self._connection.execute("SELECT key, num FROM member_keys").fetchall())
        return self._nums


def remove_members(connection: sqlite3.Connection, profiles: Sequence[PackedId]) -> Counter[RollupKey]:
    """Inside a transaction: as if they had never come. Returns how many were counted in which hour."""
    sql = (
        "SELECT m.segment, m.profile, m.hour, k.key FROM members AS m CROSS JOIN member_keys AS k ON k.num = m.segment"
        " WHERE m.profile IN ({in})"
    )
    rows = list(select_in(connection, sql, profiles))
    connection.executemany("DELETE FROM members WHERE segment = ? AND profile = ?", [row[:2] for row in rows])
    connection.executemany(_GROW, [(-n, segment) for segment, n in Counter(row[0] for row in rows).items()])
    return Counter((METRIC, key, hour) for _, _, hour, key in rows)
