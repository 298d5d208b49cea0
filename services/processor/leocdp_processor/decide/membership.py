"""What other systems are told about segments, under ids that a repeated decision gives again."""

from __future__ import annotations

from collections.abc import Iterable

from leocdp.contracts.topics import SEGMENTS_MEMBERSHIP
from leocdp.domain.decisions import OutboxRecord
from leocdp.domain.identity.history import stable_id
from leocdp.domain.segments.moves import Move


def membership_records(moves: Iterable[Move]) -> list[OutboxRecord]:
    return [_record(move) for move in moves]


def _record(move: Move) -> OutboxRecord:
    root, why = move.root, move.why
    kind = "segment_entered" if move.entered else "segment_left"
    version = root.revision + 1
    return OutboxRecord(
        # The revision makes it another fact when somebody comes back by the same cause.
        id=stable_id("out_", why.origin, kind, move.segment, root.id, str(version)),
        topic=SEGMENTS_MEMBERSHIP,
        kind=kind,
        profile_id=root.id,
        all_ids=root.leaf_ids,
        version=version,
        cause=why.cause,
        occurred_at=why.at,
        segment=move.segment,
        segment_version=move.version,
    )
