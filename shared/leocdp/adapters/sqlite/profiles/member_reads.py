"""Members of segments: pages, streams, sizes and what several have in common. Nothing is counted but overlaps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from leocdp.adapters.audience_sizes import hour_of_bucket, size_series
from leocdp.adapters.cursors import decode_cursor, encode_cursor
from leocdp.adapters.sqlite.profiles.codec import PackedId, pack_id, unpack_id
from leocdp.adapters.sqlite.profiles.lists import read_hits
from leocdp.adapters.sqlite.profiles.members import METRIC
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.ports.profile_reader import Bucket, Member, Page


def number_of(connection: sqlite3.Connection, segment_key: str) -> int | None:
    """Under which number the members of a version are kept; None when there never were any."""
    row = connection.execute("SELECT num FROM member_keys WHERE key = ?", (segment_key,)).fetchone()
    return None if row is None else row[0]


def page(connection: sqlite3.Connection, segment_key: str, limit: int, cursor: str | None) -> Page[Member]:
    """In the order of profile ids as they are kept."""
    after = decode_cursor(cursor, (str,))[0] if cursor else None
    rows = _after(connection, segment_key, after, limit + 1)
    shown = rows[:limit]
    nums = _numbers(connection, [profile for profile, _ in shown])
    hits = {hit.id: hit for hit in read_hits(connection, nums)}
    places = [(unpack_id(packed), since) for packed, since in shown]
    found = [Member(hits[one], since) for one, since in places if one in hits]
    return Page(found, encode_cursor([places[-1][0]]) if len(rows) > limit else None)


def ids(connection: sqlite3.Connection, segment_key: str, after: str | None, limit: int) -> list[tuple[str, int]]:
    """In the same order."""
    return [(unpack_id(packed), since) for packed, since in _after(connection, segment_key, after, limit)]


def _after(
    connection: sqlite3.Connection, segment_key: str, after: str | None, limit: int
) -> Sequence[tuple[PackedId, int]]:
    num = number_of(connection, segment_key)
    if after is None:
        sql = "SELECT profile, since FROM members WHERE segment = ? ORDER BY profile LIMIT ?"
        return connection.execute(sql, (num, limit)).fetchall()
    sql = "SELECT profile, since FROM members WHERE segment = ? AND profile > ? ORDER BY profile LIMIT ?"
    return connection.execute(sql, (num, pack_id(after), limit)).fetchall()


def _numbers(connection: sqlite3.Connection, profiles: Iterable[PackedId]) -> list[int]:
    return [num for (num,) in select_in(connection, "SELECT num FROM profiles WHERE id IN ({in})", profiles)]


def count(connection: sqlite3.Connection, segment_key: str) -> int:
    row: tuple[int] | None = connection.execute("SELECT n FROM member_keys WHERE key = ?", (segment_key,)).fetchone()
    return row[0] if row else 0


def series(
    connection: sqlite3.Connection, segment_key: str, since: int, bucket: Literal["hour", "day"]
) -> Sequence[Bucket]:
    changes = connection.execute(
        "SELECT hour, n FROM rollups WHERE metric = ? AND key = ? AND hour >= ?",
        (METRIC, segment_key, hour_of_bucket(since, bucket)),
    )
    return size_series(count(connection, segment_key), changes, since, bucket)


def overlap(connection: sqlite3.Connection, segment_keys: Sequence[str]) -> Mapping[frozenset[str], int]:
    """One walk over the members of all, in the order of profiles."""
    known = {number_of(connection, key): key for key in segment_keys}
    nums = [num for num in known if num is not None]
    if not nums:
        return {}
    one = "SELECT profile, {} AS mark FROM members WHERE segment = ?"
    union = " UNION ALL ".join(one.format(1 << at) for at in range(len(nums)))
    sql = (
        "SELECT marks, count(*) FROM"  # noqa: S608 - numbers of our own
        f" (SELECT sum(mark) AS marks FROM ({union}) GROUP BY profile) GROUP BY marks"
    )
    found: dict[int, int] = dict(connection.execute(sql, nums).fetchall())
    return {_held(marks, [known[num] for num in nums]): n for marks, n in found.items()}


def _held(marks: int, keys: Sequence[Any]) -> frozenset[str]:
    return frozenset(key for at, key in enumerate(keys) if marks >> at & 1)
