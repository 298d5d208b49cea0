"""The admin's HTTP side: JSON API, pages, probes and metrics behind the gateway's signature."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, FastAPI, Security
from fastapi.security import HTTPBearer

from leocdp.domain.segments.schema import PLACE, condition_schema
from leocdp.kit.web import operations_routes
from leocdp_admin.api import administration, errors, events, internal, privacy, profiles, segments, settings
from leocdp_admin.api.request_parts import AsSent
from leocdp_admin.application.shapes.segments import BuildShape, PreviewAsked, SegmentAsked, SegmentShape
from leocdp_admin.auth.gateway import GatewayOnly
from leocdp_admin.environment import Environment
from leocdp_admin.observation import Observation
from leocdp_admin.waiting import Waiting

_VIEWS = "leocdp_admin.views.routes"
_DESCRIPTION = "Profiles, events, identity, sources, keys, users and settings of LEO CDP. Times are ISO 8601 in UTC."


def create_app(environment: Environment) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with environment.running():
            yield

    app = FastAPI(
        title="LEO CDP",
        description=_DESCRIPTION,
        version=version("leocdp-admin"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        strict_content_type=False,
        lifespan=lifespan,
    )
    app.state.services = environment.services
    _describe_conditions(app)
    app.router.routes.extend(operations_routes(environment.ready, environment.metrics, about=environment.about))
    app.include_router(_api())
    app.include_router(internal.router)
    errors.install(app)
    _mount_views(app)
    app.add_middleware(AsSent)
    app.add_middleware(Waiting, reason=lambda: environment.waiting)
    app.add_middleware(GatewayOnly, secret=environment.secret, clock=environment.clock)
    app.add_middleware(Observation, metrics=environment.metrics)
    return app


def _describe_conditions(app: FastAPI) -> None:
    """Bodies that hold a condition refer to its schema, so that other systems can build conditions."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        schemas = document["components"]["schemas"]
        if "Condition" not in schemas:
            schemas["Condition"] = condition_schema()
            for shape in (SegmentAsked, SegmentShape, PreviewAsked, BuildShape):
                described = schemas[shape.__name__]["properties"]["condition"]
                kept = {name: described[name] for name in ("description", "examples") if name in described}
                schemas[shape.__name__]["properties"]["condition"] = {"$ref": PLACE, **kept}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _api() -> APIRouter:
    bearer = HTTPBearer(auto_error=False, description="An API key with the scope that the route needs.")
    api = APIRouter(prefix="/api/v1", dependencies=[Security(bearer)])
    for router in (
        *(profiles.router, segments.router, events.router, administration.router, settings.router, privacy.router),
    ):
        api.include_router(router)
    return api


def _mount_views(app: FastAPI) -> None:
    """``leocdp_admin.views.routes.register(app)`` adds pages and static files, and may set ``app.state.page_error``
    (:class:`leocdp_admin.api.errors.PageError`). An installation without the pages is an API only."""
    if find_spec("leocdp_admin.views") is not None and find_spec(_VIEWS) is not None:
        import_module(_VIEWS).register(app)
