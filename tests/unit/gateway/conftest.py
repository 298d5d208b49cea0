from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from leocdp_gateway.app import create_app
from leocdp_gateway.environment import Environment
from leocdp_gateway.settings import GatewaySettings
from tests.unit.gateway.upstream import SECRET, Upstream, served

KEY = {"id": "k1", "name": "shop", "scopes": ["profiles:read", "segments:read"], "expires_at": None}


@dataclass
class Running:
    """A gateway in front of an upstream, and a client for it."""

    client: httpx.AsyncClient
    port: int
    environment: Environment


Start = Callable[..., Any]


@pytest.fixture
def upstream() -> Upstream:
    return Upstream(keys={"lk_good": KEY})


@pytest.fixture
async def start(upstream: Upstream) -> AsyncIterator[Start]:
    """Start a gateway with settings of one's own; ``admin=False`` leaves out what stands behind it."""
    async with AsyncExitStack() as stack:

        async def starter(*, admin: bool = True, **settings: Any) -> Running:
            address = f"http://127.0.0.1:{await stack.enter_async_context(served(upstream)) if admin else 9}"
            environment = Environment(
                GatewaySettings(gateway_secret=SECRET, gateway_admin_url=address, **settings)  # type: ignore[arg-type]
            )
            port = await stack.enter_async_context(served(create_app(environment), lifespan=True))
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
            return Running(await stack.enter_async_context(client), port, environment)

        yield starter


@pytest.fixture
async def gateway(start: Start) -> Running:
    running: Running = await start()
    return running
