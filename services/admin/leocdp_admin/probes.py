"""Looks at the readiness of the other services over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from leocdp_admin.application.shapes.administration import ServiceStatus

TIMEOUT_S = 1.5


class HttpProbes:
    def __init__(self, urls: Sequence[tuple[str, str]], transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._urls = urls
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, transport=transport
        )

    async def look(self) -> Sequence[ServiceStatus]:
        return await asyncio.gather(*(self._one(name, url) for name, url in self._urls))

    async def close(self) -> None:
        await self._client.aclose()

    async def _one(self, name: str, url: str) -> ServiceStatus:
        try:
            answer = await self._client.get(f"{url}/readyz")
            body: Any = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return _silent(name, f"{url} does not answer ({type(error).__name__}).")
        if not isinstance(body, dict) or "ready" not in body:
            return _silent(name, f"{url} answers, but is no service of LEO CDP.")
        reasons = body.get("reasons")
        return ServiceStatus(
            name=name,
            instance=str(body.get("instance", "")),
            version=str(body.get("version", "")),
            ready=body["ready"] is True,
            reasons=[str(reason) for reason in reasons] if isinstance(reasons, list) else [],
        )


def _silent(name: str, reason: str) -> ServiceStatus:
    return ServiceStatus(name=name, instance="", version="", ready=False, reasons=[reason])
