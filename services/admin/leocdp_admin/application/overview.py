"""Numbers for the home page: roll-ups that commits keep, never a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import Bucket, ProfileReader
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.health.readings import lag_of
from leocdp_admin.application.health.watch import Watch
from leocdp_admin.application.masking import mask
from leocdp_admin.application.shapes.administration import CountsShape
from leocdp_admin.application.status import counts_shape

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Home:
    counts: CountsShape
    events_by_hour: Sequence[Bucket]
    profiles_by_hour: Sequence[Bucket]
    identified_by_hour: Sequence[Bucket]
    """The last 30 days and a bit, per hour UTC: a day begins where its reader's midnight is."""
    top_events: Sequence[tuple[str, int]]
    top_sources: Sequence[tuple[str, int]]
    """Name or source id and events of the last 7 days."""
    lag: int | None
    """None when the log cannot be read now."""


@dataclass(frozen=True, slots=True)
class Pulse:
    counts: CountsShape
    events_by_hour: Sequence[Bucket]
    """The last 48 hours."""
    lag: int | None


class Overview:
    def __init__(self, reader: ProfileReader, watch: Watch, clock: Clock) -> None:
        self._reader = reader
        self._watch = watch
        self._clock = clock

    async def home(self, actor: Actor) -> Home:
        """Raises StoreUnavailable while there is no profile store."""
        actor.require("profiles:read")
        now = self._clock.now()
        week, month = now - 7 * DAY_MS, now - 31 * DAY_MS
        top_events = await self._reader.top("name", since=week)
        return Home(
            counts=await self.counts(),
            events_by_hour=await self._reader.series("events", since=month, bucket="hour"),
            profiles_by_hour=await self._reader.series("profiles", since=month, bucket="hour"),
            identified_by_hour=await self._reader.series("identified", since=month, bucket="hour"),
            top_events=[(mask(name), n) for name, n in top_events] if actor.masked else top_events,
            top_sources=await self._reader.top("source", since=week),
            lag=await self._lag(),
        )

    async def pulse(self, actor: Actor) -> Pulse:
        """What moves from second to second. Raises StoreUnavailable while there is no profile store."""
        actor.require("profiles:read")
        since = self._clock.now() - 2 * DAY_MS
        return Pulse(
            counts=await self.counts(),
            events_by_hour=await self._reader.series("events", since=since, bucket="hour"),
            lag=await self._lag(),
        )

    async def counts(self) -> CountsShape:
        """Raises StoreError."""
        return counts_shape(await self._reader.counts())

    async def series(
        self, actor: Actor, metric: Literal["events", "profiles", "identified"], *, days: int, key: str = ""
    ) -> Sequence[Bucket]:
        """Per hour up to two days, else per day. ``key``: ``source:<id>`` or ``name:<event>``."""
        actor.require("profiles:read", "events:read")
        bucket: Literal["hour", "day"] = "hour" if days <= 2 else "day"
        return await self._reader.series(metric, since=self._clock.now() - days * DAY_MS, bucket=bucket, key=key)

    async def _lag(self) -> int | None:
        return lag_of((await self._watch.health()).now)
