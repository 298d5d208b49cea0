"""Events across all people: what became of a message, what is coming in, and which names there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from leocdp.ports.admin_store import AdminStore
from leocdp.ports.clock import Clock
from leocdp.ports.profile_reader import ProfileReader
from leocdp_admin.application.actor import Actor
from leocdp_admin.application.errors import NotFound
from leocdp_admin.application.event_shape import event_shape, outcome_name
from leocdp_admin.application.live_events import LiveEvents, Place, Wanted
from leocdp_admin.application.masking import masked
from leocdp_admin.application.shapes.base import moment
from leocdp_admin.application.shapes.events import CatalogueRow, EventOutcome, RecentAsked, RecentEvent, StreamAsked
from leocdp_admin.application.sources import SOURCE
from leocdp_admin.application.trail import AuditTrail

LOOK_EVERY_S = 0.5


class Events:
    def __init__(self, reader: ProfileReader, store: AdminStore, trail: AuditTrail, clock: Clock) -> None:
        self._reader = reader
        self._store = store
        self._trail = trail
        self._clock = clock
        self._live = LiveEvents(reader)

    async def by_message(self, actor: Actor, message_id: str, source: str = "") -> EventOutcome:
        """Is it applied yet, and to whom? Raises NotFound (``event_not_found``) as long as it has no outcome."""
        actor.require("events:read", "profiles:read")
        sources = [source] if source else await self._source_ids()
        event = await self._reader.event_by_message(sources, message_id)
        if event is not None:
            roots = await self._live.roots([event.leaf])
            profile_id = roots.get(event.leaf or "", event.leaf)
            await self._trail.record(actor.did("event.read", event.id, at=self._clock.now(), profile=profile_id))
            outcome = EventOutcome(outcome="applied", profile_id=profile_id, event=event_shape(event, profile_id))
            return masked(outcome, actor)
        problem = await self._reader.problem_by_message(sources, message_id)
        if problem is None:
            raise NotFound("event_not_found", "No event with this message id has an outcome (yet).")
        return EventOutcome(outcome=outcome_name(problem), reason=problem.reason)

    async def recent(self, actor: Actor, asked: RecentAsked) -> list[RecentEvent]:
        """What came in lately, newest first, accepted or not."""
        actor.require("events:read", "profiles:read")
        wanted = Wanted(asked.outcome, asked.source, asked.name)
        rows = await self._live.recent(wanted, asked.limit)
        await self._trail.record(actor.did("event.list", at=self._clock.now(), count=len(rows)))
        return [shown_to(row, actor) for row in rows]

    async def place(self, actor: Actor) -> str:
        """Where the stream is now: read before a list, and given to ``stream`` after it, nothing is missed between."""
        actor.require("events:read", "profiles:read")
        return str(await self._live.end())

    async def stream(
        self, actor: Actor, asked: StreamAsked, stopping: asyncio.Event, *, after: str = "", every: float = LOOK_EVERY_S
    ) -> AsyncIterator[tuple[Sequence[RecentEvent], str]]:
        """(events, place) again and again until ``stopping``; no events in a quiet round. ``after``: a place before."""
        actor.require("events:read", "profiles:read")
        place = Place.parse(after) or await self._live.end()
        await self._trail.record(actor.did("event.stream", at=self._clock.now()))
        wanted = Wanted(asked.outcome, asked.source, asked.name)
        async for rows, moved in self._live.follow(place, wanted, stopping, every=every):
            yield [shown_to(row, actor) for row in rows], str(moved)

    async def catalogue(self, actor: Actor) -> list[CatalogueRow]:
        """Every event name received, most frequent first."""
        actor.require("events:read", "profiles:read")
        rows = [
            CatalogueRow(
                type=entry.type,
                name=entry.name,
                count=entry.count,
                first_seen=moment(entry.first_seen),
                last_seen=moment(entry.last_seen),
                properties={name: list(types) for name, types in sorted(entry.properties.items())},
            )
            for entry in await self._reader.catalogue()
        ]
        return [masked(row, actor) for row in sorted(rows, key=lambda row: (-row.count, row.name))]

    async def _source_ids(self) -> list[str]:
        """All there ever were: events outlive their source. The empty one is of requests with an unknown key."""
        return [*(entry.id for entry in await self._store.all_entries() if entry.kind == SOURCE), ""]


def shown_to(row: RecentEvent, actor: Actor) -> RecentEvent:
    """Without the raw payload and with contacts hidden, for those who must not see them."""
    return masked(row.model_copy(update={"payload": None, "error": None}), actor) if actor.masked else row
