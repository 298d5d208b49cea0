"""The audit log, written before the answer goes out; entries of requests side by side share one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from leocdp.kit.errors import LeoError
from leocdp.ports.admin_store import AdminStore, AuditEntry


class AuditTrail:
    """Whoever reads personal data waits for its entry, so nothing is read that the log does not know of."""

    def __init__(self, store: AdminStore) -> None:
        self._store = store
        self._waiting: list[tuple[AuditEntry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(self, *entries: AuditEntry) -> None:
        """Returns when the entries are durable. Raises AdminStoreUnavailable."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in entries]
        self._waiting.extend(zip(entries, futures, strict=True))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.gather(*futures)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error = await self._written([entry for entry, _ in batch])
            for _, future in batch:
                if future.done():
                    continue
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

    async def _written(self, entries: Sequence[AuditEntry]) -> LeoError | None:
        try:
            await self._store.record(entries)
        except LeoError as error:
            return error
        return None
