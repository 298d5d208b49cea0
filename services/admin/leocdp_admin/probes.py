"""Asks every instance of the other services how it is, over HTTP: whether it is ready, and its metrics."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from leocdp.kit.metrics import read_exposition
from leocdp.ports.clock import Clock
from leocdp_admin.application.health.readings import Service, Target


class HttpProbes:
    def __init__(
        self, urls: Sequence[tuple[Service, str]], clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._urls = urls
        self._clock = clock
        # Every reading has its own limit, which is shorter.
        self._client = httpx.AsyncClient(timeout=10, follow_redirects=False, trust_env=False, transport=transport)

    async def read(self, seconds: float) -> Sequence[Target]:
        """Every instance as it is now; ``seconds`` are for all of it. One name may stand for several instances: each
        of its addresses is asked. A name without an address is one that was scaled away, as long as another of its
        service has one."""
        until = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout(seconds / 2):
                found = await asyncio.gather(*(_instances(url) for _, url in self._urls))
        except TimeoutError:
            found = [[url] for _, url in self._urls]
        known = {name for (name, _), urls in zip(self._urls, found, strict=True) if urls}
        asked = [
            (name, instance)
            for (name, url), urls in zip(self._urls, found, strict=True)
            for instance in (urls or ([] if name in known else [url]))
        ]
        return await asyncio.gather(*(self._read_one(name, url, until) for name, url in asked))

    async def close(self) -> None:
        await self._client.aclose()

    async def _read_one(self, service: Service, url: str, until: float) -> Target:
        silent = partial(Target, service, url, self._clock.now())
        try:
            async with asyncio.timeout_at(until):
                ready, exposed = await asyncio.gather(
                    self._client.get(f"{url}/readyz"), self._client.get(f"{url}/metrics")
                )
            body: Any = ready.json()
            figures = read_exposition(exposed.text)
        except (TimeoutError, httpx.TimeoutException):
            return silent(late=True, reasons=[f"{url} does not answer in time."])
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return silent(reasons=[f"{url} does not answer ({type(error).__name__})."])
        if not isinstance(body, dict) or "ready" not in body:
            return silent(reasons=[f"{url} answers, but is no service of LEO CDP."])
        return silent(
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
