"""Identity history: merges, switches and refusals by leaf, and the review queue. Never trimmed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from leocdp.adapters.sqlite.profiles.codec import MERGES, REFUSALS, SWITCHES, pack_id, unpack_id
from leocdp.adapters.sqlite.profiles.statements import select_in
from leocdp.domain.decisions import Changes, MergeRecord, RefusalRecord, ReviewPair, SwitchRecord
from leocdp.ports.profile_reader import IdentityHistory, ReviewRow

Record = MergeRecord | SwitchRecord | RefusalRecord
_REVIEWS: Final = """
SELECT * FROM (
    SELECT r.id, r.at,
        coalesce((SELECT coalesce(p.root, p.id) FROM profiles AS p WHERE p.id = r.left), r.left) AS l,
        coalesce((SELECT coalesce(p.root, p.id) FROM profiles AS p WHERE p.id = r.right), r.right) AS r,
        r.reason, r.identifier, r.state
    FROM reviews AS r WHERE r.state = ? AND (r.at, r.id) < (?, ?) ORDER BY r.at DESC, r.id DESC
)
"""


def write_history(connection: sqlite3.Connection, changes: Changes) -> None:
    rows: list[tuple[str, str, int, bytes]] = []
    links: list[tuple[Any, str, str]] = []
    for merge in changes.merges:
        rows.append(("merge", merge.id, merge.at, MERGES.encode(merge)))
        links.extend((pack_id(one), "merge", merge.id) for one in {merge.into, merge.source})
    for switch in changes.switches:
        rows.append(("switch", switch.id, switch.at, SWITCHES.encode(switch)))
        links.extend((pack_id(one), "switch", switch.id) for one in {switch.from_leaf, switch.to_leaf})
    for refusal in changes.refusals:
        rows.append(("refusal", refusal.id, refusal.at, REFUSALS.encode(refusal)))
        links.extend((pack_id(one), "refusal", refusal.id) for one in {refusal.owner, refusal.leaf} if one)
    connection.executemany("INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?)", rows)
    connection.executemany("INSERT OR IGNORE INTO history_of VALUES (?, ?, ?)", links)
    connection.executemany(
        "INSERT OR IGNORE INTO reviews VALUES (?, ?, ?, ?, ?, ?, ?, 'open')", _pairs(changes.reviews)
    )
    connection.executemany(
        "UPDATE reviews SET state = ? WHERE id = ?", [(state, one) for one, state in changes.review_states.items()]
    )


def _pairs(reviews: Iterable[ReviewPair]) -> list[tuple[Any, ...]]:
    return [
        (pair.id, pair.at, pack_id(pair.left), pack_id(pair.right), pair.reason, pair.identifier, pair.message_id)
        for pair in reviews
    ]


def read_history(connection: sqlite3.Connection, leaf_ids: Sequence[str], limit: int) -> IdentityHistory:
    """Newest first, at most ``limit`` of each kind."""
    sql = (
        "SELECT DISTINCT h.kind, h.id, h.at, h.body FROM history_of AS o CROSS JOIN history AS h"
        " ON h.kind = o.kind AND h.id = o.id WHERE o.leaf IN ({in})"
    )
    found = {(kind, one): (at, body) for kind, one, at, body in select_in(connection, sql, map(pack_id, leaf_ids))}

    def newest(wanted: str) -> list[bytes]:
        ordered = sorted(((at, one, body) for (kind, one), (at, body) in found.items() if kind == wanted), reverse=True)
        return [body for _, _, body in ordered[:limit]]

    return IdentityHistory(
        [MERGES.decode(body) for body in newest("merge")],
        [SWITCHES.decode(body) for body in newest("switch")],
        [REFUSALS.decode(body) for body in newest("refusal")],
    )


def read_reviews(
    connection: sqlite3.Connection, state: str, limit: int, before: tuple[int, str]
) -> list[tuple[tuple[int, str], ReviewRow]]:
    """(place, row), newest first, from before a place. *Merged* is what has one root now, whatever was stored."""
    stored = "open" if state in ("open", "merged") else state
    wanted = {"open": " WHERE l <> r", "merged": " WHERE l = r"}.get(state, "")
    rows = connection.execute(f"{_REVIEWS}{wanted} LIMIT ?", (stored, *before, limit))
    return [
        (
            (at, one),
            ReviewRow(
                one,
                at,
                unpack_id(left),
                unpack_id(right),
                reason,
                identifier,
                "merged" if left == right else stored_state,
            ),
        )
        for one, at, left, right, reason, identifier, stored_state in rows
    ]
