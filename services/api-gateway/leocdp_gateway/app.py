"""The gateway as an ASGI application: its own few pages, and a door to admin for everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leocdp.kit import metric_catalogue as m
from leocdp.kit.logs import get_logger
from leocdp.kit.web import error_response, operations_routes
from leocdp_gateway import docs
from leocdp_gateway.body import ClientGone
from leocdp_gateway.environment import Environment
from leocdp_gateway.headers import Caller, raw_path
from leocdp_gateway.refusals import Refusal
from leocdp_gateway.routes import Door, door

CLIENT_GONE = 499
"""Status in the metrics of requests whose client left before the answer began."""

log = get_logger(__name__)


def create_app(environment: Environment) -> ASGIApp:
    return Gateway(environment, _own(environment))


def _own(environment: Environment) -> Starlette:
    """What the gateway answers itself."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with environment.running():
            yield

    routes = operations_routes(environment.ready, environment.metrics, about=environment.about)
    return Starlette(
        routes=[*routes, *docs.routes()], lifespan=lifespan, exception_handlers={HTTPException: _http_error}
    )


class Gateway:
    def __init__(self, environment: Environment, own: ASGIApp) -> None:
        self._environment = environment
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._own(scope, receive, send)
            return
        answer = _Answer(send)
        kind = "api" if scope["path"].startswith("/api") else "ui"
        try:
            await self._pass(scope, receive, answer)
        except Refusal as refusal:
            await refusal.response()(scope, receive, answer)
        except ClientGone:
            answer.status = answer.status or CLIENT_GONE
        except Exception as error:
            log.error("request_failed", exc_info=error)
            if answer.status:
                raise
            await error_response(500, "internal_error", "The gateway has failed; its log says why.")(
                scope, receive, answer
            )
        finally:
            self._count(kind, answer)

    async def _pass(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        environment = self._environment
        at = door(scope["method"], scope["path"], raw_path(scope))
        if at is Door.OWN:
            await self._own(scope, receive, answer)
            return
        caller = Caller.of(scope, environment.proxies)
        principal = await environment.gate.principal(at, scope["headers"], caller)
        await environment.proxy.forward(scope, receive, answer, caller, principal)

    def _count(self, kind: str, answer: _Answer) -> None:
        metrics = self._environment.metrics
        metrics.inc(m.GATEWAY_REQUESTS, kind=kind, status=str(answer.status))
        metrics.observe(m.GATEWAY_REQUEST_SECONDS, answer.seconds(), kind=kind)


class _Answer:
    """``send`` that remembers the status, and when the answer began."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._asked = monotonic()
        self._began = 0.0
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._began = monotonic()
        await self._send(message)

    def seconds(self) -> float:
        return (self._began or monotonic()) - self._asked


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        return error_response(405, "method_not_allowed", "This path takes another method.")
    return error_response(status, "not_found", "There is nothing here.")
