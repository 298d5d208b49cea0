"""What stands on ``leocdp.segments.membership.v1`` of an embedded log."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.topics import SEGMENTS_MEMBERSHIP


def records(data_dir: Path) -> list[dict[str, Any]]:
    """Each record once, by its id."""
    return asyncio.run(_read(data_dir / "log.db"))


async def _read(path: Path) -> list[dict[str, Any]]:
    log = SQLiteEventLog(path, create=False)
    await log.start()
    try:
        found: dict[str, dict[str, Any]] = {}
        for partition in range(await log.partitions(SEGMENTS_MEMBERSHIP)):
            for record in await log.read(SEGMENTS_MEMBERSHIP, partition, 0, max_records=100_000):
                told = json.loads(record.value or b"{}")
                found[told["id"]] = told
        return list(found.values())
    finally:
        await log.close()
