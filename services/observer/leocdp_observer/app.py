"""The FastAPI application behind the hot path: documents for SDKs, the browser bundle, documentation and probes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from leocdp.kit.web import error_response, operations_routes
from leocdp_observer import credentials, openapi
from leocdp_observer.asgi import Edge
from leocdp_observer.assets import NAME, AssetsMissing
from leocdp_observer.collector import not_configured
from leocdp_observer.documents import WRITE_KEY, rudder_source_config, segment_settings
from leocdp_observer.environment import Environment
from leocdp_observer.refusals import Refusal
from leocdp_observer.sources import Source

CACHED = {"cache-control": "public, max-age=300"}
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


def create_app(environment: Environment) -> ASGIApp:
    """The whole observer: the hot path, and behind it everything else."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with environment.running():
            yield

    app = FastAPI(
        title="LEO CDP observer",
        version=environment.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        exception_handlers={HTTPException: _http_error, Refusal: _refusal, AssetsMissing: _assets_missing},
    )
    app.router.routes.extend(operations_routes(environment.ready, environment.tally, about=environment.about))
    _segment_documents(app, environment)
    _rudder_documents(app, environment)
    _bundle(app, environment)
    openapi.install(app)
    return Edge(environment.collector, environment.tally, app)


def _segment_documents(app: FastAPI, environment: Environment) -> None:
    @app.get("/v1/projects/{write_key}/settings", summary="Settings for Segment's SDKs.", tags=["documents"])
    @app.get("/projects/{write_key}/settings", include_in_schema=False)
    @app.get("/v1/projects/projects/{write_key}/settings", include_in_schema=False)
    async def settings(write_key: str, request: Request) -> Response:
        _known(environment, write_key)
        return JSONResponse(segment_settings(write_key, environment.base_url(request)), headers=CACHED)

    @app.post("/v1/m", summary="Measurements that SDKs make of themselves: taken and dropped.", tags=["documents"])
    @app.post("/m", include_in_schema=False)
    async def measurements() -> Response:
        return JSONResponse({"success": True})


def _rudder_documents(app: FastAPI, environment: Environment) -> None:
    @app.get("/sourceConfig/", summary="Settings for RudderStack's SDKs.", tags=["documents"])
    @app.get("/sourceConfig", include_in_schema=False)
    async def source_config(request: Request) -> Response:
        key = credentials.basic_key(request.headers.get("authorization", "").encode("latin-1"))
        key = key or credentials.query_key(request.scope["query_string"])
        if key is None:
            raise Refusal("missing_write_key", "Send the write key as user of Basic auth or in the query.", status=401)
        source = _known(environment, key)
        if source is None:
            raise not_configured()
        return JSONResponse(rudder_source_config(source.config), headers={"cache-control": "private, max-age=300"})


def _bundle(app: FastAPI, environment: Environment) -> None:
    def javascript(body: bytes, packed: bool, headers: dict[str, str]) -> Response:
        encoding = {"content-encoding": "gzip"} if packed else {}
        return Response(body, media_type="text/javascript", headers={**headers, **encoding, "vary": "accept-encoding"})

    @app.get(
        "/analytics.js/v1/{write_key}/analytics.min.js",
        summary="Segment's browser SDK for the snippet.",
        tags=["bundle"],
    )
    @app.get("/analytics.js/v1/{write_key}/analytics.js", include_in_schema=False)
    async def loader(write_key: str, request: Request) -> Response:
        _known(environment, write_key)
        packed = _takes_gzip(request)
        return javascript(environment.assets.loader(write_key, environment.base_url(request), packed), packed, CACHED)

    @app.get("/analytics-next/bundles/{name}", summary="A part of the browser SDK.", tags=["bundle"])
    async def chunk(name: str, request: Request) -> Response:
        packed = _takes_gzip(request)
        body = environment.assets.chunk(name, packed=packed) if NAME.fullmatch(name) else None
        if body is None:
            raise HTTPException(404)
        return javascript(body, packed, FOR_EVER)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(openapi.page(app.openapi()))


def _known(environment: Environment, write_key: str) -> Source | None:
    """The source of a key; None while the configuration is still being read, when every key may be right.

    Raises Refusal for a key that cannot be one, or is known to be nobody's.
    """
    source = environment.sources.find(write_key) if WRITE_KEY.fullmatch(write_key) else None
    if source is None and (environment.state.configured() or not WRITE_KEY.fullmatch(write_key)):
        raise Refusal("unknown_write_key", "No source has this write key: copy it again.", status=404)
    return source


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return error_response(405, "method_not_allowed", "This path takes another method.", headers=_headers(error))
    if status == 404:
        return error_response(404, "not_found", "No such path; the paths there are stand at /docs.")
    return error_response(status, "http_error", str(getattr(error, "detail", "")), headers=_headers(error))


def _headers(error: Exception) -> dict[str, str] | None:
    headers: Any = getattr(error, "headers", None)
    return dict(headers) if headers else None


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    return error_response(error.status, error.reason, error.message, headers=headers)


async def _assets_missing(_: Request, error: Exception) -> Response:
    return error_response(503, "bundle_not_built", str(error), headers={"cache-control": "no-store"})
