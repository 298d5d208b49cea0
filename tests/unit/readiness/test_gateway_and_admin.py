"""The gateway's readiness tells whether admin takes what it signs, not only whether somebody is there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from leocdp_gateway.environment import Environment
from leocdp_gateway.settings import GatewaySettings
from tests.unit.gateway.upstream import SECRET, Upstream, served


@asynccontextmanager
async def gateway(address: str, secret: str = SECRET) -> AsyncIterator[Environment]:
    environment = Environment(GatewaySettings(gateway_secret=SecretStr(secret), gateway_admin_url=address))
    async with environment.running():
        yield environment


async def test_another_secret_is_told_as_what_it_is() -> None:
    async with served(Upstream()) as port:
        address = f"http://127.0.0.1:{port}"
        async with gateway(address, "a secret that was rotated on one side only") as environment:
            [reason] = await environment.ready()
            assert reason == (
                "admin: The gateway's signature does not fit: both services need the same LEOCDP_GATEWAY_SECRET."
            )
        async with gateway(address) as environment:
            assert list(await environment.ready()) == []


async def test_nobody_there_is_told_with_the_setting(unused_tcp_port: int) -> None:
    async with gateway(f"http://127.0.0.1:{unused_tcp_port}") as environment:
        [reason] = await environment.ready()
        assert reason.startswith("admin: it cannot be reached")
        assert reason.endswith("Start it, or check LEOCDP_GATEWAY_ADMIN_URL.")


async def test_an_admin_of_the_version_before_has_no_such_path_and_serves() -> None:
    upstream = Upstream(refuse_internal=404)
    async with served(upstream) as port, gateway(f"http://127.0.0.1:{port}") as environment:
        assert list(await environment.ready()) == []
