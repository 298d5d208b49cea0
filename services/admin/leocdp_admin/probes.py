"""Asks every instance of the other services how it is, over HTTP: whether it is ready, and its metrics."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from leocdp.kit.metrics import read_exposition
from leocdp.ports.clock import Clock
from leocdp_admin.application.health.readings import Target
from leocdp_admin.application.shapes.administration import ServiceStatus

TIMEOUT_S = 1.5
"""Of the list of services."""
READING_S = 0.6
"""Of a reading for the status page: for name, readiness and metrics together."""


class HttpProbes:
    def __init__(
        self, urls: Sequence[tuple[str, str]], clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._urls = urls
        self._clock = clock
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_S, follow_redirects=False, trust_env=False, transport=transport
        )

    async def look(self) -> Sequence[ServiceStatus]:
        return await asyncio.gather(*(self._one(name, url) for name, url in self._urls))

    async def read(self) -> Sequence[Target]:
        """One name may stand for several instances: each of its addresses is asked. A name without an address is one
        that was scaled away, as long as another of its service has one."""
        try:
            async with asyncio.timeout(READING_S):
                found = await asyncio.gather(*(_instances(url) for _, url in self._urls))
        except TimeoutError:
            found = [[url] for _, url in self._urls]
        known = {name for (name, _), urls in zip(self._urls, found, strict=True) if urls}
        asked = [
            (name, instance)
            for (name, url), urls in zip(self._urls, found, strict=True)
            for instance in (urls or ([] if name in known else [url]))
        ]
        return await asyncio.gather(*(self._read_one(name, url) for name, url in asked))

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
        return ServiceStatus(
            name=name,
            instance=str(body.get("instance", "")),
            version=str(body.get("version", "")),
            ready=body["ready"] is True,
            reasons=_reasons(body),
        )

    async def _read_one(self, service: str, url: str) -> Target:
        silent = Target(service, url, self._clock.now())
        try:
            async with asyncio.timeout(READING_S):
                ready, exposed = await asyncio.gather(
                    self._client.get(f"{url}/readyz"), self._client.get(f"{url}/metrics")
                )
            body: Any = ready.json()
            figures = read_exposition(exposed.text)
        except (TimeoutError, httpx.TimeoutException):
            return Target(service, url, silent.at, late=True)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return silent
        if not isinstance(body, dict) or "ready" not in body:
            return silent
        return Target(
            service=service,
            address=url,
            at=silent.at,
            instance=str(body.get("instance", "")),
            version=str(body.get("version", "")),
            reachable=True,
            ready=body["ready"] is True,
            reasons=_reasons(body),
            figures=figures,
        )


async def _instances(url: str) -> list[str]:
    """The address itself where its name means one machine; else one per machine; none for a name that is unknown."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme != "http":
        # A certificate is for the name.
        return [url]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    # Of a machine with addresses of both families, one.
    first = socket.AF_INET if any(family == socket.AF_INET for family, *_ in found) else socket.AF_INET6
    addresses = sorted({str(place[0]) for family, _, _, _, place in found if family == first})
    if len(addresses) == 1:
        return [url]
    return [f"http://[{one}]:{port}" if ":" in one else f"http://{one}:{port}" for one in addresses]


def _reasons(body: dict[str, Any]) -> list[str]:
    reasons = body.get("reasons")
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else []


def _silent(name: str, reason: str) -> ServiceStatus:
    return ServiceStatus(name=name, instance="", version="", ready=False, reasons=[reason])
