"""Members in a commit: which rows come and go, and by how many each segment grows in which hour.

A row knows the hour that it was counted in, so that an erased person can be taken out of the curve where they came in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from leocdp.adapters.arango.database import Documents
from leocdp.adapters.arango.keys import hashed
from leocdp.adapters.arango.segments import aql
from leocdp.domain.decisions import Changes, MemberWrite

CHANGES: Final = "members"
"""Metric of the figures that hold by how many a segment has grown in an hour; the key is the segment key."""
TOTAL: Final = "member_total"
"""Metric of the figure that holds how many there are; its hour is 0."""
SIZES: Final = (TOTAL, CHANGES)

Rollup = tuple[str, str, int]
Row = Mapping[str, Any]


def row_key(segment_key: str, profile_id: str) -> str:
    return hashed(segment_key, profile_id)


def place_of(profile_id: str) -> str:
    """Where a profile stands in the order of members: hex, which sorts the same in every collation."""
    return hashed(profile_id)


def leavers(changes: Changes) -> set[str]:
    """Stored profiles that are merged away, now or before: they are nobody's members."""
    return {profile.id for profile in changes.profiles if profile.merged_into is not None}


def rows_of(documents: Documents, profile_ids: Sequence[str]) -> list[Row]:
    """With ``key``, ``segment`` and ``hour``."""
    return documents.query(aql.MEMBERS_OF, profiles=list(profile_ids))


@dataclass(slots=True)
class MemberPlan:
    written: list[dict[str, Any]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    grown: Counter[str] = field(default_factory=Counter)

    def rollups(self, hour: int) -> list[tuple[Rollup, int]]:
        found: list[tuple[Rollup, int]] = []
        for segment, n in self.grown.items():
            found += [((CHANGES, segment, hour), n), ((TOTAL, segment, 0), n)]
        return found


def plan_members(writes: Sequence[MemberWrite], gone: Collection[str], stored: Iterable[Row], hour: int) -> MemberPlan:
    """``stored``: the rows that are written, as far as there are any, and all rows of those who are ``gone``."""
    before = {row["key"]: row for row in stored}
    wanted = {row_key(one.segment_key, one.profile_id): one for one in writes}
    plan = MemberPlan()
    for key, write in wanted.items():
        row = before.get(key)
        if write.since is None or write.profile_id in gone:
            if row is not None:
                _remove(plan, row)
        elif row is None or row["since"] != write.since:
            plan.written.append(_document(key, write, hour if row is None else row["hour"]))
            plan.grown[write.segment_key] += row is None
    for key, row in before.items():
        if key not in wanted:
            _remove(plan, row)
    return plan


def _remove(plan: MemberPlan, row: Row) -> None:
    plan.removed.append(row["key"])
    plan.grown[row["segment"]] -= 1


def _document(key: str, write: MemberWrite, hour: int) -> dict[str, Any]:
    return {
        "_key": key,
        "segment": write.segment_key,
        "profile": write.profile_id,
        "place": place_of(write.profile_id),
        "since": write.since,
        "hour": hour,
    }
