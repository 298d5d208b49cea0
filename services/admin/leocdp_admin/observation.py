"""Counts and times requests, by the template of their route: never a value of a path."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leocdp.kit import metric_catalogue as m
from leocdp.kit.metrics import Metrics

_API: Final = "/api/v1"
_FIXED: Final = frozenset({"/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"})


class Observation:
    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.observe(m.ADMIN_REQUEST_SECONDS, perf_counter() - started, route=_route(scope))
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            self._metrics.inc(m.ADMIN_REQUESTS, route=_route(scope), status=str(status))


def _route(scope: Scope) -> str:
    path = str(getattr(scope.get("route"), "path", ""))
    if not path:
        return scope["path"] if scope["path"] in _FIXED else "other"
    # Routes of included routers do not know the prefix they stand under.
    return f"{_API}{path}" if scope["path"].startswith(_API) and not path.startswith(_API) else path
