"""``/api/v1/privacy/requests``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from leocdp_admin.api.errors import errors
from leocdp_admin.application.shapes.base import ListOf
from leocdp_admin.application.shapes.privacy import PrivacyAsked, PrivacyListAsked, PrivacyRequestShape
from leocdp_admin.auth.current import CurrentActor, CurrentServices

router = APIRouter(prefix="/privacy/requests", tags=["privacy"])


@router.post(
    "",
    responses={
        200: {"description": "It is carried out."},
        202: {"model": PrivacyRequestShape, "description": "It takes longer than some seconds: ask for it by its id."},
        **errors(404, 409),
    },
)
async def create_privacy_request(
    asked: PrivacyAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> PrivacyRequestShape:
    """A copy of all that is known of a person, an erasure, or an objection to all purposes."""
    request = await services.privacy.ask(actor, asked)
    response.status_code = 202 if request.state == "pending" else 200
    return request


@router.get("", responses=errors())
async def list_privacy_requests(
    asked: Annotated[PrivacyListAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[PrivacyRequestShape]:
    """Newest first."""
    return await services.privacy.list(actor, asked)


@router.get("/{request_id}", responses=errors(404))
async def get_privacy_request(request_id: str, actor: CurrentActor, services: CurrentServices) -> PrivacyRequestShape:
    """State and receipt."""
    return await services.privacy.get(actor, request_id)


@router.get("/{request_id}/export", response_class=StreamingResponse, responses=errors(404))
async def export_personal_data(request_id: str, actor: CurrentActor, services: CurrentServices) -> StreamingResponse:
    """The copy of an access request, as it is now: profile, identity and all events."""
    body = await services.privacy.export(actor, request_id)
    headers = {
        "content-disposition": f'attachment; filename="{request_id}.json"',
        "cache-control": "no-store",
    }
    return StreamingResponse(body, media_type="application/json", headers=headers)
