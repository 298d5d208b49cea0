"""Events as they come in, and the list of their names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from leocdp_admin.application.shapes.events import CatalogueRow, RecentAsked, RecentEvent, StreamAsked
from leocdp_admin.i18n.localisation import Localisation
from leocdp_admin.views.event_views import EventView, key_name, recent_view
from leocdp_admin.views.frame import HEADERS, CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import source_name
from leocdp_admin.views.reasons import problem_reason
from leocdp_admin.views.words import OUTCOME_COLOURS, OUTCOMES, TYPE_ICONS, TYPES, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

STREAM_HEADERS: Final = {**HEADERS, "cache-control": "no-store", "x-accel-buffering": "no"}


class LiveAsked(RecentAsked):
    limit: int = 50
    lang: str = ""


class LiveStreamAsked(StreamAsked):
    """``after``: where the list of the page ended; on a reconnect the browser names a later place itself."""

    after: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class LiveRow:
    id: str
    view: EventView
    received: datetime
    outcome: str
    outcome_name: str
    outcome_colour: str
    reason: str
    profile_id: str


@dataclass(frozen=True, slots=True)
class PropertyView:
    name: str
    types: str


@dataclass(frozen=True, slots=True)
class CatalogueView:
    name: str
    title: str
    icon: str
    type_name: str
    count: int
    first_seen: datetime
    last_seen: datetime
    summary: str
    properties: Sequence[PropertyView]


@router.get("/events")
async def live(frame: CurrentFrame, asked: Annotated[LiveAsked, Query()]) -> Response:
    place = await frame.services.events.place(frame.actor)
    rows = await frame.services.events.recent(frame.actor, asked)
    names = await frame.services.sources.names()
    catalogue = await frame.services.events.catalogue(frame.actor)
    return frame.page(
        "live.html",
        active="live",
        asked=asked,
        events=[live_row(row, names, frame) for row in rows],
        filtered=bool(asked.outcome or asked.source or asked.name),
        outcomes=[(code, word(OUTCOMES, code, frame.l10n)) for code in OUTCOMES],
        sources=names,
        names=[row.name for row in catalogue if row.name][:200],
        stream_url=frame.url(
            "/events/stream", outcome=asked.outcome, source=asked.source, name=asked.name, after=place
        ),
    )


@router.get("/events/stream")
async def stream(frame: CurrentFrame, asked: Annotated[LiveStreamAsked, Query()]) -> Response:
    after = frame.request.headers.get("last-event-id", "") or asked.after
    rounds = frame.services.events.stream(frame.actor, asked, frame.services.stopping, after=after)
    return StreamingResponse(_rows(frame, rounds), media_type="text/event-stream", headers=STREAM_HEADERS)


@router.get("/events/catalogue")
async def catalogue(frame: CurrentFrame) -> Response:
    rows = await frame.services.events.catalogue(frame.actor)
    return frame.page("catalogue.html", active="catalogue", rows=[_catalogue_view(row, frame.l10n) for row in rows])


def live_row(row: RecentEvent, names: dict[str, str], frame: Frame) -> LiveRow:
    l10n = frame.l10n
    source = source_name(row.source, names, l10n)
    return LiveRow(
        id=f"live-{row.outcome}-{row.id}",
        view=recent_view(row, source, l10n, raw=not frame.actor.masked),
        received=row.received_at,
        outcome=row.outcome,
        outcome_name=word(OUTCOMES, row.outcome, l10n),
        outcome_colour=OUTCOME_COLOURS[row.outcome],
        reason=problem_reason(row.reason, l10n),
        profile_id=row.profile_id or "",
    )


def server_event(name: str, data: str, id_: str = "") -> str:
    """One server-sent event; every line of the data gets its own field."""
    lines = [f"id: {id_}"] if id_ else []
    return "\n".join([*lines, f"event: {name}", *(f"data: {line}" for line in data.splitlines()), "", ""])


async def _rows(frame: Frame, rounds: AsyncIterator[tuple[Sequence[RecentEvent], str]]) -> AsyncIterator[str]:
    names = await frame.services.sources.names()
    quiet = 0
    yield ": open\n\n"
    async for rows, place in rounds:
        if rows and any(row.source not in names for row in rows):
            names = await frame.services.sources.names()
        for row in rows:
            yield server_event("row", frame.text("live_row.html", event=live_row(row, names, frame)), place)
        quiet = 0 if rows else quiet + 1
        if quiet and quiet % 30 == 0:
            yield ": still here\n\n"


def _catalogue_view(row: CatalogueRow, l10n: Localisation) -> CatalogueView:
    found = [PropertyView(key_name(name, l10n), _types(types, l10n)) for name, types in row.properties.items()]
    summary = l10n.ngettext("%(num)s property", "%(num)s properties", len(found)) % {"num": l10n.number(len(found))}
    return CatalogueView(
        name=row.name,
        title=row.name or word(TYPES, row.type, l10n),
        icon=TYPE_ICONS.get(row.type, "bolt"),
        type_name=word(TYPES, row.type, l10n),
        count=row.count,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        summary=summary,
        properties=found,
    )


def _types(types: Sequence[str], l10n: Localisation) -> str:
    named: dict[str, Any] = {
        "string": l10n.gettext("text"),
        "number": l10n.gettext("number"),
        "boolean": l10n.gettext("yes or no"),
        "array": l10n.gettext("list"),
        "object": l10n.gettext("group of values"),
        "null": l10n.gettext("empty"),
    }
    return ", ".join(named.get(name, name) for name in types)
