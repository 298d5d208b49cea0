"""What stands on ``leocdp.segments.membership.v1``, or another topic of JSON, of an embedded log."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from leocdp.adapters.sqlite.event_log import SQLiteEventLog
from leocdp.contracts.topics import SEGMENTS_MEMBERSHIP


def records(data_dir: Path) -> list[dict[str, Any]]:
    """Each record once, by its id."""
    told = addressed(data_dir, SEGMENTS_MEMBERSHIP)
    return list({one["id"]: one for one in told.values()}.values())


def addressed(data_dir: Path, topic: str) -> dict[tuple[int, int], dict[str, Any]]:
    """(partition, offset) → record."""
    return asyncio.run(_read(data_dir / "log.db", topic))


async def _read(path: Path, topic: str) -> dict[tuple[int, int], dict[str, Any]]:
    log = SQLiteEventLog(path, create=False)
    await log.start()
    try:
        return {
            (partition, record.offset): json.loads(record.value or b"{}")
            for partition in range(await log.partitions(topic))
            for record in await log.read(topic, partition, 0, max_records=100_000)
        }
    finally:
        await log.close()
