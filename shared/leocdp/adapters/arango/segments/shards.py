"""What every profile document has for segments, besides the person's own audience."""

from __future__ import annotations

from typing import Any, Final

from leocdp.adapters.arango.database import Database, Documents
from leocdp.adapters.arango.failures import Failure, Kind
from leocdp.adapters.arango.segments import aql
from leocdp.domain.segments.audience import Audience, sample_of, shard_of

MERGED: Final = -1
"""The shard of profiles that were merged away: nobody asks for it."""
STEP: Final = 2_000
"""Documents that one transaction changes at most."""


def audience_columns(profile_id: str, audience: Audience | None, *, merged: bool) -> dict[str, Any]:
    """What people are found by. Nobody's audience is of generation 0."""
    if merged:
        return {"shard": MERGED, "sample": None, "generation": None, "due": None}
    return {"shard": shard_of(profile_id), "sample": sample_of(profile_id), **clock_columns(audience)}


def clock_columns(audience: Audience | None) -> dict[str, Any]:
    """Those of them that change with the audience."""
    return {
        "generation": audience.generation if audience else 0,
        "due": audience.due if audience else None,
    }


def add_shards(database: Database) -> None:
    """Bring the documents of an earlier program up to this one, until there is none left."""
    while add_some_shards(database):
        continue


def add_some_shards(documents: Documents) -> bool:
    """One step; whether there may be more to do. Raises Failure."""
    rows = documents.query(aql.WITHOUT_SHARD, limit=STEP)
    patches = [
        {
            "_key": row["id"],
            "_rev": row["rev"],
            "audience": None,
            **audience_columns(row["id"], None, merged=row["merged"]),
        }
        for row in rows
    ]
    try:
        documents.patch("profiles", patches)
    except Failure as error:
        # Somebody has written one of them meanwhile: look again at what is left.
        if error.kind not in (Kind.CONFLICT, Kind.MISSING):
            raise
        return True
    return len(rows) == STEP
