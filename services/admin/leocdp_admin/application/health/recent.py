"""What the status page draws beside its findings: the last day by the hour, and when each source was last heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import Bucket, ProfileReader
from leocdp.ports.profile_store import StoreError
from leocdp_admin.application.health.patience import Patience
from leocdp_admin.application.health.watch import WAIT

DAY_MS = 86_400_000
FRESH_MS = 5_000


@dataclass(frozen=True, slots=True)
class LastHeard:
    source: str
    name: str
    at: int | None


@dataclass(frozen=True, slots=True)
class Recent:
    at: int
    events_by_hour: Sequence[Bucket]
    profiles_by_hour: Sequence[Bucket]
    """The last 24 hours and a bit, per hour UTC."""
    sources: Sequence[LastHeard]
    """The latest first; those that never sent anything last."""


class Recently:
    def __init__(self, reader: ProfileReader, names: Callable[[], Awaitable[Mapping[str, str]]], clock: Clock) -> None:
        self._reader = reader
        self._names = names
        self._clock = clock
        self._patience: Patience[Recent] = Patience(self._read, seconds=WAIT)
        self._last: Recent | None = None

    async def get(self) -> Recent | None:
        """At most five seconds old; None when the store does not tell in time."""
        if self._last is None or self._clock.now() - self._last.at > FRESH_MS:
            try:
                self._last = await self._patience.ask()
            except (StoreError, TimeoutError):
                self._last = None
        return self._last

    async def close(self) -> None:
        await self._patience.close()

    async def _read(self) -> Recent:
        now = self._clock.now()
        since = now - DAY_MS
        events, profiles, names = await asyncio.gather(
            self._reader.series("events", since=since, bucket="hour"),
            self._reader.series("profiles", since=since, bucket="hour"),
            self._names(),
        )
        heard = await asyncio.gather(*(self._reader.last_event_at(source) for source in names))
        sources = [LastHeard(source, names[source], at) for source, at in zip(names, heard, strict=True)]
        return Recent(now, events, profiles, sorted(sources, key=lambda one: (-(one.at or 0), one.name)))
