"""Waiting until services can do their work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Readiness:
    """``reasons`` why a service is not ready, as it says itself; one of ours when it cannot be asked."""

    ready: bool
    reasons: tuple[str, ...] = ()


def base_url(host: str, port: int) -> str:
    """How this machine reaches a service that listens on ``host``."""
    reachable = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{reachable}]' if ':' in reachable and not reachable.startswith('[') else reachable}:{port}"


async def ask(client: httpx.AsyncClient, url: str) -> Readiness:
    """What ``/readyz`` of the service at ``url`` says now."""
    try:
        answer = await client.get(f"{url}/readyz")
        body = answer.json()
        reasons = tuple(map(str, body.get("reasons", ())))
    except (httpx.HTTPError, ValueError, AttributeError):
        return Readiness(False, ("It does not answer yet.",))
    return Readiness(answer.status_code == httpx.codes.OK, reasons)


async def wait_ready(client: httpx.AsyncClient, url: str, seconds: float) -> Readiness:
    """Ask until it is ready or ``seconds`` are over; the last answer."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        now = await ask(client, url)
        if now.ready or asyncio.get_running_loop().time() >= deadline:
            return now
        await asyncio.sleep(POLL_SECONDS)


async def wait_all(urls: Sequence[str], seconds: float) -> Sequence[Readiness]:
    """Like ``wait_ready`` for several services at once, in their order."""
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        return await asyncio.gather(*(wait_ready(client, url, seconds) for url in urls))
