"""When keys were used last, told to admin in batches."""

from __future__ import annotations

import asyncio
from typing import Final

from leocdp.kit.logs import get_logger
from leocdp.ports.clock import Clock
from leocdp_gateway.admin import Admin
from leocdp_gateway.refusals import AdminUnavailable

EVERY: Final = 10.0
"""Seconds between two reports."""

log = get_logger(__name__)


class KeyUse:
    def __init__(self, admin: Admin, clock: Clock, every: float = EVERY) -> None:
        self._admin = admin
        self._clock = clock
        self._every = every
        self._used: dict[str, int] = {}

    def note(self, key_id: str) -> None:
        self._used[key_id] = self._clock.now()

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            await self.report()

    async def report(self) -> None:
        """Tell what has happened since the last report; what admin did not take is told with the next."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._admin.keys_used(used)
        except AdminUnavailable as error:
            self._used = {**used, **self._used}
            log.warning("key_use_not_reported", keys=len(used), error=str(error))
