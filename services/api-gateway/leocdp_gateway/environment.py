"""The composition root: what the gateway is made of. Nothing is connected until it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from leocdp.kit.clients import Clients
from leocdp.kit.metrics import Metrics
from leocdp.kit.serve import instance_name
from leocdp.ports.clock import SystemClock
from leocdp_gateway.admin import Admin
from leocdp_gateway.auth import Keys
from leocdp_gateway.gate import Gate
from leocdp_gateway.key_use import KeyUse
from leocdp_gateway.proxy import Proxy
from leocdp_gateway.rate_limit import Failures, KeyRate
from leocdp_gateway.settings import GatewaySettings
from leocdp_gateway.upstream import Upstream


class Environment:
    """A gateway that is put together but not started. Raises ValueError for settings that cannot work."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.version = version("leocdp-gateway")
        self.instance = instance_name(settings.instance)
        self.metrics = Metrics()
        secret, clock = settings.signing_secret(), SystemClock()
        self._upstream = Upstream(settings.admin_address(), settings.gateway_max_connections)
        self._stopping = asyncio.Event()
        self._admin = Admin(self._upstream, secret, clock)
        self.use = KeyUse(self._admin, clock)
        self.gate = Gate(
            keys=Keys(self._admin, clock, seconds=settings.gateway_key_seconds),
            use=self.use,
            rate=KeyRate(settings.gateway_rate_limit),
            failures=Failures(settings.gateway_failure_limit),
            metrics=self.metrics,
        )
        self.proxies = Clients(settings.gateway_trusted_proxies)
        self.proxy = Proxy(self._upstream, settings, secret, clock, self._stopping)

    def about(self) -> dict[str, Any]:
        return {"service": "gateway", "instance": self.instance, "version": self.version}

    def stop(self) -> None:
        """Let answers without an end come to one."""
        self._stopping.set()

    async def ready(self) -> Sequence[str]:
        """Why the gateway cannot do its work now: ``admin: …``."""
        problem = await self._admin.problem()
        return [f"admin: {problem}"] if problem else []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Report the use of keys; on leaving, once more. A missing admin does not stop the start."""
        reporting = asyncio.create_task(self.use.run())
        try:
            yield
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)
            await self.use.report()
            await self._upstream.close()
