"""The processor's HTTP side: probes and metrics. Its work runs beside it, for as long as the application lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from leocdp.kit.web import operations_routes
from leocdp_processor.environment import Environment


def create_app(environment: Environment) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with environment.running():
            yield

    routes = operations_routes(environment.ready, environment.metrics, about=environment.about)
    return Starlette(routes=routes, lifespan=lifespan)
