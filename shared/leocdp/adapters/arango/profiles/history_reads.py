"""Identity history and the review queue, read by the leaves that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from leocdp.adapters.arango.database import Database
from leocdp.adapters.arango.profiles import aql
from leocdp.adapters.cursors import decode_cursor, encode_cursor
from leocdp.domain.decisions import MergeRecord, RefusalRecord, SwitchRecord
from leocdp.ports.profile_reader import IdentityHistory, Page, ReviewRow

_FAR: Final = 1 << 52


def history(database: Database, leaf_ids: Sequence[str], limit: int) -> IdentityHistory:
    """Newest first, at most ``limit`` of each kind."""
    rows = database.query(aql.HISTORY, leaves=list(dict.fromkeys(leaf_ids)))
    rows.sort(key=lambda row: (row["at"], row["id"]), reverse=True)

    def newest(kind: str) -> list[Mapping[str, Any]]:
        return [row["body"] for row in rows if row["kind"] == kind][:limit]

    return IdentityHistory(
        [msgspec.convert(body, MergeRecord) for body in newest("merge")],
        [msgspec.convert(body, SwitchRecord) for body in newest("switch")],
        [msgspec.convert(body, RefusalRecord) for body in newest("refusal")],
    )


def reviews(database: Database, state: str, limit: int, cursor: str | None) -> Page[ReviewRow]:
    """Newest first. *Merged* is what has one root now, whatever was stored."""
    at, num = decode_cursor(cursor, (int, int)) if cursor else (_FAR, _FAR)
    rows = database.query(
        aql.REVIEWS,
        state="open" if state == "merged" else state,
        united={"open": False, "merged": True}.get(state),
        at=at,
        num=num,
        limit=limit + 1,
    )
    shown = rows[:limit]
    following = encode_cursor((shown[-1]["at"], shown[-1]["num"])) if len(rows) > limit else None
    return Page([_row(row) for row in shown], following)


def _row(row: Mapping[str, Any]) -> ReviewRow:
    return ReviewRow(row["id"], row["at"], row["left"], row["right"], row["reason"], row["identifier"], row["state"])
