"""Makes the positions that the store has visible in the log, for those who look at lag there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from leocdp.ports.event_log import Consumer, TopicPartition

EVERY = 1.0


class VisiblePositions:
    """Commits to the log beside the work, at most once a second: nothing depends on it, so nothing waits for it."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._ends: dict[TopicPartition, int] = {}
        self._committing: asyncio.Task[None] | None = None

    def note(self, ends: Mapping[tuple[str, int], int]) -> None:
        self._ends.update({TopicPartition(*key): end for key, end in ends.items()})
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_later())

    async def close(self) -> None:
        """Commit what has been noted last."""
        if self._committing is not None:
            self._committing.cancel()
            await asyncio.gather(self._committing, return_exceptions=True)
        await self._commit()

    async def _commit_later(self) -> None:
        await asyncio.sleep(EVERY)
        await self._commit()

    async def _commit(self) -> None:
        ends = dict(self._ends)
        if ends:
            await self._consumer.commit(ends)
            self._ends = {key: end for key, end in self._ends.items() if ends.get(key) != end}
