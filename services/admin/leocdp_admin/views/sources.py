"""Sources: the list, connecting a new one with a look at its first event, and settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response, StreamingResponse

from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.application.errors import Conflict, Unacceptable
from leocdp_admin.application.shapes.administration import SourceShape
from leocdp_admin.application.shapes.events import StreamAsked
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.forms.source_form import FIELDS, new_source_form, source_asked, source_form
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.live import STREAM_HEADERS, server_event
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.snippets import ways_in
from leocdp_admin.views.words import SOURCE_KINDS, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class SourceRow:
    id: str
    name: str
    kind: str
    kind_name: str
    enabled: bool
    shared_device: bool
    last_event_at: datetime | None
    week: int


@router.get("/sources")
async def sources(frame: CurrentFrame) -> Response:
    found = await frame.services.sources.list(frame.actor)
    weeks = await asyncio.gather(*(_week(frame, source.id) for source in found))
    rows = [_row(source, week, frame) for source, week in zip(found, weeks, strict=True)]
    return frame.page("sources.html", active="sources", sources=rows)


@router.get("/connect")
async def choose(frame: CurrentFrame) -> Response:
    return await _choose(frame, new_source_form())


@router.post("/connect")
async def create(
    frame: CurrentFrame,
    name: Annotated[str, Form(max_length=200)] = "",
    kind: Annotated[str, Form(max_length=20)] = "browser",
    origins: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    form = new_source_form(name, kind, origins if kind == "browser" else "")
    asked = source_asked(form, frame.l10n)
    if asked is None:
        return await _choose(frame, form, 422)
    try:
        source = await frame.services.sources.create(frame.actor, asked)
    except (Unacceptable, Conflict) as error:
        form.refused(error, frame.l10n, otherwise="name")
        return await _choose(frame, form, error.status)
    return frame.go(f"/sources/{source.id}/connect")


@router.get("/sources/{source_id}/connect")
async def connect(frame: CurrentFrame, source_id: str) -> Response:
    source = await frame.services.sources.get(frame.actor, source_id)
    return frame.page(
        "connect.html",
        active="sources",
        source=source,
        ways=ways_in(source, frame.services.collect_url, frame.l10n),
        hints=_hints(source, frame),
    )


@router.get("/sources/{source_id}/first-event")
async def first_event(frame: CurrentFrame, source_id: str) -> Response:
    """A stream that ends with the first event of the source."""
    place = await frame.services.events.place(frame.actor)
    source = await frame.services.sources.get(frame.actor, source_id)
    return StreamingResponse(_first(frame, source, place), media_type="text/event-stream", headers=STREAM_HEADERS)


@router.get("/sources/{source_id}")
async def show(frame: CurrentFrame, source_id: str) -> Response:
    source = await frame.services.sources.get(frame.actor, source_id)
    return await _show(frame, source, source_form(source))


@router.post("/sources/{source_id}")
async def save(frame: CurrentFrame, source_id: str) -> Response:
    given = await frame.request.form()
    form = FormState.of(**{name: str(given.get(name, "")) for name in FIELDS})
    asked = source_asked(form, frame.l10n)
    if asked is None:
        return await _show(frame, await frame.services.sources.get(frame.actor, source_id), form, 422)
    try:
        await frame.services.sources.update(frame.actor, source_id, asked, expected=version(form.values["version"]))
    except (Unacceptable, Conflict) as error:
        form.refused(error, frame.l10n, otherwise="name")
        return await _show(frame, await frame.services.sources.get(frame.actor, source_id), form, error.status)
    return frame.go(f"/sources/{source_id}", "source_saved")


@router.post("/sources/{source_id}/rotate")
async def rotate(frame: CurrentFrame, source_id: str, version_: Annotated[str, Form(alias="version")] = "") -> Response:
    await frame.services.sources.rotate(frame.actor, source_id, expected=version(version_))
    return frame.go(f"/sources/{source_id}/connect", "key_replaced")


@router.post("/sources/{source_id}/delete")
async def delete(frame: CurrentFrame, source_id: str, version_: Annotated[str, Form(alias="version")] = "") -> Response:
    await frame.services.sources.delete(frame.actor, source_id, expected=version(version_))
    return frame.go("/sources", "source_deleted")


def version(text: str) -> int | None:
    """The version that a form was made from; None for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


async def _choose(frame: Frame, form: FormState, status: int = 200) -> Response:
    frame.actor.require("sources:write")
    found = await frame.services.sources.list(frame.actor)
    return frame.page(
        "connect_choose.html",
        active="sources",
        status=status,
        form=form,
        first=not any(source.last_event_at for source in found),
        unfinished=[source for source in found if source.last_event_at is None and source.enabled],
    )


async def _show(frame: Frame, source: SourceShape, form: FormState, status: int = 200) -> Response:
    week = await _week(frame, source.id)
    return frame.page("source.html", active="sources", status=status, source=source, form=form, week=week)


async def _week(frame: Frame, source_id: str) -> int:
    """Events of the last seven days; 0 while there is no profile store."""
    try:
        days = await frame.services.overview.series(frame.actor, "events", days=WEEK_DAYS, key=f"source:{source_id}")
    except StoreUnavailable:
        return 0
    return sum(day.count for day in days)


def _row(source: SourceShape, week: int, frame: Frame) -> SourceRow:
    return SourceRow(
        id=source.id,
        name=source.name,
        kind=source.kind,
        kind_name=word(SOURCE_KINDS, source.kind, frame.l10n),
        enabled=source.enabled,
        shared_device=source.shared_device,
        last_event_at=source.last_event_at,
        week=week,
    )


def _hints(source: SourceShape, frame: Frame) -> list[str]:
    l10n = frame.l10n
    hints = [l10n.gettext("Is the snippet on the page you look at? An ad blocker may also stop it.")]
    if source.kind == "server":
        hints = [l10n.gettext("Can your server reach this address? %(url)s") % {"url": frame.services.collect_url}]
    if source.origins != ["*"]:
        allowed = ", ".join(source.origins)
        hints.append(l10n.gettext("Only pages of these addresses may send: %(origins)s") % {"origins": allowed})
    return hints


async def _first(frame: Frame, source: SourceShape, place: str) -> AsyncIterator[str]:
    yield ": open\n\n"
    asked = StreamAsked(source=source.id)
    rounds = frame.services.events.stream(frame.actor, asked, frame.services.stopping, after=place)
    seen = source.last_event_at
    quiet = 0
    if seen is None:
        async for rows, _ in rounds:
            arrived = [row for row in rows if row.outcome in ("applied", "duplicate", "filtered")]
            if arrived:
                seen = arrived[-1].received_at
                break
            quiet += 1
            if quiet % 30 == 0:
                yield ": still here\n\n"
    if seen is not None:
        yield server_event("done", frame.text("connect_done.html", at=seen, source=source))
