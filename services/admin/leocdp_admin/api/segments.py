"""``/api/v1/segments``, ``lists`` and ``computed-traits``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from leocdp_admin.api.errors import errors
from leocdp_admin.api.request_parts import Expected, PersonRef, paged, tag
from leocdp_admin.application.shapes.base import ListOf, PageAsked
from leocdp_admin.application.shapes.segments import (
    ComputedTraitAsked,
    ComputedTraitShape,
    ExplanationShape,
    GrowthShape,
    ImportedShape,
    ListAsked,
    ListMembersAsked,
    ListShape,
    MemberRow,
    MembersAsked,
    OverlapAsked,
    OverlapShape,
    PreviewAsked,
    PreviewShape,
    SegmentAsked,
    SegmentShape,
    SegmentStateAsked,
    SplitAsked,
)
from leocdp_admin.auth.current import CurrentActor, CurrentServices

router = APIRouter(tags=["segments"])


@router.get("/segments", responses=errors())
async def list_segments(
    asked: Annotated[PageAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[SegmentShape]:
    rows, following = paged(await services.segments.list(actor), asked, lambda segment: segment.id)
    return ListOf[SegmentShape](data=rows, next=following)


@router.post("/segments", status_code=201, responses=errors(409))
async def create_segment(
    asked: SegmentAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> SegmentShape:
    """Members are computed at once; the segment is `live` when that is done for everybody."""
    segment = await services.segments.create(actor, asked)
    tag(response, segment.version)
    return segment


@router.post("/segments/preview", responses=errors())
async def preview_segment(asked: PreviewAsked, actor: CurrentActor, services: CurrentServices) -> PreviewShape:
    """How many people a condition has now; nothing is saved."""
    return await services.audiences.preview(actor, asked)


@router.post("/segments/overlap", responses=errors(404))
async def overlap_segments(asked: OverlapAsked, actor: CurrentActor, services: CurrentServices) -> OverlapShape:
    """How many people are in which of the segments together."""
    return await services.audiences.overlap(actor, asked.segments)


@router.get("/segments/{segment_id}", responses=errors(404))
async def get_segment(
    segment_id: str, response: Response, actor: CurrentActor, services: CurrentServices
) -> SegmentShape:
    segment = await services.segments.get(actor, segment_id)
    tag(response, segment.version)
    return segment


@router.put("/segments/{segment_id}", responses=errors(404, 409, 412))
async def put_segment(
    segment_id: str,
    asked: SegmentAsked,
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> SegmentShape:
    """Another condition is computed beside the one in force, which counts until that is done."""
    segment = await services.segments.update(actor, segment_id, asked, expected=expected)
    tag(response, segment.version)
    return segment


@router.put("/segments/{segment_id}/state", responses=errors(404, 409, 412))
async def put_segment_state(
    segment_id: str,
    asked: SegmentStateAsked,
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> SegmentShape:
    """Pause, archive, or go on."""
    segment = await services.segments.set_state(actor, segment_id, asked.state, expected=expected)
    tag(response, segment.version)
    return segment


@router.delete("/segments/{segment_id}", status_code=204, responses=errors(404, 412))
async def delete_segment(
    segment_id: str, expected: Expected, actor: CurrentActor, services: CurrentServices
) -> Response:
    """Its members leave. Segments that refer to it are `broken` and keep theirs."""
    await services.segments.delete(actor, segment_id, expected=expected)
    return Response(status_code=204)


@router.post("/segments/{segment_id}/split", status_code=201, responses=errors(404, 409))
async def split_segment(
    segment_id: str, asked: SplitAsked, actor: CurrentActor, services: CurrentServices
) -> ListOf[SegmentShape]:
    """Divide at random into new segments."""
    return ListOf[SegmentShape](data=list(await services.segments.split(actor, segment_id, asked)))


@router.get("/segments/{segment_id}/members", response_model=ListOf[MemberRow], responses=errors(404))
async def segment_members(
    segment_id: str, asked: Annotated[MembersAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> Response | ListOf[MemberRow]:
    """`format=csv` streams all of them."""
    if asked.format == "csv":
        lines = await services.audiences.members_csv(actor, segment_id)
        return csv_stream(lines, segment_id)
    return await services.audiences.members(actor, segment_id, asked)


@router.get("/segments/{segment_id}/growth", responses=errors(404))
async def segment_growth(
    segment_id: str,
    actor: CurrentActor,
    services: CurrentServices,
    days: Annotated[int, Query(ge=1, le=400)] = 30,
) -> GrowthShape:
    """Size over time."""
    return await services.audiences.growth(actor, segment_id, days=days)


@router.get("/segments/{segment_id}/explain/{ref}", responses=errors(404))
async def explain_segment(
    segment_id: str, ref: PersonRef, actor: CurrentActor, services: CurrentServices
) -> ExplanationShape:
    """Why a person is in or out, and when that may change."""
    return await services.audiences.explain(actor, segment_id, ref)


@router.get("/lists", responses=errors())
async def list_lists(
    asked: Annotated[PageAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[ListShape]:
    """Imported lists of identifiers."""
    rows, following = paged(await services.lists.list(actor), asked, lambda one: one.id)
    return ListOf[ListShape](data=rows, next=following)


@router.post("/lists", status_code=201, responses=errors(409))
async def create_list(
    asked: ListAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> ListShape:
    found = await services.lists.create(actor, asked)
    tag(response, found.version)
    return found


@router.get("/lists/{list_id}", responses=errors(404))
async def get_list(list_id: str, response: Response, actor: CurrentActor, services: CurrentServices) -> ListShape:
    found = await services.lists.get(actor, list_id)
    tag(response, found.version)
    return found


@router.put("/lists/{list_id}", responses=errors(404, 409, 412))
async def put_list(
    list_id: str,
    asked: ListAsked,
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> ListShape:
    found = await services.lists.update(actor, list_id, asked, expected=expected)
    tag(response, found.version)
    return found


@router.delete("/lists/{list_id}", status_code=204, responses=errors(404, 412))
async def delete_list(list_id: str, expected: Expected, actor: CurrentActor, services: CurrentServices) -> Response:
    """Segments that refer to it are `broken` and keep their members."""
    await services.lists.delete(actor, list_id, expected=expected)
    return Response(status_code=204)


@router.post("/lists/{list_id}/members", responses=errors(404))
async def change_list(
    list_id: str, asked: ListMembersAsked, actor: CurrentActor, services: CurrentServices
) -> ImportedShape:
    """Add or remove the people who have these identifiers, 10,000 at a time."""
    return await services.lists.change(actor, list_id, asked.kind, asked.values, asked.action)


@router.get("/computed-traits", responses=errors())
async def list_computed_traits(
    asked: Annotated[PageAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[ComputedTraitShape]:
    """Traits that follow from events."""
    rows, following = paged(await services.computed_traits.list(actor), asked, lambda one: one.id)
    return ListOf[ComputedTraitShape](data=rows, next=following)


@router.post("/computed-traits", status_code=201, responses=errors(409))
async def create_computed_trait(
    asked: ComputedTraitAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> ComputedTraitShape:
    """Computed for everybody at once, then kept with every event and as time passes."""
    found = await services.computed_traits.create(actor, asked)
    tag(response, found.version)
    return found


@router.get("/computed-traits/{trait_id}", responses=errors(404))
async def get_computed_trait(
    trait_id: str, response: Response, actor: CurrentActor, services: CurrentServices
) -> ComputedTraitShape:
    found = await services.computed_traits.get(actor, trait_id)
    tag(response, found.version)
    return found


@router.put("/computed-traits/{trait_id}", responses=errors(404, 409, 412))
async def put_computed_trait(
    trait_id: str,
    asked: ComputedTraitAsked,
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> ComputedTraitShape:
    found = await services.computed_traits.update(actor, trait_id, asked, expected=expected)
    tag(response, found.version)
    return found


@router.delete("/computed-traits/{trait_id}", status_code=204, responses=errors(404, 412))
async def delete_computed_trait(
    trait_id: str, expected: Expected, actor: CurrentActor, services: CurrentServices
) -> Response:
    await services.computed_traits.delete(actor, trait_id, expected=expected)
    return Response(status_code=204)


def csv_stream(lines: AsyncIterator[str], name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)
