"""``/api/v1/settings``: versioned configuration."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from leocdp_admin.api.errors import errors
from leocdp_admin.api.request_parts import Expected, tag
from leocdp_admin.application.shapes.administration import (
    ConsentSettings,
    ConsentSettingsAsked,
    IdentitySettings,
    ScoringSettings,
    WorkspaceAsked,
    WorkspaceSettings,
)
from leocdp_admin.auth.current import CurrentActor, CurrentServices

router = APIRouter(prefix="/settings", tags=["settings"])


@router.get("/identity", responses=errors())
async def get_identity_settings(response: Response, actor: CurrentActor, services: CurrentServices) -> IdentitySettings:
    """Kinds of identifier, limits, blocked values."""
    found = await services.configuration.identity(actor)
    tag(response, found.version)
    return found


@router.put("/identity", responses=errors(412))
async def put_identity_settings(
    data: Annotated[dict[str, Any], Body(examples=[{"phone_region": "VN", "kinds": {"loyalty_id": {"limit": 3}}}])],
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> IdentitySettings:
    """The whole document; what is left out gets its default."""
    found = await services.configuration.put_identity(actor, data, expected=expected)
    tag(response, found.version)
    return found


@router.get("/metrics", responses=errors())
async def get_metrics_settings(response: Response, actor: CurrentActor, services: CurrentServices) -> ScoringSettings:
    """What events are worth: points, funnel stages, half-lives, and the weights of data quality."""
    found = await services.configuration.scoring(actor)
    tag(response, found.version)
    return found


@router.put("/metrics", responses=errors(412))
async def put_metrics_settings(
    data: Annotated[dict[str, Any], Body(examples=[{"metrics": {"purchase": {"points": 40}}}])],
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> ScoringSettings:
    """The whole document; what is left out gets its default. Scores of everybody are computed again."""
    found = await services.configuration.put_scoring(actor, data, expected=expected)
    tag(response, found.version)
    return found


@router.get("/consent", responses=errors())
async def get_consent_settings(response: Response, actor: CurrentActor, services: CurrentServices) -> ConsentSettings:
    """The purposes that people are asked for."""
    found = await services.configuration.consent(actor)
    tag(response, found.version)
    return found


@router.put("/consent", responses=errors(412))
async def put_consent_settings(
    asked: ConsentSettingsAsked,
    expected: Expected,
    response: Response,
    actor: CurrentActor,
    services: CurrentServices,
) -> ConsentSettings:
    found = await services.configuration.put_consent(actor, asked, expected=expected)
    tag(response, found.version)
    return found


@router.get("/workspace", responses=errors())
async def get_workspace_settings(
    response: Response, actor: CurrentActor, services: CurrentServices
) -> WorkspaceSettings:
    """Name, time zone, language and currency."""
    found = await services.configuration.workspace(actor)
    tag(response, found.version)
    return found


@router.put("/workspace", responses=errors(412))
async def put_workspace_settings(
    asked: WorkspaceAsked, expected: Expected, response: Response, actor: CurrentActor, services: CurrentServices
) -> WorkspaceSettings:
    found = await services.configuration.put_workspace(actor, asked, expected=expected)
    tag(response, found.version)
    return found
