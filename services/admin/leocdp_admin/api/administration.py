"""``/api/v1/sources``, ``keys``, ``users``, ``audit``, ``status``, ``commands`` and ``reviews``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from leocdp_admin.api.errors import errors
from leocdp_admin.api.profiles import answer, command_answers
from leocdp_admin.api.request_parts import Expected, paged, tag
from leocdp_admin.application.shapes.administration import (
    AuditAsked,
    AuditRow,
    CommandShape,
    InvitedUser,
    KeyAsked,
    KeyShape,
    NewKeyShape,
    RemovedShape,
    ReviewResult,
    SourceAsked,
    SourceShape,
    StatusShape,
    UserAsked,
    UserChange,
    UserShape,
)
from leocdp_admin.application.shapes.base import ListOf, PageAsked
from leocdp_admin.application.shapes.identity import ReviewsAsked, ReviewShape
from leocdp_admin.auth.current import CurrentActor, CurrentServices

router = APIRouter()


@router.get("/sources", tags=["sources"], responses=errors())
async def list_sources(
    asked: Annotated[PageAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[SourceShape]:
    """All sources, with their write keys."""
    rows, following = paged(await services.sources.list(actor), asked, lambda source: source.id)
    return ListOf[SourceShape](data=rows, next=following)


@router.post("/sources", status_code=201, tags=["sources"], responses=errors(409))
async def create_source(
    asked: SourceAsked, response: Response, actor: CurrentActor, services: CurrentServices
) -> SourceShape:
    """Only `name` is required."""
    source = await services.sources.create(actor, asked)
    tag(response, source.version)
    return source


@router.get("/sources/{source_id}", tags=["sources"], responses=errors(404))
async def get_source(source_id: str, response: Response, actor: CurrentActor, services: CurrentServices) -> SourceShape:
    source = await services.sources.get(actor, source_id)
    tag(response, source.version)
    return source


@router.put("/sources/{source_id}", tags=["sources"], responses=errors(404, 409, 412))
async def put_source(
    source_id: str,
    asked: SourceAsked,
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> SourceShape:
    """The whole source; its id and write key stay."""
    source = await services.sources.update(actor, source_id, asked, expected=expected)
    tag(response, source.version)
    return source


@router.delete("/sources/{source_id}", status_code=204, tags=["sources"], responses=errors(404, 412))
async def delete_source(source_id: str, expected: Expected, actor: CurrentActor, services: CurrentServices) -> Response:
    """Its write key is refused within seconds; events that came stay."""
    await services.sources.delete(actor, source_id, expected=expected)
    return Response(status_code=204)


@router.post("/sources/{source_id}/rotate", tags=["sources"], responses=errors(404, 412))
async def rotate_write_key(
    source_id: str, expected: Expected, response: Response, actor: CurrentActor, services: CurrentServices
) -> SourceShape:
    """A new write key; the old one is refused within seconds."""
    source = await services.sources.rotate(actor, source_id, expected=expected)
    tag(response, source.version)
    return source


@router.post(
    "/sources/{source_id}/remove-data", tags=["sources"], response_model=None, responses=command_answers(RemovedShape)
)
async def remove_data(
    source_id: str, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """Remove the people and events that only this source has brought. The source itself stays."""
    return answer(await services.sources.remove_data(actor, source_id), response)


@router.get("/keys", tags=["keys"], responses=errors())
async def list_keys(
    asked: Annotated[PageAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[KeyShape]:
    rows, following = paged(await services.keys.list(actor), asked, lambda key: key.id)
    return ListOf[KeyShape](data=rows, next=following)


@router.post("/keys", status_code=201, tags=["keys"], responses=errors())
async def create_key(asked: KeyAsked, actor: CurrentActor, services: CurrentServices) -> NewKeyShape:
    """`secret` is in this answer only."""
    return await services.keys.create(actor, asked)


@router.delete("/keys/{key_id}", status_code=204, tags=["keys"], responses=errors(404))
async def revoke_key(key_id: str, actor: CurrentActor, services: CurrentServices) -> Response:
    """It is refused within 30 seconds."""
    await services.keys.revoke(actor, key_id)
    return Response(status_code=204)


@router.get("/users", tags=["users"], responses=errors())
async def list_users(
    asked: Annotated[PageAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[UserShape]:
    rows, following = paged(await services.users.list(actor), asked, lambda user: user.id)
    return ListOf[UserShape](data=rows, next=following)


@router.post("/users", status_code=201, tags=["users"], responses=errors(409))
async def create_user(asked: UserAsked, actor: CurrentActor, services: CurrentServices) -> InvitedUser:
    """With a `password`, or without: then `invitation` is an address where the person chooses one."""
    return await services.users.create(actor, asked)


@router.get("/users/{user_id}", tags=["users"], responses=errors(404))
async def get_user(user_id: str, response: Response, actor: CurrentActor, services: CurrentServices) -> UserShape:
    user = await services.users.get(actor, user_id)
    tag(response, user.version)
    return user


@router.put("/users/{user_id}", tags=["users"], responses=errors(404, 409, 412))
async def put_user(
    user_id: str,
    asked: UserChange,
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> UserShape:
    """Name, role, status, language; what is left out stays. Disabling ends the person's sessions."""
    user = await services.users.update(actor, user_id, asked, expected=expected)
    tag(response, user.version)
    return user


@router.delete("/users/{user_id}", status_code=204, tags=["users"], responses=errors(404, 409))
async def delete_user(user_id: str, actor: CurrentActor, services: CurrentServices) -> Response:
    """The last owner cannot be deleted."""
    await services.users.delete(actor, user_id)
    return Response(status_code=204)


@router.get("/audit", tags=["audit"], responses=errors())
async def list_audit(
    asked: Annotated[AuditAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[AuditRow]:
    """Who did what to whose data, newest first."""
    return await services.audit.list(actor, asked)


@router.get("/status", tags=["status"], responses=errors())
async def get_status(actor: CurrentActor, services: CurrentServices) -> StatusShape:
    """Services, log, lag and counts."""
    return await services.status.get(actor)


@router.get("/commands/{command_id}", tags=["commands"], responses=errors(404))
async def get_command(command_id: str, actor: CurrentActor, services: CurrentServices) -> CommandShape:
    """What became of an action."""
    return await services.commands.get(actor, command_id)


@router.get("/reviews", tags=["reviews"], responses=errors())
async def list_reviews(
    asked: Annotated[ReviewsAsked, Query()], actor: CurrentActor, services: CurrentServices
) -> ListOf[ReviewShape]:
    """Pairs of profiles that a person should look at, newest first."""
    return await services.reviews.list(actor, asked)


@router.post(
    "/reviews/{review_id}/dismiss", tags=["reviews"], response_model=None, responses=command_answers(ReviewResult)
)
async def dismiss_review(
    review_id: str, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """They are two people."""
    return answer(await services.reviews.dismiss(actor, review_id), response)


@router.post(
    "/reviews/{review_id}/reopen", tags=["reviews"], response_model=None, responses=command_answers(ReviewResult)
)
async def reopen_review(
    review_id: str, response: Response, actor: CurrentActor, services: CurrentServices
) -> dict[str, Any]:
    """Somebody should look at them again."""
    return answer(await services.reviews.reopen(actor, review_id), response)
