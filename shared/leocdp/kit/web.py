"""What every service answers beside its work: ``/healthz``, ``/readyz``, ``/metrics``, and errors of one shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from leocdp.kit.metrics import Metrics

Readiness = Callable[[], Awaitable[Sequence[str]]]
"""Returns the reasons why the service cannot do its work now; none when it can."""


def operations_routes(ready: Readiness, metrics: Metrics, *, about: Callable[[], dict[str, Any]]) -> list[Route]:
    """Routes for probes and scraping. ``about`` gives name, instance and version of the service."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive", **about()})

    async def readyz(_: Request) -> Response:
        reasons = list(await ready())
        return JSONResponse({"ready": not reasons, "reasons": reasons, **about()}, 503 if reasons else 200)

    async def exposition(_: Request) -> Response:
        shown = metrics.expose()
        return Response(shown.body, headers={"content-type": shown.content_type})

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]


def error_body(code: str, message: str, details: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """The body of every error: ``{"code", "message", "details": [{"path", "problem"}]}``."""
    return {"code": code, "message": message, **({"details": list(details)} if details else {})}


def error_response(
    status: int, code: str, message: str, details: Sequence[dict[str, str]] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(error_body(code, message, details), status, headers=headers)
