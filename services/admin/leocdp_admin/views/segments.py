"""Segments: the list, the editor with its preview, and one segment with its members."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from leocdp.domain.errors import Problem
from leocdp.ports.profile_store import StoreUnavailable
from leocdp_admin.api.segments import csv_stream
from leocdp_admin.application.errors import Conflict, RequestError, Unacceptable
from leocdp_admin.application.shapes.base import PageAsked
from leocdp_admin.application.shapes.segments import (
    GrowthShape,
    OverlapShape,
    PreviewAsked,
    SegmentAsked,
    SegmentShape,
    SegmentState,
    SplitAsked,
    SplitPart,
)
from leocdp_admin.forms.form import Form as FormState
from leocdp_admin.views.charts import Chart, day_chart
from leocdp_admin.views.frame import CurrentFrame, Frame
from leocdp_admin.views.page_route import PageRoute
from leocdp_admin.views.people import person_view
from leocdp_admin.views.segment_words import STARTS, STATUS, STATUS_COLOURS, read_json, written
from leocdp_admin.views.sources import version
from leocdp_admin.views.words import word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

GROWTH_DAYS: Final = 30
PAGE: Final = 25


class SegmentPageAsked(PageAsked):
    limit: int = PAGE
    lang: str = ""
    with_: str = ""


@router.get("/segments")
async def segments(frame: CurrentFrame) -> Response:
    found = await frame.services.segments.list(frame.actor)
    return frame.page("segments.html", active="segments", segments=found, **_status_words(frame))


@router.get("/segments/new")
async def new(frame: CurrentFrame, start: Annotated[str, Query(max_length=50)] = "") -> Response:
    frame.actor.require("segments:write")
    name, condition = STARTS.get(start, ("", STARTS["loyal"][1]))
    form = FormState.of(name=frame.l10n.gettext(name) if name else "", condition=written(condition))
    return _editor(frame, form)


@router.post("/segments/new")
async def create(
    frame: CurrentFrame,
    name: Annotated[str, Form(max_length=200)] = "",
    description: Annotated[str, Form(max_length=2000)] = "",
    condition: Annotated[str, Form(max_length=200_000)] = "",
) -> Response:
    form = FormState.of(name=name, description=description, condition=condition)
    try:
        made = await frame.services.segments.create(frame.actor, _asked(form))
    except (Unacceptable, Conflict) as error:
        _blame(form, error, frame)
        return _editor(frame, form, status=error.status)
    return frame.go(f"/segments/{made.id}", "segment_created")


@router.post("/segments/preview")
async def preview(
    frame: CurrentFrame,
    condition: Annotated[str, Form(max_length=200_000)] = "",
    exact: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """A part of the editor: how many people, some of them, and the condition in words; or what is wrong with it."""
    try:
        asked = PreviewAsked(condition=read_json(condition, "condition"), exact=bool(exact), sample=5)
        found = await frame.services.audiences.preview(frame.actor, asked)
    except Unacceptable as error:
        return frame.part("segment_preview.html", problems=error.problems, found=None)
    except StoreUnavailable:
        return frame.part("segment_preview.html", problems=(), found=None)
    share = found.count / found.total if found.total else 0
    people = [(row.id, person_view(row, frame.l10n)) for row in found.sample]
    return frame.part("segment_preview.html", problems=(), found=found, share=share, people=people)


@router.get("/segments/{segment_id}")
async def show(frame: CurrentFrame, segment_id: str, asked: Annotated[SegmentPageAsked, Query()]) -> Response:
    segment = await frame.services.segments.get(frame.actor, segment_id)
    try:
        members, growth = await asyncio.gather(
            frame.services.audiences.members(frame.actor, segment_id, asked),
            frame.services.audiences.growth(frame.actor, segment_id, days=GROWTH_DAYS),
        )
    except StoreUnavailable:
        members, growth = None, GrowthShape(points=[])
    rows = [(row, person_view(row, frame.l10n)) for row in members.data] if members else []
    others = [one for one in await frame.services.segments.list(frame.actor) if one.id != segment_id]
    return frame.page(
        "segment.html",
        active="segments",
        segment=segment,
        condition=written(segment.condition),
        members=rows,
        next_url=frame.url(f"/segments/{segment_id}", cursor=members.next) if members and members.next else "",
        growth_chart=_growth_chart(growth, frame),
        others=others,
        overlap=await _overlap(frame, segment, asked.with_),
        **_status_words(frame),
    )


@router.get("/segments/{segment_id}/progress")
async def progress(frame: CurrentFrame, segment_id: str) -> Response:
    segment = await frame.services.segments.get(frame.actor, segment_id)
    return frame.part("segment_progress.html", segment=segment, **_status_words(frame))


@router.get("/segments/{segment_id}/edit")
async def edit(frame: CurrentFrame, segment_id: str) -> Response:
    frame.actor.require("segments:write")
    segment = await frame.services.segments.get(frame.actor, segment_id)
    condition = segment.building.condition if segment.building else segment.condition
    form = FormState.of(
        name=segment.name,
        description=segment.description,
        condition=written(condition),
        version=str(segment.version),
    )
    return _editor(frame, form, segment)


@router.post("/segments/{segment_id}/edit")
async def save(
    frame: CurrentFrame,
    segment_id: str,
    name: Annotated[str, Form(max_length=200)] = "",
    description: Annotated[str, Form(max_length=2000)] = "",
    condition: Annotated[str, Form(max_length=200_000)] = "",
    version_: Annotated[str, Form(alias="version")] = "",
) -> Response:
    form = FormState.of(name=name, description=description, condition=condition, version=version_)
    try:
        await frame.services.segments.update(frame.actor, segment_id, _asked(form), expected=version(version_))
    except (Unacceptable, Conflict) as error:
        _blame(form, error, frame)
        segment = await frame.services.segments.get(frame.actor, segment_id)
        return _editor(frame, form, segment, error.status)
    return frame.go(f"/segments/{segment_id}", "segment_saved")


@router.post("/segments/{segment_id}/state")
async def set_state(
    frame: CurrentFrame,
    segment_id: str,
    state: Annotated[SegmentState, Form()],
    version_: Annotated[str, Form(alias="version")] = "",
) -> Response:
    await frame.services.segments.set_state(frame.actor, segment_id, state, expected=version(version_))
    return frame.go(f"/segments/{segment_id}", f"segment_{state}")


@router.post("/segments/{segment_id}/delete")
async def delete(
    frame: CurrentFrame, segment_id: str, version_: Annotated[str, Form(alias="version")] = ""
) -> Response:
    await frame.services.segments.delete(frame.actor, segment_id, expected=version(version_))
    return frame.go("/segments", "segment_deleted")


@router.post("/segments/{segment_id}/split")
async def split(frame: CurrentFrame, segment_id: str, parts: Annotated[int, Form(ge=2, le=10)] = 2) -> Response:
    """Equal parts; other shares by the API."""
    segment = await frame.services.segments.get(frame.actor, segment_id)
    share = round(100 / parts, 4)
    shares = [share] * (parts - 1) + [round(100 - share * (parts - 1), 4)]
    letters = "ABCDEFGHIJ"
    asked = [SplitPart(name=f"{segment.name[:90]} · {letters[n]}", percent=each) for n, each in enumerate(shares)]
    await frame.services.segments.split(frame.actor, segment_id, SplitAsked(parts=asked))
    return frame.go("/segments", "segment_split")


@router.get("/segments/{segment_id}/members.csv")
async def members_csv(frame: CurrentFrame, segment_id: str) -> Response:
    return csv_stream(await frame.services.audiences.members_csv(frame.actor, segment_id), segment_id)


async def _overlap(frame: Frame, segment: SegmentShape, other: str) -> OverlapShape | None:
    if not other or other == segment.id:
        return None
    return await frame.services.audiences.overlap(frame.actor, [segment.id, other])


def _asked(form: FormState) -> SegmentAsked:
    name = form.values["name"].strip()
    problems = [] if 0 < len(name) <= 100 else [Problem("name", "must be 1 to 100 characters")]
    if problems:
        raise Unacceptable(problems)
    return SegmentAsked(
        name=name,
        description=form.values["description"].strip()[:1000],
        condition=read_json(form.values["condition"], "condition"),
    )


def _blame(form: FormState, error: RequestError, frame: Frame) -> None:
    """Problems of the condition stand together below the editor, each with its place."""
    named = [problem for problem in error.problems if problem.path != "name"]
    for problem in error.problems:
        if problem.path == "name":
            form.blame("name", frame.l10n.gettext("Please give it a name of up to 100 characters."))
    if isinstance(error, Conflict) and error.public_code == "segment_exists":
        form.blame("name", frame.l10n.gettext("Another segment has this name already."))
    elif named or isinstance(error, Conflict):
        lines = [f"{problem.path}: {problem.problem}" for problem in named] or [error.message]
        form.blame("condition", "\n".join(lines))


def _editor(frame: Frame, form: FormState, segment: SegmentShape | None = None, status: int = 200) -> Response:
    starts = [(key, frame.l10n.gettext(text)) for key, (text, _) in STARTS.items()]
    return frame.page("segment_edit.html", active="segments", status=status, form=form, segment=segment, starts=starts)


def _growth_chart(growth: GrowthShape, frame: Frame) -> Chart | None:
    """The size at the end of each day; a day without a change has that of the day before."""
    if not growth.points:
        return None
    sizes = {frame.l10n.local(point.at).date(): point.size for point in growth.points}
    today = frame.l10n.local(frame.now).date()
    size = growth.points[0].size
    days: dict[date, int] = {}
    for back in range(GROWTH_DAYS - 1, -1, -1):
        day = today - timedelta(days=back)
        days[day] = size = sizes.get(day, size)
    return day_chart("lines", frame.l10n, [(frame.l10n.gettext("Members"), days)])


def _status_words(frame: Frame) -> dict[str, Any]:
    words = {code: word(STATUS, code, frame.l10n) for code in STATUS}
    return {"status_words": words, "status_colours": STATUS_COLOURS}


@router.get("/segments/{segment_id}/why/{profile_id}")
async def why(frame: CurrentFrame, segment_id: str, profile_id: str) -> Response:
    segment, explained, profile = await asyncio.gather(
        frame.services.segments.get(frame.actor, segment_id),
        frame.services.audiences.explain(frame.actor, segment_id, profile_id),
        frame.services.profiles.get(frame.actor, profile_id),
    )
    return frame.page(
        "segment_why.html",
        active="segments",
        segment=segment,
        explained=explained,
        who=person_view(profile, frame.l10n),
    )
