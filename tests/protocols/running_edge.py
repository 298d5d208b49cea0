"""The whole observer inside the test's process, on an embedded event log of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from leocdp.contracts.log_records import RejectedItem
from leocdp_observer.app import create_app
from leocdp_observer.environment import Environment
from leocdp_observer.settings import ObserverSettings
from tests.protocols import stored_items
from tests.protocols.sources import SOURCES, publish_sources
from tests.protocols.stored_items import Stored

BASIC = httpx.BasicAuth("wk_test", "")


class Edge:
    def __init__(self, environment: Environment, client: httpx.AsyncClient) -> None:
        self.environment = environment
        self.client = client

    async def post(self, path: str, body: Any = None, *, key: str = "wk_test", **options: Any) -> httpx.Response:
        """POST as JSON, or as it is if it is bytes already; the key by Basic auth unless it is empty."""
        if key:
            options["auth"] = httpx.BasicAuth(key, "")
        if isinstance(body, bytes):
            return await self.client.post(path, content=body, **options)
        return await self.client.post(path, json=body, **options)

    async def stored(self) -> list[Stored]:
        return await stored_items.accepted(self.environment.log)

    async def rejected(self, count: int) -> list[RejectedItem]:
        """The refused items, once there are as many: they are written in the background."""
        found: list[RejectedItem] = []

        async def enough() -> bool:
            found[:] = await stored_items.rejected(self.environment.log)
            return len(found) >= count

        await until(enough)
        return found


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for a condition, which may be a coroutine function. Fails when it does not come true in time."""
    async with asyncio.timeout(seconds):
        while True:
            result = condition()
            if await result if asyncio.iscoroutine(result) else result:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running_edge(folder: Path, *, publish: bool = True, **settings: Any) -> AsyncIterator[Edge]:
    environment = Environment(ObserverSettings(data_dir=folder, **settings))
    transport = httpx.ASGITransport(create_app(environment), client=("203.0.113.9", 4711))
    async with (
        environment.running(),
        httpx.AsyncClient(transport=transport, base_url="http://edge.example") as client,
    ):
        edge = Edge(environment, client)
        if publish:
            await publish_sources(environment.log)
            await until(lambda: len(environment.view.sources()) == len(SOURCES))
        yield edge
